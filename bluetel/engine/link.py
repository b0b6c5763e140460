"""One PBX as the engine listens to it: stream, snapshot, replay, then live.

When the stream opens, what comes is kept while the snapshot is read in threads; then the snapshot
is loaded, what was kept is applied on top, and the PBX counts as heard. When the stream is lost
and isn't back, snapshot included, within :data:`GRACE`, nothing is known of its people any more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import Error as DatabaseTrouble
from django.utils import timezone
from prometheus_client import Counter

from bluetel.calls.tracking import live_conversations
from bluetel.engine.call_writer import CallWriter
from bluetel.engine.outbox import write_link
from bluetel.engine.threads import PbxThreads
from bluetel.telephony.errors import TelephonyError
from bluetel.telephony.types import (
    CallChanged,
    DoNotDisturbChanged,
    PbxEvent,
    PresenceChanged,
    StreamLost,
    StreamOpened,
    UserChanged,
)
from bluetel.telephony.waiting_pushes import WaitingPushes
from bluetel.work.leases import LeaseLost
from presence.messages import LinkMessage, iso

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence

    from bluetel.accounts.models import Pbx
    from bluetel.engine.duties import Duties
    from bluetel.engine.outbox import Outbox
    from bluetel.engine.reign import Reign
    from bluetel.engine.statuses import Statuses
    from bluetel.engine.threads import Threads
    from bluetel.telephony.ports import Backend
    from bluetel.telephony.types import PbxUserId, Presence
    from presence.board import Board

logger = logging.getLogger(__name__)

GRACE = 1.5
TAKEOVER_GRACE = 4.0
SNAPSHOT_EVERY = 300.0
"""Against drift: Wazo sends no event for some changes (reference/wazo.md §4)."""
READ_AT_ONCE = 90
READERS = 4
LOADED_AT_ONCE = 100
PUSHES_AT_ONCE = 500
EVENTS_AT_ONCE = 100
"""After so many the engine's loop turns to others."""
RETRY_FIRST, RETRY_MOST = 1.0, 15.0

DROPPED = Counter(
    "bluetel_engine_pushes_dropped_total", "Bodies that were too many to wait in the engine"
)

_T = TypeVar("_T")


