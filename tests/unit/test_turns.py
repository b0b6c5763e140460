from __future__ import annotations

import asyncio

import pytest

from bluetel.turns import Turns, let_others_work

NEVER = 3600.0


class Worker:
    """Takes a turn, and holds it until told."""

    def __init__(self, turns: Turns) -> None:
        self.began = asyncio.Event()
        self.may_end = asyncio.Event()
        self._turns = turns
        self.task = asyncio.create_task(self._work())

    async def _work(self) -> None:
        async with self._turns.turn():
            self.began.set()
            await self.may_end.wait()

    async def end(self) -> None:
        self.may_end.set()
        await self.task


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_no_more_work_at_once_than_may_and_the_first_to_come_is_next() -> None:
    turns = Turns(2, seconds=NEVER)
    workers = [Worker(turns) for _ in range(4)]
    await settle()
    assert [worker.began.is_set() for worker in workers] == [True, True, False, False]
    await workers[1].end()
    await settle()
    assert [worker.began.is_set() for worker in workers] == [True, True, True, False]
    for worker in workers:
        await worker.end()


async def test_nobody_waits_for_one_who_only_waits_himself() -> None:
    turns = Turns(1, seconds=0.01)
    slow, next_one = Worker(turns), Worker(turns)
    await asyncio.wait_for(next_one.began.wait(), 5)
    assert not slow.task.done()
    for worker in (slow, next_one):
        await worker.end()


async def test_who_says_that_he_waits_lets_the_next_begin() -> None:
    turns = Turns(1, seconds=NEVER)
    async with turns.turn():
        next_one = Worker(turns)
        await settle()
        assert not next_one.began.is_set()
        await asyncio.to_thread(let_others_work)
        await asyncio.wait_for(next_one.began.wait(), 5)
    await next_one.end()


async def test_a_late_end_gives_no_second_turn() -> None:
    turns = Turns(1, seconds=0.01)
    slow, second = Worker(turns), Worker(turns)
    await asyncio.wait_for(second.began.wait(), 5)
    await second.end()
    await slow.end()
    at_once, most = 0, 0

    async def count() -> None:
        nonlocal at_once, most
        async with turns.turn():
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0)
            at_once -= 1

    await asyncio.gather(*(count() for _ in range(3)))
    assert most == 1


@pytest.mark.parametrize("is_called", [False, True], ids=["waiting", "called"])
async def test_who_gives_up_waiting_takes_nobodys_turn(is_called: bool) -> None:
    turns = Turns(1, seconds=NEVER)
    first, gone, last = (Worker(turns) for _ in range(3))
    await settle()
    if is_called:
        first.may_end.set()
        await asyncio.wait_for(asyncio.shield(first.task), 5)
        # Its turn has come, but it has not run yet.
    gone.task.cancel()
    await asyncio.gather(gone.task, return_exceptions=True)
    await first.end()
    await asyncio.wait_for(last.began.wait(), 5)
    await last.end()
