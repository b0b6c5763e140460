"""Read a calendar now: ask its address, let a process read the text, keep what it says.

Nothing is asked within a transaction. What could not be had leaves everything as it was known: a
meeting ends when it was said to end, and none is invented.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings

from bluetel.fetch.site import site_door
from bluetel.work import processes
from forwarding import services
from forwarding.calendars import storing
from forwarding.calendars.addresses import (
    Address,
    CollectionChange,
    CollectionState,
    File,
    FileState,
    fetch_changes,
    fetch_file,
    find_collections,
    texts,
)
from forwarding.calendars.errors import CalendarError, CalendarUnreachable
from forwarding.calendars.resting import rest
from forwarding.ics.reading import Read, expand_contents, read_texts
from forwarding.models import Calendar, CalendarObject, Collection

if TYPE_CHECKING:
    from bluetel.accounts.models import User
    from bluetel.fetch.door import Door

log = logging.getLogger(__name__)

FILE = ""
"""The path of the one resource of a file."""

_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Fetched:
    """What an address already answered; no file: it is what it was."""

    file: File | None


def read_calendar(calendar: Calendar, *, now: datetime, fetched: Fetched | None = None) -> bool:
    """Read a calendar, and have its owner's calls follow; whether its occurrences changed.

    Its address is asked unless that was just done. Raises :class:`CalendarError`, which is kept
    with the calendar too.
    """
    door = site_door()
    try:
        if calendar.kind == Calendar.Kind.CALDAV:
            has_changed = _read_account(calendar, door, now=now)
        elif calendar.url:
            has_changed = _read_file(calendar, door, now=now, fetched=fetched)
        else:
            has_changed = False
    except CalendarError as error:
        note_failure(calendar, error, now=now)
        raise
    was_failing = bool(calendar.error)
    storing.note_read(calendar, now=now)
    if was_failing:
        log.info("calendar %s can be read again", calendar.pk)
    has_changed |= expand_anew(calendar, now=now)
    if has_changed:
        services.reconsider(calendar.user_id, now=now)
    return has_changed


def store_upload(calendar: Calendar, data: bytes, *, now: datetime) -> None:
    """Keep a file that its owner sent; raises :class:`CalendarError` when it is none."""
    (read,) = _compute(calendar, [data], now=now)
    if read.problem:
        raise CalendarUnreachable(read.problem)
    collection = storing.collection_of(calendar, FILE)
    _store(collection, [storing.Resource(href=FILE, read=read)], now=now)
    storing.note_read(calendar, now=now, name=read.name)
    services.reconsider(calendar.user_id, now=now)


def expand_anew(calendar: Calendar, *, now: datetime) -> bool:
    """Move the window of a calendar's occurrences on, or into its owner's new time zone.

    One that rests stays silent.
    """
    if calendar.rests_since is not None:
        return False
    user = calendar.user
    zone, window = zone_of(user), storing.window_of(user.pk, now=now)
    found = list(CalendarObject.objects.filter(collection__calendar=calendar).exclude(content=b""))
    late = [one for one in found if one.zone != zone or one.expanded_until < now + storing.AHEAD]
    has_changed = False
    for start in range(0, len(late), _AT_ONCE):
        batch = late[start : start + _AT_ONCE]
        instances = processes.compute(
            expand_contents,
            [bytes(one.content) for one in batch],
            zone=zone,
            since=window.since,
            until=window.until,
        )
        by_source = {one.pk: found for one, found in zip(batch, instances, strict=True)}
        has_changed |= storing.store_instances(by_source, user_id=user.pk)
        for one in batch:
            one.zone, one.expanded_until = zone, window.until
        CalendarObject.objects.bulk_update(batch, ["zone", "expanded_until"])
    return has_changed


def expand_all_of(user: User, *, now: datetime) -> None:
    """Have a user's calendars follow his new time zone."""
    calendars = list(Calendar.objects.filter(user=user).select_related("user"))
    if sum(expand_anew(calendar, now=now) for calendar in calendars):
        services.reconsider(user.pk, now=now)


