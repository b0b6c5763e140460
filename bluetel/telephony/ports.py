"""What BlueTel asks of any telephone system: one small protocol per feature.

Every blocking method takes the user it acts for: one service account acts for everybody
(``reference/wazo.md`` §1, mode A). All of them raise only :mod:`bluetel.telephony.errors`. They
may be called from any thread. ``EventSource.events`` is the one asynchronous part.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

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
    PbxEvent,
    PbxUser,
    PbxUserId,
    PhoneFacts,
    Presence,
    Transfer,
    TransferKind,
    VoicemailFolder,
    VoicemailMessage,
)

Taker = Callable[[bytes], object]
"""Takes the next piece of something long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLogin:
    """Somebody's own login on the PBX; ``works`` is None while it was never tried."""

    login: str
    password: str = field(repr=False)
    works: bool | None = None


class AccountBook(Protocol):
    """What BlueTel itself knows of a PBX's people, for PBXs that can't be asked.

    Its methods may block and may be called from any thread, but not from an event loop.
    """

    def people(self) -> Sequence[PbxUser]:
        """Everybody BlueTel knows on this PBX."""

    def login_of(self, user: PbxUserId) -> OwnLogin | None:
        """Somebody's own login, where he gave it."""

    def note_login(self, user: PbxUserId, tried: OwnLogin, *, works: bool) -> None:
        """Remember whether the PBX takes somebody's login, if that is still the one ``tried``."""

    def phone_of(self, user: PbxUserId) -> PhoneFacts | None:
        """What was last noted of somebody's telephone."""

    def note_phone(self, user: PbxUserId, phone: PhoneFacts) -> None:
        """Remember what the PBX says of somebody's telephone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PbxConfig:
    """How to reach one PBX; the secrets never show in a repr.

    ``options`` are what the kind of PBX lets an administrator choose, as the PBX's row holds them;
    ``accounts`` is for kinds that have no list of their people.
    """

    name: str
    url: str
    username: str
    password: str
    tenant: str = ""
    ca_file: str = ""
    voicemail_prefix: str = "*97"
    api_key: str = ""
    confd_password: str = ""
    options: Mapping[str, object] = field(default_factory=dict)
    accounts: AccountBook | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        return f"PbxConfig(name={self.name!r}, url={self.url!r}, username={self.username!r})"


class CallControl(Protocol):
    """Calls of one user, placed and steered."""

    def place_call(
        self, user: PbxUserId, number: str, *, line: str = "", timeout: float = 4.5
    ) -> Call:
        """Ring the user's own phone; when he picks up, the PBX calls ``number``.

        ``number`` is dialled as it is (``^[0-9*#]{1,40}$``). ``timeout`` bounds everything this
        does, in seconds. Raises ``Rejected`` with INVALID_EXTENSION, NO_LINE, PHONE_UNREACHABLE
        or UNKNOWN_USER, and ``PbxUnavailable(maybe_done=True)`` when no answer came.
        """

    def calls(
        self, user: PbxUserId | None = None, *, timeout: float | None = None
    ) -> Sequence[Call]:
        """The live calls of one user, or of everybody."""

    def hang_up(self, user: PbxUserId, call: CallId) -> None:
        """End the user's side, ringing or talking; ``NotFound`` when it has already ended."""

    def answer(self, user: PbxUserId, call: CallId) -> None:
        """Pick up on the desk phone from afar; ``NotSupported`` where the phone can't."""

    def hold(self, user: PbxUserId, call: CallId, *, held: bool) -> None:
        """Put the call on hold or take it back; ``NotSupported`` where the phone can't."""

    def mute(self, user: PbxUserId, call: CallId, *, muted: bool) -> None:
        """Silence the user's microphone or give it back."""

    def send_dtmf(self, user: PbxUserId, call: CallId, digits: str) -> None:
        """Send tones, ``^[0-9*#]+$``."""

    def transfer(
        self, user: PbxUserId, call: CallId, number: str, *, kind: TransferKind
    ) -> Transfer | None:
        """Begin a transfer; a blind one is done with this and gives None."""

    def complete_transfer(self, user: PbxUserId, call: CallId) -> None:
        """Join the other two; ``NotFound`` when no attended transfer of that call is under way."""

    def cancel_transfer(self, user: PbxUserId, call: CallId) -> None:
        """Take the first caller back; ``NotFound`` as above."""


class People(Protocol):
    """Who there is on the PBX."""

    def users(self) -> Iterable[PbxUser]:
        """Everybody, page by page."""

    def user(self, user: PbxUserId) -> PbxUser:
        """One person."""

    def authenticate(self, login: str, password: str) -> Identity:
        """Check a login and leave no session behind on the PBX."""


class PresenceBook(Protocol):
    """Who is available, on the phone and in chat."""

    def presences(self, users: Sequence[PbxUserId]) -> Sequence[Presence]:
        """The presence of these people; who is unknown to the PBX is left out."""

    def set_chat(self, user: PbxUserId, state: ChatState, *, message: str) -> None:
        """Publish a chosen status."""


class ForwardControl(Protocol):
    """Forwards and do-not-disturb."""

    def forwards(self, user: PbxUserId) -> Forwards:
        """What the PBX holds now."""

    def set_forward(self, user: PbxUserId, kind: ForwardKind, forward: Forward) -> None:
        """Write one forward whole, its number kept when it is switched off."""

    def set_do_not_disturb(self, user: PbxUserId, *, enabled: bool) -> None:
        """Switch do-not-disturb."""

    def voicemail_destination(self, user: PbxUserId) -> str | None:
        """The number that leads a forward to the user's own box, or None without a box."""


class VoicemailBox(Protocol):
    """The user's voice messages."""

    def messages(self, user: PbxUserId) -> Sequence[VoicemailMessage]:
        """All messages, newest first."""

    def copy_audio(self, user: PbxUserId, message: str, into: Taker) -> None:
        """Hand the recording, as WAV, to ``into`` piece by piece; it may be two hours long.

        Nothing is handed over when it raises before the first piece; a connection that breaks
        later raises as well, and what was handed over is then of no use.
        """

    def move_message(self, user: PbxUserId, message: str, folder: VoicemailFolder) -> None:
        """Put a message into a folder; OLD is read."""

    def delete_message(self, user: PbxUserId, message: str) -> None:
        """Delete for good."""

    def greetings(self, user: PbxUserId) -> frozenset[Greeting]:
        """The greetings the user has recorded; for the others the PBX has its own words."""

    def copy_greeting(self, user: PbxUserId, greeting: Greeting, into: Taker) -> None:
        """Hand a recorded greeting over, as WAV; ``NotFound`` when there is none."""

    def set_greeting(self, user: PbxUserId, greeting: Greeting, sound: bytes) -> None:
        """Have callers hear ``sound``: WAV, one channel, 8000 samples a second of 16 bits."""

    def delete_greeting(self, user: PbxUserId, greeting: Greeting) -> None:
        """Go back to the PBX's own words; no error when they are heard already."""


class Directory(Protocol):
    """The PBX's own directory."""

    def search(self, user: PbxUserId, term: str, *, timeout: float) -> Sequence[DirectoryEntry]:
        """Entries whose name or number contains ``term``."""


class CallLog(Protocol):
    """Finished calls."""

    def history(
        self, user: PbxUserId, *, limit: int, before: datetime | None = None
    ) -> Sequence[LoggedCall]:
        """The newest finished calls, before a time where one is given."""


class EventSource(Protocol):
    """The PBX's live events."""

    def events(self) -> AsyncGenerator[PbxEvent, None]:
        """Yield events for ever, reconnecting by itself; read it inside ``aclosing``.

        ``StreamOpened`` comes once everything is subscribed: take the snapshot after it.
        ``StreamLost`` comes as soon as the stream closes, or within 30 s of its silence.
        """


class Client(
    CallControl,
    People,
    PresenceBook,
    ForwardControl,
    VoicemailBox,
    Directory,
    CallLog,
    Protocol,
):
    """Everything at once; take the small protocols where a part will do."""


class Backend(Client, EventSource, Protocol):
    """One PBX, reached with one service account."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What this kind of PBX can do at all."""

    def capabilities_of(self, user: PbxUserId) -> frozenset[Capability]:
        """What can be done for one person; asks nothing over the network."""

    @property
    def uses_own_logins(self) -> bool:
        """Whether commands for a person need his own login on the PBX."""

    def attend(self, users: Collection[PbxUserId]) -> None:
        """Say who looks at BlueTel now: exactly these people's own calls are to be followed.

        Where the service account hears everybody's calls this changes nothing.
        """

    @property
    def people_source(self) -> str:
        """Where ``users`` takes people from, in a word; empty where the PBX has no list of them."""

    def refresh_login(self, user: PbxUserId) -> None:
        """Somebody gave another login of his own, or took his away."""

    def take_pushes(self, bodies: Sequence[object]) -> Sequence[PbxEvent]:
        """What the PBX posted to BlueTel by itself, as events; what can't be read is left out."""

    def check(self) -> Mapping[str, str]:
        """Sign in and say what is missing: right → what stops working without it.

        Empty when all is well. Raises ``AuthenticationFailed`` or ``PbxUnavailable``.
        """

    def version(self) -> str:
        """The PBX's version in its own words, or the empty string."""

    def close(self) -> None:
        """Sign out (the token is revoked) and close the connections."""


class ActsForEverybody:
    """What a backend says whose service account hears and does everything for everybody."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Everything."""
        return frozenset(Capability)

    def capabilities_of(self, user: PbxUserId) -> frozenset[Capability]:
        """The same for each."""
        del user
        return self.capabilities

    @property
    def uses_own_logins(self) -> bool:
        """The service account does everything."""
        return False

    @property
    def people_source(self) -> str:
        """The PBX lists its users."""
        return "pbx"

    def attend(self, users: Collection[PbxUserId]) -> None:
        """Everybody's calls are heard anyway."""

    def refresh_login(self, user: PbxUserId) -> None:
        """Nobody's own login is kept."""

    def take_pushes(self, bodies: Sequence[object]) -> Sequence[PbxEvent]:
        """Nothing is posted: the stream tells all."""
        del bodies
        return ()


BackendFactory = Callable[[PbxConfig], Backend]
