from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from bluetel.accounts.models import Pbx, User
from bluetel.telephony.errors import PbxUnavailable
from bluetel.telephony.simulator.model import SimulatedPbx
from bluetel.telephony.types import Forward, ForwardKind, Forwards, PbxUserId
from bluetel.work import due
from forwarding import reconciler, selectors, services
from forwarding.models import (
    Calendar,
    CalendarObject,
    Collection,
    Line,
    Occurrence,
    PbxWrite,
    RouteOverride,
)
from forwarding.steps import READ_EDGE
from tests.live.stage import Stage, until

pytestmark = pytest.mark.django_db(transaction=True)

VOICEMAIL = Forward(enabled=True, destination="*971001")
OFF = Forward()
UNCONDITIONAL = ForwardKind.UNCONDITIONAL


def add_meeting(user: User, *, begins_in: float, lasts: float) -> None:
    """A meeting that begins in so many seconds."""
    now = timezone.now()
    calendar = Calendar.objects.create(user=user, kind="ics", created_at=now)
    collection = Collection.objects.create(calendar=calendar)
    source = CalendarObject.objects.create(
        collection=collection, digest="", content=b"", expanded_until=now, zone="UTC"
    )
    starts = now + timedelta(seconds=begins_in)
    Occurrence.objects.create(
        user=user,
        source=source,
        uid="meeting",
        starts=starts,
        ends=starts + timedelta(seconds=lasts),
    )
    services.reconsider(user.pk, now=now)


class Desk:
    """The user of extension 1001 with an engine on duty, seen from his desk."""

    def __init__(self, stage: Stage, user: User) -> None:
        self.stage = stage
        self.user = user

    async def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await asyncio.to_thread(function, self.user, *args, **kwargs)

    def forward(self) -> Forward:
        def look(model: SimulatedPbx) -> Forward:
            return model.lines["1001"][0].forwards[UNCONDITIONAL]

        return self.stage.house.do(look)

    def is_quiet(self) -> bool:
        return self.stage.house.do(lambda model: model.lines["1001"][0].do_not_disturb)

    async def until_forward(self, forward: Forward, *, within: float = 10.0) -> None:
        await until(lambda: self.forward() == forward, what=f"{forward}", within=within)

    async def until_applied(self) -> None:
        async def is_applied() -> bool:
            found = await self.call(lambda user: selectors.routing_of(user, now=timezone.now()))
            return bool(found["applied"])

        await until(is_applied, what="what was decided on the PBX")

    async def until_known_to_lag(self) -> None:
        async def is_failing() -> bool:
            line = await Line.objects.aget(pk=self.user.pk)
            return line.failing_since is not None

        await until(is_failing, what="the failure on the row")

    async def dial(self, forward: Forward) -> None:
        await self.stage.do(
            lambda model: model.set_forward(model.lines["1001"][0], UNCONDITIONAL, forward)
        )


@pytest.fixture
async def desk(stage: Stage, settings: Settings) -> Desk:
    settings.ENGINE_DUTIES = ["forwarding.reconciler.Reconciler"]
    await stage.start_engine()
    await stage.until_heard()
    desk = Desk(stage, await stage.user("1001"))
    await desk.call(
        lambda user: services.save_automation(
            user,
            {"calendar": {"route": "voicemail", "set_im_busy": True}},
            now=timezone.now(),
        )
    )
    return desk


async def test_a_meeting_begins_and_ends_on_the_phone(desk: Desk) -> None:
    await desk.call(add_meeting, begins_in=0.3, lasts=1.0)
    await desk.until_forward(VOICEMAIL)
    await desk.until_applied()
    await desk.until_forward(OFF)
    await desk.until_applied()
    entries = [entry async for entry in PbxWrite.objects.order_by("pk")]
    assert [(entry.cause, entry.outcome) for entry in entries] == [
        ("meeting", "done"),
        ("restore", "done"),
    ]


async def test_do_not_disturb_as_the_way_to_voicemail_is_applied_when_the_phone_says_so(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciler, "ECHO_WITHIN", 60.0)
    await Pbx.objects.aupdate(voicemail_by_dnd=True)
    await desk.call(add_meeting, begins_in=0.3, lasts=1.5)
    await until(desk.is_quiet, what="do-not-disturb")
    await desk.until_applied()
    await until(lambda: not desk.is_quiet(), what="its end")
    await desk.until_applied()
    assert desk.forward() == OFF


async def test_the_pages_are_told(desk: Desk) -> None:
    await desk.call(add_meeting, begins_in=0.0, lasts=60.0)

    def told() -> bool:
        frames = [m["frame"] for m in desk.stage.of_type("user") if m["user"] == str(desk.user.pk)]
        return any(
            frame["type"] == "routing" and frame["route"] == "voicemail" and frame["applied"]
            for frame in frames
        )

    await until(told, what="the routing frame")


