"""What XUC says on the socket, as far as BlueTel listens: one frozen value per message; pure.

Fields that a message left out are None: XUC's own clients never erase a known value with an absent
one, and neither may we.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bluetel.telephony.types import ForwardKind, PhoneFacts


@dataclass(frozen=True, slots=True)
class LoggedOn:
    """The socket may be used from now on."""


@dataclass(frozen=True, slots=True)
class LoggedOnError:
    """The socket will be closed: ``reason`` is ``loggedOnFailed``, ``loggedOnTimeout`` or other."""

    reason: str


@dataclass(frozen=True, slots=True)
class CommandError:
    """Something went wrong on the PBX; its payload is documented nowhere and is not read."""


@dataclass(frozen=True, slots=True)
class LinkClosed:
    """XUC lost its own connection to the PBX."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardSetting:
    """One forward in a ``UserConfigUpdate``."""

    enabled: bool
    destination: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigUpdate:
    """``UserConfigUpdate``: the whole configuration, or some of it (``is_whole`` false)."""

    is_whole: bool
    name: str = ""
    mobile: str | None = None
    do_not_disturb: bool | None = None
    forwards: dict[ForwardKind, ForwardSetting] = field(default_factory=dict)
    voicemail_id: int | None = None
    voicemail_enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class HintChanged:
    """The phone at a number is in this state now."""

    number: str
    code: int


@dataclass(frozen=True, slots=True)
class OwnPhoneChanged:
    """The user's own phone is in this state now."""

    code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicemailCounters:
    """How many messages the user's box holds."""

    new: int
    waiting: int
    old: int


class PhoneStep(StrEnum):
    """The types of ``PhoneEvent``."""

    DIALING = "EventDialing"
    RINGING = "EventRinging"
    ESTABLISHED = "EventEstablished"
    ON_HOLD = "EventOnHold"
    RELEASED = "EventReleased"
    FAILURE = "EventFailure"
    """Its name is expected, not documented; any type with "fail" in it is read as this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneEvent:
    """One step of one call of the user's; what is empty must not erase what was known.

    ``is_outgoing`` is None where the event doesn't tell.
    """

    step: PhoneStep
    linked_id: str
    unique_id: str
    own_number: str = ""
    number: str = ""
    name: str = ""
    is_outgoing: bool | None = None


@dataclass(frozen=True, slots=True)
class CurrentCalls:
    """All calls the user has now."""

    events: Sequence[PhoneEvent]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineConfig:
    """The user's line; its SIP password is left where it is."""

    has_line: bool
    phone: PhoneFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryRow:
    """One row of a directory: its cells stand under the result's headers."""

    cells: Sequence[str]
    code: int | None = None
    contact_id: str = ""
    source: str = ""
    is_favourite: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryResult:
    """What a search found, or the favourites (``is_favourites``)."""

    headers: Sequence[str]
    rows: Sequence[DirectoryRow]
    is_favourites: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One person of a ``ContactSheet``."""

    name: str
    company: str = ""
    numbers: Sequence[str] = ()
    username: str = ""
    email: str = ""
    code: int | None = None
    is_favourite: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactSheets:
    """What a search of the newer kind found, or the favourites."""

    sheets: Sequence[Sheet]
    is_favourites: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FavouriteChanged:
    """A favourite was added or removed; ``is_added`` is None when it could not be."""

    contact_id: str
    source: str
    is_added: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """One call of the user's history; ``start`` is the PBX's local time, without a zone."""

    start: datetime
    seconds: int
    status: str
    source_number: str
    source_name: str
    source_login: str
    destination_number: str
    destination_name: str
    destination_login: str


@dataclass(frozen=True, slots=True)
class CallHistory:
    """The user's finished calls, in the order XUC gives them."""

    rows: Sequence[HistoryRow]


@dataclass(frozen=True, slots=True)
class Ignored:
    """A message BlueTel has no use for, or can't read; ``name`` is its type."""

    name: str


CtiMessage = (
    LoggedOn
    | LoggedOnError
    | CommandError
    | LinkClosed
    | ConfigUpdate
    | HintChanged
    | OwnPhoneChanged
    | VoicemailCounters
    | PhoneEvent
    | CurrentCalls
    | LineConfig
    | DirectoryResult
    | ContactSheets
    | FavouriteChanged
    | CallHistory
    | Ignored
)


def is_a(kind: type[CtiMessage]) -> Callable[[CtiMessage], bool]:
    """Takes messages of one type."""
    return lambda message: isinstance(message, kind)
