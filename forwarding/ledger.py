"""The line's row: whose what the PBX holds is, and what follows from it.

Called in a transaction that has locked the row; none of it speaks to the PBX.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from bluetel.telephony.types import Forward, ForwardKind, Forwards
from forwarding.models import Line, RouteOverride
from forwarding.rules import claims_at
from forwarding.situation import Known, forward_of, kept, with_own

UNCONDITIONAL = ForwardKind.UNCONDITIONAL.value


class Whose(Enum):
    """Whose a value on the PBX is."""

    LANDED = "landed"
    """It is what we were about to write."""
    OURS = "ours"
    """It is what we had written; what we were about to write hasn't come."""
    OWN = "own"
    """It is the user's own setting as we know it."""
    HIS = "his"
    """It is news: the user set it, wherever he did."""


def whose(
    value: Forward, *, own: Forward | None, applied: Forward | None, intended: Forward | None
) -> Whose:
    """Whose ``value`` is. A user who sets by hand exactly what is ours can't be told from us."""
    if intended is not None and value == intended:
        return Whose.LANDED
    if applied is not None and value == applied:
        return Whose.OURS
    if applied is None and own is not None and value == own:
        return Whose.OWN
    return Whose.HIS


def take_unconditional(known: Known, value: Forward, *, now: datetime, origin: str) -> Whose:
    """Note that the PBX holds ``value`` now; saves nothing but the override.

    A value of the user's becomes his own setting, and while claims hold it is his choice for as
    long as they do: switching off his own such choice hands back to the claims.
    """
    line = known.line
    own = forward_of(line.own[UNCONDITIONAL]) if line.own else None
    applied, intended = forward_of(line.applied), forward_of(line.intended)
    found = whose(value, own=own, applied=applied, intended=intended)
    match found:
        case Whose.LANDED:
            line.applied = None if value == own else kept(value)
            line.applied_at = now
            line.intended = None
        case Whose.OURS | Whose.OWN:
            line.intended = None
        case Whose.HIS:
            was_own_choice = applied is None and is_overridden(known, now)
            line.applied = line.intended = None
            _set_own(line, UNCONDITIONAL, kept(value), now=now, origin=origin)
            if own is not None:
                hands_back = was_own_choice and own.enabled and not value.enabled
                _override(known, now=now, hands_back=hands_back)
    return found


def is_overridden(known: Known, now: datetime) -> bool:
    """Whether the user's own choice holds over claims now."""
    override = known.situation.override
    if override is None:
        return False
    return any(claim.refs & override.refs for claim in claims_at(with_own(known), now))


def take_other(line: Line, kind: str, value: object, *, now: datetime, origin: str) -> bool:
    """Note one of the settings that are never anybody's but the user's; whether it is news."""
    if line.own is None or line.own.get(kind) == value:
        return False
    _set_own(line, kind, value, now=now, origin=origin)
    return True


def take_all(known: Known, forwards: Forwards, *, now: datetime, origin: str) -> bool:
    """Note all that the PBX holds now; whether anything was the user's news."""
    line = known.line
    is_first = line.own is None
    if line.own is None:
        line.own = {
            **{kind.value: kept(forwards.by_kind[kind]) for kind in ForwardKind},
            "do_not_disturb": forwards.do_not_disturb,
        }
        line.own_at, line.own_from = now, origin
    found = take_unconditional(
        known, forwards.by_kind[ForwardKind.UNCONDITIONAL], now=now, origin=origin
    )
    news = [
        take_other(line, kind.value, kept(forwards.by_kind[kind]), now=now, origin=origin)
        for kind in (ForwardKind.BUSY, ForwardKind.NO_ANSWER)
    ]
    news.append(take_other(line, "do_not_disturb", forwards.do_not_disturb, now=now, origin=origin))
    line.read_at = now
    return is_first or found is Whose.HIS or any(news)


def take_own_forward(line: Line, value: Forward, *, now: datetime, origin: str) -> None:
    """Note the user's own unconditional forward, set while something else of ours holds."""
    _set_own(line, UNCONDITIONAL, kept(value), now=now, origin=origin)


def _set_own(line: Line, kind: str, value: object, *, now: datetime, origin: str) -> None:
    line.own = {**(line.own or {}), kind: value}
    line.own_at, line.own_from = now, origin


def _override(known: Known, *, now: datetime, hands_back: bool) -> None:
    """Begin, renew or end the user's own choice over the claims that hold now."""
    claims = claims_at(with_own(known), now)
    refs = sorted({ref for claim in claims if claim.target is not None for ref in claim.refs})
    if hands_back or not refs:
        RouteOverride.objects.filter(pk=known.user.pk).delete()
    else:
        RouteOverride.objects.update_or_create(
            user_id=known.user.pk, defaults={"refs": refs, "since": now}
        )
