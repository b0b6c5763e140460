"""The instances of a reduced calendar within a window of time."""

from __future__ import annotations

import time
import zoneinfo
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

import icalendar
import recurring_ical_events

from forwarding.ics.limits import OutOfTime, cpu_limit
from forwarding.ics.reduction import ALONE, BUSY, FLOATING, FREE, WEIGHT, WHOLE_DAYS

MOST_INSTANCES = 5000
SECONDS, SECONDS_A_SERIES = 20.0, 0.5
"""Processor time for one calendar, and for one series in it."""

_NEVER = datetime.min.replace(tzinfo=UTC)
_REPEATS = ("RRULE", "RDATE", "RECURRENCE-ID")


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Instance:
    """One time somebody is taken.

    ``recurrence_id`` is when the series has it: an instant or a day, in the basic form of ISO
    8601; empty for an event that doesn't repeat.
    """

    starts: datetime
    ends: datetime
    uid: str
    recurrence_id: str
    is_all_day: bool
    weight: str
    is_alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """Instances in order, and the codes of what had to be left out."""

    instances: list[Instance]
    problems: list[str]


def expand(text: str, *, zone: str, since: datetime, until: datetime) -> Expansion:
    """The instances of a reduced text that overlap ``since`` … ``until``.

    Times without a zone, and whole days, are those of ``zone``. Raises
    :class:`~forwarding.ics.limits.OutOfTime` when the whole takes too long.
    """
    own = zoneinfo.ZoneInfo(zone)
    started = time.process_time()
    with cpu_limit(SECONDS):
        calendar = icalendar.Calendar.from_ical(text.replace(FLOATING, zone))
    default_zone = calendar.get("X-WR-TIMEZONE")
    groups: dict[str, list[icalendar.Component]] = defaultdict(list)
    for event in calendar.walk("VEVENT"):
        groups[str(event.get("UID", ""))].append(event)
    problems: list[str] = []
    found: set[Instance] = set()
    for events in groups.values():
        left = SECONDS - (time.process_time() - started)
        if left <= 0:
            raise OutOfTime
        try:
            with cpu_limit(min(left, SECONDS_A_SERIES)):
                found.update(_instances(events, default_zone, own, since, until))
        except OutOfTime:
            problems.append("repeats_too_often")
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, IndexError):
            # What the libraries raise for times that make no sense together.
            problems.append("unreadable_event")
        if len(found) > MOST_INSTANCES:
            problems.append("too_many_events")
            break
    instances = sorted(found)[:MOST_INSTANCES]
    return Expansion(instances=instances, problems=sorted(set(problems)))


def _instances(
    events: list[icalendar.Component],
    default_zone: str | None,
    own: tzinfo,
    since: datetime,
    until: datetime,
) -> Iterator[Instance]:
    """Those of the events that share a UID."""
    events = _newest(events)
    is_series = any(name in event for event in events for name in _REPEATS)
    for event in _repeated(events, default_zone, since, until) if is_series else events:
        instance = _instance(event, own, is_series=is_series)
        if instance is not None and instance.ends > since and instance.starts < until:
            yield instance


def _newest(events: list[icalendar.Component]) -> list[icalendar.Component]:
    """One version of each event: of the same UID and RECURRENCE-ID the latest revision counts.

    Some programs give several events one UID; those that no revision tells apart all count.
    """
    versions: dict[object, list[icalendar.Component]] = defaultdict(list)
    for event in events:
        versions[_value(event, "RECURRENCE-ID")].append(event)
    newest: list[icalendar.Component] = []
    for same in versions.values():
        latest = max(map(_revision, same))
        newest += [event for event in same if _revision(event) == latest]
    return newest


def _revision(event: icalendar.Component) -> tuple[int, datetime]:
    moment = _value(event, "LAST-MODIFIED") or _value(event, "DTSTAMP") or _NEVER
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return int(str(event.get("SEQUENCE", 0))), _in_utc(moment)


def _repeated(
    events: list[icalendar.Component], default_zone: str | None, since: datetime, until: datetime
) -> Iterable[icalendar.Component]:
    masters = [event for event in events if "RECURRENCE-ID" not in event]
    others = [event for event in events if "RECURRENCE-ID" in event]
    # Several masters of one UID would be taken for versions of one another.
    for own in [[master] for master in masters] or [[]]:
        series = icalendar.Calendar()
        if default_zone:
            series.add("X-WR-TIMEZONE", default_zone)
        for event in own + others:
            series.add_component(event)
        # A day more on both sides: whole days have no zone yet.
        yield from recurring_ical_events.of(series).between(
            since - timedelta(days=1), until + timedelta(days=1)
        )


def _instance(event: icalendar.Component, own: tzinfo, *, is_series: bool) -> Instance | None:
    weight = str(event.get(WEIGHT, BUSY))
    start, end = _value(event, "DTSTART"), _end(event)
    is_all_day = WHOLE_DAYS in event or not isinstance(start, datetime)
    if weight == FREE or end is None:
        return None
    if is_all_day:
        first, last = _day(start), max(_day(end), _day(start) + timedelta(days=1))
        starts, ends = _midnight(first, own), _midnight(last, own)
    else:
        starts, ends = _in_utc(start), _in_utc(end)
    if ends <= starts:
        return None
    recurrence = _value(event, "RECURRENCE-ID") if is_series else None
    return Instance(
        starts=starts,
        ends=ends,
        uid=str(event.get("UID", "")),
        recurrence_id=_named(recurrence),
        is_all_day=is_all_day,
        weight=weight,
        is_alone=ALONE in event,
    )


def _end(event: icalendar.Component) -> Any:
    """Where it ends; a day without an end is one day long, a moment without one is nothing."""
    start = _value(event, "DTSTART")
    if "DTEND" in event:
        return _value(event, "DTEND")
    if "DURATION" not in event:
        return None if isinstance(start, datetime) else start + timedelta(days=1)
    length: timedelta = _value(event, "DURATION")
    if not isinstance(start, datetime) or length % timedelta(days=1) == timedelta():
        return start + length  # days are those of the wall clock
    return _in_utc(start) + length


def _value(event: icalendar.Component, name: str) -> Any:
    """The day, moment or length that a property holds; None without it."""
    found: Any = event.get(name)
    return found.dt if found is not None else None


def _day(moment: date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _midnight(day: date, zone: tzinfo) -> datetime:
    return _in_utc(datetime(day.year, day.month, day.day, tzinfo=zone))


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _named(moment: date | None) -> str:
    if moment is None:
        return ""
    if isinstance(moment, datetime):
        return f"{_in_utc(moment):%Y%m%dT%H%M%SZ}"
    return f"{moment:%Y%m%d}"
