"""Calls as a PBX switches them: conversations made of legs, joined by bridges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bluetel.telephony.simulator.clock import Timer
from bluetel.telephony.simulator.people import Box, DeskLine, Person
from bluetel.telephony.types import CallState, LineState, TransferKind

NORMAL_CLEARING = 16
USER_BUSY = 17
NO_ANSWER = 19
SUBSCRIBER_ABSENT = 20
CALL_REJECTED = 21
ANSWERED_ELSEWHERE = 26
OUT_OF_ORDER = 27
INTERWORKING = 127
UNALLOCATED = 1
"""Q.850 causes; 127 is what Wazo gave for a caller who gave up while it rang (recorded)."""


@dataclass(frozen=True, slots=True)
class Party:
    """A number and a name, as a display shows them."""

    number: str
    name: str = ""


class LegStatus(StrEnum):
    """How far one leg is: its phone rings, it waits for the other side, or it is up."""

    RINGING = "ringing"
    DIALLING = "dialling"
    UP = "up"


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Bridge:
    """Who hears whom; a bridge of one is silent."""

    id: str
    legs: list[Leg] = field(default_factory=list)


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Leg:
    """One party's side of a conversation.

    ``person`` and ``line`` are None for an outside party (``outside`` is the number) and for the
    PBX's own half-channels (``local``), of which no event tells. ``number`` and ``name`` are the
    party's own caller ID, ``peer_*`` what its display shows. ``rings`` are the legs that ring on
    behalf of this one, ``rung_by`` the other end of that. ``originating`` is true of the own leg of
    a click-to-call until it is picked up.
    """

    id: str
    call: Conversation
    person: Person | None
    line: DeskLine | None
    outside: str = ""
    local: bool = False
    is_caller: bool
    status: LegStatus
    number: str
    name: str
    peer_number: str
    peer_name: str
    created_at: datetime
    originating: bool = False
    answered_at: datetime | None = None
    talked_at: datetime | None = None
    ended_at: datetime | None = None
    cause: int | None = None
    held: bool = False
    muted: bool = False
    reached: CallState = CallState.RINGING_SELF
    bridge: Bridge | None = None
    rings: list[Leg] = field(default_factory=list)
    rung_by: Leg | None = None
    timer: Timer | None = None
    box: Box | None = None
    box_since: datetime | None = None
    transfer: SimulatedTransfer | None = None
    siblings: list[Leg] = field(default_factory=list)
    since: datetime | None = None

    @property
    def is_live(self) -> bool:
        """Whether this side has not ended."""
        return self.ended_at is None

    @property
    def mates(self) -> Sequence[Leg]:
        """The other legs in the same bridge."""
        if self.bridge is None:
            return ()
        return [leg for leg in self.bridge.legs if leg is not self]

    @property
    def line_state(self) -> LineState:
        """What this leg makes of its phone."""
        match self.status:
            case LegStatus.RINGING:
                return LineState.RINGING
            case LegStatus.DIALLING:
                return LineState.PROGRESSING
            case LegStatus.UP:
                return LineState.HOLDING if self.held else LineState.TALKING

    @property
    def state(self) -> CallState:
        """How the call looks from here; a caller who is up with nobody still rings the peer."""
        if not self.is_live:
            return CallState.ENDED
        if self.status is LegStatus.RINGING:
            return CallState.RINGING_SELF
        if self.status is LegStatus.UP and self.held:
            return CallState.HELD
        if self.status is LegStatus.UP and (self.mates or not self.is_caller):
            return CallState.TALKING
        if self.reached is CallState.TALKING and not self.rings:
            return CallState.TALKING
        return CallState.RINGING_PEER


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Conversation:
    """All legs that share one origin; ``id`` is the first leg's.

    ``requested`` is the number first dialled, ``requested_person`` whom it meant; ``clicked`` tells
    a click-to-call from one dialled on a handset;
    ``forwarded_from`` the first person who forwarded, whose box takes the call in the end;
    ``missed`` why the last person called did not take it.
    """

    id: str
    started_at: datetime
    requested: str
    clicked: bool = False
    caller: Leg | None = None
    requested_person: Person | None = None
    forwarded_from: Person | None = None
    redirections: int = 0
    legs: list[Leg] = field(default_factory=list)
    answered_at: datetime | None = None
    answered_by: Leg | None = None
    last_rung: Leg | None = None
    left_in: Box | None = None
    missed: str = ""
    limit: Timer | None = None
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def live_legs(self) -> Sequence[Leg]:
        """The legs that have not ended, in the order they began."""
        return [leg for leg in self.legs if leg.is_live]


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class SimulatedTransfer:
    """A transfer; ``near`` and ``far`` are the half-channels of an attended one.

    ``status`` uses the PBX's words: ``starting ringback answered blind_transferred abandoned
    ended``.
    """

    id: str
    kind: TransferKind
    initiator: Leg
    transferred: Leg
    number: str
    status: str = "starting"
    near: Leg | None = None
    far: Leg | None = None


class CallOutcome(StrEnum):
    """What became of a logged call."""

    ANSWERED = "answered"
    VOICEMAIL = "voicemail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """A finished conversation in the call log; people are None where the party was outside."""

    id: int
    conversation: str
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime
    outcome: CallOutcome
    source: Person | None
    source_number: str
    source_name: str
    requested: str
    requested_person: Person | None
    destination: Person | None
    destination_number: str
    destination_name: str
    participants: Sequence[Person]

    @property
    def answered(self) -> bool:
        """Whether a person talked; a message left in a box is no answer."""
        return self.outcome is CallOutcome.ANSWERED

    @property
    def seconds(self) -> int:
        """The talked time, rounded as the PBX does."""
        if self.answered_at is None:
            return 0
        return round((self.ended_at - self.answered_at).total_seconds())
