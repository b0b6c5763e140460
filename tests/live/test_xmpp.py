"""Chat statuses over XMPP: a real Prosody, and real clients of its users."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from typing import Any, cast

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone
from pydantic import SecretStr
from pytest_django import Settings
from slixmpp import ClientXMPP

from bluetel.accounts.models import User
from bluetel.telephony.simulator.memory import WHO
from bluetel.telephony.simulator.model import SimulatedPbx
from bluetel.telephony.types import ChatState
from presence import services, xmpp_session
from presence.models import XmppAccount
from tests.live.stage import Stage, until
from tests.live.test_statuses import (
    by_hand,
    chat,
    elsewhere,
    until_im,
    until_pbx,
)
from tests.servers import ServerOf
from tests.servers.base import as_unprivileged
from tests.servers.base import until as wait_for
from tests.servers.prosody import PASSWORD, Prosody

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]

CAMILLE, NADIA = "1001", "1002"


class Client:
    """A user's own chat client: it lets everybody see him, as companies set it."""

    def __init__(self, prosody: Prosody, jid: str) -> None:
        client: Any = ClientXMPP(f"{jid}/desk", PASSWORD)
        client.enable_starttls = client.enable_direct_tls = False
        client.enable_plaintext = True
        client.plugin["feature_mechanisms"].unencrypted_plain = True
        client.auto_authorize = client.auto_subscribe = True
        client.add_event_handler("session_start", self._begin)
        for kind in ("available", "dnd"):
            client.add_event_handler(f"presence_{kind}", self._hear)
        self.seen: dict[str, str] = {}
        self._client = client
        self._is_there = asyncio.Event()
        self._port = prosody.port

    async def sign_in(self) -> None:
        self._client.connect("127.0.0.1", self._port)
        async with asyncio.timeout(20):
            await self._is_there.wait()

    async def _begin(self, _event: object) -> None:
        await self._client.get_roster()
        self._client.send_presence()
        self._is_there.set()

    def _hear(self, presence: Any) -> None:
        self.seen[str(presence["from"].bare)] = str(presence["show"] or "")

    def say(self, show: str | None, status: str = "") -> None:
        self._client.send_presence(pshow=show, pstatus=status or None)

    async def leave(self) -> None:
        await self._client.disconnect()
        self._client.abort()


Restarted = list[subprocess.Popen[bytes]]


@pytest.fixture(scope="module")
def restarted() -> Iterator[Restarted]:
    """The servers that were started anew after a test had killed one."""
    processes: Restarted = []
    yield processes
    for process in processes:
        process.terminate()
        process.wait(10)


@pytest.fixture
def prosody(server: ServerOf, settings: Settings, restarted: Restarted) -> Prosody:
    found = cast("Prosody", server("prosody"))
    if not found.answers():
        restarted.append(start_again(found))
        wait_for(found.answers)
    settings.ENV = settings.ENV.model_copy(update={"xmpp_url": SecretStr(found.url)})
    settings.ENGINE_DUTIES = ["presence.xmpp_watch.XmppWatch"]
    return found


def kill(prosody: Prosody) -> None:
    os.kill(int((prosody.folder / "prosody.pid").read_text()), signal.SIGKILL)


def start_again(prosody: Prosody) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*as_unprivileged(), *prosody.command()], cwd=prosody.folder)


async def give_jid(stage: Stage, extension: str, jid: str, *, password: str = "") -> User:
    user = await stage.user(extension)
    await XmppAccount.objects.acreate(user=user, jid=jid, password=password)
    return user


async def test_who_gave_his_password_is_published(stage: Stage, prosody: Prosody) -> None:
    jids = [prosody.add("oskar"), prosody.add("tom")]
    user = await give_jid(stage, CAMILLE, jids[0], password=PASSWORD)
    friend = Client(prosody, jids[1])
    await friend.sign_in()
    friend._client.send_presence_subscription(pto=jids[0], ptype="subscribe")
    await stage.start_engine()
    await stage.until_heard()
    await sync_to_async(services.choose_status)(user.pk, "busy", now=timezone.now())
    await until(lambda: friend.seen.get(jids[0]) == "dnd", what="dnd at a colleague's client")
    await sync_to_async(services.be_automatic)(user.pk)
    await until(lambda: friend.seen.get(jids[0]) == "", what="available at a colleague's client")
    await friend.leave()