async def test_what_the_handset_sets_in_a_meeting_stays_after_it(desk: Desk) -> None:
    await desk.call(add_meeting, begins_in=0.0, lasts=1.5)
    await desk.until_forward(VOICEMAIL)
    await desk.until_applied()
    mine = Forward(enabled=True, destination="1042")
    await desk.dial(mine)

    async def is_his() -> bool:
        line = await Line.objects.aget(pk=desk.user.pk)
        return line.own is not None and line.own["unconditional"]["destination"] == "1042"

    await until(is_his, what="the forward of his own")
    found = await desk.call(lambda user: selectors.routing_of(user, now=timezone.now()))
    assert (found["destination"], found["source"]) == ("1042", "manual")
    await asyncio.to_thread(
        lambda: Occurrence.objects.update(ends=timezone.now() + timedelta(milliseconds=1))
    )
    await desk.call(lambda user: services.reconsider(user.pk, now=timezone.now()))
    await desk.until_applied()
    assert desk.forward() == mine


async def test_what_was_read_before_the_handset_was_used_does_not_undo_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.call(add_meeting, begins_in=0.0, lasts=40.0)
    await desk.until_forward(VOICEMAIL)
    await desk.until_applied()
    read = desk.stage.house.backend.forwards
    asked_at: list[datetime] = []
    may_answer = threading.Event()

    def answer_late(user: PbxUserId) -> Forwards:
        found = read(user)
        if user == desk.user.pbx_user_id:
            asked_at.append(timezone.now())
            may_answer.wait(10.0)
        return found

    async def is_his() -> bool:
        return await RouteOverride.objects.filter(pk=desk.user.pk).aexists()

    async def is_read_again() -> bool:
        line = await Line.objects.aget(pk=desk.user.pk)
        return len(asked_at) > 1 and line.read_at is not None and line.read_at >= asked_at[1]

    monkeypatch.setattr(desk.stage.house.backend, "forwards", answer_late)
    await desk.call(lambda user: due.put(READ_EDGE, [(str(user.pk), timezone.now())]))
    await until(lambda: bool(asked_at), what="the read")
    await desk.dial(OFF)
    await until(is_his, what="the choice of his own")
    may_answer.set()
    await until(is_read_again, what="another read")
    assert await is_his()
    assert desk.forward() == OFF


async def test_own_settings_are_changed_through_the_engine(desk: Desk) -> None:
    await desk.call(
        lambda user: services.set_forwards(
            user,
            {"unconditional": {"enabled": True, "destination": "1002"}, "do_not_disturb": True},
            now=timezone.now(),
        )
    )
    assert desk.forward() == Forward(enabled=True, destination="1002")
    found = await desk.call(selectors.forwards_of)
    assert found["do_not_disturb"] is True
    assert found["unconditional"] == {"enabled": True, "destination": "1002"}


async def test_a_pbx_that_fails_is_tried_again_until_it_takes_the_forward(desk: Desk) -> None:
    backend = desk.stage.house.backend
    backend.fail(PbxUnavailable("down"), on="set_forward")
    await desk.call(add_meeting, begins_in=0.0, lasts=60.0)
    await desk.until_known_to_lag()
    backend.heal()
    await desk.until_forward(VOICEMAIL)
    await desk.until_applied()


async def test_nothing_is_written_while_the_pbx_is_lost_and_all_is_caught_up_after(
    desk: Desk,
) -> None:
    backend = desk.stage.house.backend
    await desk.call(add_meeting, begins_in=0.0, lasts=60.0)
    await desk.until_forward(VOICEMAIL)
    await desk.until_applied()
    await asyncio.to_thread(backend.lose_stream)
    await desk.stage.until_phone("1002", "available")
    await desk.call(lambda user: services.suppress(user, "meeting", now=timezone.now()))
    await desk.until_known_to_lag()
    assert desk.forward() == VOICEMAIL
    await asyncio.to_thread(backend.restore_stream)
    await desk.until_forward(OFF)
    await desk.until_applied()


async def test_another_engine_takes_over_and_brings_the_forward_back(desk: Desk) -> None:
    await desk.call(add_meeting, begins_in=0.0, lasts=60.0)
    await desk.until_forward(VOICEMAIL)
    await desk.until_applied()
    await desk.stage.stop_engine(desk.stage._engines[0][0])
    await asyncio.to_thread(Occurrence.objects.all().delete)
    await desk.stage.start_engine()
    await desk.until_forward(OFF)
