from __future__ import annotations

import asyncio
from contextlib import suppress

from bluetel.work.turns import WriteTurns


class Writers:
    """Some who wait for their turn; ``order`` is who had one."""

    def __init__(self) -> None:
        self.turns = WriteTurns()
        self.order: list[str] = []

    async def write(self, name: str) -> None:
        async with self.turns:
            self.order.append(name)


async def breathe() -> None:
    """Let everybody go on who can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_they_write_one_after_the_other_in_their_order() -> None:
    writers = Writers()
    async with asyncio.TaskGroup() as group, writers.turns:
        for name in ("one", "two", "three"):
            group.create_task(writers.write(name))
        await breathe()
        assert writers.order == []
    assert writers.order == ["one", "two", "three"]


async def test_nobody_begins_while_somebody_is_in_a_hurry() -> None:
    writers = Writers()
    async with asyncio.TaskGroup() as group:
        with writers.turns.hurry():
            with writers.turns.hurry():
                group.create_task(writers.write("one"))
                await breathe()
            await breathe()
            assert writers.order == []
    assert writers.order == ["one"]


async def test_who_gives_up_during_a_hurry_keeps_out_nobody() -> None:
    writers = Writers()
    with writers.turns.hurry():
        waiting = asyncio.create_task(writers.write("one"))
        await breathe()
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
    await asyncio.wait_for(writers.write("two"), 5)
    assert writers.order == ["two"]
