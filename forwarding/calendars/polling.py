"""When each address is asked again, and what an unchanged one costs: its fetch and a comparison.

Everything about an address that is needed for asking is kept in memory, so the database is touched
only when something changed, failed, came back, or the window of occurrences has to move on.
"""

from __future__ import annotations

import heapq
import zlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from django.db.models import Min

from bluetel.fetch.site import site_door
from forwarding.calendars import storing
from forwarding.calendars.addresses import (
    Address,
    CollectionState,
    FileState,
    fetch_file,
    is_changed,
)
from forwarding.calendars.errors import CalendarError
from forwarding.calendars.reading import (
    Fetched,
    address_of,
    collection_states_of,
    file_state_of,
    note_failure,
    read_calendar,
)
from forwarding.models import Calendar, CalendarObject, Occurrence

OFTEN, SELDOM = timedelta(seconds=60), timedelta(minutes=5)
"""Between two questions to an address, with and without a meeting to come."""

LOOK_AROUND = timedelta(minutes=30)
"""How often an account is looked through for calendars that are new or gone."""

_MOMENT = timedelta(seconds=1)


@dataclass(slots=True, eq=False)
class Watched:
    """One address with the calendars that share it.

    ``file`` and ``collections`` are what was known at the last reading; ``next_start`` is when the
    next known meeting starts; ``renew_at`` is when the rows must be read again in any case.
    """

    kind: str
    address: Address = field(repr=False)
    ids: list[int]
    file: FileState | None = None
    collections: list[CollectionState] | None = None
    next_start: datetime | None = None
    renew_at: datetime | None = None
    is_failing: bool = False

    def next_question(self, now: datetime) -> datetime:
        """When to ask again: at a time of the address's own, so that not all are asked at once."""
        is_urgent = self.next_start is not None and not self.is_failing
        every = int((OFTEN if is_urgent else SELDOM).total_seconds())
        phase = zlib.crc32(self.address.url.encode()) % every
        seconds = int(now.timestamp())
        return now + timedelta(seconds=every - (seconds - phase) % every)


class Agenda:
    """All addresses, and which are to be asked when; used on one thread."""

    def __init__(self) -> None:
        self._by_key: dict[tuple[str, Address, int], Watched] = {}
        self._heap: list[tuple[datetime, int, Watched]] = []
        self._numbers = count()
        self.newest_id = 0

    def add(self, calendars: Iterable[Calendar], *, at: datetime) -> None:
        """Watch these calendars too, for the first time ``at``."""
        for calendar in calendars:
            self.newest_id = max(self.newest_id, calendar.pk)
            # Files at one address are asked for once; accounts and uploads are each their own.
            is_file = calendar.kind == Calendar.Kind.ICS and bool(calendar.url)
            key = (calendar.kind, address_of(calendar), 0 if is_file else calendar.pk)
            if key in self._by_key:
                self._by_key[key].ids.append(calendar.pk)
                self._by_key[key].file = None
            else:
                self._by_key[key] = Watched(
                    kind=calendar.kind, address=address_of(calendar), ids=[calendar.pk]
                )
                self.ask_again(self._by_key[key], at=at)

    def ask_again(self, watched: Watched, *, at: datetime) -> None:
        """Put an address in its place in time; one that no calendar has any more is dropped."""
        if watched.ids:
            heapq.heappush(self._heap, (at, next(self._numbers), watched))
        else:
            self._by_key = {key: one for key, one in self._by_key.items() if one is not watched}

    def forget(self, ids: Collection[int]) -> None:
        """These calendars were removed."""
        for watched in self._by_key.values():
            watched.ids = [calendar_id for calendar_id in watched.ids if calendar_id not in ids]

    def take_due(self, now: datetime) -> list[Watched]:
        """The addresses whose time has come; give each back by :meth:`ask_again`."""
        due = []
        while self._heap and self._heap[0][0] <= now:
            watched = heapq.heappop(self._heap)[2]
            if watched.ids:
                due.append(watched)
            else:
                self.ask_again(watched, at=now)
        return due


