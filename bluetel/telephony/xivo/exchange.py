"""All sessions of one XiVO and what they know together; lives on the sockets' loop.

The service account's session follows everybody's phones, the users' own sessions their calls and
settings. What they tell goes to the :class:`.broadcast.Broadcast`.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from bluetel.telephony.errors import Forbidden, NotFound, Rejected, TelephonyError
from bluetel.telephony.ports import AccountBook, OwnLogin
from bluetel.telephony.types import (
    Call,
    CallChanged,
    DoNotDisturbChanged,
    LineState,
    PbxEvent,
    PbxUser,
    PbxUserId,
    Presence,
    PresenceChanged,
)
from bluetel.telephony.xivo import hints
from bluetel.telephony.xivo.accounts import Accounts
from bluetel.telephony.xivo.broadcast import Broadcast
from bluetel.telephony.xivo.call_book import CallBook
from bluetel.telephony.xivo.followed_calls import FollowedCalls
from bluetel.telephony.xivo.line_pool import LinePool
from bluetel.telephony.xivo.options import PresenceSource, XivoOptions
from bluetel.telephony.xivo.pushes import PushedCall, PushedState
from bluetel.telephony.xivo.rest import XucRest
from bluetel.telephony.xivo.roster import Roster
from bluetel.telephony.xivo.service_question import ServiceQuestion
from bluetel.telephony.xivo.session import CtiSession
from bluetel.telephony.xivo.sign_in import Doubts, SignIn
from bluetel.telephony.xivo.switchboard import Switchboard
from bluetel.telephony.xivo.times import CtiTimes
from bluetel.telephony.xivo.user_line import UserLine

logger = logging.getLogger(__name__)

T = TypeVar("T")

ROSTER_EVERY = 20.0
ALIVE_EVERY = 10.0
STATES_EVERY = 300.0
ALL_CALLS_WITHIN = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the sessions need of the world around them."""

    url: str
    rest: XucRest
    context: ssl.SSLContext | None
    executor: Executor
    times: CtiTimes
    options: XivoOptions
    roster: Roster
    accounts: AccountBook | None
    now: Callable[[], datetime]


