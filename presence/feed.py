"""What keeps a process's hub fed: its one subscription to the channel layer, and the rows.

Messages are quick, rows are true: every :data:`REFRESH_EVERY` seconds the hub reads what was
written meanwhile, so a message that was dropped is made up for, and an engine that has died or an
account that was disabled is noticed. What fails is logged once and tried again.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from django.utils import timezone

from bluetel import tasks
from bluetel.housekeeping import spare_what_stays
from bluetel.work.leases import TTL
from presence import metrics, selectors, states
from presence.hub import Hub
from presence.live import LIVE, publish_to_engine
from presence.messages import PageMessage, PagesMessage, iso
from presence.sessions import Doorkeeper, standing_of
from presence.subscription import Subscription

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from presence.messages import HubMessage, Known
    from presence.socket import Socket

logger = logging.getLogger(__name__)

REFRESH_EVERY = 3.0
PAGES_EVERY = 20.0
CHECK_SESSIONS_EVERY = 120.0
"""A session that ended without anybody's word is found out within twice this."""
SESSIONS_AT_ONCE = 50
PAGE_GRACE = 3.0
"""A page that is reloaded closes and opens within this time, and its user has not been away."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Feed:
    """The hub of this process with all that runs for it; ``aclose`` ends it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._process = uuid.uuid4().hex
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="hub")
        self._open_users: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._cursor: int | None = None
        self._read_at = timezone.now()
        self._is_blind = False
        self._privacy: object = None
        self._standing: dict[str, str] = {}
        self.ready = asyncio.Event()
        self.hub = Hub(self._loop, on_user=self._on_user)
        self.doorkeeper = Doorkeeper(self.in_thread)
        self._subscription = Subscription(LIVE, on_message=self._take)

    def start(self) -> None:
        """Begin to listen and to read; which comes first doesn't matter, for rows are read on."""
        self._spawn(self._subscription.run())
        self._spawn(self._keep_fresh())
        self._spawn(self._keep_telling_pages())
        self._spawn(self._keep_looking_at_sessions())
        lag = metrics.watch_loop_lag()
        if lag is not None:
            self._spawn(lag)

    async def aclose(self) -> None:
        """End everything this process's hub does."""
        await tasks.end(*self._tasks)
        await self.doorkeeper.aclose()
        self._threads.shutdown(wait=False, cancel_futures=True)

    @property
    def is_alive(self) -> bool:
        """Whether all its parts run."""
        return self._subscription.is_alive and self.ready.is_set() and not self._is_blind

    async def in_thread(
        self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs
    ) -> _T:
        """Run what reads the database in one of the hub's own threads."""
        run = database_sync_to_async(function, thread_sensitive=False, executor=self._threads)
        return await run(*args, **kwargs)

    # --- The channel layer ------------------------------------------------------------------------

    async def _take(self, message: HubMessage) -> None:
        match message["type"]:
            case "pages_wanted":
                await self._tell_pages()
            case "privacy":
                await self._read_privacy()
        self.hub.take(message)

    # --- The rows ---------------------------------------------------------------------------------

    async def _keep_fresh(self) -> None:
        while True:
            await self.refresh()
            metrics.HUB_ALIVE.set(self.is_alive)
            await asyncio.sleep(REFRESH_EVERY)

    async def refresh(self) -> None:
        """Read what was written since the last time, and who is on duty."""
        now = timezone.now()
        try:
            people, cursor = await self.in_thread(self._read_people)
            links = await self.in_thread(states.read_links, now=now)
            privacy = await self.in_thread(selectors.privacy_fingerprint)
            open_here = self.hub.users
            standing = await self.in_thread(standing_of, open_here)
            if privacy != self._privacy:
                await self._read_privacy()
                self._privacy = privacy
        except Exception as error:  # noqa: BLE001 — supervised: whatever the database raises
            self._go_blind(now, error)
            return
        self._read_at, self._cursor = now, cursor
        if self._is_blind:
            logger.warning("the hub reads the database again")
            self._is_blind = False
        self._look_at_accounts(open_here, standing)
        self.hub.learn(people)
        self.hub.heed(links)
        if not self.ready.is_set():
            spare_what_stays("pages")
            self.ready.set()

    async def _read_privacy(self) -> None:
        self.hub.keep_private(await self.in_thread(selectors.privacy_book))

    def _read_people(self) -> tuple[list[Known], int]:
        if self._cursor is None:
            return states.everybody()
        return states.changed_since(self._cursor)

    def _go_blind(self, now: datetime, error: Exception) -> None:
        if not self._is_blind:
            logger.error("the hub can't read the database: %s", error)
            self._is_blind = True
        if now - self._read_at > TTL - timedelta(seconds=REFRESH_EVERY):
            self.hub.go_silent(iso(self._read_at))

    # --- Sessions ---------------------------------------------------------------------------------

    def _look_at_accounts(self, user_ids: Iterable[str], standing: dict[str, str]) -> None:
        """Have the sessions looked at whose account was disabled, deleted or given a new password.

        Who changed it may be another process, or a command, whose word didn't come.
        """
        before, self._standing = self._standing, standing
        for user_id in user_ids:
            now = standing.get(user_id)
            if now is None or before.get(user_id, now) != now:
                self.hub.look_at_sessions(user_id)

    def look_at(self, socket: Socket) -> None:
        """Have a socket end if its session has ended."""
        self._spawn(self._look_at(socket))

    async def _look_at(self, socket: Socket) -> None:
        try:
            visitor = await self.doorkeeper.visitor(socket.session_key)
        except Exception:
            # The database is down: the next look decides.
            logger.exception("a session could not be checked")
            return
        if visitor is None or visitor.user_id != socket.user_id:
            socket.end()

    async def _keep_looking_at_sessions(self) -> None:
        """Find those that ended without anybody's word, by and by."""
        while True:
            sockets = self.hub.sockets
            pause = CHECK_SESSIONS_EVERY / (len(sockets) // SESSIONS_AT_ONCE + 1)
            for first in range(0, len(sockets) or 1, SESSIONS_AT_ONCE):
                await asyncio.sleep(pause)
                for socket in sockets[first : first + SESSIONS_AT_ONCE]:
                    socket.check_session()

    # --- Open pages, for the engine ---------------------------------------------------------------

    def _on_user(self, user_id: str) -> None:
        if self.hub.page_count(user_id):
            self._tell_page(user_id)
        else:
            self._loop.call_later(PAGE_GRACE, self._tell_page, user_id)

    def _tell_page(self, user_id: str) -> None:
        is_open = bool(self.hub.page_count(user_id))
        if is_open == (user_id in self._open_users):
            return
        if is_open:
            self._open_users.add(user_id)
        else:
            self._open_users.discard(user_id)
        message = PageMessage(type="page", process=self._process, user=user_id, is_open=is_open)
        self._spawn(publish_to_engine(message))

    async def _tell_pages(self) -> None:
        await publish_to_engine(
            PagesMessage(type="pages", process=self._process, users=sorted(self._open_users))
        )

    async def _keep_telling_pages(self) -> None:
        while True:
            await asyncio.sleep(PAGES_EVERY)
            await self._tell_pages()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


_feeds: WeakKeyDictionary[asyncio.AbstractEventLoop, Feed] = WeakKeyDictionary()


def this_process() -> Feed:
    """The feed of the running loop, started when the first socket asks for it."""
    loop = asyncio.get_running_loop()
    feed = _feeds.get(loop)
    if feed is None:
        feed = _feeds[loop] = Feed()
        feed.start()
    return feed


async def stop() -> None:
    """End the running loop's feed, if it has one."""
    feed = _feeds.pop(asyncio.get_running_loop(), None)
    if feed is not None:
        await feed.aclose()
