"""Calendars added and removed by their owners."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import TYPE_CHECKING

from bluetel.fetch.errors import AddressRefused as DoorRefused
from bluetel.fetch.errors import Unreachable
from bluetel.fetch.site import site_door
from forwarding import services
from forwarding.calendars.errors import AddressRefused, CalendarError
from forwarding.calendars.reading import read_calendar, store_upload
from forwarding.models import Calendar

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from bluetel.accounts.models import User


def calendars_of(user: User) -> QuerySet[Calendar]:
    """A user's calendars, the newest first."""
    return Calendar.objects.filter(user=user).order_by("-created_at", "-pk")


def add_calendar(
    user: User, *, kind: str, url: str, username: str = "", password: str = "", now: datetime
) -> Calendar:
    """Add a calendar and read it; one that can't be read now is kept, with its error.

    Raises :class:`AddressRefused` for an address that must not be asked.
    """
    try:
        url = site_door().check(url)
    except DoorRefused as refused:
        raise AddressRefused from refused
    except Unreachable:
        url = url.strip()  # the name may be known later
    calendar = Calendar.objects.create(
        user=user, kind=kind, url=url, username=username, password=password, created_at=now
    )
    with contextlib.suppress(CalendarError):
        read_calendar(calendar, now=now)
    return calendar


def add_upload(user: User, data: bytes, *, name: str, now: datetime) -> Calendar:
    """Add a calendar file; raises :class:`CalendarError` when it is none, and keeps nothing."""
    calendar = Calendar.objects.create(user=user, kind=Calendar.Kind.ICS, created_at=now)
    try:
        store_upload(calendar, data, now=now)
    except CalendarError:
        calendar.delete()
        raise
    if not calendar.name:
        calendar.name = name[:200]
        calendar.save(update_fields=["name"])
    return calendar


def remove_calendar(calendar: Calendar, *, now: datetime) -> None:
    """Remove a calendar with all that was known from it."""
    user_id = calendar.user_id
    calendar.delete()
    services.reconsider(user_id, now=now)
