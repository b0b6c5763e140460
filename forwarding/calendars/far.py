"""Meetings beyond those that are rows: worked out of what is kept of the calendars, when asked."""

from __future__ import annotations

from datetime import datetime
from itertools import chain

from django.conf import settings

from bluetel.accounts.models import User
from bluetel.work import processes
from forwarding.calendars.storing import RESTS_AFTER, row_of
from forwarding.ics.reading import expand_contents
from forwarding.models import CalendarObject, Occurrence


def far_occurrences(
    user_id: int, *, since: datetime, until: datetime, now: datetime
) -> list[Occurrence]:
    """What a user's calendars say of a stretch of time to come; these rows are not saved.

    Calendars that nobody could read for long say nothing, as with the rows. Blocks.
    """
    kept = CalendarObject.objects.filter(collection__calendar__user_id=user_id).exclude(content=b"")
    failing = kept.filter(collection__calendar__failing_since__lte=now - RESTS_AFTER)
    found = list(kept.exclude(pk__in=failing).values_list("pk", "content"))
    if not found:
        return []
    zone = User.objects.filter(pk=user_id).values_list("time_zone", flat=True).first()
    try:
        instances = processes.compute(
            expand_contents,
            [bytes(content) for _, content in found],
            zone=zone or settings.TIME_ZONE,
            since=since,
            until=until,
        )
    except processes.ProcessesLost:
        return []
    return list(
        chain.from_iterable(
            (row_of(one, pk, user_id) for one in each)
            for (pk, _), each in zip(found, instances, strict=True)
        )
    )
