"""What will hold in the days to come, by what is claimed now; pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from forwarding.rules import Decision, Situation, all_im_claims, edges, route_at
from presence.rules import ImDecision, resolve_im


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of time in which the same holds for the same reason."""

    starts: datetime
    ends: datetime
    decision: Decision


def forecast(situation: Situation, now: datetime, until: datetime) -> list[Segment]:
    """What will hold from ``now`` to ``until`` if nothing else happens; looks at edges only."""
    instants = [now, *(edge for edge in edges(situation, now) if edge < until)]
    segments: list[Segment] = []
    for starts, ends in zip(instants, [*instants[1:], until], strict=True):
        route, im = route_at(situation, starts), _im_at(situation, starts)
        last = segments[-1].decision if segments else None
        is_same = last is not None and (
            (last.im.status, last.im.source) == (im.status, im.source)
            and last.route.identity == route.identity
        )
        if is_same:
            segments[-1] = _segment(segments[-1].starts, ends, segments[-1].decision)
        else:
            segments.append(_segment(starts, ends, Decision(route=route, im=im, until=ends)))
    return segments


def _segment(starts: datetime, ends: datetime, decision: Decision) -> Segment:
    whole = Decision(route=decision.route, im=replace(decision.im, until=ends), until=ends)
    return Segment(starts=starts, ends=ends, decision=whole)


def _im_at(situation: Situation, at: datetime) -> ImDecision:
    """The chat status at an instant, without looking for its end."""
    live = [
        claim
        for claim in all_im_claims(situation)
        if claim.starts <= at and (claim.ends is None or at < claim.ends)
    ]
    return resolve_im(live, at, is_there=situation.is_there)
