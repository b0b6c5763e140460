"""What happened in the simulated PBX, said once and in no dialect.

Listeners are called while it happens and see the live objects: they must take what they need
before they return.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bluetel.telephony.simulator.legs import Leg, LogEntry, SimulatedTransfer
from bluetel.telephony.simulator.people import Box, BoxMessage, DeskLine, Person
from bluetel.telephony.types import ForwardKind


class LegStep(StrEnum):
    """What a leg did."""

    CREATED = "created"
    CHANGED = "changed"
    ANSWERED = "answered"
    HELD = "held"
    RESUMED = "resumed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class LegEvent:
    """A leg began, changed, was answered, held, taken back or ended."""

    step: LegStep
    leg: Leg


@dataclass(frozen=True, slots=True)
class DtmfSent:
    """One tone went out on a leg."""

    leg: Leg
    digit: str


@dataclass(frozen=True, slots=True)
class PresenceEvent:
    """Something of somebody's presence was set, changed or not; ``chosen`` when by himself."""

    person: Person
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class LineEvent:
    """A desk phone was plugged, unplugged, or has another number of calls."""

    line: DeskLine


@dataclass(frozen=True, slots=True)
class CallMissed:
    """Somebody was called and did not take it; ``reason`` uses the PBX's words."""

    person: Person
    caller: Leg
    reason: str


@dataclass(frozen=True, slots=True)
class ForwardSet:
    """A forward was written."""

    person: Person
    kind: ForwardKind


@dataclass(frozen=True, slots=True)
class DoNotDisturbSet:
    """Do-not-disturb was written."""

    person: Person


class BoxStep(StrEnum):
    """What happened to a voice message."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class BoxEvent:
    """A voice message came, moved or went."""

    step: BoxStep
    person: Person
    box: Box
    message: BoxMessage


class PersonStep(StrEnum):
    """What happened to an account."""

    CREATED = "created"
    EDITED = "edited"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class PersonEvent:
    """Somebody was added, edited or removed."""

    step: PersonStep
    person: Person


class TransferStep(StrEnum):
    """How a transfer goes on."""

    CREATED = "created"
    UPDATED = "updated"
    ANSWERED = "answered"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class TransferEvent:
    """A transfer began, went on or ended."""

    step: TransferStep
    transfer: SimulatedTransfer


@dataclass(frozen=True, slots=True)
class CallLogged:
    """A finished call was written to the log."""

    entry: LogEntry


SimulatorEvent = (
    LegEvent
    | DtmfSent
    | PresenceEvent
    | LineEvent
    | CallMissed
    | ForwardSet
    | DoNotDisturbSet
    | BoxEvent
    | PersonEvent
    | TransferEvent
    | CallLogged
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One change somebody asked for: who (``handset`` or an account), what, when, on whom."""

    at: datetime
    who: str
    what: str
    user: str
    before: str
    after: str
