"""What a user can have done on a XiVO: the ``Client`` ports over :class:`.exchange.Exchange`.

With the user's own login everything goes through his session, which confirms each step. Without
one, REST 1.0 dials and sets forwards and do-not-disturb, and confirms nothing.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from bluetel.telephony.errors import (
    AuthenticationFailed,
    NotFound,
    NotSupported,
    Rejected,
    RejectReason,
)
from bluetel.telephony.http import Deadline
from bluetel.telephony.ports import Taker
from bluetel.telephony.types import (
    Call,
    CallId,
    Capability,
    ChatState,
    DirectoryEntry,
    Forward,
    ForwardKind,
    Forwards,
    Greeting,
    Identity,
    LoggedCall,
    PbxUser,
    PbxUserId,
    Presence,
    Transfer,
    TransferKind,
    VoicemailFolder,
    VoicemailMessage,
)
from bluetel.telephony.xivo.confd import Confd
from bluetel.telephony.xivo.directory_table import entries, sheet_entries
from bluetel.telephony.xivo.exchange import Exchange, Surroundings
from bluetel.telephony.xivo.history_rows import ONGOING, logged_call, start_of, told_apart
from bluetel.telephony.xivo.lookups import search as search_through
from bluetel.telephony.xivo.loop import CtiLoop
from bluetel.telephony.xivo.messages import DirectoryResult, HistoryRow
from bluetel.telephony.xivo.options import PresenceSource
from bluetel.telephony.xivo.user_line import UserLine

T = TypeVar("T")

_DIALLABLE = re.compile(r"[0-9*#]{1,40}")
COMMAND_WITHIN = 12.0
PRESENCES_WITHIN = 2.0
MOST_HISTORY = 2000


class XivoClient:
    """Blocking, from any thread but an event loop's."""

    def __init__(
        self,
        around: Surroundings,
        exchange: Exchange,
        loop: CtiLoop,
        *,
        confd: Confd | None,
        voicemail_prefix: str,
    ) -> None:
        """``confd`` lists the people where there is one."""
        self._around = around
        self._options = around.options
        self._roster = around.roster
        self._rest = around.rest
        self._exchange = exchange
        self._loop = loop
        self._confd = confd
        self._voicemail_prefix = voicemail_prefix

    def _on_line(
        self,
        user: PbxUserId,
        needs: Capability,
        work: Callable[[UserLine], Awaitable[T]],
        *,
        within: float = COMMAND_WITHIN,
    ) -> T:
        """Do something on somebody's own session; ``NotFound`` where there is no such person."""
        person = self._roster.find(user)

        async def run() -> T:
            async with self._exchange.pool.lent(person.id, needs=needs) as line:
                return await work(line)

        return self._loop.run(run, timeout=within)

    # --- CallControl ----------------------------------------------------------------------------

    def place_call(
        self, user: PbxUserId, number: str, *, line: str = "", timeout: float = 4.5
    ) -> Call:
        """See ``CallControl``; without the user's own login by REST 1.0, which confirms nothing."""
        if not _DIALLABLE.fullmatch(number):
            raise Rejected("not a diallable number", reason=RejectReason.INVALID_EXTENSION)
        try:
            person = self._roster.find(user)
        except NotFound:
            raise Rejected("no such user", reason=RejectReason.UNKNOWN_USER) from None
        if not person.lines or line not in {"", *(one.id for one in person.lines)}:
            raise Rejected("no such line", reason=RejectReason.NO_LINE)
        try:
            return self._on_line(
                user,
                Capability.FORWARDS,
                lambda own: own.dial(number, within=timeout),
                within=timeout + 0.5,
            )
        except (NotSupported, AuthenticationFailed):
            if not self._options.rest_commands:
                raise
        return self._dial_by_rest(person, number, timeout=timeout)

    def _dial_by_rest(self, person: PbxUser, number: str, *, timeout: float) -> Call:
        self._rest.dial(person.login or person.id, number, deadline=Deadline(timeout))

        async def begin() -> Call:
            return self._exchange.begin_blind(person.id, number)

        return self._loop.run(begin, timeout=timeout)

    def calls(
        self, user: PbxUserId | None = None, *, timeout: float | None = None
    ) -> Sequence[Call]:
        """The live calls of one user; of everybody, those of the people being attended to."""
        within = COMMAND_WITHIN if timeout is None else timeout
        if user is None:
            return self._loop.run(self._exchange.all_calls, timeout=within)

        async def followed() -> Sequence[Call]:
            return self._exchange.followed_calls(user)

        try:
            own = self._on_line(
                user, Capability.HISTORY, lambda line: line.calls(within=within), within=within + 1
            )
        except NotFound:
            return []
        except (NotSupported, AuthenticationFailed):
            return self._loop.run(followed, timeout=within)
        return [*own, *self._loop.run(followed, timeout=within)]

    def hang_up(self, user: PbxUserId, call: CallId) -> None:
        """See ``CallControl``."""
        self._on_line(user, Capability.HOLD, lambda line: line.hang_up(call))

    def answer(self, user: PbxUserId, call: CallId) -> None:
        """See ``CallControl``."""
        self._on_line(user, Capability.ANSWER, lambda line: line.answer(call))

    def hold(self, user: PbxUserId, call: CallId, *, held: bool) -> None:
        """See ``CallControl``."""
        self._on_line(user, Capability.HOLD, lambda line: line.hold(call, held=held))

    def mute(self, user: PbxUserId, call: CallId, *, muted: bool) -> None:
        """XUC has only a switch that says neither before nor after which way it stands."""
        raise NotSupported(Capability.MUTE)

    def send_dtmf(self, user: PbxUserId, call: CallId, digits: str) -> None:
        """See ``CallControl``; desk phones only where an option says that they can."""
        self._on_line(user, Capability.DTMF, lambda line: line.send_dtmf(call, digits))

    def transfer(
        self, user: PbxUserId, call: CallId, number: str, *, kind: TransferKind
    ) -> Transfer | None:
        """See ``CallControl``."""
        return self._on_line(
            user, Capability.TRANSFER, lambda line: line.transfer(call, number, kind=kind)
        )

    def complete_transfer(self, user: PbxUserId, call: CallId) -> None:
        """See ``CallControl``."""
        self._on_line(user, Capability.TRANSFER, lambda line: line.complete_transfer(call))

    def cancel_transfer(self, user: PbxUserId, call: CallId) -> None:
        """See ``CallControl``."""
        self._on_line(user, Capability.TRANSFER, lambda line: line.cancel_transfer(call))

    # --- People ---------------------------------------------------------------------------------

    def users(self) -> Iterable[PbxUser]:
        """Everybody: from confd where there is one, else those BlueTel knows already."""
        return self._confd.users() if self._confd is not None else self._roster.everybody()

    def user(self, user: PbxUserId) -> PbxUser:
        """See ``People``."""
        return self._roster.find(user)

    def authenticate(self, login: str, password: str) -> Identity:
        """See ``People``; who may sign in on XUC but isn't known here is refused as well."""
        known = self._roster.named(login)
        name = (known.login or known.id) if known is not None else login
        grant = self._rest.sign_in(name, password)
        person = known or self._roster.named(grant.login)
        if person is None:
            raise AuthenticationFailed("the PBX knows this person, BlueTel doesn't: sync_users")
        return Identity(user=person.id, login=person.login or person.id)

    # --- PresenceBook ---------------------------------------------------------------------------

    def presences(self, users: Sequence[PbxUserId]) -> Sequence[Presence]:
        """See ``PresenceBook``: phones only, for XUC keeps no status worth showing."""
        return self._loop.run(
            lambda: self._exchange.presences(users, within=PRESENCES_WITHIN),
            timeout=COMMAND_WITHIN,
        )

    def set_chat(self, user: PbxUserId, state: ChatState, *, message: str) -> None:
        """XUC's own user status switches do-not-disturb on and off by the way: never written."""
        raise NotSupported(Capability.PRESENCE)

    # --- ForwardControl -------------------------------------------------------------------------

    def forwards(self, user: PbxUserId) -> Forwards:
        """See ``ForwardControl``; readable only with the user's own login."""
        return self._on_line(user, Capability.READ_FORWARDS, lambda line: line.settings.forwards())

    def set_forward(self, user: PbxUserId, kind: ForwardKind, forward: Forward) -> None:
        """See ``ForwardControl``."""
        if forward.enabled and not forward.destination:
            raise Rejected("a forward needs a destination", reason=RejectReason.INVALID_DATA)
        try:
            self._on_line(
                user, Capability.FORWARDS, lambda line: line.settings.set_forward(kind, forward)
            )
        except (NotSupported, AuthenticationFailed):
            has_route = kind is ForwardKind.UNCONDITIONAL or self._options.rest_other_forwards
            if not (self._options.rest_commands and has_route):
                raise NotSupported(Capability.FORWARDS) from None
            self._rest.set_forward(
                self._login(user), kind, enabled=forward.enabled, destination=forward.destination
            )

    def set_do_not_disturb(self, user: PbxUserId, *, enabled: bool) -> None:
        """See ``ForwardControl``."""
        try:
            self._on_line(
                user,
                Capability.FORWARDS,
                lambda line: line.settings.set_do_not_disturb(enabled=enabled),
            )
        except (NotSupported, AuthenticationFailed):
            if not self._options.rest_commands:
                raise
            self._rest.set_do_not_disturb(self._login(user), enabled=enabled)

    def voicemail_destination(self, user: PbxUserId) -> str | None:
        """The site's code and the own number, for who has a box."""
        number = self._roster.find(user).extension
        has_box = self._on_line(
            user, Capability.READ_FORWARDS, lambda line: line.settings.has_voicemail()
        )
        return f"{self._voicemail_prefix}{number}" if has_box and number else None

    def _login(self, user: PbxUserId) -> str:
        person = self._roster.find(user)
        return person.login or person.id

    # --- VoicemailBox ---------------------------------------------------------------------------

    def messages(self, user: PbxUserId) -> Sequence[VoicemailMessage]:
        """XUC has counters only; the messages come by mail."""
        raise NotSupported(Capability.VOICEMAIL)

    def copy_audio(self, user: PbxUserId, message: str, into: Taker) -> None:
        """See :meth:`messages`."""
        raise NotSupported(Capability.VOICEMAIL_AUDIO)

    def move_message(self, user: PbxUserId, message: str, folder: VoicemailFolder) -> None:
        """See :meth:`messages`."""
        raise NotSupported(Capability.VOICEMAIL)

    def delete_message(self, user: PbxUserId, message: str) -> None:
        """See :meth:`messages`."""
        raise NotSupported(Capability.VOICEMAIL)

    def greetings(self, user: PbxUserId) -> frozenset[Greeting]:
        """See :meth:`messages`."""
        raise NotSupported(Capability.VOICEMAIL)

    def copy_greeting(self, user: PbxUserId, greeting: Greeting, into: Taker) -> None:
        """See :meth:`messages`."""
        raise NotSupported(Capability.VOICEMAIL)

    def set_greeting(self, user: PbxUserId, greeting: Greeting, sound: bytes) -> None:
        """See :meth:`messages`."""
        raise NotSupported(Capability.VOICEMAIL)

    def delete_greeting(self, user: PbxUserId, greeting: Greeting) -> None:
        """See :meth:`messages`."""
        raise NotSupported(Capability.VOICEMAIL)

    # --- Directory, CallLog ---------------------------------------------------------------------

    def search(self, user: PbxUserId, term: str, *, timeout: float) -> Sequence[DirectoryEntry]:
        """See ``Directory``; through the user's session while it is open, else the service's."""
        self._roster.find(user)
        wanted = term.strip()
        if not wanted:
            return []

        async def run() -> Sequence[DirectoryEntry]:
            line = self._exchange.pool.find(user)
            if line is not None and line.session.is_open:
                found = await line.lookups.search(wanted, within=timeout)
            else:
                board = await self._exchange.switchboard()
                found = await search_through(
                    board.session, self._options, board.search_lock, wanted, timeout
                )
            users = self._roster.cached_by_number()
            if isinstance(found, DirectoryResult):
                return entries(found, self._options, users=users)
            return sheet_entries(found, users=users)

        return self._loop.run(run, timeout=timeout + 0.5)

    def history(
        self, user: PbxUserId, *, limit: int, before: datetime | None = None
    ) -> Sequence[LoggedCall]:
        """See ``CallLog``; XUC counts from the newest only, so older pages ask for more."""
        size = limit + 1
        zone = self._options.zone
        while True:
            rows, is_all = self._newest(user, size)
            older = [row for row in rows if before is None or start_of(row, zone=zone) < before]
            if len(older) >= limit or is_all:
                return [logged_call(row, zone=zone) for row in older[:limit]]
            size = min(MOST_HISTORY, size * 2 + limit)

    def _newest(self, user: PbxUserId, size: int) -> tuple[list[HistoryRow], bool]:
        """The finished calls of whole seconds, newest first, and whether there are no more."""
        told = self._on_line(user, Capability.HISTORY, lambda line: line.lookups.history(size))
        is_all = len(told) < size or size >= MOST_HISTORY
        cut = None if is_all else min(row.start for row in told)
        whole = [row for row in told if row.status != ONGOING and row.start != cut]
        return told_apart(sorted(whole, key=lambda row: row.start, reverse=True)), is_all

    # --- What only a XiVO has -------------------------------------------------------------------

    def favourites(self, user: PbxUserId) -> Sequence[DirectoryEntry]:
        """The favourites somebody keeps on the PBX."""

        async def run(line: UserLine) -> Sequence[DirectoryEntry]:
            found = await line.lookups.favourites()
            users: Mapping[str, PbxUserId] = self._roster.cached_by_number()
            if isinstance(found, DirectoryResult):
                return entries(found, self._options, users=users)
            return sheet_entries(found, users=users)

        return self._on_line(user, Capability.DIRECTORY, run)

    def set_favourite(self, user: PbxUserId, entry: DirectoryEntry, *, wanted: bool) -> None:
        """Add an entry to somebody's favourites on the PBX, or take it out."""
        self._on_line(
            user,
            Capability.DIRECTORY,
            lambda line: line.lookups.set_favourite(entry.entry_id, entry.source, wanted=wanted),
        )

    def unread_messages(self, user: PbxUserId) -> int | None:
        """How many new voice messages there are; None while XUC has told nothing."""

        async def run() -> int | None:
            line = self._exchange.pool.find(user)
            return line.counters.new if line is not None and line.counters is not None else None

        return self._loop.run(run, timeout=COMMAND_WITHIN)

    @property
    def _is_pushed(self) -> bool:
        return self._options.presence is PresenceSource.PUSH
