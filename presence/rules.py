"""What a person's states are, from what the PBX and the pages say; pure.

The words are those of the API. DESIGN §5 has the rules, docs/presence.md tells them in full.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from bluetel.telephony.types import ChatState, LineState

if TYPE_CHECKING:
    from collections.abc import Iterable

MESSAGE_LIMIT = 250
CLOCK_STEP = timedelta(seconds=60)
LONG_SILENCE = timedelta(minutes=20)


class PhoneState(StrEnum):
    """What a phone shows to colleagues."""

    AVAILABLE = "available"
    BUSY = "busy"
    RINGING = "ringing"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


class ImState(StrEnum):
    """What a person shows to colleagues in chat."""

    AVAILABLE = "available"
    BUSY = "busy"
    AWAY = "away"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


_MERGE_ORDER = list(LineState)
_CHAT = {
    ChatState.AVAILABLE: ImState.AVAILABLE,
    ChatState.AWAY: ImState.AWAY,
    ChatState.BUSY: ImState.BUSY,
    # Nobody may tell an invisible person from one who has gone, nor from one who never came.
    ChatState.INVISIBLE: ImState.OFFLINE,
    ChatState.NEVER_CHOSEN: ImState.OFFLINE,
}


def merge_lines(states: Iterable[LineState]) -> LineState:
    """The state of somebody with several lines: the most urgent; without one, unavailable."""
    return min(states, key=_MERGE_ORDER.index, default=LineState.UNAVAILABLE)


def phone_state(line: LineState | None, *, do_not_disturb: bool) -> PhoneState:
    """The phone's state; ``line`` is None while nothing is known, as when the link is down.

    An unplugged phone, or none, is offline whatever else is set. Do-not-disturb reads busy, but
    a phone that rings all the same (its owner clicked to call) rings.
    """
    match line:
        case None:
            return PhoneState.UNKNOWN
        case LineState.UNAVAILABLE:
            return PhoneState.OFFLINE
        case LineState.RINGING:
            return PhoneState.RINGING
        case LineState.AVAILABLE:
            return PhoneState.BUSY if do_not_disturb else PhoneState.AVAILABLE
        case _:  # progressing, holding, talking
            return PhoneState.BUSY


def im_state(chat: ChatState | None, *, is_connected: bool, has_page: bool) -> ImState:
    """The chat state; ``chat`` is None while nothing is known.

    A chosen status counts while its owner is there: ``is_connected`` says that the PBX sees a chat
    session of his, ``has_page`` that he has a BlueTel page open.
    """
    if chat is None:
        return ImState.UNKNOWN
    if not (is_connected or has_page):
        return ImState.OFFLINE
    return _CHAT[chat]


def own_im_state(*, has_page: bool) -> ImState:
    """The chat state of somebody without a PBX: there while a page of his is open."""
    return ImState.AVAILABLE if has_page else ImState.OFFLINE


def shown_message(message: str, im: ImState) -> str:
    """The status message colleagues see.

    Somebody who reads offline shows none: a message beside some offline people and not beside
    others would tell who is invisible.
    """
    if im in {ImState.OFFLINE, ImState.UNKNOWN}:
        return ""
    return message[:MESSAGE_LIMIT]


def is_newer(
    at: datetime | None,
    received: datetime,
    *,
    than: datetime | None,
    than_received: datetime | None,
) -> bool:
    """Whether an event about somebody overrules what an earlier one said of him.

    ``at`` and ``than`` are the envelopes' times, ``received`` and ``than_received`` those of our
    own clock. The newer envelope wins; equal times go by arrival. Envelope times are local to the
    PBX: in the autumn night, or when its clock is set, they step back. So an envelope that is more
    than :data:`CLOCK_STEP` older is no late one but a changed clock, and so is any older one that
    comes after :data:`LONG_SILENCE`: an event at 02:30:00 an hour after one at 02:30:30.
    """
    if at is None or than is None or than_received is None:
        return True
    return at >= than or than - at > CLOCK_STEP or received - than_received > LONG_SILENCE


# --- The chat status ------------------------------------------------------------------------------


class ImSource(StrEnum):
    """What a chat status comes from, the most binding first."""

    MANUAL = "manual"
    CALENDAR = "calendar"
    IDLE = "idle"
    SESSION = "session"


_RANK = {source: rank for rank, source in enumerate(ImSource)}

ON_PBX = "pbx"
"""The ``ref`` of a status its owner chose in another program of the PBX's."""


