"""A clock that only tests move, and a way to await what the network brings."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from itertools import count


class VirtualTime:
    """``clock`` and ``sleep`` for what is tested; ``advance`` wakes the sleepers in order."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        due: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._order), due))
        await due

    @property
    def sleepers(self) -> int:
        """How many sleep now."""
        return sum(not due.done() for _, _, due in self._sleepers)

    async def advance(self, seconds: float) -> None:
        """Let time pass; everybody due on the way wakes up and runs."""
        target = self.now + seconds
        while self._sleepers and self._sleepers[0][0] <= target:
            self.now, _, due = heapq.heappop(self._sleepers)
            if not due.done():
                due.set_result(None)
            await settle()
        self.now = target

    async def pass_until(
        self, condition: Callable[[], object], *, step: float = 1.0, within: float = 5.0
    ) -> None:
        """Let time pass step by step, and the network answer in between, until it is so."""
        async with asyncio.timeout(within):
            while not condition():
                await self.advance(step)
                await asyncio.sleep(0.002)


async def settle() -> None:
    """Let everything that can run without the network do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def until(condition: Callable[[], object], *, within: float = 5.0) -> None:
    """Await a condition that a socket or a thread will make true."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 — the condition is somebody else's, it sets no event
            await asyncio.sleep(0.002)
