"""The users' own sessions: one per user however many ask, open while somebody needs it.

Sessions of people who look at BlueTel stay open; others are lent for a command, kept some seconds
for the next, and closed. At most :data:`MOST_PASSING` of the second sort are open at once, so that
the hour at which five hundred meetings begin doesn't open five hundred sockets.

Everything here runs on the loop of :class:`.loop.CtiLoop`.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from bluetel.telephony.errors import AuthenticationFailed, NotSupported, TelephonyError
from bluetel.telephony.ports import OwnLogin
from bluetel.telephony.types import Capability, PbxUserId
from bluetel.telephony.xivo.user_line import UserLine

MOST_PASSING = 20
OPENED_AT_ONCE = 20
LOOK_AGAIN = 60.0
"""Seconds after which somebody without a session is looked up again: he may have given a login."""

_OPENING = "opening"


class LinePool:
    """Lends :class:`UserLine`; ``login_of`` gives somebody's own login, or None without one."""

    def __init__(
        self,
        open_line: Callable[[PbxUserId, OwnLogin], UserLine],
        login_of: Callable[[PbxUserId], Awaitable[OwnLogin | None]],
        *,
        linger: float,
    ) -> None:
        """``linger`` is how long a session is kept for its next command, in seconds."""
        self._open_line = open_line
        self._login_of = login_of
        self._linger = linger
        self._lines: dict[PbxUserId, UserLine] = {}
        self._logins: dict[PbxUserId, OwnLogin] = {}
        self._uses: Counter[PbxUserId] = Counter()
        self._idle: OrderedDict[PbxUserId, asyncio.TimerHandle] = OrderedDict()
        self._attended: set[PbxUserId] = set()
        self._looked_at: dict[PbxUserId, float] = {}
        self._closing = 0
        self._passing = asyncio.Condition()
        self._opening = asyncio.Semaphore(OPENED_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def open_lines(self) -> list[UserLine]:
        """The lines whose session is open now."""
        return [line for line in self._lines.values() if line.session.is_open]

    def find(self, user: PbxUserId) -> UserLine | None:
        """Somebody's line, if there is one at all."""
        return self._lines.get(user)

    # --- Lending --------------------------------------------------------------------------------

    @asynccontextmanager
    async def lent(self, user: PbxUserId, *, needs: Capability) -> AsyncIterator[UserLine]:
        """Somebody's line for the length of a block.

        ``NotSupported`` with what it ``needs`` where he gave no login, ``AuthenticationFailed``
        where the PBX refuses the one he gave.
        """
        line = await self._borrow(user, needs)
        try:
            yield line
        finally:
            self._give_back(user)

    async def _borrow(self, user: PbxUserId, needs: Capability) -> UserLine:
        login = await self._login_of(user)
        if login is None:
            await self._drop(user)
            raise NotSupported(needs)
        await self._drop_outdated(user, login)
        if user not in self._lines:
            if login.works is False:
                raise AuthenticationFailed("the PBX refused this login")
            await self._wait_for_place(user)
        self._uses[user] += 1
        timer = self._idle.pop(user, None)
        if timer is not None:
            timer.cancel()
        return self._started(user, login)

    async def _drop_outdated(self, user: PbxUserId, login: OwnLogin) -> None:
        """Let go of a session that lives on another password, or that was refused."""
        line, known = self._lines.get(user), self._logins.get(user)
        if line is None or known is None:
            return
        is_same = (known.login, known.password) == (login.login, login.password)
        if not is_same or (line.session.refusal is not None and login.works is not False):
            await self._drop(user)

    async def _wait_for_place(self, user: PbxUserId) -> None:
        async with self._passing:
            while user not in self._lines and self._passing_count() >= MOST_PASSING:
                if self._idle:
                    oldest, timer = self._idle.popitem(last=False)
                    timer.cancel()
                    await self._drop(oldest)
                else:
                    await self._passing.wait()

    def _passing_count(self) -> int:
        passing = sum(1 for user in self._lines if user not in self._attended)
        return passing + self._closing

    def _started(self, user: PbxUserId, login: OwnLogin) -> UserLine:
        line = self._lines.get(user)
        if line is None:
            line = self._lines[user] = self._open_line(user, login)
            self._logins[user] = login
            line.session.start()
        return line

    def _give_back(self, user: PbxUserId) -> None:
        self._uses[user] -= 1
        if self._uses[user] <= 0:
            del self._uses[user]
            self._let_rest(user)
        self._spawn(self._tell_waiting())

    def _let_rest(self, user: PbxUserId) -> None:
        """Close somebody's session soon, unless it is needed again."""
        if user in self._attended or user in self._uses or user not in self._lines:
            return
        earlier = self._idle.pop(user, None)
        if earlier is not None:
            earlier.cancel()
        loop = asyncio.get_running_loop()
        self._idle[user] = loop.call_later(self._linger, self._rested, user)

    def _rested(self, user: PbxUserId) -> None:
        self._idle.pop(user, None)
        line = self._lines.get(user)
        if line is None or user in self._attended or user in self._uses:
            return
        if line.book and line.session.is_open:
            self._let_rest(user)  # a call goes on: who placed it wants to know how it ends
        else:
            self._spawn(self._drop(user))

    async def _tell_waiting(self) -> None:
        async with self._passing:
            self._passing.notify_all()

    # --- Attending --------------------------------------------------------------------------------

    def attend(self, users: Collection[PbxUserId]) -> None:
        """Keep exactly these people's sessions open, as far as they gave a login."""
        wanted = set(users)
        left = self._attended - wanted
        self._attended = wanted
        now = asyncio.get_running_loop().time()
        for user in left:
            self._looked_at.pop(user, None)
            self._let_rest(user)
        for user in wanted:
            if now < self._looked_at.get(user, 0.0) + LOOK_AGAIN:
                continue
            self._looked_at[user] = now
            timer = self._idle.pop(user, None)
            if timer is not None:
                timer.cancel()
            if user not in self._lines:
                self._spawn(self._open_attended(user), name=_OPENING)

    def refresh(self, user: PbxUserId) -> None:
        """Somebody's login may be another now."""
        if user in self._attended:
            self._spawn(self._open_attended(user), name=_OPENING)

    async def _open_attended(self, user: PbxUserId) -> None:
        async with self._opening:
            try:
                login = await self._login_of(user)
            except TelephonyError:
                return
            if login is None or login.works is False or user not in self._attended:
                return
            await self._drop_outdated(user, login)
            line = self._started(user, login)
            try:
                await line.session.ready(10.0)
            except TelephonyError:
                return  # its own keeper goes on trying

    async def settled(self, within: float) -> None:
        """Wait until the sessions that are being opened are open, or the time is over."""
        opening = {task for task in self._tasks if task.get_name() == _OPENING}
        if opening:
            await asyncio.wait(opening, timeout=within)

    # --- Ending -----------------------------------------------------------------------------------

    async def _drop(self, user: PbxUserId) -> None:
        line = self._lines.pop(user, None)
        self._logins.pop(user, None)
        timer = self._idle.pop(user, None)
        if timer is not None:
            timer.cancel()
        if line is not None:
            self._closing += 1
            try:
                await line.session.close()
            finally:
                self._closing -= 1
            self._spawn(self._tell_waiting())

    async def close(self) -> None:
        """End all sessions."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(self._drop(user) for user in tuple(self._lines)))
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None], *, name: str = "") -> None:
        task = asyncio.get_running_loop().create_task(work, name=name or None)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
