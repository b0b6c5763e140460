"""Why calls didn't ring where they were meant to, kept for the call log.

A PBX logs that a call was diverted, never why. Whoever diverts a user's calls (the forwarding app)
says here from when on and by which decision; the call log then tells it for each call of that time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypedDict

from django.db import transaction
from django.db.models import Q

from bluetel.calls.models import Diversion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bluetel.accounts.models import User

KEPT = timedelta(days=400)


class DiversionRecord(TypedDict):
    """The decision behind a diverted call, in the words of ``GET routing``."""

    route: str
    destination: str | None
    source: str
    reason: str


def note_diversions(records: Mapping[int, DiversionRecord | None], *, at: datetime) -> None:
    """From now on these users' calls are diverted by these decisions, or by none.

    For many users in a few queries; what holds already is left alone.
    """
    with transaction.atomic():
        there = Diversion.objects.select_for_update().filter(user_id__in=records, ends=None)
        held = {row.user_id: row for row in there.order_by("pk")}
        over = [row.pk for user_id, row in held.items() if row.record != records[user_id]]
        begun = {
            user_id: record
            for user_id, record in records.items()
            if record is not None and (user_id not in held or held[user_id].record != record)
        }
        if over:
            Diversion.objects.filter(pk__in=over).update(ends=at)
        if begun:
            Diversion.objects.bulk_create(
                Diversion(
                    user_id=user_id,
                    starts=at,
                    route=record["route"],
                    destination=record["destination"] or "",
                    source=record["source"],
                    reason=record["reason"],
                )
                for user_id, record in begun.items()
            )
            Diversion.objects.filter(user_id__in=begun, ends__lt=at - KEPT).delete()


def diversions_at(user: User, times: Iterable[datetime]) -> dict[datetime, DiversionRecord]:
    """Which decision diverted the user's calls at each of these times, where there was one."""
    wanted = sorted(set(times))
    if not wanted:
        return {}
    rows = list(
        Diversion.objects.filter(user=user, starts__lte=wanted[-1])
        .filter(Q(ends=None) | Q(ends__gt=wanted[0]))
        .order_by("starts", "pk")
    )
    found: dict[datetime, DiversionRecord] = {}
    for time in wanted:
        for row in rows:
            if row.starts <= time and (row.ends is None or time < row.ends):
                found[time] = row.record
    return found
