"""A Wazo and a XiVO at once: each engine part keeps to its own, and presence goes across."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

import pytest
from asgiref.sync import sync_to_async
from pytest_django import Settings

from bluetel.accounts.models import Pbx, PbxLogin, User
from bluetel.accounts.pbx import close_backends
from bluetel.accounts.services import sync_users
from bluetel.calls.models import Call
from bluetel.telephony.simulator.loopback import PASSWORD, USERNAME
from bluetel.telephony.simulator.model import SimulatedPbx
from bluetel.telephony.simulator.xivo_server.serve import LoopbackXuc
from bluetel.telephony.types import PbxUser
from presence.live import follow_calls, publish_to_engine
from presence.messages import PageMessage, PushesMessage
from tests.apps.house import House
from tests.live.stage import Stage, until

T = TypeVar("T")


class Annexe:
    """The second site: two people on a XiVO, of whom Zoé gave her login."""

    def __init__(self, xuc: LoopbackXuc) -> None:
        self.xuc = xuc
        self.pbx = Pbx.objects.create(
            name="annexe",
            kind=Pbx.Kind.XIVO,
            url=xuc.url,
            username=USERNAME,
            password=PASSWORD,
        )
        sync_users(
            self.pbx,
            [
                PbxUser.by_login("zoe", number="2001", first_name="Zoé", last_name="Arnoux"),
                PbxUser.by_login("ugo", number="2002", first_name="Ugo", last_name="Perrin"),
            ],
        )
        zoe = User.objects.get(extension="2001")
        PbxLogin.objects.create(user=zoe, login="zoe", password="demo", works=True)
        self.zoe = zoe

    async def do(self, action: Callable[[SimulatedPbx], T]) -> T:
        return await sync_to_async(self.xuc.do, thread_sensitive=False)(action)


def _people() -> SimulatedPbx:
    pbx = SimulatedPbx(now=datetime.now(UTC))
    for login, number in (("zoe", "2001"), ("ugo", "2002")):
        pbx.add_person(
            user_id=f"uuid-{login}",
            first_name=login.title(),
            last_name="",
            extensions=[number],
            login=login,
            password="demo",
        )
    return pbx


@pytest.fixture
def annexe(house: House, settings: Settings) -> Iterator[Annexe]:
    settings.PBX_BACKENDS = {
        **settings.PBX_BACKENDS,
        "xivo": "bluetel.telephony.xivo.backend.XivoBackend",
    }
    with LoopbackXuc(_people()) as xuc:
        yield Annexe(xuc)
        close_backends()


@pytest.fixture
async def both(annexe: Annexe, stage: Stage) -> Annexe:
    """An engine hears both."""
    await stage.start_engine()
    await stage.until_phone("1001", "available")
    await stage.until_phone("2001", "available")
    return annexe


async def test_phones_of_both_kinds_are_followed(both: Annexe, stage: Stage) -> None:
    await both.do(lambda pbx: pbx.dial(pbx.lines["2002"][1], "2001"))

    await stage.until_phone("2001", "ringing")
    await stage.until_phone("2002", "busy")
    assert (await stage.record("1001"))["phone"] == "available"


async def test_a_pbx_that_is_lost_takes_only_its_own_people(both: Annexe, stage: Stage) -> None:
    await both.do(lambda _: both.xuc.site.faults.set("unavailable", ["all"]))
    await both.do(lambda _: both.xuc.application.sockets.drop_all())

    await stage.until_phone("2001", "unknown")
    assert (await stage.record("1001"))["phone"] == "available"
    await both.do(lambda _: setattr(both.xuc.site.faults, "unavailable", False))
    await stage.until_phone("2001", "available")


async def test_who_opens_a_page_has_his_own_calls_followed(both: Annexe, stage: Stage) -> None:
    await publish_to_engine(
        PageMessage(type="page", process="web", user=str(both.zoe.pk), is_open=True)
    )

    async def is_attended() -> bool:
        return await both.do(lambda _: both.xuc.application.sockets.count("zoe")) == 1

    await until(is_attended, what="a socket of Zoé's own")
    await both.do(lambda pbx: pbx.call_in("0199004217", name="Hélène", to="2001"))

    async def is_shown() -> bool:
        call = await Call.objects.filter(user=both.zoe).afirst()
        return call is not None and (call.number, call.state) == ("0199004217", "ringing_self")

    await until(is_shown, what="the call that rings at Zoé's")


async def test_a_call_that_rings_already_is_shown_to_a_program_that_asks(
    both: Annexe, stage: Stage
) -> None:
    await both.do(lambda pbx: pbx.call_in("0199004217", name="Hélène", to="2001"))
    await sync_to_async(follow_calls)(both.zoe.pk)

    async def is_shown() -> bool:
        call = await Call.objects.filter(user=both.zoe).afirst()
        return call is not None and (call.number, call.state) == ("0199004217", "ringing_self")

    await until(is_shown, what="the call that rings at Zoé's")


async def test_nobody_without_a_page_has_a_socket(both: Annexe, stage: Stage) -> None:
    assert await both.do(lambda _: both.xuc.application.sockets.open_count) == 1


async def test_of_a_hundred_messages_of_pushes_the_last_states_stay(
    annexe: Annexe, stage: Stage
) -> None:
    await Pbx.objects.filter(pk=annexe.pbx.pk).aupdate(options={"presence": "push"})
    await stage.start_engine()
    await stage.until_heard()
    ringing, busy = 8, 1
    told = [("ugo", (ringing, busy)[number % 2]) for number in range(101)]
    for login, status in [*told, ("zoe", busy)]:
        bodies: list[object] = [{"username": login, "status": status}]
        await publish_to_engine(PushesMessage(type="pushes", pbx=annexe.pbx.pk, bodies=bodies))

    await stage.until_phone("2001", "busy")
    await stage.until_phone("2002", "ringing")


async def test_what_is_posted_shows(both: Annexe, stage: Stage) -> None:
    pushed = {"username": "ugo", "status": 8}
    await both.do(lambda pbx: pbx.plug(pbx.lines["2002"][1], plugged=False))
    await stage.until_phone("2002", "offline")
    payload = {
        "eventType": "EventRinging",
        "DN": "2002",
        "otherDN": "0199004217",
        "linkedId": "7.1",
        "uniqueId": "7.1",
        "userData": {"XIVO_SRCNUM": "0199004217"},
    }
    message = {"msgType": "PhoneEvent", "ctiMessage": payload}
    await publish_to_engine(
        PushesMessage(
            type="pushes",
            pbx=both.pbx.pk,
            bodies=[pushed, {"username": "ugo", "message": message}, {"nonsense": 1}],
        )
    )

    async def is_shown() -> bool:
        return await Call.objects.filter(user__extension="2002", number="0199004217").aexists()

    await until(is_shown, what="the call that was posted")
