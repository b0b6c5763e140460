"""What a telephone system tells and is told, whatever its make.

Every value is whole and frozen: a late or repeated event replaces a value, it never edits one.
Times are aware datetimes in UTC; durations are seconds; extensions and numbers are strings,
for "0042" is not 42.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

PbxUserId = NewType("PbxUserId", str)
"""The PBX's own id of a person: a uuid on Wazo, the login on XiVO."""

CallId = NewType("CallId", str)
"""One person's side of a call, as the PBX's call control names it."""

ConversationId = NewType("ConversationId", str)
"""What all sides of one call share: Asterisk's linkedid on Wazo."""


class Capability(StrEnum):
    """What a PBX, or this user's account on it, can do; pages hide what is not here."""

    HOLD = "hold"
    ANSWER = "answer"
    MUTE = "mute"
    TRANSFER = "transfer"
    DTMF = "dtmf"
    PRESENCE = "presence"
    FORWARDS = "forwards"
    READ_FORWARDS = "read_forwards"
    VOICEMAIL = "voicemail"
    VOICEMAIL_AUDIO = "voicemail_audio"
    DIRECTORY = "directory"
    HISTORY = "history"


class LineState(StrEnum):
    """The state of one phone line, in merge order: of several lines the first named here wins."""

    RINGING = "ringing"
    PROGRESSING = "progressing"
    HOLDING = "holding"
    TALKING = "talking"
    AVAILABLE = "available"
    UNAVAILABLE = "unavailable"


class ChatState(StrEnum):
    """The status a person chose on the PBX, named as people name it.

    Wazo's chatd says ``unavailable`` for BUSY and ``invisible`` for INVISIBLE; NEVER_CHOSEN is
    its ``unavailable`` of somebody who never set a status (``last_activity`` null).
    """

    AVAILABLE = "available"
    AWAY = "away"
    BUSY = "busy"
    INVISIBLE = "invisible"
    NEVER_CHOSEN = "never_chosen"


class CallState(StrEnum):
    """How far a call has come, seen from one of its two people."""

    RINGING_SELF = "ringing_self"
    RINGING_PEER = "ringing_peer"
    TALKING = "talking"
    HELD = "held"
    ENDED = "ended"


class Direction(StrEnum):
    """Who began the call, seen from the person whose call it is."""

    OUTGOING = "outgoing"
    INCOMING = "incoming"


class ForwardKind(StrEnum):
    """When a forward applies."""

    UNCONDITIONAL = "unconditional"
    BUSY = "busy"
    NO_ANSWER = "no_answer"


class TransferKind(StrEnum):
    """Blind: the call leaves at once. Attended: one speaks to the third person first."""

    BLIND = "blind"
    ATTENDED = "attended"


