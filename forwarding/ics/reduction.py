"""A calendar reduced to what tells when its owner is busy: no titles, no places, no people.

What is left is iCalendar again, with ``X-BLUETEL-WEIGHT`` in the place of status, attendees and
transparency, and ``X-BLUETEL-ALONE`` where nobody else is invited. Which events count, and how, is
told in docs/calendars.md.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain

from forwarding.ics.lines import Line, blocks, parse, unfold
from forwarding.ics.zones import zone_named

WEIGHT = "X-BLUETEL-WEIGHT"
WHOLE_DAYS = "X-BLUETEL-WHOLE-DAYS"
ALONE = "X-BLUETEL-ALONE"
FLOATING = "bluetel-floating"
"""The zone of times that have none; the reader puts the user's in its place."""

FREE, BUSY, TENTATIVE, OUT_OF_OFFICE = "free", "busy", "tentative", "out_of_office"

MOST_TIMES = 2000
"""``RDATE`` and ``EXDATE`` values of one event that are read."""

_MOST_WARNINGS = 20
_MARGIN = timedelta(days=3)
"""Two zones are never further apart than this, with room to spare."""

_COMPONENTS = frozenset({"VEVENT", "VTIMEZONE", "VFREEBUSY"})
_KEPT = frozenset(
    "UID DTSTART DTEND DURATION RRULE RDATE EXDATE RECURRENCE-ID SEQUENCE LAST-MODIFIED DTSTAMP "
    "STATUS TRANSP ATTENDEE ORGANIZER CATEGORIES X-MICROSOFT-CDO-BUSYSTATUS "
    "X-MICROSOFT-CDO-ALLDAYEVENT".split()
)
_TIMES = frozenset({"DTSTART", "DTEND", "RDATE", "EXDATE", "RECURRENCE-ID"})
_TIME = re.compile(r"\d{8}(T\d{6}Z?)?$")
_DURATION = re.compile(r"[+-]?P[0-9WDTHMS]{1,20}$")
_RULE = re.compile(r"[A-Z0-9=,;:+\-]{1,1000}$")
_TOO_FINE = ("FREQ=SECONDLY", "FREQ=MINUTELY")
_MOST_A_DAY = 48
_NEVER = {"BIRTHDAY", "ANNIVERSARY"}
_MICROSOFT = {"FREE": FREE, "WORKINGELSEWHERE": FREE, "TENTATIVE": TENTATIVE, "OOF": OUT_OF_OFFICE}
_ANSWERS = {"DECLINED": FREE, "TENTATIVE": TENTATIVE, "NEEDS-ACTION": TENTATIVE}
_THINGS = frozenset({"ROOM", "RESOURCE"})
_FREE_BUSY = {
    "FREE": FREE,
    "BUSY": BUSY,
    "BUSY-TENTATIVE": TENTATIVE,
    "BUSY-UNAVAILABLE": FREE,  # hours outside work, from VAVAILABILITY (RFC 7953 §4)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduced:
    """What is left of a text; ``warnings`` are ``{"code", …}``, one for each kind of trouble."""

    text: str
    name: str = ""
    warnings: list[dict[str, str]] = field(default_factory=list)


class _Skipped(Exception):
    """An event that can't be used; the reason is a warning's code."""

    def __init__(self, code: str, **facts: str) -> None:
        super().__init__(code)
        self.warning = {"code": code, **facts}


def reduce(data: bytes, *, mine: Collection[str], now: datetime) -> Reduced:
    """What of a calendar's text is needed from ``now`` on.

    ``mine`` are the owner's mail addresses in lower case: whether he declined is told by them.
    Raises :class:`forwarding.ics.lines.NotACalendar`.
    """
    name, default_zone = "", ""
    definitions: dict[str, list[str]] = {}
    found: list[list[str]] = []
    periods: list[list[str]] = []
    for component, lines in blocks(unfold(data), _COMPONENTS):
        if component == "VEVENT":
            found.append(lines)
        elif component == "VFREEBUSY":
            periods.append(lines)
        elif component == "VTIMEZONE":
            tzid = next((line for line in map(parse, lines) if line and line.name == "TZID"), None)
            if tzid is not None:
                definitions[tzid.value] = lines
        elif lines[0][:5].upper() == "X-WR-" and (line := parse(lines[0])) is not None:
            if line.name == "X-WR-CALNAME":
                name = line.value.replace("\\,", ",").replace("\\;", ";")[:200]
            elif line.name == "X-WR-TIMEZONE":
                default_zone = zone_named(line.value) or ""
    reducer = _Reducer(definitions, mine=mine, oldest=f"{now - _MARGIN:%Y%m%d}")
    body = list(chain.from_iterable(map(reducer.event, found)))
    body += chain.from_iterable(map(reducer.free_busy, periods))
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//BlueTel//reduced//EN"]
    if default_zone:
        head.append(f"X-WR-TIMEZONE:{default_zone}")
    lines = [*head, *reducer.zones(), *body, "END:VCALENDAR", ""]
    return Reduced(text="\r\n".join(lines), name=name, warnings=reducer.warnings())


class _Reducer:
    """Reduces one text's events, and remembers what was wrong with them."""

    def __init__(
        self, definitions: dict[str, list[str]], *, mine: Collection[str], oldest: str
    ) -> None:
        self._definitions = definitions
        self._mine = frozenset(mine)
        self._oldest = oldest
        self._used: dict[str, str] = {}
        self._warnings: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}

    def warnings(self) -> list[dict[str, str]]:
        """Each trouble once."""
        return list(self._warnings.values())[:_MOST_WARNINGS]

    def zones(self) -> Iterator[str]:
        """The definitions of the zones that the text itself defines and uses."""
        for tzid, own_name in self._used.items():
            yield "BEGIN:VTIMEZONE"
            for line in self._definitions[tzid]:
                yield f"TZID:{own_name}" if line.upper().startswith("TZID") else line
            yield "END:VTIMEZONE"

    def event(self, lines: Iterable[str]) -> list[str]:
        """An event's reduced lines; none when it can't matter any more."""
        kept = [
            line
            for text in lines
            if text.partition(":")[0].partition(";")[0].strip().upper() in _KEPT
            and (line := parse(text)) is not None
        ]
        one = {line.name: line for line in reversed(kept)}
        weight = self._weight(one, kept)
        if self._is_over(one) or (weight == FREE and "RECURRENCE-ID" not in one):
            return []
        try:
            return self._written(one, kept, weight)
        except _Skipped as skipped:
            self._warn(skipped.warning)
            return []

    def free_busy(self, lines: Iterable[str]) -> Iterator[str]:
        """The periods of a published free/busy list (RFC 5545 §3.6.4) as events."""
        for line in map(parse, lines):
            if line is None or line.name != "FREEBUSY":
                continue
            weight = _FREE_BUSY.get(line.params.get("FBTYPE", "BUSY").upper(), BUSY)
            for period in line.value.split(",")[:MOST_TIMES]:
                start, _, end = period.partition("/")
                is_length = end.startswith("P")
                if weight == FREE or not _TIME.match(start):
                    continue
                if not (_DURATION if is_length else _TIME).match(end):
                    continue
                yield from (
                    "BEGIN:VEVENT",
                    f"UID:freebusy-{start}",
                    f"DTSTART:{start}",
                    f"{'DURATION' if is_length else 'DTEND'}:{end}",
                    f"{WEIGHT}:{weight}",
                    "END:VEVENT",
                )

    def _weight(self, one: dict[str, Line], lines: Iterable[Line]) -> str:
        status = one["STATUS"].value.upper() if "STATUS" in one else ""
        categories = one["CATEGORIES"].value.upper().split(",") if "CATEGORIES" in one else []
        microsoft = one.get("X-MICROSOFT-CDO-BUSYSTATUS")
        marks = {
            FREE if status == "CANCELLED" else "",
            FREE if "TRANSP" in one and one["TRANSP"].value.upper() == "TRANSPARENT" else "",
            FREE if _NEVER.intersection(categories) else "",
            TENTATIVE if status == "TENTATIVE" else "",
            _MICROSOFT.get(microsoft.value.upper(), BUSY) if microsoft is not None else "",
            self._answer(one, lines),
        }
        return next((mark for mark in (FREE, TENTATIVE, OUT_OF_OFFICE) if mark in marks), BUSY)

    def _answer(self, one: dict[str, Line], lines: Iterable[Line]) -> str:
        """What the owner's own answer to an invitation says."""
        organizer = one.get("ORGANIZER")
        is_host = organizer is not None and _address(organizer) in self._mine
        for line in lines:
            if line.name == "ATTENDEE" and _address(line) in self._mine:
                answer = line.params.get("PARTSTAT", "NEEDS-ACTION").upper()
                # Who invites is there, whatever his own line says, unless he declined.
                mark = _ANSWERS.get(answer, BUSY)
                return BUSY if is_host and mark == TENTATIVE else mark
        return BUSY

    def _is_alone(self, lines: Iterable[Line]) -> bool:
        """Whether nobody but the owner takes part; rooms and things are nobody."""
        return not any(
            line.name in {"ATTENDEE", "ORGANIZER"}
            and line.params.get("CUTYPE", "").upper() not in _THINGS
            and _address(line) not in self._mine
            for line in lines
        )

    def _is_over(self, one: dict[str, Line]) -> bool:
        """Whether it ended long ago and doesn't come again; times are compared by day only."""
        if "RDATE" in one:
            return False
        if (rule := one.get("RRULE")) is not None:
            until = re.search(r"UNTIL=(\d{8})", rule.value.upper())
            # The length of the last instance is not known here: a month is.
            return until is not None and until[1] < f"{_month_before(self._oldest)}"
        if (end := one.get("DTEND")) is not None and "RECURRENCE-ID" not in one:
            return end.value[:8] < self._oldest
        return False

    def _written(self, one: dict[str, Line], lines: Iterable[Line], weight: str) -> list[str]:
        if "DTSTART" not in one:
            raise _Skipped("unreadable_event")
        written = ["BEGIN:VEVENT", f"UID:{_own_uid(one.get('UID'), one['DTSTART'])}"]
        seen: dict[str, int] = {}
        for line in lines:
            seen[line.name] = seen.get(line.name, 0) + 1
            if line.name in _TIMES:
                written.append(self._time(line))
            elif line.name == "RRULE":
                written.append(f"RRULE:{_checked_rule(line.value)}")
            elif line.name == "DURATION" and _DURATION.match(line.value):
                written.append(f"DURATION:{line.value}")
            elif line.name == "SEQUENCE" and line.value.isdecimal():
                written.append(f"SEQUENCE:{int(line.value[:9])}")
            elif line.name in {"LAST-MODIFIED", "DTSTAMP"} and _TIME.match(line.value):
                written.append(f"{line.name}:{line.value}")
        if seen["DTSTART"] > 1 or seen.get("DTEND", 0) > 1 or seen.get("RECURRENCE-ID", 0) > 1:
            raise _Skipped("unreadable_event")
        return [*written, *self._marks(one, lines), f"{WEIGHT}:{weight}", "END:VEVENT"]

    def _marks(self, one: dict[str, Line], lines: Iterable[Line]) -> Iterator[str]:
        whole_days = one.get("X-MICROSOFT-CDO-ALLDAYEVENT")
        if whole_days is not None and whole_days.value.upper() == "TRUE":
            yield f"{WHOLE_DAYS}:TRUE"
        if self._is_alone(lines):
            yield f"{ALONE}:TRUE"

    def _time(self, line: Line) -> str:
        """A line of times, its zone named as the database does; raises :class:`_Skipped`."""
        values = line.value.upper().split(",")[:MOST_TIMES]
        for value in values:
            start, slash, end = value.partition("/")
            if not _TIME.match(start) or (slash and not (_TIME.match(end) or _DURATION.match(end))):
                raise _Skipped("unreadable_event")
        params = ""
        if "/" in values[0]:
            params += ";VALUE=PERIOD"
        elif "T" not in values[0]:
            params += ";VALUE=DATE"
        if line.params.get("RANGE", "").upper() == "THISANDFUTURE":
            params += ";RANGE=THISANDFUTURE"
        if "T" in values[0] and not values[0].partition("/")[0].endswith("Z"):
            tzid = line.params.get("TZID", "")
            params += f";TZID={self._zone(tzid) if tzid else FLOATING}"
        return f"{line.name}{params}:{','.join(values)}"

    def _zone(self, tzid: str) -> str:
        if known := zone_named(tzid):
            return known
        if tzid not in self._definitions:
            raise _Skipped("unknown_time_zone", time_zone=tzid[:100])
        if tzid not in self._used:
            # Other calendars define another zone under this name ("Customized Time Zone").
            text = "\n".join(self._definitions[tzid])
            self._used[tzid] = f"bluetel-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        return self._used[tzid]

    def _warn(self, warning: dict[str, str]) -> None:
        self._warnings.setdefault(tuple(sorted(warning.items())), warning)


