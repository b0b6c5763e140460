from __future__ import annotations

import asyncio
import logging
import threading
from typing import ClassVar

import pytest
from pytest_django import Settings

from bluetel.engine import duties
from bluetel.telephony.types import (
    DoNotDisturbChanged,
    Forward,
    ForwardChanged,
    ForwardKind,
    PbxEvent,
    PbxUserId,
)
from bluetel.work import leases
from bluetel.work.duties import Duty, Post
from presence.messages import LinkMessage
from tests.apps.work import errands
from tests.live.stage import Stage, until

pytestmark = pytest.mark.django_db(transaction=True)


class Watcher(Duty):
    """Notes all it is told."""

    lives: ClassVar[list[Watcher]] = []
    breaks_in: ClassVar[str] = ""

    def __init__(self) -> None:
        self.heard: list[object] = []
        self.post: Post | None = None
        Watcher.lives.append(self)

    async def run(self, post: Post) -> None:
        self.post = post
        if Watcher.breaks_in == "both":
            raise RuntimeError("a duty broke")
        await asyncio.Event().wait()

    def on_pbx_event(self, pbx_id: int, event: PbxEvent) -> None:
        if Watcher.breaks_in in {"hook", "both"}:
            raise RuntimeError("a hook broke")
        self.heard.append(event)

    def on_pbx_heard(self, pbx_id: int) -> None:
        self.heard.append(("heard", pbx_id))

    def on_pbx_lost(self, pbx_id: int) -> None:
        self.heard.append(("lost", pbx_id))


class Silent:
    """A duty without hooks, and soon done."""

    async def run(self, post: Post) -> None:
        return


@pytest.fixture(autouse=True)
def watched(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ENGINE_DUTIES = [f"{__name__}.Silent", f"{__name__}.Watcher"]
    monkeypatch.setattr(duties, "RETRY_FIRST", 0.01)
    Watcher.lives.clear()
    Watcher.breaks_in = ""


def latest() -> Watcher:
    return Watcher.lives[-1]


async def until_heard(stage: Stage) -> None:
    await until(
        lambda: bool(Watcher.lives) and ("heard", stage.house.pbx.pk) in latest().heard,
        what="the news to the duty",
    )


async def test_a_duty_is_told_when_a_pbx_is_heard(on_air: Stage) -> None:
    await until_heard(on_air)
    assert latest().heard == [("heard", on_air.house.pbx.pk)]


async def test_a_forward_set_at_the_pbx_reaches_the_duty(on_air: Stage) -> None:
    await until_heard(on_air)
    forward = Forward(enabled=True, destination="1042")
    user = PbxUserId((await on_air.user("1002")).pbx_user_id)
    kind = ForwardKind.UNCONDITIONAL
    await asyncio.to_thread(on_air.house.backend.set_forward, user, kind, forward)

    def came() -> bool:
        found = [event for event in latest().heard if isinstance(event, ForwardChanged)]
        return [(event.user, event.forward) for event in found] == [(user, forward)]

    await until(came, what="the forward")


async def test_do_not_disturb_reaches_the_duty_as_well(on_air: Stage) -> None:
    await until_heard(on_air)
    user = PbxUserId((await on_air.user("1002")).pbx_user_id)
    await asyncio.to_thread(on_air.house.backend.set_do_not_disturb, user, enabled=True)
    await until(
        lambda: any(isinstance(event, DoNotDisturbChanged) for event in latest().heard),
        what="do-not-disturb",
    )


async def test_a_broken_duty_is_logged_once_and_made_anew_while_the_engine_goes_on(
    on_air: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    await until_heard(on_air)
    caplog.set_level(logging.WARNING)
    Watcher.breaks_in = "hook"
    user = PbxUserId((await on_air.user("1002")).pbx_user_id)
    await asyncio.to_thread(on_air.house.backend.set_do_not_disturb, user, enabled=True)
    await until(lambda: len(Watcher.lives) > 1, what="a second life")
    Watcher.breaks_in = "both"
    await asyncio.to_thread(on_air.house.backend.set_do_not_disturb, user, enabled=False)
    await until(lambda: len(Watcher.lives) > 3, what="lives that break at once")
    Watcher.breaks_in = ""
    await until_heard(on_air)
    failures = [record for record in caplog.records if "failed" in record.getMessage()]
    assert len(failures) == 1
    await on_air.until_phone("1003", "available")


async def test_a_duty_checks_the_lease_and_speaks_to_the_pages(on_air: Stage) -> None:
    await until_heard(on_air)
    await until(lambda: latest().post is not None, what="the post")
    post = latest().post
    assert post is not None
    assert post.held.name == leases.ENGINE
    here = threading.current_thread().name
    assert await post.run(lambda: threading.current_thread().name) != here
    assert await post.database(lambda word: word, "said") == "said"
    said = LinkMessage(type="link", pbx=0, is_up=True, since="", revision=1)
    await post.publish(said)
    await until(lambda: said in on_air.said, what="what was published")


async def test_the_engine_runs_jobs_after_the_commit_and_at_once(
    stage: Stage, settings: Settings
) -> None:
    settings.ENGINE_DUTIES = []
    errands.done.clear()
    await stage.start_engine()
    await stage.until_heard()
    await asyncio.to_thread(errands.note.enqueue, key="a", word="hello")
    await until(lambda: errands.done == [("note", "hello")], what="the job")


async def test_engines_that_stand_by_share_the_jobs_and_run_each_once(
    stage: Stage, settings: Settings
) -> None:
    settings.ENGINE_DUTIES = []
    errands.done.clear()
    for _ in range(3):
        await stage.start_engine()
    words = [str(number) for number in range(30)]
    for word in words:
        await asyncio.to_thread(errands.note.enqueue, word=word)
    await until(lambda: len(errands.done) >= len(words), what="the jobs")
    assert sorted(str(word) for _, word in errands.done) == sorted(words)
