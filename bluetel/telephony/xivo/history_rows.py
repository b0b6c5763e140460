"""XUC's call history as rows of ours; pure (``reference/xivo.md`` §8)."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bluetel.telephony.types import Direction, LoggedCall
from bluetel.telephony.xivo.messages import HistoryRow

EMITTED, ANSWERED, ONGOING = "emitted", "answered", "ongoing"


def logged_call(row: HistoryRow, *, zone: ZoneInfo) -> LoggedCall:
    """One row; in the autumn night's doubled hour the first of the two is taken.

    XUC gives no id: start and both numbers make one, and no user has two such calls.
    """
    is_outgoing = row.status == EMITTED
    number = row.destination_number if is_outgoing else row.source_number
    name = row.destination_name if is_outgoing else row.source_name
    is_answered = row.status == ANSWERED or (is_outgoing and row.seconds > 0)
    return LoggedCall(
        id=f"{row.start:%Y%m%d%H%M%S}-{row.source_number}-{row.destination_number}",
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