def _address(line: Line) -> str:
    """The mail address of an attendee; Apple writes it beside an identifier of its own."""
    address = line.params.get("EMAIL", "") or line.value
    return address.strip().lower().removeprefix("mailto:")


def _own_uid(line: Line | None, start: Line) -> str:
    """The event's own name, short and printable; the start stands in for a missing one."""
    uid = line.value if line is not None and line.value else f"none-{start.value}"
    if len(uid) <= 200 and uid.isprintable():
        return uid
    return hashlib.sha256(uid.encode()).hexdigest()


def _checked_rule(value: str) -> str:
    rule = value.upper().replace(" ", "").rstrip(";")
    if not _RULE.match(rule) or "FREQ=" not in rule:
        raise _Skipped("unreadable_event")
    lists = re.findall(r"BY(?:HOUR|MINUTE|SECOND)=([0-9,]+)", rule)
    a_day = 1
    for numbers in lists:
        a_day *= numbers.count(",") + 1
    if "FREQ=HOURLY" in rule:
        a_day *= 24
    if any(fine in rule for fine in _TOO_FINE) or a_day > _MOST_A_DAY:
        raise _Skipped("repeats_too_often")
    return rule


def _month_before(day: str) -> str:
    date = datetime.strptime(day, "%Y%m%d") - timedelta(days=31)  # noqa: DTZ007 — a date
    return f"{date:%Y%m%d}"
