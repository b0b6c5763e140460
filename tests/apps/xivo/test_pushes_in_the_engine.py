"""What XUC posted, as the engine takes it: in its order, bounded, whatever fails."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bluetel.engine.link import DROPPED, PUSHES_AT_ONCE, PbxLinkKeeper
from bluetel.telephony.types import PbxUserId, UserChanged
from bluetel.telephony.waiting_pushes import WaitingPushes


def call(number: int) -> dict[str, object]:
    return {"username": f"user{number}", "message": {}}


class PostingPbx:
    """A PBX that makes one event of each push, and can't read ``unreadable``."""

    unreadable = call(-1)

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def take_pushes(self, bodies: Sequence[object]) -> Sequence[UserChanged]:
        self.sizes.append(len(bodies))
        if self.unreadable in bodies:
            raise ValueError("another shape than any known")
        return [
            UserChanged(user=PbxUserId(cast("dict[str, str]", body)["username"])) for body in bodies
        ]


class Engine:
    """Who is told what by the keeper of one PBX."""

    def __init__(self) -> None:
        self.pbx = PostingPbx()
        self.told: list[str] = []
        self.came = asyncio.Event()
        self.keeper = PbxLinkKeeper(
            cast("Any", SimpleNamespace(name="site", pk=1)),
            cast("Any", self.pbx),
            was_up=False,
            on_user_changed=lambda: None,
            duties=cast("Any", self),
            **dict.fromkeys(("board", "outbox", "reign", "threads", "statuses"), cast("Any", None)),
        )

    def tell_event(self, pbx: int, event: UserChanged) -> None:
        """What the duties are told of."""
        del pbx
        self.told.append(event.user)
        self.came.set()

    async def until_told(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.told) < count:
                self.came.clear()
                await self.came.wait()


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine()
    yield engine
    engine.keeper._pbx_threads.close()


async def test_many_are_taken_in_their_order_and_not_all_at_once(engine: Engine) -> None:
    count = PUSHES_AT_ONCE + 1
    for number in range(count):
        engine.keeper.push([call(number)])
    await engine.until_told(count)

    assert engine.told == [f"user{number}" for number in range(count)]
    assert engine.pbx.sizes == [PUSHES_AT_ONCE, 1]


async def test_others_have_their_turn_within_a_message(engine: Engine) -> None:
    engine.keeper.push([call(number) for number in range(PUSHES_AT_ONCE)])
    await engine.until_told(1)

    assert len(engine.told) < PUSHES_AT_ONCE
    await engine.until_told(PUSHES_AT_ONCE)


async def test_what_cannot_be_taken_is_logged_and_what_follows_is_taken(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    engine.keeper.push([engine.pbx.unreadable] * PUSHES_AT_ONCE)
    engine.keeper.push([call(1)])
    await engine.until_told(1)

    assert "what it posted can't be taken" in caplog.text
    assert engine.told == ["user1"]


async def test_what_is_too_much_to_wait_is_counted(engine: Engine) -> None:
    engine.keeper._pushed = WaitingPushes(most=2)
    before = DROPPED._value.get()
    engine.keeper.push([call(number) for number in range(5)])
    await engine.until_told(2)

    assert DROPPED._value.get() == before + 3
