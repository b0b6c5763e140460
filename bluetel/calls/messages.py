"""A call as it leaves the server: in the API, on the live socket and in the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from django.conf import settings

from bluetel.telephony.numbers import display_text, is_emergency

if TYPE_CHECKING:
    from datetime import datetime

    from bluetel.calls.models import Call


class CallRecord(TypedDict):
    """One call, whole; times are ISO 8601 in UTC.

    ``shown`` is the number as the site's country writes it; ``emergency`` asks the page for the
    notice that the desk phone's place is what counts.
    """

    id: str
    state: str
    direction: str
    number: str
    shown: str
    dialed: str
    name: str
    contact_id: str | None
    started_at: str | None
    answered_at: str | None
    ended_at: str | None
    end_reason: str | None
    held: bool
    muted: bool
    device: str | None
    emergency: bool


def record_of(call: Call) -> CallRecord:
    """The record of a row."""
    return CallRecord(
        id=str(call.pk),
        state=call.state,
        direction=call.direction,
        number=call.number,
        shown=display_text(call.number, country=settings.COUNTRY),
        dialed=call.dialed,
        name=call.name,
        contact_id=call.contact_id or None,
        started_at=_iso(call.started_at),
        answered_at=_iso(call.answered_at),
        ended_at=_iso(call.ended_at),
        end_reason=call.end_reason or None,
        held=call.state == call.State.HELD,
        muted=call.muted,
        device=call.device or None,
        emergency=is_emergency(call.dialed, country=settings.COUNTRY),
    )


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat().replace("+00:00", "Z")
