"""Where calls go, as the API, the pages and the live socket tell it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.translation import gettext as _

from bluetel.telephony.types import ForwardKind
from forwarding.blocks import block_at
from forwarding.days_ahead import forecast
from forwarding.messages import (
    AutomationRecord,
    CalendarRule,
    ForwardRecord,
    ForwardsRecord,
    ImRecord,
    ImRule,
    LosingRecord,
    RoutingFrame,
    RoutingRecord,
)
from forwarding.models import Automation, Line, PbxWrite
from forwarding.rules import (
    APPLIED,
    Decision,
    Route,
    RouteClaim,
    RouteKind,
    decide,
    overridden,
)
from forwarding.situation import Known, held_forward, own_of, read_one
from forwarding.wording import problem_text, reason_text
from presence.messages import iso

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bluetel.accounts.models import User

TOLD_AFTER = timedelta(seconds=30)
"""A write that fails for so long is said to the user and to the administrator."""


def routing_of(user: User, *, now: datetime, at: datetime | None = None) -> RoutingRecord:
    """What holds for a user now, or would at another time by today's claims."""
    known = _known(user, now=now, until=at)
    decision = decide(known.situation, at or now)
    return _record(known, decision, at=at or now, is_now=at is None, now=now)


def routing_frames(known: Iterable[Known], *, now: datetime) -> list[tuple[int, RoutingFrame]]:
    """What holds for these users, as their pages are told."""
    return [
        (one.user.pk, RoutingFrame(type="routing", **routing_record(one, now=now))) for one in known
    ]


def forecast_of(user: User, *, now: datetime, days: int) -> list[dict[str, Any]]:
    """What will hold in the days to come, stretch by stretch."""
    until = now + timedelta(days=days)
    known = _known(user, now=now, until=until)
    return [
        {
            "from": iso(segment.starts),
            "to": iso(segment.ends),
            **_record(known, segment.decision, at=segment.starts, is_now=False, now=now),
        }
        for segment in forecast(known.situation, now, until)
    ]


def known_of(user: User, *, now: datetime, days: int) -> Known:
    """Everything that decides for a user in these days; for several questions at once."""
    return _known(user, now=now, until=now + timedelta(days=days))


def routing_record(known: Known, *, now: datetime) -> RoutingRecord:
    """What holds now, of what is known already."""
    return _record(known, decide(known.situation, now), at=now, is_now=True, now=now)


def forwards_of(user: User) -> ForwardsRecord:
    """The user's own settings as they were last known."""
    return forwards_record(Line.objects.filter(pk=user.pk).first())


def forwards_record(line: Line | None) -> ForwardsRecord:
    """Own settings in the API's words."""
    own = (line.own if line else None) or {}
    unconditional, busy, no_answer = (
        ForwardRecord(
            enabled=bool(own.get(kind, {}).get("enabled")),
            destination=str(own.get(kind, {}).get("destination", "")),
        )
        for kind in (ForwardKind.UNCONDITIONAL, ForwardKind.BUSY, ForwardKind.NO_ANSWER)
    )
    return ForwardsRecord(
        unconditional=unconditional,
        busy=busy,
        no_answer=no_answer,
        do_not_disturb=bool(own.get("do_not_disturb")),
    )


def automation_of(user: User) -> AutomationRecord:
    """A user's rules."""
    automation = Automation.objects.filter(pk=user.pk).first() or Automation(user=user)
    return automation_record(automation)


def automation_record(automation: Automation) -> AutomationRecord:
    """The rules in the API's words."""
    return AutomationRecord(
        calendar=CalendarRule(
            set_im_busy=automation.set_im_busy,
            until_hang_up=automation.until_hang_up,
            route=automation.calendar_route,
            number=automation.calendar_number,
            all_day=automation.all_day,
            tentative=automation.tentative,
            only_with_others=automation.only_with_others,
        ),
        im=ImRule(
            route=automation.im_route,
            number=automation.im_number,
            only_by_hand=automation.im_only_by_hand,
        ),
    )


def count_failing(*, now: datetime) -> int:
    """How many users' forwards the PBX hasn't taken for so long that somebody should look."""
    return Line.objects.filter(failing_since__lte=now - TOLD_AFTER).count()


def why_diverted(user_id: int, at: datetime) -> PbxWrite | None:
    """The write that was in force for a user at a time in the past, if it was ours."""
    last = (
        PbxWrite.objects.filter(
            user_id=user_id, what=ForwardKind.UNCONDITIONAL, at__lte=at, outcome="done"
        )
        .order_by("-at", "-pk")
        .first()
    )
    return last if last is not None and last.cause in set(APPLIED) else None


def _known(user: User, *, now: datetime, until: datetime | None) -> Known:
    known = read_one(user.pk, now=now, until=until)
    if known is None:
        raise LookupError(user.pk)
    return known


def _record(
    known: Known, decision: Decision, *, at: datetime, is_now: bool, now: datetime
) -> RoutingRecord:
    route = decision.route
    situation = known.situation
    override = situation.override
    is_override = override is not None and overridden(route.losing, override) is not None
    return RoutingRecord(
        route=route.kind,
        destination=route.destination if route.kind is RouteKind.NUMBER else None,
        source=route.source,
        im=ImRecord(
            status=decision.im.status, source=decision.im.source, until=iso(decision.im.until)
        ),
        reason=reason_text(route.reason),
        reason_code=route.reason,
        until=iso(decision.until),
        applied=_is_applied(known, route) if is_now else None,
        losing=[_losing(claim) for claim in route.losing if claim.target is not None],
        in_meeting=block_at(situation.blocks, at) is not None,
        suppressed=block_at(situation.suppressed, at) is not None or is_override,
        problem=_problem(known, route, now=now) if is_now else "",
    )


def _losing(claim: RouteClaim) -> LosingRecord:
    target = claim.target
    kind = target.kind if target else RouteKind.OWN
    return LosingRecord(
        route=kind,
        destination=target.destination if target and kind is RouteKind.NUMBER else None,
        source=claim.source,
        reason=reason_text(claim.reason),
        reason_code=claim.reason,
        until=iso(claim.ends),
        problem=target.problem if target else "",
    )


def _is_applied(known: Known, route: Route) -> bool:
    """Whether the PBX holds what was decided."""
    line = known.line
    if line.intended is not None or line.wanted:
        return False
    own = own_of(line).forward
    return route.forward(own) == (held_forward(line) or own)


def _problem(known: Known, route: Route, *, now: datetime) -> str:
    line = known.line
    if line.failing_since is not None and line.failing_since <= now - TOLD_AFTER:
        since = timezone.localtime(line.failing_since).strftime("%H:%M")
        return _("The phone system has not taken this since %(time)s; it is tried again.") % {
            "time": since
        }
    codes = [
        claim.target.problem for claim in route.losing if claim.target and claim.target.problem
    ]
    rules = known.situation.rules
    if not codes and known.has_resting_calendar and (rules.set_im_busy or rules.calendar):
        codes = ["calendar_rests"]
    return problem_text(codes[0]) if codes else ""