class ImClaim(Protocol):
    """A reason for a status, from ``starts`` up to but not at ``ends``; None is without end."""

    @property
    def source(self) -> str:
        """An :class:`ImSource`."""

    @property
    def value(self) -> str:
        """An :class:`ImState`."""

    @property
    def message(self) -> str:
        """What he says beside it."""

    @property
    def ref(self) -> str:
        """Which of its source; :data:`ON_PBX` for a choice that stands on the PBX itself."""

    @property
    def starts(self) -> datetime:
        """For a status chosen by hand, when it was chosen."""

    @property
    def ends(self) -> datetime | None:
        """When it is over."""


@dataclass(frozen=True, slots=True)
class ImDecision:
    """The status that holds, why, and until when this reason wins.

    ``winner`` is None when being there or not decides; ``losers`` hold too, but count less.
    """

    status: ImState
    source: ImSource
    until: datetime | None = None
    message: str = ""
    winner: ImClaim | None = None
    losers: tuple[ImClaim, ...] = ()


def resolve_im(claims: Iterable[ImClaim], now: datetime, *, is_there: bool = False) -> ImDecision:
    """The chat status at ``now`` of somebody with these claims on it.

    By hand > calendar > idle > there or not, but a hand-set Available gives way to a meeting that
    began after it was chosen (reference/availability.md §2).
    """
    every = list(claims)
    # Some source may know of a session where we see no page: an XMPP client, for one.
    is_there = is_there or any(
        claim.source == ImSource.SESSION
        and claim.value == ImState.AVAILABLE
        and _holds(claim, now, is_there=True)
        for claim in every
    )
    winner, losers = _standing(every, now, is_there=is_there)
    edges = sorted(
        {edge for claim in every for edge in (claim.starts, claim.ends) if edge and edge > now}
    )
    until = next(
        (edge for edge in edges if _standing(every, edge, is_there=is_there)[0] is not winner),
        None,
    )
    if winner is None:
        status = ImState.AVAILABLE if is_there else ImState.OFFLINE
        return ImDecision(status, ImSource.SESSION, until, losers=losers)
    return ImDecision(
        ImState(winner.value),
        ImSource(winner.source),
        until,
        message=shown_message(winner.message, ImState(winner.value)),
        winner=winner,
        losers=losers,
    )


def strongest(claims: Iterable[ImClaim], now: datetime) -> ImClaim | None:
    """The claim that decides at ``now`` for somebody who is there."""
    return _standing(claims, now, is_there=True)[0]


def _standing(
    claims: Iterable[ImClaim], at: datetime, *, is_there: bool
) -> tuple[ImClaim | None, tuple[ImClaim, ...]]:
    """Who wins at an instant, and the others that hold, in their order."""
    live = [claim for claim in claims if _holds(claim, at, is_there=is_there)]
    if len(live) < 2:  # nearly everybody, and asked for everybody at nine
        return (live[0] if live else None), ()
    meeting = max(
        (claim.starts for claim in live if claim.source == ImSource.CALENDAR), default=None
    )
    ranked = sorted(live, key=lambda claim: (_rank(claim, meeting), *_newest_first(claim)))
    return (ranked[0] if ranked else None), tuple(ranked[1:])


def _holds(claim: ImClaim, at: datetime, *, is_there: bool) -> bool:
    """Whether a claim counts; nobody is idle who isn't there."""
    if claim.source == ImSource.IDLE and not is_there:
        return False
    return claim.starts <= at and (claim.ends is None or at < claim.ends)


def _rank(claim: ImClaim, meeting: datetime | None) -> float:
    rank = _RANK[ImSource(claim.source)]
    is_forgotten = (
        claim.source == ImSource.MANUAL
        and claim.value == ImState.AVAILABLE
        and meeting is not None
        and claim.starts < meeting
    )
    return rank + 1.5 if is_forgotten else rank


def _newest_first(claim: ImClaim) -> tuple[float, str, float]:
    """Of two alike the later one counts; the rest only makes the order independent of the rows'."""
    return -claim.starts.timestamp(), claim.value, claim.ends.timestamp() if claim.ends else 0.0
