"""What was read, as rows; only what changed is written, and whether anything did is answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection as Names
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from forwarding.calendars.addresses import FileState
from forwarding.ics.expansion import Instance
from forwarding.ics.reading import Read
from forwarding.models import Calendar, CalendarObject, Collection, Occurrence

BEHIND = timedelta(days=1)
AHEAD = timedelta(days=14)
"""How far occurrences are rows; what lies behind that is worked out when it is asked for."""

RESTS_AFTER = timedelta(hours=24)
"""A calendar that could not be read for so long says nothing any more."""

_SPREAD_HOURS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The stretch of time whose occurrences are rows."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One text of a collection, read."""

    href: str
    etag: str = ""
    read: Read


def window_of(user_id: int, *, now: datetime) -> Window:
    """A day more than is needed, and an hour of its own for each user: it moves on once a day."""
    spread = timedelta(days=1, hours=user_id % _SPREAD_HOURS)
    return Window(since=now - BEHIND, until=now + AHEAD + spread)


def collection_of(calendar: Calendar, href: str, *, name: str = "") -> Collection:
    """The row of one of a calendar's collections, made when it is new."""
    with transaction.atomic():
        _lock(calendar.pk)
        found, _ = Collection.objects.get_or_create(
            calendar=calendar, href=href, defaults={"name": name[:200]}
        )
    return found


def drop_collections(calendar: Calendar, *, but: Names[str]) -> bool:
    """Forget collections that are gone, with their occurrences."""
    count, _ = calendar.collections.exclude(href__in=list(but)).delete()
    return count > 0


def keep_file_state(collection: Collection, state: FileState) -> None:
    """Remember what the server said of the file."""
    collection.etag, collection.last_modified = state.etag, state.last_modified
    collection.save(update_fields=["etag", "last_modified"])


def keep_token(collection: Collection, token: str) -> None:
    """Remember up to where the server's changes were read."""
    if collection.sync_token != token[:1024]:
        collection.sync_token = token if len(token) <= 1024 else ""
        collection.save(update_fields=["sync_token"])


def store_resources(
    collection: Collection,
    resources: Sequence[Resource],
    *,
    removed: Iterable[str] = (),
    user_id: int,
    zone: str,
    window: Window,
) -> bool:
    """Write the resources of a collection, and drop those removed; whether occurrences changed."""
    with transaction.atomic():
        _lock(collection.calendar_id)
        gone = collection.resources.filter(href__in=list(removed))
        has_changed = Occurrence.objects.filter(source__in=gone).exists()
        gone.delete()
        hrefs = [one.href for one in resources]
        kept = {row.href: row for row in collection.resources.filter(href__in=hrefs)}
        instances: dict[int, Sequence[Instance]] = {}
        for one in resources:
            row = kept.get(one.href) or CalendarObject(collection=collection, href=one.href)
            row.etag = one.etag[:512]
            row.digest, row.content = one.read.digest, one.read.content
            row.warnings = list(one.read.warnings)
            row.expanded_until, row.zone = window.until, zone
            row.save()
            instances[row.pk] = one.read.instances
        return store_instances(instances, user_id=user_id) or has_changed


def store_instances(instances: Mapping[int, Sequence[Instance]], *, user_id: int) -> bool:
    """Make the occurrences of these resources those given; whether any row changed."""
    stored: dict[int, dict[tuple[object, ...], int]] = defaultdict(dict)
    for row in Occurrence.objects.filter(source_id__in=instances):
        stored[row.source_id][_key(row)] = row.pk
    fresh: list[Occurrence] = []
    stale: list[int] = []
    for source_id, found in instances.items():
        before = stored[source_id]
        wanted = {_key(row): row for row in (row_of(one, source_id, user_id) for one in found)}
        fresh += [row for key, row in wanted.items() if key not in before]
        stale += [pk for key, pk in before.items() if key not in wanted]
    if stale:
        Occurrence.objects.filter(pk__in=stale).delete()
    if fresh:
        Occurrence.objects.bulk_create(fresh, batch_size=500)
    return bool(stale or fresh)


def _lock(calendar_id: int) -> None:
    """One at a time: the web may read a calendar while the engine does."""
    Calendar.objects.select_for_update().filter(pk=calendar_id).exists()


def row_of(one: Instance, source_id: int, user_id: int) -> Occurrence:
    """An instance as a row."""
    return Occurrence(
        user_id=user_id,
        source_id=source_id,
        uid=one.uid,
        recurrence_id=one.recurrence_id,
        starts=one.starts,
        ends=one.ends,
        is_all_day=one.is_all_day,
        weight=one.weight,
        is_alone=one.is_alone,
    )


def _key(row: Occurrence) -> tuple[object, ...]:
    when = (row.starts, row.ends, row.is_all_day)
    return (row.uid, row.recurrence_id, *when, row.weight, row.is_alone)


def note_read(calendar: Calendar, *, now: datetime, name: str = "") -> None:
    """It could be read: no error any more, and the warnings of all its events."""
    warnings: dict[str, dict[str, str]] = {}
    found = CalendarObject.objects.filter(collection__calendar=calendar).exclude(warnings=[])
    for one in found.values_list("warnings", flat=True):
        warnings |= {repr(sorted(warning.items())): warning for warning in one}
    calendar.warnings = [warnings[key] for key in sorted(warnings)][:20]
    calendar.last_read_at, calendar.error = now, ""
    calendar.failing_since = calendar.rests_since = None
    if name and not calendar.name:
        calendar.name = name[:200]
    calendar.save(
        update_fields=["warnings", "last_read_at", "error", "failing_since", "rests_since", "name"]
    )


def note_failure(calendar: Calendar, problem: str, *, now: datetime) -> bool:
    """It could not be read; whether that is news."""
    is_news = calendar.error != problem
    calendar.error = problem
    calendar.failing_since = calendar.failing_since or now
    calendar.save(update_fields=["error", "failing_since"])
    return is_news
