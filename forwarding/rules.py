"""Where calls go and why: one pure function of what is claimed, the user's own settings and time.

reference: docs/availability.md tells the rules in full. There is no "previous value" anywhere: when
a claim is over it is gone, and what remains decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bluetel.telephony.types import Forward
from forwarding.blocks import Block, OccurrenceKey
from presence.rules import ImClaim, ImDecision, ImSource, ImState, resolve_im, strongest


class RouteKind(StrEnum):
    """Where a call goes, in the API's words."""

    OWN = "own"
    VOICEMAIL = "voicemail"
    NUMBER = "number"
    DO_NOT_DISTURB = "do_not_disturb"


class Source(StrEnum):
    """What decides, in the API's words."""

    MANUAL = "manual"
    IM = "im"
    CALENDAR = "calendar"
    OWN = "own"


class Reason(StrEnum):
    """Why calls go there; claims in the order in which they count."""

    DO_NOT_DISTURB = "do_not_disturb"
    OVERRIDE = "override"
    BUSY_BY_HAND = "busy_by_hand"
    MEETING = "meeting"
    BUSY_BY_CALENDAR = "busy_by_calendar"
    SUPPRESSED = "suppressed"
    OWN_FORWARD = "own_forward"
    OWN = "own"


class Choice(StrEnum):
    """What a rule does with calls."""

    NOTHING = "nothing"
    VOICEMAIL = "voicemail"
    NUMBER = "number"


