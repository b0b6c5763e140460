"""A backend straight on the model: what applications are tested with, in milliseconds.

Thread-safe like any backend. Tests drive the model through ``do``; time passes only there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from bluetel.telephony.errors import (
    AuthenticationFailed,
    NotFound,
    NotSupported,
    Rejected,
    RejectReason,
    TelephonyError,
)
from bluetel.telephony.ports import ActsForEverybody, Taker
from bluetel.telephony.simulator import memory_views as views
from bluetel.telephony.simulator.legs import Leg, SimulatedTransfer
from bluetel.telephony.simulator.memory_stream import MemoryStream
from bluetel.telephony.simulator.model import Refused, SimulatedPbx
from bluetel.telephony.simulator.people import Box, BoxMessage, Person
from bluetel.telephony.simulator.search import entry_matches, folded, matches
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

T = TypeVar("T")
WHO = "service"
PIECE = 64 * 1024
"""Bytes of a recording handed over at once."""
_DIALLABLE = re.compile(r"[0-9*#]{1,40}")
_TONES = re.compile(r"[0-9*#]+")


class MemoryBackend(ActsForEverybody, MemoryStream):
    """``ports.Backend`` on a ``SimulatedPbx``; ``fail`` and ``lose_stream`` make it misbehave."""

    def __init__(self, pbx: SimulatedPbx) -> None:
        super().__init__(pbx)
        self._failures: dict[str, TelephonyError] = {}
        self.is_closed = False

    # --- For tests ----------------------------------------------------------------------------

    def do(self, action: Callable[[SimulatedPbx], T]) -> T:
        """Do something at the PBX itself: pick up a phone, let time pass, look at the log."""
        with self._lock:
            return action(self._pbx)

    def fail(self, error: TelephonyError, *, on: str = "") -> None:
        """Have every command raise ``error``, or the one named (``place_call``), until ``heal``."""
        self._failures[on] = error

    def heal(self) -> None:
        """Let all commands work again."""
        self._failures.clear()

    # --- Inside -------------------------------------------------------------------------------

    @contextmanager
    def _command(self, name: str) -> Iterator[SimulatedPbx]:
        failure = self._failures.get(name) or self._failures.get("")
        if failure:
            raise failure
        with self._lock:
            try:
                yield self._pbx
            except Refused as refused:
                raise Rejected(f"{name} refused", reason=refused.reason) from None

    def _person(self, user: PbxUserId) -> Person:
        person = self._pbx.find(user)
        if person is None:
            raise NotFound("no such user")
        return person

    def _leg(self, user: PbxUserId, call: CallId) -> Leg:
        leg = self._pbx.legs.get(call)
        if leg is None or leg.person is None or leg.person.id != user:
            raise NotFound("no such call of this user")
        return leg

    def _remote_leg(self, user: PbxUserId, call: CallId, needs: Capability) -> Leg:
        leg = self._leg(user, call)
        if leg.line is None or not leg.line.takes_remote_control:
            raise NotSupported(needs)
        return leg

    def _transfer(self, user: PbxUserId, call: CallId) -> SimulatedTransfer:
        transfer = self._pbx.transfer_of(self._leg(user, call))
        if transfer is None:
            raise NotFound("no transfer of this call is under way")
        return transfer

    def _message(self, user: PbxUserId, message: str) -> tuple[Box, BoxMessage]:
        box = self._person(user).box
        if box is None or message not in box.messages:
            raise NotFound("no such message in a box of this user")
        return box, box.messages[message]

    # --- CallControl --------------------------------------------------------------------------

    def place_call(
        self, user: PbxUserId, number: str, *, line: str = "", timeout: float = 4.5
    ) -> Call:
        """See ``CallControl``; ``timeout`` has no meaning here."""
        del timeout
        if not _DIALLABLE.fullmatch(number):
            raise Rejected("not a diallable number", reason=RejectReason.INVALID_EXTENSION)
        with self._command("place_call") as pbx:
            person = pbx.find(user)
            if person is None:
                raise Rejected("no such user", reason=RejectReason.UNKNOWN_USER)
            if line and line not in {str(own.id) for own in person.lines}:
                raise Rejected("no such line", reason=RejectReason.NO_LINE)
            leg = pbx.place_call(person, number, line_id=int(line) if line else None, who=WHO)
            return views.call_of(leg, person)

    def calls(
        self, user: PbxUserId | None = None, *, timeout: float | None = None
    ) -> Sequence[Call]:
        """See ``CallControl``."""
        del timeout
        with self._command("calls") as pbx:
            only = pbx.find(user) if user is not None else None
            if user is not None and only is None:
                return []
            return self._live_calls(only)

    def hang_up(self, user: PbxUserId, call: CallId) -> None:
        """See ``CallControl``."""
        with self._command("hang_up") as pbx:
            pbx.hang_up(self._leg(user, call))

    def answer(self, user: PbxUserId, call: CallId) -> None:
        """See ``CallControl``."""
        with self._command("answer") as pbx:
            pbx.answer(self._remote_leg(user, call, Capability.ANSWER))

    def hold(self, user: PbxUserId, call: CallId, *, held: bool) -> None:
        """See ``CallControl``."""
        with self._command("hold") as pbx:
            leg = self._remote_leg(user, call, Capability.HOLD)
            if held:
                pbx.hold(leg)
            else:
                pbx.resume(leg)

    def mute(self, user: PbxUserId, call: CallId, *, muted: bool) -> None:
        """See ``CallControl``."""
        with self._command("mute") as pbx:
            pbx.mute(self._leg(user, call), muted=muted)

    def send_dtmf(self, user: PbxUserId, call: CallId, digits: str) -> None:
        """See ``CallControl``."""
        if not _TONES.fullmatch(digits):
            raise Rejected("not tones", reason=RejectReason.INVALID_DATA)
        with self._command("send_dtmf") as pbx:
            pbx.send_dtmf(self._leg(user, call), digits)

    def transfer(
        self, user: PbxUserId, call: CallId, number: str, *, kind: TransferKind
    ) -> Transfer | None:
        """See ``CallControl``."""
        with self._command("transfer") as pbx:
            begun = pbx.start_transfer(self._leg(user, call), number, kind=kind)
        return None if kind is TransferKind.BLIND else Transfer(id=begun.id, call=call)

    def complete_transfer(self, user: PbxUserId, call: CallId) -> None:
        """See ``CallControl``."""
        with self._command("complete_transfer") as pbx:
            pbx.complete_transfer(self._transfer(user, call))

    def cancel_transfer(self, user: PbxUserId, call: CallId) -> None:
        """See ``CallControl``."""
        with self._command("cancel_transfer") as pbx:
            pbx.cancel_transfer(self._transfer(user, call))

    # --- People -------------------------------------------------------------------------------

    def users(self) -> Iterable[PbxUser]:
        """See ``People``."""
        with self._command("users") as pbx:
            return [views.user_of(person) for person in pbx.everybody()]

    def user(self, user: PbxUserId) -> PbxUser:
        """See ``People``."""
        with self._command("user"):
            return views.user_of(self._person(user))

    def authenticate(self, login: str, password: str) -> Identity:
        """See ``People``."""
        with self._command("authenticate") as pbx:
            person = pbx.by_login(login)
            if person is None or not person.enabled or person.password != password:
                raise AuthenticationFailed("wrong login or password")
            return Identity(user=person.id, login=person.login)

    # --- PresenceBook -------------------------------------------------------------------------

    def presences(self, users: Sequence[PbxUserId]) -> Sequence[Presence]:
        """See ``PresenceBook``."""
        with self._command("presences") as pbx:
            found = map(pbx.find, dict.fromkeys(users))
            return [views.presence_of(person) for person in found if person]

    def set_chat(self, user: PbxUserId, state: ChatState, *, message: str) -> None:
        """See ``PresenceBook``."""
        if state is ChatState.NEVER_CHOSEN:
            raise Rejected("not a state to choose", reason=RejectReason.INVALID_DATA)
        with self._command("set_chat") as pbx:
            pbx.choose_chat(self._person(user), state, who=WHO, message=message or None)

    # --- ForwardControl -----------------------------------------------------------------------

    def forwards(self, user: PbxUserId) -> Forwards:
        """See ``ForwardControl``."""
        with self._command("forwards"):
            return views.forwards_of(self._person(user))

    def set_forward(self, user: PbxUserId, kind: ForwardKind, forward: Forward) -> None:
        """See ``ForwardControl``."""
        if forward.enabled and not forward.destination:
            raise Rejected("a forward needs a destination", reason=RejectReason.INVALID_DATA)
        with self._command("set_forward") as pbx:
            pbx.set_forward(self._person(user), kind, forward, who=WHO)

    def set_do_not_disturb(self, user: PbxUserId, *, enabled: bool) -> None:
        """See ``ForwardControl``."""
        with self._command("set_do_not_disturb") as pbx:
            pbx.set_do_not_disturb(self._person(user), enabled=enabled, who=WHO)

    def voicemail_destination(self, user: PbxUserId) -> str | None:
        """See ``ForwardControl``."""
        with self._command("voicemail_destination") as pbx:
            box = self._person(user).box
            return f"{pbx.habits.voicemail_prefix}{box.number}" if box else None

    # --- VoicemailBox -------------------------------------------------------------------------

    def messages(self, user: PbxUserId) -> Sequence[VoicemailMessage]:
        """See ``VoicemailBox``."""
        with self._command("messages"):
            box = self._person(user).box
            found = [views.message_of(box, one) for one in box.messages.values()] if box else []
        return sorted(found, key=lambda message: message.received_at, reverse=True)

    def copy_audio(self, user: PbxUserId, message: str, into: Taker) -> None:
        """See ``VoicemailBox``."""
        with self._command("copy_audio") as pbx:
            recording = pbx.audio(self._message(user, message)[1])
        for start in range(0, len(recording), PIECE):
            into(recording[start : start + PIECE])

    def move_message(self, user: PbxUserId, message: str, folder: VoicemailFolder) -> None:
        """See ``VoicemailBox``."""
        with self._command("move_message") as pbx:
            pbx.move_message(*self._message(user, message), folder, who=WHO)

    def delete_message(self, user: PbxUserId, message: str) -> None:
        """See ``VoicemailBox``."""
        with self._command("delete_message") as pbx:
            pbx.delete_message(*self._message(user, message), who=WHO)

    def greetings(self, user: PbxUserId) -> frozenset[Greeting]:
        """See ``VoicemailBox``."""
        with self._command("greetings"):
            box = self._person(user).box
            return frozenset(Greeting(name) for name in box.greetings) if box else frozenset()

    def copy_greeting(self, user: PbxUserId, greeting: Greeting, into: Taker) -> None:
        """See ``VoicemailBox``."""
        with self._command("copy_greeting"):
            sound = self._box(user).greetings.get(greeting.value)
        if sound is None:
            raise NotFound("no such greeting")
        into(sound)

    def set_greeting(self, user: PbxUserId, greeting: Greeting, sound: bytes) -> None:
        """See ``VoicemailBox``."""
        with self._command("set_greeting"):
            self._box(user).greetings[greeting.value] = sound

    def delete_greeting(self, user: PbxUserId, greeting: Greeting) -> None:
        """See ``VoicemailBox``."""
        with self._command("delete_greeting"):
            self._box(user).greetings.pop(greeting.value, None)

    def _box(self, user: PbxUserId) -> Box:
        box = self._person(user).box
        if box is None:
            raise NotFound("this user has no box")
        return box

    # --- Directory, CallLog -------------------------------------------------------------------

    def search(self, user: PbxUserId, term: str, *, timeout: float) -> Sequence[DirectoryEntry]:
        """See ``Directory``."""
        del timeout
        wanted = folded(term.strip())
        with self._command("search") as pbx:
            self._person(user)
            if not wanted:
                return []
            people = [views.person_entry(one) for one in pbx.everybody() if matches(one, wanted)]
            outside = [one for one in pbx.directory if entry_matches(one, wanted)]
            return [*people, *map(views.outside_entry, outside)]

    def history(
        self, user: PbxUserId, *, limit: int, before: datetime | None = None
    ) -> Sequence[LoggedCall]:
        """See ``CallLog``."""
        with self._command("history") as pbx:
            person = self._person(user)
            entries = sorted(pbx.log_of(person), key=lambda entry: entry.started_at, reverse=True)
            rows = [views.logged_call(entry, person) for entry in entries]
        return [row for row in rows if before is None or row.started_at < before][:limit]

    # --- Backend ------------------------------------------------------------------------------

    def check(self) -> Mapping[str, str]:
        """Nothing is missing, unless ``fail`` says so."""
        with self._command("check"):
            return {}

    def version(self) -> str:
        """It has none."""
        return "simulated"

    def close(self) -> None:
        """Note that it was closed; it goes on working, so that tests may look at it."""
        self.is_closed = True