class PbxLinkKeeper:
    """Keeps the board right about one PBX; ``run`` lasts until it is cancelled."""

    def __init__(
        self,
        pbx: Pbx,
        backend: Backend,
        *,
        board: Board,
        outbox: Outbox,
        reign: Reign,
        threads: Threads,
        duties: Duties,
        was_up: bool,
        on_user_changed: Callable[[], None],
        statuses: Statuses,
    ) -> None:
        """``was_up``: an engine was listening until now, so what it showed stays for a moment."""
        self.pbx = pbx
        self._backend = backend
        self._board = board
        self._outbox = outbox
        self._reign = reign
        self._threads = threads
        self._duties = duties
        self._on_user_changed = on_user_changed
        self._statuses = statuses
        self._pbx_threads = PbxThreads(pbx.name, size=READERS)
        self._is_up = was_up
        self._has_said = False
        self._is_unwritten = False
        self._since = timezone.now()
        self._kept: list[PbxEvent] | None = None
        self._calls = CallWriter(pbx, threads=threads, reign=reign)
        self._pushed = WaitingPushes()
        self._taking_pushes: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._loading: asyncio.Task[None] | None = None
        self._losing: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Listen for ever."""
        writing = self._spawn(self._calls.run())
        try:
            if self._is_up:
                self._losing = self._spawn(self._lose(TAKEOVER_GRACE))
            await self._tell()
            while True:
                try:
                    await self._listen()
                except TelephonyError as error:
                    logger.error("PBX %s can't be listened to: %s", self.pbx.name, error)  # noqa: TRY400
                except Exception:
                    logger.exception("PBX %s can't be listened to", self.pbx.name)
                self._on_lost("the stream ended")
                await asyncio.sleep(RETRY_MOST)
        finally:
            self._duties.tell_lost(self.pbx.pk)
            for task in {writing, *self._tasks}:
                task.cancel()
            self._pbx_threads.close()

    async def read(self, users: Sequence[PbxUserId]) -> None:
        """Read some people's presence now: they are new here."""
        if not self._is_up or self._kept is not None:
            return  # the snapshot that is due brings them
        try:
            presences = await self._pbx_threads.run(self._backend.presences, list(users))
        except TelephonyError as error:
            logger.warning("PBX %s: new people can't be read: %s", self.pbx.name, error)
            return
        self._load(presences, asked=users)

    def push(self, bodies: Sequence[object]) -> None:
        """Take what the PBX posted by itself, like what the stream tells, and in its order."""
        for body in bodies:
            if isinstance(body, Mapping) and not self._pushed.add(body):
                DROPPED.inc()
        if self._taking_pushes is None:
            self._taking_pushes = self._spawn(self._take_pushes())

    async def _take_pushes(self) -> None:
        try:
            while taken := self._pushed.take():
                for some in _slices(taken, PUSHES_AT_ONCE):
                    await self._take_some(some)
        finally:
            self._taking_pushes = None

    async def _take_some(self, bodies: Sequence[object]) -> None:
        try:
            events = await self._pbx_threads.run(self._backend.take_pushes, bodies)
            for some in _slices(events, EVENTS_AT_ONCE):
                for event in some:
                    self._duties.tell_event(self.pbx.pk, event)
                    self._take(event)
                await asyncio.sleep(0)
        except TelephonyError as error:
            logger.warning("PBX %s: what it posted can't be taken: %s", self.pbx.name, error)
        except Exception:
            logger.exception("PBX %s: what it posted can't be taken", self.pbx.name)

    def attend(self, users: Collection[PbxUserId]) -> None:
        """Say whose own calls are to be followed: theirs who have a page open."""
        self._backend.attend(users)

    @property
    def needs_attention(self) -> bool:
        """Whether :meth:`attend` makes a difference."""
        return self._backend.uses_own_logins

    # --- The stream -------------------------------------------------------------------------------

    async def _listen(self) -> None:
        async with aclosing(self._backend.events()) as events:
            async for event in events:
                match event:
                    case StreamOpened():
                        self._on_opened()
                    case StreamLost(reason=reason):
                        self._on_lost(reason)
                    case _:
                        self._duties.tell_event(self.pbx.pk, event)
                        self._take(event)

    def _on_opened(self) -> None:
        self._stop_loading()
        self._kept = []
        self._loading = self._spawn(self._keep_loaded())

    def _on_lost(self, reason: str) -> None:
        self._stop_loading()
        self._duties.tell_lost(self.pbx.pk)
        if self._is_up:
            logger.warning("PBX %s is not heard: %s", self.pbx.name, reason)
            self._begin_losing()

    def _stop_loading(self) -> None:
        if self._loading is not None:
            self._loading.cancel()
            self._loading = None
        self._replay(calls_only=True)

    def _begin_losing(self) -> None:
        if self._losing is None or self._losing.done():
            self._losing = self._spawn(self._lose(GRACE))

    async def _lose(self, grace: float) -> None:
        await asyncio.sleep(grace)
        self._is_up = False
        self._duties.tell_lost(self.pbx.pk)
        self._since = at = timezone.now()
        await self._tell()
        for users in _slices(self._board.pbx_users(self.pbx.pk), LOADED_AT_ONCE):
            # Nobody need be told: while a link is down its people read unknown anyway.
            self._board.forget(self.pbx.pk, users, at=at)
            await asyncio.sleep(0)
        self._losing = None

    def _take(self, event: PbxEvent) -> None:
        if self._kept is not None:
            self._kept.append(event)
        else:
            self._apply(event)

    def _apply(self, event: PbxEvent) -> None:
        match event:
            case PresenceChanged(presence=presence):
                presence = self._statuses.hear(self.pbx.pk, presence, is_event=True)
                believed = replace(event, presence=presence)
                self._outbox.put(self._board.apply(self.pbx.pk, believed, received=timezone.now()))
                self._settle_statuses([presence.user])
            case DoNotDisturbChanged():
                self._outbox.put(self._board.apply(self.pbx.pk, event, received=timezone.now()))
            case CallChanged(call=call):
                self._calls.put(call)
            case UserChanged():
                self._on_user_changed()
            case _:
                pass

    def _replay(self, *, calls_only: bool = False) -> None:
        """Apply what was kept; without a snapshot under it, the calls' changes only."""
        kept, self._kept = self._kept or [], None
        for event in kept:
            if not calls_only or isinstance(event, CallChanged):
                self._apply(event)

    # --- The snapshot -----------------------------------------------------------------------------

    async def _keep_loaded(self) -> None:
        """Load a snapshot until one succeeds, and a fresh one now and then."""
        wait = RETRY_FIRST
        has_failed = False
        while True:
            if self._kept is None:
                self._kept = []
            try:
                await self._load_snapshot()
            except Exception as error:
                if not has_failed:
                    is_expected = isinstance(error, TelephonyError | DatabaseTrouble)
                    logger.log(
                        logging.ERROR,
                        "PBX %s can't be read: %s",
                        self.pbx.name,
                        error,
                        exc_info=None if is_expected else error,
                    )
                has_failed = True
                self._replay(calls_only=True)
                if self._is_up:
                    self._begin_losing()
                await asyncio.sleep(wait)
                wait = min(wait * 2, RETRY_MOST)
            else:
                has_failed, wait = False, RETRY_FIRST
                await asyncio.sleep(SNAPSHOT_EVERY)

    async def _load_snapshot(self) -> None:
        users = self._board.pbx_users(self.pbx.pk)
        began = timezone.now()
        known = await self._threads.database(live_conversations, self.pbx)
        reading = asyncio.ensure_future(self._pbx_threads.run(self._backend.calls))
        batches = await asyncio.gather(
            *(
                self._pbx_threads.run(self._backend.presences, some)
                for some in _slices(users, READ_AT_ONCE)
            )
        )
        calls = await reading
        await self._settle()
        told = {presence.user: presence for batch in batches for presence in batch}
        for some in _slices(users, LOADED_AT_ONCE):
            self._load([told[user] for user in some if user in told], asked=some)
            await asyncio.sleep(0)
        await self._calls.write_snapshot(calls, known=known, began=began)
        self._replay()
        is_back = not self._is_up
        if is_back:
            await self._outbox.drain()
            self._is_up = True
            self._since = timezone.now()
        if is_back or not self._has_said:
            self._has_said = True
            logger.info("PBX %s is heard", self.pbx.name)
        if is_back:
            await self._tell()
        self._duties.tell_heard(self.pbx.pk)

    async def _settle(self) -> None:
        """The PBX has answered: call off that it is being lost, or let that end first."""
        losing, self._losing = self._losing, None
        if losing is None:
            return
        if self._is_up:
            losing.cancel()
        else:
            await asyncio.shield(losing)  # who is stopped while he waits must not stop it too

    def _load(self, presences: Sequence[Presence], *, asked: Sequence[PbxUserId]) -> None:
        believed = [
            self._statuses.hear(self.pbx.pk, presence, is_event=False) for presence in presences
        ]
        self._outbox.put(self._board.load(self.pbx.pk, believed, asked=asked, at=timezone.now()))
        self._settle_statuses(asked)

    def _settle_statuses(self, users: Sequence[PbxUserId]) -> None:
        found = (self._board.user_id_of(self.pbx.pk, user) for user in users)
        self._statuses.settle(user_id for user_id in found if user_id is not None)

    # --- What goes out ----------------------------------------------------------------------------

    async def _tell(self) -> None:
        """Write and publish whether the PBX is heard."""
        revision = self._board.next_revision()
        try:
            await self._threads.database(
                write_link,
                self._reign.held,
                self.pbx.pk,
                is_up=self._is_up,
                since=self._since,
                revision=revision,
                now=timezone.now(),
            )
        except LeaseLost:
            return
        except DatabaseTrouble as error:
            if not self._is_unwritten:
                logger.error("PBX %s: its link can't be written: %s", self.pbx.name, error)  # noqa: TRY400
            self._is_unwritten = True
            self._telling = self._spawn(self._tell_again())
        else:
            self._is_unwritten = False
        await self._reign.publish(
            LinkMessage(
                type="link",
                pbx=self.pbx.pk,
                is_up=self._is_up,
                since=iso(self._since) or "",
                revision=revision,
            )
        )

    async def _tell_again(self) -> None:
        await asyncio.sleep(RETRY_FIRST)
        if self._is_unwritten:
            await self._tell()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            logger.error("PBX %s: work for it failed", self.pbx.name, exc_info=error)


def _slices(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