_RANK = {reason: rank for rank, reason in enumerate(Reason)}
_SOURCE = {
    Reason.BUSY_BY_HAND: Source.IM,
    Reason.MEETING: Source.CALENDAR,
    Reason.BUSY_BY_CALENDAR: Source.IM,
    Reason.SUPPRESSED: Source.CALENDAR,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a rule sends calls, as the PBX is told; ``problem`` is the code of why it can't."""

    kind: RouteKind
    destination: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteClaim:
    """A reason that wants calls at ``target`` for a time; without a target it wants none of ours.

    ``refs`` name what is behind it: the block's occurrences, or a status set by hand.
    """

    reason: Reason
    target: Target | None
    starts: datetime
    ends: datetime | None
    refs: frozenset[str] = frozenset()

    def holds(self, at: datetime) -> bool:
        """Whether it counts at an instant."""
        return self.starts <= at and (self.ends is None or at < self.ends)

    @property
    def source(self) -> Source:
        """In whose name it is."""
        return _SOURCE[self.reason]


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """The user's own unconditional forward and do-not-disturb."""

    forward: Forward = field(default_factory=Forward)
    do_not_disturb: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """The user's own choice while claims named by ``refs`` hold."""

    refs: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where calls go at an instant, why, and what would have decided otherwise."""

    kind: RouteKind
    source: Source
    reason: Reason
    destination: str = ""
    claim: RouteClaim | None = None
    losing: tuple[RouteClaim, ...] = ()

    @property
    def identity(self) -> tuple[object, ...]:
        """What must change for the reason to be another one."""
        refs = self.claim.refs if self.claim else frozenset()
        return self.kind, self.destination, self.reason, refs

    def forward(self, own: Forward) -> Forward:
        """The unconditional forward that the PBX ought to hold."""
        if self.claim is None or self.claim.target is None or self.reason not in APPLIED:
            return own
        return Forward(enabled=True, destination=self.claim.target.destination)


APPLIED = frozenset({Reason.BUSY_BY_HAND, Reason.MEETING, Reason.BUSY_BY_CALENDAR})
"""The reasons for which something of ours is written to the PBX."""


def resolve_route(
    claims: Iterable[RouteClaim], own: Own, override: Override | None, now: datetime
) -> Route:
    """Where calls go at ``now``: do-not-disturb > override > claims in their order > own settings.

    A claim whose target can't be used loses to all others; calls ring rather than get lost.
    """
    live = tuple(
        sorted(
            (claim for claim in claims if claim.holds(now)), key=lambda claim: _RANK[claim.reason]
        )
    )
    if own.do_not_disturb:
        return Route(
            kind=RouteKind.DO_NOT_DISTURB,
            source=Source.MANUAL,
            reason=Reason.DO_NOT_DISTURB,
            losing=live,
        )
    if override is not None:
        ends = overridden(live, override)
        if ends is not None:
            return _own_route(own, Reason.OVERRIDE, Source.MANUAL, claim=ends, losing=live)
    for claim in live:
        if claim.target is not None and not claim.target.problem:
            return Route(
                kind=claim.target.kind,
                source=claim.source,
                reason=claim.reason,
                destination=claim.target.destination,
                claim=claim,
                losing=tuple(other for other in live if other is not claim),
            )
    if own.forward.enabled:
        return _own_route(own, Reason.OWN_FORWARD, Source.MANUAL, losing=live)
    suppressed = next((claim for claim in live if claim.reason is Reason.SUPPRESSED), None)
    if suppressed is not None:
        return _own_route(own, Reason.SUPPRESSED, Source.OWN, claim=suppressed, losing=live)
    return _own_route(own, Reason.OWN, Source.OWN, losing=live)


def overridden(live: Sequence[RouteClaim], override: Override) -> RouteClaim | None:
    """The longest of the claims that hold and that the override speaks of."""
    named = [claim for claim in live if claim.target is not None and claim.refs & override.refs]
    return max(named, key=_end, default=None)


def _end(claim: RouteClaim) -> tuple[bool, datetime]:
    return claim.ends is None, claim.ends or claim.starts


def _own_route(
    own: Own,
    reason: Reason,
    source: Source,
    *,
    claim: RouteClaim | None = None,
    losing: tuple[RouteClaim, ...],
) -> Route:
    forward = own.forward
    return Route(
        kind=RouteKind.NUMBER if forward.enabled else RouteKind.OWN,
        destination=forward.destination if forward.enabled else "",
        source=source,
        reason=reason,
        claim=claim,
        losing=losing,
    )


# --- What there is to decide about ----------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A user's choices; a target of None means that the rule does nothing with calls.

    With ``im_only_by_hand`` a status Busy that follows from a meeting leaves calls alone.
    """

    set_im_busy: bool = False
    calendar: Target | None = None
    im: Target | None = None
    im_only_by_hand: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarBusy:
    """The claim on the chat status that a busy block makes."""

    starts: datetime
    ends: datetime
    source: str = ImSource.CALENDAR.value
    value: str = ImState.BUSY.value
    message: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything that decides for one user, of which only time moves by itself.

    ``im_claims`` are those on his chat status but the calendar's, which follow from ``blocks``.
    ``suppressed`` are the blocks that would be, had he not said otherwise.
    """

    own: Own = field(default_factory=Own)
    rules: Rules = field(default_factory=Rules)
    blocks: tuple[Block, ...] = ()
    suppressed: tuple[Block, ...] = ()
    im_claims: tuple[ImClaim, ...] = ()
    override: Override | None = None
    is_there: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What holds at an instant; ``until`` is when the reason changes, None if nothing is known."""

    route: Route
    im: ImDecision
    until: datetime | None


def decide(situation: Situation, now: datetime) -> Decision:
    """What holds at ``now``, and until when for the same reason."""
    route = route_at(situation, now)
    until = next(
        (
            edge
            for edge in edges(situation, now)
            if route_at(situation, edge).identity != route.identity
        ),
        None,
    )
    im = resolve_im(all_im_claims(situation), now, is_there=situation.is_there)
    return Decision(route=route, im=im, until=until)


def route_at(situation: Situation, now: datetime) -> Route:
    """Where calls go at ``now``."""
    return resolve_route(claims_at(situation, now), situation.own, situation.override, now)


def claims_at(situation: Situation, now: datetime) -> list[RouteClaim]:
    """The claims on calls that hold at ``now``."""
    rules = situation.rules
    block = next((block for block in situation.blocks if block.holds(now)), None)
    claims: list[RouteClaim] = []
    if rules.im is not None:
        claims += [
            RouteClaim(
                reason=Reason.BUSY_BY_HAND,
                target=rules.im,
                starts=claim.starts,
                ends=claim.ends,
                refs=frozenset({ref_of_status(claim)}),
            )
            for claim in situation.im_claims
            if _is_busy_by_hand(claim, now)
        ]
    if block is not None:
        refs = frozenset(ref_of_occurrence(key) for key in block.keys)
        wants = {Reason.MEETING: rules.calendar}
        follows_meetings = rules.set_im_busy and not rules.im_only_by_hand
        if rules.im and follows_meetings and _is_busy_by_calendar(situation, block, now):
            wants[Reason.BUSY_BY_CALENDAR] = rules.im
        claims += [
            RouteClaim(
                reason=reason, target=target, starts=block.starts, ends=block.ends, refs=refs
            )
            for reason, target in wants.items()
            if target is not None
        ]
    claims += [
        RouteClaim(
            reason=Reason.SUPPRESSED,
            target=None,
            starts=block.starts,
            ends=block.ends,
            refs=frozenset(ref_of_occurrence(key) for key in block.keys),
        )
        for block in situation.suppressed
        if block.holds(now)
    ]
    return claims


def edges(situation: Situation, now: datetime) -> list[datetime]:
    """The instants after ``now`` at which something may change, in order."""
    times = {edge for block in situation.blocks for edge in (block.starts, block.ends)}
    times |= {edge for block in situation.suppressed for edge in (block.starts, block.ends)}
    times |= {edge for claim in situation.im_claims for edge in (claim.starts, claim.ends) if edge}
    return sorted(edge for edge in times if edge > now)


def ref_of_occurrence(key: OccurrenceKey) -> str:
    """How claims and overrides name an occurrence."""
    return f"{key.starts.timestamp():.6f} {key.recurrence_id} {key.uid}"


def ref_of_status(claim: ImClaim) -> str:
    """How claims and overrides name a status set by hand."""
    return f"status {claim.starts.timestamp():.6f}"


def _is_busy_by_hand(claim: ImClaim, now: datetime) -> bool:
    return (
        claim.source == ImSource.MANUAL
        and claim.value == ImState.BUSY
        and claim.starts <= now
        and (claim.ends is None or now < claim.ends)
    )


def _is_busy_by_calendar(situation: Situation, block: Block, now: datetime) -> bool:
    """Whether the block is what shows the user busy: a status set by hand may count more."""
    busy = CalendarBusy(starts=block.starts, ends=block.ends)
    return strongest([*situation.im_claims, busy], now) is busy


def all_im_claims(situation: Situation) -> list[ImClaim]:
    """The claims on the chat status, those of the calendar among them."""
    claims = list(situation.im_claims)
    if situation.rules.set_im_busy:
        claims += [CalendarBusy(starts=block.starts, ends=block.ends) for block in situation.blocks]
    return claims
