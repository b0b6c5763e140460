"""What is heard of a call leg: its records as they come, and which of two is the newer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from bluetel.telephony.types import CallId, ConversationId, PbxUserId

CLOCK_CHANGE = timedelta(seconds=60)


class Phase(IntEnum):
    """How far a leg's channel has come; it never goes back."""

    NEW = 0
    RINGING = 1
    DIALLING = 2
    UP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One whole record of a leg, with caller and peer in their right places.

    ``user`` is None for a leg that is nobody's: a trunk's, or one side of a Local channel
    (``is_local``), which only ``GET /calls`` shows and no event ever ends. ``cause`` and
    ``ended_at`` come with ``call_ended``.
    """

    id: CallId
    conversation: ConversationId
    user: PbxUserId | None
    phase: Phase
    is_caller: bool
    peer_number: str
    peer_name: str
    talks_to: frozenset[str] = frozenset()
    bridges: tuple[str, ...] = ()
    on_hold: bool = False
    muted: bool = False
    is_local: bool = False
    created_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    cause: int | None = None

    @property
    def is_connected(self) -> bool:
        """Whether somebody is on the other side of it right now."""
        return self.phase is Phase.UP and bool(self.talks_to or self.bridges)

    @property
    def knowledge(self) -> tuple[int, bool, bool, bool]:
        """Which of two records of one moment is the later one: what is known only grows."""
        return (self.phase, self.answered_at is not None, bool(self.peer_name), self.is_connected)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegSeen:
    """A record of a living leg, from ``call_created``, ``call_updated`` or ``call_answered``."""

    leg: Leg
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LegEnded:
    """The last record of a leg."""

    leg: Leg
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LegHeld:
    """``call_held`` or ``call_resumed``: nothing but the leg's id comes with it."""

    id: CallId
    held: bool
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallMissed:
    """``user_missed_call``: why nobody took a call of this conversation."""

    conversation: ConversationId
    reason: str


LegNews = LegSeen | LegEnded | LegHeld | CallMissed


def supersedes(at: datetime | None, known: datetime | None) -> bool:
    """Whether an event of time ``at`` is newer than one of time ``known``.

    No time is older than any time. A step back of more than 60 s is a clock change.
    """
    if known is None:
        return True
    if at is None:
        return False
    return at >= known or known - at > CLOCK_CHANGE
