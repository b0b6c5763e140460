"""The engine: stands by until the lease is free, then listens to every PBX for all processes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.utils import timezone

from bluetel import tasks
from bluetel.accounts.pbx import backend_for
from bluetel.calls.tracking import sweep
from bluetel.engine import census
from bluetel.engine.chat_writer import ChatWriter
from bluetel.engine.duties import Duties
from bluetel.engine.link import PbxLinkKeeper
from bluetel.engine.outbox import Outbox
from bluetel.engine.pages import Askers, OpenPages
from bluetel.engine.reign import Reign
from bluetel.engine.statuses import Statuses
from bluetel.engine.threads import Threads
from bluetel.housekeeping import spare_what_stays
from bluetel.telephony.errors import TelephonyError
from bluetel.work import leases
from bluetel.work.owners import own_name
from presence import metrics, states
from presence.board import Board
from presence.live import ENGINE, call_message, publish
from presence.messages import GoneMessage, PagesWanted
from presence.subscription import Subscription

if TYPE_CHECKING:
    from bluetel.telephony.types import PbxUserId
    from presence.messages import EngineMessage, PushesMessage
    from presence.person import Member
    from presence.states import Links

logger = logging.getLogger(__name__)

STAND_BY = 1.0
CENSUS_EVERY = 2.0
FULL_CENSUS_EVERY = 30.0
REFRESHES_APART = 0.2
SWEEP_EVERY = 10.0
ATTENTION_EVERY = 2.0
ENROLLED_AT_ONCE = 200


class Engine:
    """One candidate for the duty; ``run`` until ``stop``."""

    def __init__(self) -> None:
        self._owner = own_name()
        self._stopping = asyncio.Event()
        self._stopped = asyncio.Event()
        self._stopped.set()

    async def run(self) -> None:
        """Stand by, reign, and stand by again, until stopped."""
        self._stopped.clear()
        threads = Threads()
        common = Duties(settings.COMMON_DUTIES)
        at_work = asyncio.create_task(common.run(), name="common duties")
        try:
            has_failed = False
            while not self._stopping.is_set():
                try:
                    held = await threads.database(
                        leases.take, leases.ENGINE, owner=self._owner, now=timezone.now()
                    )
                except DatabaseTrouble as error:
                    if not has_failed:
                        logger.error("the engine can't reach the database: %s", error)  # noqa: TRY400
                    has_failed, held = True, None
                if held is not None:
                    has_failed = False
                    await self._reign(held, threads)
                await self._wait(STAND_BY)
        finally:
            await tasks.end(at_work)
            common.close()
            threads.close()
            self._stopped.set()

    async def stop(self) -> None:
        """End, and let another engine take over at once."""
        self._stopping.set()
        await self._stopped.wait()

    async def _reign(self, held: leases.Held, threads: Threads) -> None:
        """Be on duty until stopped, or until the lease is lost."""
        logger.info("this engine is on duty, epoch %d", held.epoch)
        duty = _Duty(Reign(held, threads), threads)
        stopping = asyncio.create_task(self._stopping.wait())
        parts = [asyncio.create_task(part, name=name) for name, part in duty.parts().items()]
        try:
            done, _ = await asyncio.wait([stopping, *parts], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                error = None if task.cancelled() else task.exception()
                if error is not None and not isinstance(error, leases.LeaseLost):
                    logger.error("the engine's part %s failed", task.get_name(), exc_info=error)
        finally:
            await tasks.end(stopping, *parts)
            await duty.aclose()
            await _let_go(held, threads)
        logger.info("this engine is off duty")

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass


async def _let_go(held: leases.Held, threads: Threads) -> None:
    try:
        await threads.database(leases.release, held, now=timezone.now())
    except DatabaseTrouble as error:
        logger.warning("the engine's lease could not be given back: %s", error)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A PBX that is listened to, and written to."""

    exchange: census.Exchange
    keeper: PbxLinkKeeper
    tasks: tuple[asyncio.Task[None], ...]

    @property
    def is_done(self) -> bool:
        """Whether one of its tasks has ended."""
        return any(task.done() for task in self.tasks)


