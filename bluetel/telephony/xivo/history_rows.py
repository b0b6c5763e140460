"""XUC's call history as rows of ours; pure (``reference/xivo.md`` §8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bluetel.telephony.types import Direction, LoggedCall
from bluetel.telephony.xivo.messages import HistoryRow

EMITTED, ANSWERED, ONGOING = "emitted", "answered", "ongoing"


def told_apart(rows: Sequence[HistoryRow]) -> list[HistoryRow]:
    """The rows, newest first, each with a start of its own, by which pages follow each other.

    XUC tells whole seconds, and no id. Of rows that began in one second the oldest keeps it, each
    later one gets a microsecond more; so only rows of whole seconds may be given.
    """
    known: Counter[datetime] = Counter()
    apart = []
    for row in reversed(rows):
        apart.append(replace(row, start=row.start + timedelta(microseconds=known[row.start])))
        known[row.start] += 1
    return apart[::-1]


def logged_call(row: HistoryRow, *, zone: ZoneInfo) -> LoggedCall:
    """One row; in the autumn night's doubled hour the first of the two is taken.

    XUC gives no id: start and both numbers make one, with the row's place in its second.
    """
    is_outgoing = row.status == EMITTED
    number = row.destination_number if is_outgoing else row.source_number
    name = row.destination_name if is_outgoing else row.source_name
    is_answered = row.status == ANSWERED or (is_outgoing and row.seconds > 0)
    place = f"-{row.start.microsecond}" if row.start.microsecond else ""
    return LoggedCall(
        id=f"{row.start:%Y%m%d%H%M%S}-{row.source_number}-{row.destination_number}{place}",
        direction=Direction.OUTGOING if is_outgoing else Direction.INCOMING,
        answered=is_answered,
        number=number,
        name=name,
        started_at=start_of(row, zone=zone),
        duration=row.seconds if is_answered else 0,
    )


def start_of(row: HistoryRow, *, zone: ZoneInfo) -> datetime:
    """When the call began, in UTC."""
    return row.start.replace(tzinfo=zone).astimezone(UTC)
