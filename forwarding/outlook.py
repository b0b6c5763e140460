"""What the pages show of a user's calls: now, why, and in the days to come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from forwarding import selectors
from forwarding.days_ahead import forecast
from forwarding.strip import Day, draw_days
from forwarding.why import Rule, rules_in_order

if TYPE_CHECKING:
    from bluetel.accounts.models import User
    from forwarding.messages import ForwardsRecord, RoutingRecord

DAYS = 8
"""Today and the next seven."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Everything at one instant; ``until`` is when the reason changes, in the user's zone.

    ``meeting_ends`` is when the busy block ends in which he is, whether he lets it count or not.
    """

    routing: RoutingRecord
    forwards: ForwardsRecord
    until: datetime | None
    days: Sequence[Day]
    rules: Sequence[Rule]
    voicemail: str
    meeting_ends: datetime | None

    @property
    def today(self) -> Day:
        """The first of the days."""
        return self.days[0]

    @property
    def is_meeting(self) -> bool:
        """Whether a meeting is what holds, so that it can be told not to."""
        by_meeting = self.routing["reason_code"] in {"meeting", "busy_by_calendar"}
        return self.routing["in_meeting"] and (
            by_meeting or self.routing["im"]["source"] == "calendar"
        )


def outlook_of(user: User, *, now: datetime, days: int = DAYS) -> Outlook:
    """A user's calls, as the rows tell it."""
    zone = timezone.get_current_timezone()
    known = selectors.known_of(user, now=now, days=days)
    routing = selectors.routing_record(known, now=now)
    forwards = selectors.forwards_record(known.line)
    until = routing["until"]
    segments = forecast(known.situation, now, now + timedelta(days=days))
    return Outlook(
        routing=routing,
        forwards=forwards,
        until=datetime.fromisoformat(until).astimezone(zone) if until else None,
        days=draw_days(segments, now=now, days=days, zone=zone),
        rules=list(rules_in_order(routing, forwards)),
        voicemail=known.line.voicemail or "",
        meeting_ends=known.meeting_ends(now),
    )