class Exchange:
    """The sessions; every method but the constructor runs on the loop."""

    def __init__(self, around: Surroundings, service: SignIn, broadcast: Broadcast) -> None:
        """Nothing is opened before it is needed."""
        self._around = around
        self._service = service
        self._broadcast = broadcast
        self.ignored: Counter[str] = Counter()
        self._accounts = Accounts(around.accounts, around.executor)
        self.pool = LinePool(self._open_line, self._accounts.login_of, linger=around.times.linger)
        self._switchboard: Switchboard | None = None
        self._pushed: dict[PbxUserId, int] = {}
        self._followed = FollowedCalls(
            peer_code=self.peer_code, now=around.now, tell=self._say_calls
        )
        self._keeping: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._has_refused_states = False
        self._doubts: dict[PbxUserId, tuple[str, str, Doubts]] = {}
        self._question = ServiceQuestion(
            around.rest,
            service,
            around.executor,
            around.times,
            is_all_there_is=around.options.presence is PresenceSource.PUSH,
        )

    # --- Everybody's phones ---------------------------------------------------------------------

    async def follow(self) -> None:
        """Begin to follow all phones, by whichever way the options say; idempotent."""
        if self._around.options.presence is PresenceSource.PUSH:
            if self._keeping is None:
                self._keeping = asyncio.get_running_loop().create_task(self._keep_pushed())
            return
        await self.switchboard()

    def begin_to_follow(self) -> None:
        """The same, without waiting for it; a failure is told as a lost stream."""

        async def begin() -> None:
            try:
                await self.follow()
            except TelephonyError as error:
                self._broadcast.lost(str(error))

        self._start(begin())

    async def switchboard(self) -> Switchboard:
        """The service account's session, begun if it isn't there."""
        if self._switchboard is None:
            board = self._switchboard = Switchboard(
                self._around.options,
                seed_after=self._around.times.seed_after,
                on_open=self._opened,
                on_lost=self._broadcast.lost,
                on_code=self._phone_changed,
            )
            board.session = self._session(self._service, board)
            await self._read_roster(board)
            board.session.start()
            self._keeping = asyncio.get_running_loop().create_task(self._keep_roster(board))
        return self._switchboard

    def _opened(self) -> None:
        self._question.forget()
        for *_, doubts in self._doubts.values():
            doubts.look_again.set()
        self._broadcast.opened()
        self.tell_calls()

    def tell_calls(self) -> None:
        """Tell all calls that are known, as after any opening."""
        self._say_calls([call for book in self._books() for call in book.calls()])

    async def _keep_roster(self, board: Switchboard) -> None:
        while True:
            await asyncio.sleep(ROSTER_EVERY)
            try:
                await self._read_roster(board)
            except TelephonyError as error:
                logger.warning("The numbers to follow can't be read: %s", error)

    async def _read_roster(self, board: Switchboard) -> None:
        board.watch(await self._in_thread(self._around.roster.by_number))

    async def _keep_pushed(self) -> None:
        """Without a socket, XUC is asked for all states at first, and then whether it is there."""
        loop = asyncio.get_running_loop()
        asked_at: float | None = None
        while True:
            try:
                if asked_at is None or loop.time() - asked_at >= STATES_EVERY:
                    await self._in_thread(self._around.roster.by_number)
                    await self._ask_for_states()
                    is_first, asked_at = asked_at is None, loop.time()
                    if is_first:
                        self._opened()
                else:
                    await self._in_thread(self._around.rest.check_alive)
            except TelephonyError as error:
                asked_at = None
                self._pushed.clear()
                self._broadcast.lost(str(error))
            await asyncio.sleep(ALIVE_EVERY)

    async def _ask_for_states(self) -> None:
        """What the handshake means was inferred: without it, states come as phones change."""
        try:
            await self._in_thread(self._around.rest.ask_for_states)
        except (Forbidden, NotFound, Rejected) as error:
            if not self._has_refused_states:
                logger.warning("XUC does not post the phones' states when asked: %s", error)
            self._has_refused_states = True

    async def presences(self, users: Sequence[PbxUserId], *, within: float) -> list[Presence]:
        """What is known of these people now; who is no user of this PBX is left out."""
        people = {
            person.id: person for person in await self._in_thread(self._around.roster.everybody)
        }
        found = [people[user] for user in users if user in people]
        if self._around.options.presence is PresenceSource.HINTS:
            board = await self.switchboard()
            await board.session.ready(within)
            await self._read_roster(board)
            await board.told([person.extension for person in found], within=within)
        return [self._presence(person) for person in found]

    def _presence(self, person: PbxUser) -> Presence:
        line = self.pool.find(person.id)
        dnd = line.settings.config.do_not_disturb if line is not None else None
        return Presence(user=person.id, phone=self._phone(person), do_not_disturb=bool(dnd))

    def _phone(self, person: PbxUser) -> LineState | None:
        if not person.extension:
            return LineState.UNAVAILABLE
        code = self._code(person.extension, person.id)
        return None if code is None else hints.line_state(code)

    def _code(self, number: str, user: PbxUserId | None) -> int | None:
        """What came last of a phone: a push counts until the next hint."""
        if user is not None and user in self._pushed:
            return self._pushed[user]
        return self._switchboard.codes.get(number) if self._switchboard is not None else None

    def _phone_changed(self, number: str, before: int | None) -> None:
        user = self._around.roster.cached_by_number().get(number)
        if user is None:
            return
        shown = self._pushed.pop(user, before)
        code = self._code(number, user)
        if code is None or code == shown:
            return
        self._note_ringing(number, code)
        self._tell_presence(user)
        self._say_calls(self._followed.note_own_phone(user, code))

    def _note_ringing(self, number: str, code: int) -> None:
        if hints.is_ringing(code):
            for book in self._books():
                book.note_ringing(number)

    def _books(self) -> list[CallBook]:
        return [*(line.book for line in self.pool.open_lines()), *self._followed.books()]

    def _tell_presence(self, user: PbxUserId) -> None:
        person = self._around.roster.cached(user)
        if person is not None:
            self._broadcast.tell(PresenceChanged(presence=self._presence(person)))

    # --- Calls nobody's own session tells of ------------------------------------------------------

    def begin_blind(self, user: PbxUserId, number: str) -> Call:
        """A call was placed by REST for somebody without a session."""
        return self._followed.begin_blind(user, number)

    def _say_calls(self, calls: Sequence[Call]) -> None:
        for call in calls:
            self._broadcast.tell(CallChanged(call=call))

    def followed_calls(self, user: PbxUserId | None = None) -> list[Call]:
        """The live calls known from pushes and from REST, of one or of all."""
        return self._followed.live(user)

    def peer_code(self, number: str) -> int | None:
        """The state of a colleague's phone."""
        return self._code(number, self._around.roster.cached_by_number().get(number))

    def take_pushes(self, pushes: Sequence[PushedState | PushedCall]) -> list[PbxEvent]:
        """Apply what XUC posted; gives what is different now, of each person the last."""
        states: dict[PbxUserId, None] = {}
        calls: list[PbxEvent] = []
        now = self._around.now()
        for push in pushes:
            person = self._around.roster.cached_named(push.login)
            if person is None:
                continue
            if isinstance(push, PushedState):
                before = self._code(person.extension, person.id)
                self._pushed[person.id] = push.code
                if before != push.code:
                    self._note_ringing(person.extension, push.code)
                    states[person.id] = None
                    calls += [
                        CallChanged(call=call)
                        for call in self._followed.note_own_phone(person.id, push.code)
                    ]
            elif not self._has_session(person.id):
                calls += [
                    CallChanged(call=call)
                    for call in self._followed.book(person.id).apply(push.event, now=now)
                ]
        people = [self._around.roster.cached(user) for user in states]
        told: list[PbxEvent] = [
            PresenceChanged(presence=self._presence(person)) for person in people if person
        ]
        return [*told, *calls]

    def _has_session(self, user: PbxUserId) -> bool:
        line = self.pool.find(user)
        return line is not None and line.session.is_open

    async def all_calls(self) -> list[Call]:
        """The live calls of all whose session is open, each asked now."""
        await self.pool.settled(ALL_CALLS_WITHIN)

        async def of(line: UserLine) -> Sequence[Call]:
            try:
                return await line.calls(within=ALL_CALLS_WITHIN)
            except TelephonyError:
                return line.book.calls()

        found = await asyncio.gather(*map(of, self.pool.open_lines()))
        return [call for calls in found for call in calls] + self._followed.live()

    # --- Sessions ---------------------------------------------------------------------------------

    def attend(self, users: Collection[PbxUserId]) -> None:
        """Keep these people's own sessions open."""
        self.pool.attend(users)

    def _open_line(self, user: PbxUserId, login: OwnLogin) -> UserLine:
        line = UserLine(
            user,
            options=self._around.options,
            now=self._around.now,
            tell=self._tell,
            note_phone=self._accounts.note_phone,
            peer_code=self.peer_code,
        )

        def told(*, works: bool) -> None:
            self._accounts.note_login(user, login, works=works)

        sign_in = SignIn(
            login=login.login,
            password=login.password,
            told=told,
            has_worked=login.works is True,
            is_pbx_well=self._takes_logins,
            doubts=self._doubts_of(user, login),
        )
        line.attach(self._session(sign_in, line))
        return line

    def _session(self, sign_in: SignIn, listener: Switchboard | UserLine) -> CtiSession:
        around = self._around
        return CtiSession(
            around.rest,
            around.url,
            sign_in,
            listener,
            context=around.context,
            executor=around.executor,
            times=around.times,
            ignored=self.ignored,
        )

    def _doubts_of(self, user: PbxUserId, login: OwnLogin) -> Doubts:
        known = self._doubts.get(user)
        if known is None or known[:2] != (login.login, login.password):
            known = self._doubts[user] = (login.login, login.password, Doubts())
        return known[2]

    async def _takes_logins(self) -> bool:
        """Whether XUC takes the service account's login, which is known to be right."""
        board = self._switchboard
        return (board is None or board.session.is_open) and await self._question.ask()

    def _tell(self, event: PbxEvent) -> None:
        self._broadcast.tell(event)
        if isinstance(event, DoNotDisturbChanged):
            self._tell_presence(event.user)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _in_thread(self, function: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._around.executor, function)

    async def close(self) -> None:
        """End everything."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        await self.pool.close()
        if self._switchboard is not None:
            await self._switchboard.session.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._accounts.finish()
