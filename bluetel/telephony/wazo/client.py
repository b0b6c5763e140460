"""Wazo's commands behind one face: each of the ``Client`` ports handed to its own module."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from bluetel.telephony.ports import Taker
from bluetel.telephony.types import (
    Call,
    CallId,
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
from bluetel.telephony.wazo.call_control import WazoCallControl
from bluetel.telephony.wazo.directory import WazoDirectory
from bluetel.telephony.wazo.forward_control import WazoForwardControl
from bluetel.telephony.wazo.people import WazoPeople
from bluetel.telephony.wazo.presences import WazoPresences
from bluetel.telephony.wazo.voicemail import WazoVoicemail


class WazoClient:
    """Everything a user can have done on a Wazo; the contracts are those of the ports."""

    def __init__(
        self,
        *,
        people: WazoPeople,
        calls: WazoCallControl,
        presences: WazoPresences,
        forwards: WazoForwardControl,
        voicemail: WazoVoicemail,
        directory: WazoDirectory,
    ) -> None:
        """The parts share one door, one token and one look-up of people."""
        self._people = people
        self._calls = calls
        self._presences = presences
        self._forwards = forwards
        self._voicemail = voicemail
        self._directory = directory

    def place_call(
        self, user: PbxUserId, number: str, *, line: str = "", timeout: float = 4.5
    ) -> Call:
        """See ``CallControl``."""
        return self._calls.place_call(user, number, line=line, timeout=timeout)

    def calls(
        self, user: PbxUserId | None = None, *, timeout: float | None = None
    ) -> Sequence[Call]:
        """See ``CallControl``."""
        return self._calls.calls(user, timeout=timeout)

    def hang_up(self, user: PbxUserId, call: CallId) -> None:
        """See ``CallControl``."""
        self._calls.hang_up(user, call)

    def answer(self, user: PbxUserId, call: CallId) -> None:
        """See ``CallControl``."""
        self._calls.answer(user, call)

    def hold(self, user: PbxUserId, call: CallId, *, held: bool) -> None:
        """See ``CallControl``."""
        self._calls.hold(user, call, held=held)

    def mute(self, user: PbxUserId, call: CallId, *, muted: bool) -> None:
        """See ``CallControl``."""
        self._calls.mute(user, call, muted=muted)

    def send_dtmf(self, user: PbxUserId, call: CallId, digits: str) -> None:
        """See ``CallControl``."""
        self._calls.send_dtmf(user, call, digits)

    def transfer(
        self, user: PbxUserId, call: CallId, number: str, *, kind: TransferKind
    ) -> Transfer | None:
        """See ``CallControl``."""
        return self._calls.transfer(user, call, number, kind=kind)

    def complete_transfer(self, user: PbxUserId, call: CallId) -> None:
        """See ``CallControl``."""
        self._calls.complete_transfer(user, call)

    def cancel_transfer(self, user: PbxUserId, call: CallId) -> None:
        """See ``CallControl``."""
        self._calls.cancel_transfer(user, call)

    def users(self) -> Iterable[PbxUser]:
        """See ``People``."""
        return self._people.users()

    def user(self, user: PbxUserId) -> PbxUser:
        """See ``People``."""
        return self._people.user(user)

    def authenticate(self, login: str, password: str) -> Identity:
        """See ``People``."""
        return self._people.authenticate(login, password)

    def presences(self, users: Sequence[PbxUserId]) -> Sequence[Presence]:
        """See ``PresenceBook``."""
        return self._presences.presences(users)

    def set_chat(self, user: PbxUserId, state: ChatState, *, message: str) -> None:
        """See ``PresenceBook``."""
        self._presences.set_chat(user, state, message=message)

    def forwards(self, user: PbxUserId) -> Forwards:
        """See ``ForwardControl``."""
        return self._forwards.forwards(user)

    def set_forward(self, user: PbxUserId, kind: ForwardKind, forward: Forward) -> None:
        """See ``ForwardControl``."""
        self._forwards.set_forward(user, kind, forward)

    def set_do_not_disturb(self, user: PbxUserId, *, enabled: bool) -> None:
        """See ``ForwardControl``."""
        self._forwards.set_do_not_disturb(user, enabled=enabled)

    def voicemail_destination(self, user: PbxUserId) -> str | None:
        """See ``ForwardControl``."""
        return self._forwards.voicemail_destination(user)

    def messages(self, user: PbxUserId) -> Sequence[VoicemailMessage]:
        """See ``VoicemailBox``."""
        return self._voicemail.messages(user)

    def copy_audio(self, user: PbxUserId, message: str, into: Taker) -> None:
        """See ``VoicemailBox``."""
        self._voicemail.copy_audio(user, message, into)

    def move_message(self, user: PbxUserId, message: str, folder: VoicemailFolder) -> None:
        """See ``VoicemailBox``."""
        self._voicemail.move_message(user, message, folder)

    def delete_message(self, user: PbxUserId, message: str) -> None:
        """See ``VoicemailBox``."""
        self._voicemail.delete_message(user, message)

    def greetings(self, user: PbxUserId) -> frozenset[Greeting]:
        """See ``VoicemailBox``."""
        return self._voicemail.greetings(user)

    def copy_greeting(self, user: PbxUserId, greeting: Greeting, into: Taker) -> None:
        """See ``VoicemailBox``."""
        self._voicemail.copy_greeting(user, greeting, into)

    def set_greeting(self, user: PbxUserId, greeting: Greeting, sound: bytes) -> None:
        """See ``VoicemailBox``."""
        self._voicemail.set_greeting(user, greeting, sound)

    def delete_greeting(self, user: PbxUserId, greeting: Greeting) -> None:
        """See ``VoicemailBox``."""
        self._voicemail.delete_greeting(user, greeting)

    def search(self, user: PbxUserId, term: str, *, timeout: float) -> Sequence[DirectoryEntry]:
        """See ``Directory``."""
        return self._directory.search(user, term, timeout=timeout)

    def history(
        self, user: PbxUserId, *, limit: int, before: datetime | None = None
    ) -> Sequence[LoggedCall]:
        """See ``CallLog``."""
        return self._directory.history(user, limit=limit, before=before)
