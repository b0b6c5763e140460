"""A finished call as it leaves the server: in the API and on the calls page."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from bluetel.calls.rules import number_of_caller
from bluetel.telephony.text import safe_text
from bluetel.telephony.types import Direction

if TYPE_CHECKING:
    from datetime import datetime

    from bluetel.calls.callers import Caller
    from bluetel.calls.diversions import DiversionRecord
    from bluetel.telephony.types import LoggedCall


class LoggedCallRecord(TypedDict):
    """One row of the call log; ``duration`` in seconds of talk, times in UTC.

    ``number`` is empty for a caller who withheld it. ``routing`` is the decision by which an
    incoming call was diverted, None for one that rang on the user's own phone.
    """

    id: str
    direction: str
    missed: bool
    number: str
    name: str
    contact_id: str | None
    started_at: str
    duration: int
    routing: DiversionRecord | None


def record_of(
    call: LoggedCall, *, caller: Caller | None, routing: DiversionRecord | None
) -> LoggedCallRecord:
    """The record of a row of the PBX; ``caller`` is whom the user knows by the number."""
    name = "" if call.name == call.number else safe_text(call.name, limit=200)
    return LoggedCallRecord(
        id=call.id,
        direction=call.direction.value,
        missed=is_missed(call),
        number=number_of_caller(call.number),
        name=caller.name if caller else name,
        contact_id=(caller.contact_id or None) if caller else None,
        started_at=iso(call.started_at),
        duration=call.duration if call.answered else 0,
        routing=routing,
    )


def is_missed(call: LoggedCall) -> bool:
    """Whether somebody called and nobody picked up; a message on voicemail is no answer."""
    return call.direction is Direction.INCOMING and not call.answered


def iso(time: datetime) -> str:
    """UTC, ISO 8601."""
    return time.isoformat().replace("+00:00", "Z")