async def test_what_clients_say_is_shown_and_unknown_while_the_server_is_down(
    stage: Stage, prosody: Prosody, restarted: Restarted
) -> None:
    jids = [prosody.add("camille"), prosody.add("nadia")]
    await give_jid(stage, CAMILLE, jids[0])
    await give_jid(stage, NADIA, jids[1])
    camille, nadia = (Client(prosody, jid) for jid in jids)
    await camille.sign_in()
    await nadia.sign_in()
    await stage.start_engine()
    await stage.until_heard()
    await until_im(stage, CAMILLE, "available")
    camille.say("dnd", "Writing")
    await until_im(stage, CAMILLE, "busy", "Writing")
    nadia.say("xa")
    await until_im(stage, NADIA, "away")
    camille.say("chat")
    await until_im(stage, CAMILLE, "available")
    await nadia.leave()
    await until_im(stage, NADIA, "offline")

    kill(prosody)
    await until_im(stage, CAMILLE, "unknown")
    assert (await stage.record(CAMILLE))["phone"] == "available"
    restarted.append(start_again(prosody))
    await until(prosody.answers, what="Prosody again")
    back = Client(prosody, jids[0])
    await back.sign_in()
    await until_im(stage, CAMILLE, "available")
    await back.leave()
    await camille.leave()


async def test_a_server_that_falls_silent_is_unknown_until_it_speaks(
    stage: Stage, prosody: Prosody, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xmpp_session, "PING_EVERY", 0.2)
    monkeypatch.setattr(xmpp_session, "ANSWER_WITHIN", 2.0)
    camille = await camille_over_xmpp(stage, prosody)
    pid = int((prosody.folder / "prosody.pid").read_text())
    os.kill(pid, signal.SIGSTOP)
    try:
        await until_im(stage, CAMILLE, "unknown")
    finally:
        os.kill(pid, signal.SIGCONT)
    await until_im(stage, CAMILLE, "busy", "Writing")
    await camille.leave()


async def camille_over_xmpp(stage: Stage, prosody: Prosody) -> Client:
    """Camille, whose word over XMPP counts, with a status on the PBX too."""
    jid = prosody.add("camille")
    await give_jid(stage, CAMILLE, jid, password=PASSWORD)
    camille = Client(prosody, jid)
    await camille.sign_in()
    await stage.start_engine()
    await stage.until_heard()
    camille.say("dnd", "Writing")
    await until_im(stage, CAMILLE, "busy", "Writing")
    await until_pbx(stage, CAMILLE, ChatState.BUSY, "Writing")
    return camille


async def written(stage: Stage) -> list[str]:
    """The statuses BlueTel wrote to the PBX, oldest first."""

    def read(pbx: SimulatedPbx) -> list[str]:
        return [one.after for one in pbx.writes if (one.who, one.what) == (WHO, "chat")]

    return await stage.do(read)


async def test_the_pbx_is_told_once_what_xmpp_or_bluetel_says(
    stage: Stage, prosody: Prosody
) -> None:
    camille = await camille_over_xmpp(stage, prosody)
    camille.say("away")
    await until_pbx(stage, CAMILLE, ChatState.AWAY)
    camille.say("chat")
    await until_pbx(stage, CAMILLE, ChatState.AVAILABLE)
    before = await written(stage)
    user = await stage.user(CAMILLE)
    await sync_to_async(services.choose_status)(
        user.pk, "away", message="At lunch", now=timezone.now()
    )
    await until_im(stage, CAMILLE, "away", "At lunch")
    await until_pbx(stage, CAMILLE, ChatState.AWAY, "At lunch")
    await sync_to_async(services.be_automatic)(user.pk)
    await until_im(stage, CAMILLE, "available")
    await until_pbx(stage, CAMILLE, ChatState.AVAILABLE)
    assert (await written(stage))[len(before) :] == ["away At lunch", "available"]
    await camille.leave()


async def test_what_is_chosen_on_a_pbx_that_follows_is_neither_believed_nor_fought(
    stage: Stage, prosody: Prosody
) -> None:
    camille = await camille_over_xmpp(stage, prosody)
    before = await written(stage)
    await elsewhere(stage, CAMILLE, ChatState.AWAY, "In the other program")
    await stage.do(lambda pbx: pbx.place_call(pbx.lines[CAMILLE][0], "1003"))
    await stage.until_phone(CAMILLE, "ringing")  # so the status chosen before has been heard too
    record = await stage.record(CAMILLE)
    assert (record["im"], record["message"]) == ("busy", "Writing")
    claim = await by_hand(stage, CAMILLE)
    assert claim is not None
    assert claim.ref == "xmpp"
    assert await stage.do(chat(CAMILLE)) == (ChatState.AWAY, "In the other program")
    assert await written(stage) == before
    camille.say("dnd", "Still writing")
    await until_pbx(stage, CAMILLE, ChatState.BUSY, "Still writing")
    await camille.leave()


async def test_a_server_that_is_down_has_the_pbx_told_nothing(
    stage: Stage, prosody: Prosody
) -> None:
    camille = await camille_over_xmpp(stage, prosody)
    before = await written(stage)
    kill(prosody)
    await until_im(stage, CAMILLE, "unknown")
    assert await written(stage) == before
    await camille.leave()
