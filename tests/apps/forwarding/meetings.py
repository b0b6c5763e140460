"""Meetings in somebody's calendar, as if they had been read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bluetel.accounts.models import User
from forwarding import services
from forwarding.models import Calendar, CalendarObject, Collection, Occurrence


def add_meeting(
    user: User,
    *,
    starts: datetime,
    ends: datetime,
    uid: str = "meeting",
    now: datetime | None = None,
    **fields: Any,
) -> Occurrence:
    """One meeting, in a calendar of its own."""
    calendar = Calendar.objects.create(user=user, kind="ics", created_at=starts)
    collection = Collection.objects.create(calendar=calendar)
    source = CalendarObject.objects.create(
        collection=collection, digest="", content=b"", expanded_until=ends, zone="UTC"
    )
    row = Occurrence.objects.create(
        user=user, source=source, uid=uid, starts=starts, ends=ends, **fields
    )
    services.reconsider(user.pk, now=now or starts)
    return row
