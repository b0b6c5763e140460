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
    from collections.abc import Iterable

    from bluetel.accounts.models import User

KEPT = timedelta(days=400)


class DiversionRecord(TypedDict):
    """The decision behind a diverted call, in the words of ``GET routing``."""

    route: str
    destination: str | None
    source: str
    reason: str


def begin_diversion(user_id: int, record: DiversionRecord, *, at: datetime) -> None:
    """From now on the user's calls are diverted by this decision; an earlier one ends."""
    with transaction.atomic():
        open_one = Diversion.objects.select_for_update().filter(user_id=user_id, ends=None).first()
        if open_one is not None and open_one.record == record:
            return
        end_diversion(user_id, at=at)
        Diversion.objects.create(
            user_id=user_id,
            starts=at,
            route=record["route"],
            destination=record["destination"] or "",
            source=record["source"],
            reason=record["reason"],
        )
        Diversion.objects.filter(user_id=user_id, ends__lt=at - KEPT).delete()


def end_diversion(user_id: int, *, at: datetime) -> None:
    """From now on the user's calls ring on his own phone again."""
    Diversion.objects.filter(user_id=user_id, ends=None).update(ends=at)


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
