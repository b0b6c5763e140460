"""The engine's duty that keeps the PBXs' forwards as they were decided.

Edges, the PBXs' own news and whoever changed something put users into one queue. From there they
are decided in batches, and their steps done, many users at once but each by one writer only, no
faster than the PBX row allows; a PBX that is slow to answer holds up its own users only. A write
counts when the PBX's own event says so; if none comes within :data:`ECHO_WITHIN`, the PBX is asked.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import Error as DatabaseTrouble
from django.utils import timezone

from bluetel.telephony.types import (
    DoNotDisturbChanged,
    ForwardChanged,
    PbxUserId,
    UserChanged,
    VoicemailChanged,
)
from bluetel.work import due
from bluetel.work.clock import EdgeClock
from bluetel.work.duties import Duty
from bluetel.work.leases import LeaseLost
from bluetel.work.turns import turn
from forwarding import metrics, selectors
from forwarding.doing import perform, read_back, settings_of
from forwarding.echoes import Echoes, Setting
from forwarding.planning import begin, conclude, take_news
from forwarding.rate import TokenBucket
from forwarding.residents import users_at, users_by_pbx_id, users_left_alone
from forwarding.steps import (
    DO_NOT_DISTURB,
    EDGE,
    NOT_KEPT,
    READ_EDGE,
    Outcome,
    Plan,
    Read,
    Step,
    Write,
)

if TYPE_CHECKING:
    from bluetel.telephony.types import PbxEvent
    from bluetel.work.duties import Post
    from forwarding.situation import Known

logger = logging.getLogger(__name__)

DECIDED_AT_ONCE = 200
BATCHES_EACH = 6
"""How many batches of one PBX are under way; whoever else is queued there waits undecided."""
THREADS_EACH = 8
ECHO_WITHIN = 2.0
SWEEP_EVERY = 30.0
RETRY_AFTER = 1.0
TOLD_AT_ONCE = 50


class Reconciler(Duty):
    """Decides at edges and writes what was decided."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._heard: dict[int, datetime] = {}
        self._to_load: list[int] = []
        self._news: list[tuple[int, PbxUserId, str, Setting | None]] = []
        self._queue: dict[int, bool] = {}
        self._edges: set[int] = set()
        self._in_flight: set[int] = set()
        self._overtaken: set[int] = set()
        self._writing = turn()
        self._pbx_of: dict[int, int] = {}
        self._batches: Counter[int] = Counter()
        self._to_tell: dict[int, Known] = {}
        self._wake = asyncio.Event()
        self._told = asyncio.Event()
        self._echoes = Echoes()
        self._buckets: dict[int, TokenBucket] = {}
        self._pools: dict[int, ThreadPoolExecutor] = {}

    # --- What is heard ----------------------------------------------------------------------------

    def on_pbx_event(self, pbx_id: int, event: PbxEvent) -> None:
        """Forwards and do-not-disturb, whoever set them; and who may have another voicemail box."""
        match event:
            case ForwardChanged(user=user, kind=kind, forward=forward):
                self._hear(pbx_id, user, kind.value, forward)
            case DoNotDisturbChanged(user=user, enabled=enabled):
                self._hear(pbx_id, user, DO_NOT_DISTURB, enabled)
            case VoicemailChanged(user=user) | UserChanged(user=user):
                self._news.append((pbx_id, user, "", None))
                self._wake.set()
            case _:
                pass

    def on_pbx_heard(self, pbx_id: int) -> None:
        """Everybody with something of ours is read again, before anything is written."""
        self._heard[pbx_id] = timezone.now()
        self._to_load.append(pbx_id)
        self._wake.set()

    def on_pbx_lost(self, pbx_id: int) -> None:
        """Nothing is assumed, and nothing written, until it is back."""
        self._heard.pop(pbx_id, None)

    def _hear(self, pbx_id: int, user: PbxUserId, what: str, value: Setting) -> None:
        if not self._echoes.hear(pbx_id, user, what, value, at=self._loop.time()):
            self._news.append((pbx_id, user, what, value))
            self._wake.set()

    # --- The parts --------------------------------------------------------------------------------

    async def run(self, post: Post) -> None:
        """Keep the forwards right until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(EdgeClock(EDGE, self._fire).run(post))
                group.create_task(EdgeClock(READ_EDGE, self._read_ahead(post)).run(post))
                group.create_task(self._work(post, group))
                group.create_task(self._tell(post))
                group.create_task(self._sweep(post))
        except BaseExceptionGroup as errors:
            lost, others = errors.split(LeaseLost)
            if lost is not None and others is None:
                raise LeaseLost(post.held.name) from None
            raise
        finally:
            for pool in self._pools.values():
                pool.shutdown(wait=False, cancel_futures=True)

    async def _fire(self, edges: Sequence[due.Edge]) -> None:
        for edge in edges:
            self._edges.add(int(edge.subject))
            self._want(int(edge.subject))

    def _read_ahead(self, post: Post) -> Callable[[Sequence[due.Edge]], Awaitable[None]]:
        async def fire(edges: Sequence[due.Edge]) -> None:
            for edge in edges:
                self._want(int(edge.subject), must_read=True)
            await post.database(due.finish, edges)

        return fire

    def _want(self, user_id: int, *, must_read: bool = False) -> None:
        self._queue[user_id] = self._queue.get(user_id, False) or must_read
        self._wake.set()

    async def _sweep(self, post: Post) -> None:
        """Find who has something of ours and no edge: nobody should."""
        while True:
            await asyncio.sleep(SWEEP_EVERY)
            try:
                for user_id in await post.database(users_left_alone):
                    self._want(user_id)
                failing = await post.database(selectors.count_failing, now=timezone.now())
            except DatabaseTrouble:
                continue  # who needs the database at once says so
            metrics.FAILING.set(failing)

    async def _tell(self, post: Post) -> None:
        """Show users on their pages what holds now."""
        while True:
            await self._told.wait()
            self._told.clear()
            while self._to_tell:
                some = [
                    self._to_tell.pop(user_id) for user_id in list(self._to_tell)[:TOLD_AT_ONCE]
                ]
                frames = await post.database(selectors.routing_frames, some, now=timezone.now())
                for user_id, frame in frames:
                    await post.publish({"type": "user", "user": str(user_id), "frame": frame})

    # --- The work ---------------------------------------------------------------------------------

    async def _work(self, post: Post, group: asyncio.TaskGroup) -> None:
        has_failed = False
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._load(post)
                await self._take_news(post)
                while await self._decide(post, group):
                    pass
            except DatabaseTrouble as error:
                if not has_failed:
                    logger.error("forwards can't be decided: %s", error)  # noqa: TRY400
                has_failed = True
                await asyncio.sleep(RETRY_AFTER)
                self._wake.set()
            else:
                if has_failed:
                    logger.warning("forwards are decided again")
                has_failed = False

    async def _load(self, post: Post) -> None:
        while self._to_load:
            found = await post.database(users_at, self._to_load[0])
            pbx_id = self._to_load.pop(0)
            for user_id, has_ours in found:
                self._pbx_of[user_id] = pbx_id
                self._want(user_id, must_read=has_ours)

    async def _take_news(self, post: Post) -> None:
        if not self._news:
            return
        news = list(self._news)
        ids = await post.database(users_by_pbx_id, {(pbx, user) for pbx, user, _, _ in news})
        told = [
            (ids[pbx, user], what, value)
            for pbx, user, what, value in news
            if value is not None and (pbx, user) in ids
        ]
        # What a read under way answers may be older than this, and is concluded later.
        self._overtaken |= self._in_flight.intersection(user_id for user_id, _, _ in told)
        if told:
            async with self._writing:
                await post.database(take_news, post.held, told, now=timezone.now())
        del self._news[: len(news)]
        for pbx, user, _, _ in news:
            if (pbx, user) in ids:
                self._want(ids[pbx, user], must_read=True)

    async def _decide(self, post: Post, group: asyncio.TaskGroup) -> bool:
        """Decide for a batch of users; whether there was one."""
        ready = [user_id for user_id in self._queue if self._may_decide(user_id)]
        if not ready:
            return False
        # Out of the queue first: who is put there meanwhile is decided once more.
        batch = {user_id: self._queue.pop(user_id) for user_id in ready[:DECIDED_AT_ONCE]}
        edges = self._edges & batch.keys()
        self._edges -= edges
        try:
            async with self._writing:
                plan = await post.database(
                    begin,
                    post.held,
                    batch,
                    now=timezone.now(),
                    heard_since=dict(self._heard),
                    must_read=frozenset(one for one, must_read in batch.items() if must_read),
                    at_edge=bool(edges),
                )
        except BaseException:
            self._edges |= edges
            for user_id, must_read in batch.items():
                self._want(user_id, must_read=must_read)
            raise
        self._show(plan)
        by_pbx: dict[int, list[Step]] = {}
        for step in plan.steps:
            by_pbx.setdefault(step.pbx.pk, []).append(step)
            self._pbx_of[step.user_id] = step.pbx.pk
            self._in_flight.add(step.user_id)
        for pbx_id, steps in by_pbx.items():
            self._batches[pbx_id] += 1
            group.create_task(self._carry_out(post, pbx_id, steps))
        return True

    def _may_decide(self, user_id: int) -> bool:
        if user_id in self._in_flight:
            return False
        pbx_id = self._pbx_of.get(user_id)
        return pbx_id is None or self._batches[pbx_id] < BATCHES_EACH

    async def _carry_out(self, post: Post, pbx_id: int, steps: Sequence[Step]) -> None:
        """Do steps at one PBX, note how they went, and do those that follow."""
        busy = {step.user_id for step in steps}
        try:
            while steps:
                outcomes = await asyncio.gather(*(self._do(step) for step in steps))
                plan = await self._conclude(post, outcomes)
                for outcome in plan.failed:
                    logger.warning(
                        "user %s: the PBX did not take his forwards: %s",
                        outcome.step.user_id,
                        outcome.error or NOT_KEPT,
                    )
                self._show(plan)
                steps = plan.steps
                done = busy - {step.user_id for step in steps}
                busy -= done
                self._let_go(done)
                for user_id in plan.again:
                    self._want(user_id)
        finally:
            self._batches[pbx_id] -= 1
            self._let_go(busy)

    def _let_go(self, users: Set[int]) -> None:
        """No step of these users is under way any more."""
        self._in_flight -= users
        self._overtaken -= users
        self._wake.set()

    def _show(self, plan: Plan) -> None:
        for one in plan.decided:
            self._to_tell[one.user.pk] = one
        self._told.set()

    def _unless_overtaken(self, outcome: Outcome) -> Outcome:
        """What a read found, or nothing where news came meanwhile: another read is queued then."""
        if isinstance(outcome.step, Read) and outcome.step.user_id in self._overtaken:
            return replace(outcome, held=None)
        return outcome

    async def _conclude(self, post: Post, outcomes: Sequence[Outcome]) -> Plan:
        while True:
            try:
                async with self._writing:
                    return await post.database(
                        conclude,
                        post.held,
                        [self._unless_overtaken(outcome) for outcome in outcomes],
                        now=timezone.now(),
                        heard_since=dict(self._heard),
                        left=self._overtaken | self._queue.keys(),
                    )
            except DatabaseTrouble as error:
                logger.warning("what was written can't be noted yet: %s", error)
                await asyncio.sleep(RETRY_AFTER)

    async def _do(self, step: Step) -> Outcome:
        pbx = step.pbx.pk
        pool = self._pools.get(pbx)
        if pool is None:
            pool = ThreadPoolExecutor(THREADS_EACH, thread_name_prefix=f"forwards-{step.pbx.name}")
            self._pools[pbx] = pool
        if not isinstance(step, Write):
            return await self._loop.run_in_executor(pool, perform, step)
        await self._bucket(step).take()
        echoes = [
            self._echoes.expect(pbx, step.pbx_user, what, value, at=self._loop.time())
            for what, value in settings_of(step)
        ]
        outcome = await self._loop.run_in_executor(pool, perform, step)
        if outcome.error:
            return outcome
        metrics.WRITES.inc()
        try:
            async with asyncio.timeout(ECHO_WITHIN):
                for echo in echoes:
                    await echo.wait()
        except TimeoutError:
            return await self._loop.run_in_executor(pool, read_back, step)
        return replace(outcome, held=step.value)

    def _bucket(self, step: Step) -> TokenBucket:
        rate = step.pbx.calls_per_second
        bucket = self._buckets.get(step.pbx.pk)
        if bucket is None or bucket.rate != rate:
            bucket = self._buckets[step.pbx.pk] = TokenBucket(rate, clock=self._loop.time)
        return bucket