@dataclass(frozen=True, slots=True, kw_only=True)
class PbxUser:
    """A person as the PBX knows him.

    ``lines`` is empty for somebody without a phone; the first is the main line, and its
    ``context`` is where his calls start. ``login`` is the PBX sign-in name where it is known.
    """

    id: PbxUserId
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    login: str = ""
    mobile: str = ""
    language: str = ""
    time_zone: str = ""
    lines: Sequence[Line] = ()

    @classmethod
    def by_login(
        cls,
        login: str,
        *,
        number: str,
        first_name: str = "",
        last_name: str = "",
        email: str = "",
        mobile: str = "",
    ) -> PbxUser:
        """Somebody of a PBX where the login is the id and the number his one line."""
        return cls(
            id=PbxUserId(login),
            login=login,
            first_name=first_name,
            last_name=last_name,
            email=email,
            mobile=mobile,
            lines=(Line(id=number, extension=number),) if number else (),
        )

    @property
    def extension(self) -> str:
        """The main line's extension, or the empty string."""
        return self.lines[0].extension if self.lines else ""

    @property
    def name(self) -> str:
        """First and last name, as written on a door."""
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One phone line of a person."""

    id: str
    extension: str
    context: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneFacts:
    """What the PBX says of somebody's telephone: its make, and whether it is a real one.

    ``make`` is empty where the PBX doesn't name it; a ``web_rtc`` line without a device rings in a
    browser of the PBX's own application.
    """

    make: str = ""
    web_rtc: bool = False
    has_device: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who somebody proved to be when he gave the PBX his login and password."""

    user: PbxUserId
    login: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One person's call, whole.

    ``number`` and ``name`` are the other party's, as the PBX shows them: hostile text. ``cause``
    is the Q.850 code of the end, ``None`` while the call lives or where the PBX doesn't say.
    ``reached`` is the furthest live state the call came to: it tells a call nobody picked up from
    one that was talked on, once it has ended.
    """

    user: PbxUserId
    id: CallId
    conversation: ConversationId
    state: CallState
    direction: Direction
    number: str
    name: str = ""
    started_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    cause: int | None = None
    reached: CallState = CallState.RINGING_SELF
    muted: bool = False

    @property
    def is_live(self) -> bool:
        """Whether the call still goes on."""
        return self.state is not CallState.ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """An attended transfer under way, to complete or to cancel."""

    id: str
    call: CallId


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Everything the PBX knows of one person's presence.

    ``connected`` is whether the PBX sees a chat session of his; ``chosen_at`` when he last chose
    his status, if he ever did. ``phone`` is already merged over his lines and doesn't know of DND;
    None where the PBX itself doesn't know it.
    """

    user: PbxUserId
    phone: LineState | None
    do_not_disturb: bool = False
    chat: ChatState = ChatState.NEVER_CHOSEN
    message: str = ""
    connected: bool = False
    chosen_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """A forward as it stands; a disabled one keeps its number."""

    enabled: bool = False
    destination: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwards:
    """A person's three forwards and his do-not-disturb."""

    by_kind: Mapping[ForwardKind, Forward] = field(
        default_factory=lambda: {kind: Forward() for kind in ForwardKind}
    )
    do_not_disturb: bool = False


class Greeting(StrEnum):
    """What callers hear before the tone: when nobody answers, when one is busy, or one's name."""

    UNAVAILABLE = "unavailable"
    BUSY = "busy"
    NAME = "name"


class VoicemailFolder(StrEnum):
    """Where a message lies; ``NEW`` is the unread folder, ``OLD`` the read one."""

    NEW = "new"
    OLD = "old"
    URGENT = "urgent"
    WORK = "work"
    FAMILY = "family"
    FRIENDS = "friends"


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicemailMessage:
    """A message in a voicemail box; an anonymous caller has no number.

    ``box_number`` is what one dials to reach the box, where the PBX says it.
    """

    id: str
    box: str
    folder: VoicemailFolder
    number: str
    name: str
    duration: int
    received_at: datetime
    transcript: str = ""
    box_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryEntry:
    """A person or company in the PBX's directory; ``numbers`` are (label, number) pairs.

    Labels are ``extension``, ``mobile``, ``work``, ``home``, ``fax`` or ``other``.
    """

    name: str
    numbers: Sequence[tuple[str, str]]
    email: str = ""
    company: str = ""
    user: PbxUserId | None = None
    source: str = ""
    entry_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedCall:
    """A finished call in the PBX's call log, seen from the person who asked."""

    id: str
    direction: Direction
    answered: bool
    number: str
    name: str
    started_at: datetime
    duration: int
    conversation: ConversationId | None = None


# Events: what a PBX's stream says, in the past tense. ``at`` is the envelope's own time where the
# PBX gives one; it is local to the PBX and may step back an hour in autumn.


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOpened:
    """The stream listens; what follows is complete, so a snapshot may be read now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLost:
    """The stream closed or fell silent; nothing is known until it opens again."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceChanged:
    """Somebody's phone, DND or chat status is now this."""

    presence: Presence
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallChanged:
    """A call is now this, ``ENDED`` included."""

    call: Call
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardChanged:
    """One of somebody's forwards is now this, whoever set it."""

    user: PbxUserId
    kind: ForwardKind
    forward: Forward
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DoNotDisturbChanged:
    """Somebody's do-not-disturb is now on or off."""

    user: PbxUserId
    enabled: bool
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicemailChanged:
    """Something in somebody's voicemail box changed: read it again."""

    user: PbxUserId
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChanged:
    """A person, his lines or his number changed on the PBX, or he is gone."""

    user: PbxUserId
    at: datetime | None = None


PbxEvent = (
    StreamOpened
    | StreamLost
    | PresenceChanged
    | CallChanged
    | ForwardChanged
    | DoNotDisturbChanged
    | VoicemailChanged
    | UserChanged
)
