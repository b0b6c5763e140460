from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from presence.sessions import Doorkeeper, Visitor

Found = dict[str, Visitor]


class Threads:
    """Answers when the test says so: everybody is signed in whose key begins with "k"."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.is_asked = asyncio.Event()
        self.may_answer = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self, function: Callable[[list[str]], Found], keys: list[str], /) -> Found:
        self.asked.append(keys)
        self.is_asked.set()
        await self.may_answer.wait()
        if self.error is not None:
            raise self.error
        return {key: Visitor(f"user {key}", None) for key in keys if key.startswith("k")}


async def test_who_comes_while_others_are_looked_up_is_looked_up_with_all_who_came_then() -> None:
    threads = Threads()
    doorkeeper = Doorkeeper(threads)
    asking = [asyncio.create_task(doorkeeper.visitor("k0"))]
    await threads.is_asked.wait()
    asking += [asyncio.create_task(doorkeeper.visitor(key)) for key in ("k1", "k2", "k1", "x")]
    await asyncio.sleep(0)
    threads.may_answer.set()
    found = await asyncio.gather(*asking)
    assert threads.asked == [["k0"], ["k1", "k2", "x"]]
    assert [one and one.user_id for one in found] == [
        "user k0",
        "user k1",
        "user k2",
        "user k1",
        None,
    ]


async def test_who_goes_before_the_answer_takes_it_from_nobody_else() -> None:
    threads = Threads()
    doorkeeper = Doorkeeper(threads)
    going, staying = (asyncio.create_task(doorkeeper.visitor("k")) for _ in range(2))
    await threads.is_asked.wait()
    going.cancel()
    await asyncio.sleep(0)
    threads.may_answer.set()
    assert (await staying) == Visitor("user k", None)


async def test_a_database_that_is_down_is_told_to_who_asked_and_asked_again_by_the_next() -> None:
    threads = Threads()
    threads.error = OSError("down")
    threads.may_answer.set()
    doorkeeper = Doorkeeper(threads)
    with pytest.raises(OSError, match="down"):
        await doorkeeper.visitor("k")
    threads.error = None
    assert (await doorkeeper.visitor("k")) == Visitor("user k", None)


async def test_when_it_ends_nobody_waits_for_it() -> None:
    threads = Threads()
    doorkeeper = Doorkeeper(threads)
    asking = asyncio.create_task(doorkeeper.visitor("k"))
    await threads.is_asked.wait()
    await doorkeeper.aclose()
    with pytest.raises(asyncio.CancelledError):
        await asking
