"""Days drawn as a ruler: a wire for the own phone, blocks for what diverts calls; pure.

Positions are in per cent of the window from 07:00 to 20:00, as attributes of inline SVG, so that no
inline style is needed. The list beside the drawing has what lies outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo

from forwarding.days_ahead import Segment
from forwarding.rules import RouteKind
from presence.rules import ImState

FIRST_HOUR, LAST_HOUR = 7, 20
WIDE = timedelta(minutes=90)
"""From this length on, a block has room for words."""

_NEAR_NOW = 25
_MINOR = {7, 9, 10, 12, 13, 15, 16, 18, 19}
_SHOWN = {ImState.BUSY, ImState.AWAY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """A mark on the ruler; one close to now has no label, and minor ones go on narrow screens."""

    name: str
    x: str
    is_minor: bool
    is_labelled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A part of a day in which calls go elsewhere; ``x`` is None outside the drawn window."""

    starts: datetime
    ends: datetime
    kind: str
    destination: str
    reason: str
    is_now: bool
    is_wide: bool = False
    x: str | None = None
    width: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A part of a day with a chat status to show."""

    status: str
    x1: str
    x2: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day; ``now_x`` is where now is, None on other days and outside the window."""

    date: date
    is_today: bool
    hours: Sequence[Hour]
    stretches: Sequence[Stretch] = ()
    lanes: Sequence[Lane] = ()
    now_x: str | None = None
    drawn: Sequence[Stretch] = field(default=())


def draw_days(segments: Iterable[Segment], *, now: datetime, days: int, zone: tzinfo) -> list[Day]:
    """Today and the days after it, from a forecast."""
    found = list(segments)
    today = now.astimezone(zone).date()
    return [_day(today + timedelta(days=count), found, now, zone) for count in range(days)]


def _day(day: date, segments: Sequence[Segment], now: datetime, zone: tzinfo) -> Day:
    begins = datetime.combine(day, time(), tzinfo=zone)
    over = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
    stretches: list[Stretch] = []
    lanes: list[Lane] = []
    for segment in segments:
        starts, ends = max(_began(segment, now), begins), min(segment.ends, over)
        if starts >= ends:
            continue
        shown_from, shown_to = _percent(starts, day, zone), _percent(ends, day, zone)
        is_drawn = shown_to > shown_from
        route = segment.decision.route
        if route.kind is not RouteKind.OWN:
            stretches.append(
                Stretch(
                    starts=starts.astimezone(zone),
                    ends=ends.astimezone(zone),
                    kind=route.kind.value,
                    destination=route.destination,
                    reason=route.reason.value,
                    is_now=segment.starts <= now < segment.ends,
                    is_wide=ends - starts >= WIDE,
                    x=_written(shown_from) if is_drawn else None,
                    width=_written(shown_to - shown_from),
                )
            )
        if segment.decision.im.status in _SHOWN and is_drawn:
            lanes.append(
                Lane(
                    status=segment.decision.im.status,
                    x1=_written(shown_from),
                    x2=_written(shown_to),
                )
            )
    is_today = begins <= now < over
    at = _percent(now, day, zone) if is_today else 0.0
    minute = _minute(now, day, zone) if is_today else None
    return Day(
        date=day,
        is_today=is_today,
        hours=_hours(minute),
        stretches=stretches,
        lanes=lanes,
        now_x=_written(at) if 0.0 < at < 100.0 else None,
        drawn=[one for one in stretches if one.x is not None],
    )


def _began(segment: Segment, now: datetime) -> datetime:
    """A forecast begins now, what goes on began earlier."""
    claim = segment.decision.route.claim
    if claim is None or not segment.starts <= now < segment.ends:
        return segment.starts
    return min(segment.starts, claim.starts)


def _hours(minute: float | None) -> list[Hour]:
    return [
        Hour(
            name=f"{hour:02}",
            x=_written((hour - FIRST_HOUR) * 100 / (LAST_HOUR - FIRST_HOUR)),
            is_minor=hour in _MINOR,
            is_labelled=minute is None or abs(hour * 60 - minute) >= _NEAR_NOW,
        )
        for hour in range(FIRST_HOUR, LAST_HOUR + 1)
    ]


def _minute(moment: datetime, day: date, zone: tzinfo) -> float:
    """Minutes of the wall clock since midnight of ``day``."""
    local = moment.astimezone(zone)
    days = (local.date() - day).days
    return days * 1440 + local.hour * 60 + local.minute + local.second / 60


def _percent(moment: datetime, day: date, zone: tzinfo) -> float:
    minutes = _minute(moment, day, zone) - FIRST_HOUR * 60
    return min(100.0, max(0.0, minutes * 100 / ((LAST_HOUR - FIRST_HOUR) * 60)))


def _written(percent: float) -> str:
    return f"{percent:.2f}%"