def note_failure(calendar: Calendar, error: CalendarError, *, now: datetime) -> None:
    """Keep why it can't be read; for a day, and it rests."""
    if storing.note_failure(calendar, error.problem, now=now):
        log.warning("calendar %s can't be read: %s", calendar.pk, error.problem)
    failing_since = calendar.failing_since or now
    if now - failing_since >= storing.RESTS_AFTER:
        rest(calendar, now=now)


def zone_of(user: User) -> str:
    """The time zone in which a user means times."""
    return user.time_zone or settings.TIME_ZONE


def address_of(calendar: Calendar) -> Address:
    """What a calendar's row says of its address."""
    return Address(calendar.url, calendar.username, calendar.password)


def file_state_of(calendar: Calendar) -> FileState:
    """What is known of a calendar's file."""
    known = CalendarObject.objects.filter(collection__calendar=calendar, href=FILE)
    row = known.select_related("collection").first()
    if row is None:
        return FileState()
    return FileState(
        etag=row.collection.etag, last_modified=row.collection.last_modified, digest=row.digest
    )


def collection_states_of(calendar: Calendar) -> list[CollectionState]:
    """What is known of an account's calendars."""
    return [_state_of(collection) for collection in calendar.collections.order_by("pk")]


def _state_of(collection: Collection) -> CollectionState:
    return CollectionState(
        url=collection.href,
        name=collection.name,
        token=collection.sync_token,
        etags=dict(collection.resources.values_list("href", "etag")),
    )


def _read_file(calendar: Calendar, door: Door, *, now: datetime, fetched: Fetched | None) -> bool:
    known = file_state_of(calendar)
    file = fetched.file if fetched else fetch_file(door, address_of(calendar), known)
    if file is None:
        return False
    collection = storing.collection_of(calendar, FILE)
    has_changed = False
    if file.state.digest != known.digest:
        (read,) = _compute(calendar, [file.data], now=now)
        if read.problem:
            raise CalendarUnreachable(read.problem)
        has_changed = _store(collection, [storing.Resource(href=FILE, read=read)], now=now)
        if read.name and not calendar.name:
            calendar.name = read.name[:200]
    storing.keep_file_state(collection, file.state)
    return has_changed


def _read_account(calendar: Calendar, door: Door, *, now: datetime) -> bool:
    address = address_of(calendar)
    found = find_collections(door, address)
    has_changed = storing.drop_collections(calendar, but=[one.url for one in found])
    for one in found:
        collection = storing.collection_of(calendar, one.url, name=one.name)
        change = fetch_changes(door, address, _state_of(collection))
        has_changed |= _store_change(calendar, collection, change, now=now)
    if not calendar.name:
        calendar.name = ", ".join(one.name for one in found)[:200]
    return has_changed


def _store_change(
    calendar: Calendar, collection: Collection, change: CollectionChange, *, now: datetime
) -> bool:
    hrefs = sorted(change.changed)
    reads = [
        replace(read, warnings=[{"code": "unreadable_event"}]) if read.problem else read
        for read in _compute(calendar, texts(change), now=now)
    ]
    resources = [
        storing.Resource(href=href, etag=change.changed[href][0], read=read)
        for href, read in zip(hrefs, reads, strict=True)
    ]
    has_changed = _store(collection, resources, removed=change.removed, now=now)
    storing.keep_token(collection, change.token)
    return has_changed


def _store(
    collection: Collection,
    resources: Sequence[storing.Resource],
    *,
    removed: frozenset[str] = frozenset(),
    now: datetime,
) -> bool:
    user = collection.calendar.user
    return storing.store_resources(
        collection,
        resources,
        removed=removed,
        user_id=user.pk,
        zone=zone_of(user),
        window=storing.window_of(user.pk, now=now),
    )


def _compute(calendar: Calendar, data: Sequence[bytes], *, now: datetime) -> list[Read]:
    user = calendar.user
    window = storing.window_of(user.pk, now=now)
    mine = {name.lower() for name in (user.email, calendar.username) if "@" in name}
    found: list[Read] = []
    for start in range(0, len(data), _AT_ONCE):
        try:
            found += processes.compute(
                read_texts,
                data[start : start + _AT_ONCE],
                mine=mine,
                zone=zone_of(user),
                now=now,
                since=window.since,
                until=window.until,
            )
        except processes.ProcessesLost:
            raise CalendarUnreachable("too_large") from None
    return found