class _Duty:
    """All an engine on duty does; one object for each reign, so that nothing old is kept."""

    def __init__(self, reign: Reign, threads: Threads) -> None:
        self._reign = reign
        self._threads = threads
        self._board = Board(epoch=reign.held.epoch)
        self._outbox = Outbox(reign, threads)
        self._duties = Duties(settings.ENGINE_DUTIES, reign)
        self._statuses = Statuses(reign, threads, self._board, self._outbox)
        self._pages = OpenPages()
        self._askers = Askers()
        self._loop = asyncio.get_running_loop()
        self._keepers: dict[int, _Kept] = {}
        self._unusable: dict[int, str] = {}  # what the log said last of each, by row
        self._reading: set[asyncio.Task[None]] = set()
        self._refresh = asyncio.Event()
        self._pages_changed = asyncio.Event()
        self._fingerprint: tuple[int, int] | None = None
        self._full_at = 0.0

    def parts(self) -> dict[str, Coroutine[Any, Any, Any]]:
        """What runs side by side; the reign ends when one of them does."""
        subscription = Subscription(
            ENGINE,
            on_message=self._take,
            on_joined=partial(publish, PagesWanted(type="pages_wanted")),
        )
        parts: dict[str, Coroutine[Any, Any, Any]] = {
            "lease": self._reign.keep(),
            "publisher": self._outbox.publish(),
            "writer": self._outbox.write(),
            "census": self._keep_counting(),
            "pages": subscription.run(),
            "page expiry": self._keep_expiring(),
            "attention": self._keep_attending(),
            "sweep": self._keep_sweeping(),
            "duties": self._duties.run(),
            "statuses": self._statuses.run(),
        }
        lag = metrics.watch_loop_lag()
        if lag is not None:
            parts["loop lag"] = lag
        return parts

    async def aclose(self) -> None:
        """Stop listening."""
        listening = [task for kept in self._keepers.values() for task in kept.tasks]
        await tasks.end(*listening, *self._reading)
        self._duties.close()

    # --- Who there is -----------------------------------------------------------------------------

    async def _keep_counting(self) -> None:
        links = await self._begin()
        await self._statuses.load()
        has_failed = False
        while True:
            self._refresh.clear()
            try:
                await self._count(links)
            except DatabaseTrouble as error:
                if not has_failed:
                    logger.error("the engine can't read users and PBXs: %s", error)  # noqa: TRY400
                has_failed = True
            else:
                has_failed, links = False, None
            try:
                async with asyncio.timeout(CENSUS_EVERY):
                    await self._refresh.wait()
                self._full_at = 0.0
                await asyncio.sleep(REFRESHES_APART)  # somebody may be saving a thousand users
            except TimeoutError:
                pass

    async def _begin(self) -> Links | None:
        """Take over what was shown; the links as well, when an engine was on duty until now."""
        self._board.restore(await self._threads.database(census.last_shown))
        now = timezone.now()
        before = self._reign.held.previously_renewed_at
        if before is None or now - before > leases.TTL:
            return None
        return await self._threads.database(states.read_links, now=now)

    async def _count(self, links: Links | None) -> None:
        exchanges = await self._threads.database(census.read_exchanges)
        found = await self._threads.database(census.fingerprint)
        if found != self._fingerprint or self._loop.time() >= self._full_at:
            await self._enrol(await self._threads.database(census.read_members))
            self._fingerprint = found
            self._full_at = self._loop.time() + FULL_CENSUS_EVERY
        for pbx, kept in list(self._keepers.items()):
            wanted = exchanges.get(pbx)
            if wanted is None or wanted.config != kept.exchange.config or kept.is_done:
                await self._dismiss_keeper(pbx)
        for pbx, exchange in exchanges.items():
            if pbx not in self._keepers:
                link = links.by_pbx.get(pbx) if links else None
                await self._listen_to(exchange, was_up=bool(link and link.is_up))

    async def _enrol(self, members: list[Member]) -> None:
        known = self._board.user_ids
        at = timezone.now()
        for start in range(0, len(members), ENROLLED_AT_ONCE):
            self._outbox.put(self._board.enrol(members[start : start + ENROLLED_AT_ONCE], at=at))
            await asyncio.sleep(0)
        self._statuses.enrol({member.user_id for member in members} - known)
        gone = self._board.dismiss(known - {member.user_id for member in members})
        if gone:
            await self._reign.publish(GoneMessage(type="gone", users=gone))
        new: dict[int, list[PbxUserId]] = {}
        for member in members:
            if member.user_id not in known:
                self._show_page(member.user_id)
                if member.pbx is not None and member.pbx_user is not None:
                    new.setdefault(member.pbx, []).append(member.pbx_user)
        for pbx, users in new.items():
            if pbx in self._keepers:
                task = asyncio.create_task(self._keepers[pbx].keeper.read(users))
                self._reading.add(task)
                task.add_done_callback(self._reading.discard)

    async def _listen_to(self, exchange: census.Exchange, *, was_up: bool) -> None:
        try:
            backend = await self._threads.database(backend_for, exchange.pbx)
        except TelephonyError as error:
            if self._unusable.get(exchange.pbx.pk) != str(error):
                logger.error("PBX %s can't be used: %s", exchange.pbx.name, error)  # noqa: TRY400
            self._unusable[exchange.pbx.pk] = str(error)
            return
        if self._unusable.pop(exchange.pbx.pk, None) is not None:
            logger.info("PBX %s can be used again", exchange.pbx.name)
        keeper = PbxLinkKeeper(
            exchange.pbx,
            backend,
            board=self._board,
            outbox=self._outbox,
            reign=self._reign,
            threads=self._threads,
            duties=self._duties,
            was_up=was_up,
            on_user_changed=self._refresh.set,
            statuses=self._statuses,
        )
        writer = ChatWriter(
            exchange.pbx.pk,
            exchange.pbx.name,
            backend,
            statuses=self._statuses,
            board=self._board,
            reign=self._reign,
            threads=self._threads,
        )
        self._keepers[exchange.pbx.pk] = _Kept(
            exchange,
            keeper,
            (
                asyncio.create_task(keeper.run(), name=f"PBX {exchange.pbx.name}"),
                asyncio.create_task(writer.run(), name=f"chat of PBX {exchange.pbx.name}"),
            ),
        )

    async def _dismiss_keeper(self, pbx: int) -> None:
        kept = self._keepers.pop(pbx)
        await tasks.end(*kept.tasks)

    # --- Who has a page open ----------------------------------------------------------------------

    async def _take(self, message: EngineMessage) -> None:
        match message["type"]:
            case "refresh":
                self._refresh.set()
                return
            case "claims":
                self._statuses.reread(message["user"])
                return
            case "pushes":
                self._take_pushes(message)
                return
            case "ask":
                if self._askers.take(message["user"], now=self._loop.time()):
                    self._pages_changed.set()
                return
        self._pages_changed.set()
        for user in self._pages.take(message, now=self._loop.time()):
            self._show_page(user)

    async def _keep_expiring(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY)
            for user in self._pages.expire(now=self._loop.time()):
                self._show_page(user)

    def _take_pushes(self, message: PushesMessage) -> None:
        if message["pbx"] in self._keepers:
            self._keepers[message["pbx"]].keeper.push(message["bodies"])

    async def _keep_attending(self) -> None:
        """Tell the PBXs that hear nobody's calls by themselves who looks at BlueTel now."""
        while True:
            self._pages_changed.clear()
            looking = self._pages.users() | self._askers.users(now=self._loop.time())
            for pbx, kept in self._keepers.items():
                if kept.keeper.needs_attention:
                    users = [self._board.pbx_user_of(user, pbx) for user in looking]
                    kept.keeper.attend([user for user in users if user is not None])
            try:
                async with asyncio.timeout(ATTENTION_EVERY):
                    await self._pages_changed.wait()
                await asyncio.sleep(REFRESHES_APART)  # many pages open at once in the morning
            except TimeoutError:
                pass

    def _show_page(self, user: str) -> None:
        is_open = user in self._pages
        self._outbox.put(self._board.page(user, is_open=is_open, at=timezone.now()))
        self._statuses.see_page(user, is_open=is_open)

    # --- Calls nobody ended -----------------------------------------------------------------------

    async def _keep_sweeping(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_EVERY)
            spare_what_stays("engine")  # everybody has been read by now
            try:
                ended = await self._threads.database(sweep, now=timezone.now())
            except DatabaseTrouble as error:
                logger.warning("old calls could not be swept: %s", error)
                continue
            for user_id, record in ended:
                await self._reign.publish(call_message(user_id, record))