def newer_calendars(newest_id: int) -> Sequence[Calendar]:
    """The calendars added since."""
    return list(Calendar.objects.filter(pk__gt=newest_id).order_by("pk"))


def note_unchanged(ids: Sequence[int], *, now: datetime) -> set[int]:
    """These were asked and are what they were; answers those that no longer exist."""
    rows = Calendar.objects.filter(pk__in=ids)
    rows.update(last_read_at=now)
    return set(ids) - set(rows.values_list("pk", flat=True))


def ask(watched: Watched, *, now: datetime) -> bool:
    """Ask an address, and read its calendars if anything is new; True when nothing is. Blocks."""
    is_known = watched.renew_at is not None and now < watched.renew_at and not watched.is_failing
    fetched: Fetched | None = None
    if is_known:
        try:
            is_unchanged, fetched = _probe(watched)
        except CalendarError:
            is_unchanged = False  # the reading meets it again, and keeps it
        if is_unchanged:
            if watched.next_start is not None and watched.next_start <= now:
                watched.next_start = _next_start(watched.ids, now=now)
            return True
    _read(watched, fetched, now=now)
    return False


def _probe(watched: Watched) -> tuple[bool, Fetched | None]:
    """Whether an address is what it was, with the file if it isn't."""
    if not watched.address.url:
        return True, None
    if watched.kind == Calendar.Kind.CALDAV:
        states = watched.collections
        return states is not None and not is_changed(site_door(), watched.address, states), None
    if watched.file is None:
        return False, None
    file = fetch_file(site_door(), watched.address, watched.file)
    return file is None, Fetched(file)


def _read(watched: Watched, fetched: Fetched | None, *, now: datetime) -> None:
    """Read all calendars of an address, asking it once."""
    calendars = list(Calendar.objects.filter(pk__in=watched.ids).select_related("user"))
    watched.ids = [calendar.pk for calendar in calendars]
    watched.is_failing = False
    try:
        fetched = fetched or _fetched(watched, calendars)
    except CalendarError as error:
        watched.is_failing = True
        for calendar in calendars:
            note_failure(calendar, error, now=now)
        return
    for calendar in calendars:
        try:
            read_calendar(calendar, now=now, fetched=fetched)
        except CalendarError:
            watched.is_failing = True  # kept with the calendar
    _remember(watched, calendars, now=now)


def _fetched(watched: Watched, calendars: Sequence[Calendar]) -> Fetched | None:
    if watched.kind != Calendar.Kind.ICS or not watched.address.url:
        return None
    states = {file_state_of(calendar) for calendar in calendars}
    known = states.pop() if len(states) == 1 else FileState()
    return Fetched(fetch_file(site_door(), watched.address, known))


def _remember(watched: Watched, calendars: Sequence[Calendar], *, now: datetime) -> None:
    if watched.kind == Calendar.Kind.CALDAV:
        watched.collections = [
            state for calendar in calendars for state in collection_states_of(calendar)
        ]
    elif watched.address.url:
        states = {file_state_of(calendar) for calendar in calendars}
        watched.file = states.pop() if len(states) == 1 else None
    watched.next_start = _next_start(watched.ids, now=now)
    rows = CalendarObject.objects.filter(collection__calendar__in=watched.ids)
    until = rows.exclude(content=b"").aggregate(first=Min("expanded_until"))["first"]
    renew_at = until - storing.AHEAD if until else now + timedelta(days=1)
    if watched.kind == Calendar.Kind.CALDAV:
        renew_at = min(renew_at, now + LOOK_AROUND)
    watched.renew_at = max(renew_at, now + _MOMENT)


def _next_start(ids: Sequence[int], *, now: datetime) -> datetime | None:
    rows = Occurrence.objects.filter(source__collection__calendar__in=ids, starts__gt=now)
    first: datetime | None = rows.aggregate(first=Min("starts"))["first"]
    return first
