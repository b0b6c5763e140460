"""What will hold in the days to come, by what is claimed now; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from forwarding.rules import Decision, Situation, all_im_claims, edges, route_at
from presence.rules import ImClaim, ImDecision, resolve_im


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of time in which the same holds for the same reason.

    ``ends`` is at most the forecast's own end; the decision's ``until`` is when its reason changes,
    None where nothing is known that changes it.
    """

    starts: datetime
    ends: datetime
    decision: Decision


def forecast(situation: Situation, now: datetime, until: datetime) -> list[Segment]:
    """What will hold from ``now`` to ``until`` if nothing else happens; looks at edges only."""
    segments: list[Segment] = []
    for starts, ends, decision in _stretches(situation, now):
        if starts >= until and segments:
            break
        last = segments[-1] if segments else None
        if last is not None and _is_same(last.decision, decision):
            segments[-1] = replace(last, ends=min(ends or until, until))
        else:
            segments.append(
                Segment(starts=starts, ends=min(ends or until, until), decision=decision)
            )
    return segments


def _stretches(
    situation: Situation, now: datetime
) -> list[tuple[datetime, datetime | None, Decision]]:
    """From each edge to the next what holds; read backwards, so that each edge is decided once."""
    claims = all_im_claims(situation)
    found: list[tuple[datetime, datetime | None, Decision]] = []
    ends: datetime | None = None
    after: Decision | None = None
    for starts in reversed([now, *edges(situation, now)]):
        route, im = route_at(situation, starts), _im_at(claims, starts, situation)
        route_until = im_until = ends
        if after is not None and after.route.identity == route.identity:
            route_until = after.until
        if after is not None and after.im.winner is im.winner:
            im_until = after.im.until
        after = Decision(route=route, im=replace(im, until=im_until), until=route_until)
        found.append((starts, ends, after))
        ends = starts
    return found[::-1]


def _is_same(one: Decision, other: Decision) -> bool:
    return (one.im.status, one.im.source, one.route.identity) == (
        other.im.status,
        other.im.source,
        other.route.identity,
    )


def _im_at(claims: Sequence[ImClaim], at: datetime, situation: Situation) -> ImDecision:
    """The chat status at an instant, without looking for its end."""
    live = [
        claim for claim in claims if claim.starts <= at and (claim.ends is None or at < claim.ends)
    ]
    return resolve_im(live, at, is_there=situation.is_there)
