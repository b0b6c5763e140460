"""The clock of timed edges: sleeps to the next one, and fires it at its second, never before.

The rows are the truth; a heap of the next times is the clock. Edges that this process puts wake it
at once, those of other processes are seen within :data:`LOOK_EVERY`, and edges that were missed or
left by a killed process are found by the same look.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import Error as DatabaseTrouble
from django.utils import timezone

from bluetel.work import due, metrics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bluetel.work.duties import Post

logger = logging.getLogger(__name__)

LOOK_EVERY = 1.0
AHEAD = timedelta(seconds=LOOK_EVERY * 2)


class EdgeClock:
    """Fires the edges of one kind for as long as ``run`` runs; part of a duty.

    ``fire`` gets the edges that are due and puts or finishes each: what it leaves comes again when
    the lease on it has run out. It is awaited before the next edges are looked for.
    """

    def __init__(self, kind: str, fire: Callable[[Sequence[due.Edge]], Awaitable[None]]) -> None:
        self._kind = kind
        self._fire = fire
        self._heap: list[datetime] = []
        self._woken = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._looked_at = float("-inf")
        self._has_failed = False

    async def run(self, post: Post) -> None:
        """Fire for ever. Raises ``LeaseLost``."""
        due.listen(self._kind, self._wake)
        try:
            await post.database(due.free_earlier, self._kind, held=post.held)
            while True:
                self._woken.clear()
                await self._step(post)
                await self._sleep()
        finally:
            due.unlisten(self._kind, self._wake)

    def _wake(self, first: datetime) -> None:
        self._loop.call_soon_threadsafe(self._note, first)

    def _note(self, at: datetime) -> None:
        heapq.heappush(self._heap, at)
        self._woken.set()

    async def _step(self, post: Post) -> None:
        try:
            if self._loop.time() - self._looked_at >= LOOK_EVERY:
                self._looked_at = self._loop.time()
                self._heap = await post.database(  # sorted, and so a heap
                    due.upcoming, self._kind, until=timezone.now() + AHEAD
                )
            while self._heap and self._heap[0] <= (now := timezone.now()):
                await self._fire_due(post, now)
        except DatabaseTrouble as error:
            if not self._has_failed:
                logger.error("edges can't be read: %s", error)  # noqa: TRY400
            self._has_failed = True
            self._heap = []
        else:
            if self._has_failed:
                logger.warning("edges are read again")
            self._has_failed = False

    async def _fire_due(self, post: Post, now: datetime) -> None:
        """Fire what is due, a batch at most; times without edges any more are forgotten."""
        edges = await post.database(due.claim, self._kind, held=post.held, now=now)
        for edge in edges:
            metrics.EDGE_LATENESS.observe(max(0.0, (now - edge.due_at).total_seconds()))
        if edges:
            await self._fire(edges)
        if len(edges) < due.AT_ONCE:
            while self._heap and self._heap[0] <= now:
                heapq.heappop(self._heap)

    async def _sleep(self) -> None:
        """Until the next edge, the next look, or an edge that is put meanwhile."""
        wait = self._looked_at + LOOK_EVERY - self._loop.time()
        if self._heap:
            wait = min(wait, (self._heap[0] - timezone.now()).total_seconds())
        if wait <= 0:
            await asyncio.sleep(0)
            return
        try:
            async with asyncio.timeout(wait):
                await self._woken.wait()
        except TimeoutError:
            pass
