"""The jobs' adapter: every engine takes jobs from the rows and runs a few at a time.

Embedded, that is the engine inside ``serve``; scaled out, any number of ``run_engine`` share the
rows on PostgreSQL, whether they are on duty or stand by (docs/decisions, "Jobs are rows").
"""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING

from django.db import Error as DatabaseTrouble
from django.utils import timezone

from bluetel.work import metrics, queue
from bluetel.work.duties import Duty
from bluetel.work.owners import own_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bluetel.work.duties import Post

logger = logging.getLogger(__name__)

AT_ONCE = 4
LOOK_EVERY = 1.0
LOOK_AGAIN = 0.05
ORPHANS_EVERY = 5.0

_lock = threading.Lock()
_wakers: set[Callable[[], None]] = set()


class Waker:
    """Tells the runner of this process, if there is one; others look each second."""

    @staticmethod
    def wake(_job_id: int, *, due_at: datetime) -> None:
        """Have the rows looked at now."""
        with _lock:
            for waker in _wakers:
                waker()


ADAPTER = Waker()


class JobRunner(Duty):
    """Claims jobs when they are due and runs a few at a time."""

    def __init__(self) -> None:
        self._owner = own_name()
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._running: dict[asyncio.Task[None], queue.Claim] = {}
        self._renewed_at = self._looked_for_orphans_at = float("-inf")
        self._has_failed = False

    async def run(self, post: Post) -> None:
        """Run what is due, for ever."""
        with _lock:
            _wakers.add(self._wake)
        try:
            while True:
                self._woken.clear()
                try:
                    async with asyncio.timeout(await self._step(post)):
                        await self._woken.wait()
                except TimeoutError:
                    pass
        finally:
            with _lock:
                _wakers.discard(self._wake)
            for task in self._running:
                task.cancel()

    def _wake(self) -> None:
        self._loop.call_soon_threadsafe(self._woken.set)

    async def _step(self, post: Post) -> float:
        """Begin what is due, and say how long there is nothing more to do, in seconds."""
        try:
            await self._hold_on(post)
            await self._begin(post)
            wait = await self._wait(post)
        except DatabaseTrouble as error:
            if not self._has_failed:
                logger.error("jobs can't be read: %s", error)  # noqa: TRY400
            self._has_failed = True
            return LOOK_EVERY
        if self._has_failed:
            logger.warning("jobs are read again")
        self._has_failed = False
        return wait

    async def _begin(self, post: Post) -> None:
        while (free := AT_ONCE - len(self._running)) > 0:
            claims = await post.database(
                queue.claim, owner=self._owner, now=timezone.now(), most=free
            )
            for claim in claims:
                task = asyncio.create_task(post.run(carry_out, claim))
                self._running[task] = claim
                task.add_done_callback(self._done)
            if not claims:
                break

    async def _hold_on(self, post: Post) -> None:
        """Renew what runs; now and then look for what nobody runs any more."""
        now = self._loop.time()
        if self._running and now - self._renewed_at >= queue.RENEW_EVERY.total_seconds():
            self._renewed_at = now
            await post.database(queue.renew, list(self._running.values()), now=timezone.now())
        if now - self._looked_for_orphans_at >= ORPHANS_EVERY:
            self._looked_for_orphans_at = now
            await post.database(queue.free_orphans, now=timezone.now())
            metrics.JOBS_GIVEN_UP.set(await post.database(queue.count_given_up))

    async def _wait(self, post: Post) -> float:
        if len(self._running) >= AT_ONCE:
            return LOOK_EVERY
        due = await post.database(queue.next_due)
        if due is None:
            return LOOK_EVERY
        left = (due - timezone.now()).total_seconds()
        return min(max(left, LOOK_AGAIN), LOOK_EVERY)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        if not task.cancelled() and task.exception() is not None:
            logger.error("a job's end can't be written", exc_info=task.exception())
        self._woken.set()


def carry_out(claim: queue.Claim) -> None:
    """Run a claimed job and write how it ended."""
    try:
        queue.run(claim)
    except Exception as error:  # noqa: BLE001 — whatever a job raises is its row's affair
        name = type(error).__name__  # its text may hold what a log must not
        if claim.runs == 1:
            logger.warning("job %s failed and is tried again: %s", claim.function, name)
        if queue.fail(claim, error, now=timezone.now()):
            logger.error("job %s is given up after %d runs", claim.function, claim.runs)  # noqa: TRY400
    else:
        if claim.runs > 1:
            logger.info("job %s succeeded in run %d", claim.function, claim.runs)
        queue.finish(claim)
