"""A voice message as it leaves the server: in the API, in the pages and on the live socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from bluetel.calls.rules import number_of_caller

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bluetel.calls.callers import Caller
    from voicemail.models import Message


class MessageRecord(TypedDict):
    """One voice message; ``number`` is empty for a caller who withheld it, times are UTC.

    One with the source ``mail`` is not in a box of the PBX; unless it is ``proven``, its number is
    what an unknown sender claims, and no name stands for it.
    """

    id: str
    number: str
    name: str
    contact_id: str | None
    duration: int
    received_at: str
    read: bool
    folder: str
    transcript: str
    source: str
    proven: bool


def record_of(message: Message, callers: Mapping[str, Caller]) -> MessageRecord:
    """The record of a row; ``callers`` are known people by number as it stands in the row."""
    number = number_of_caller(message.number)
    caller = callers.get(message.number) if number and message.is_proven else None
    return MessageRecord(
        id=str(message.pk),
        number=number,
        name=caller.name if caller else message.name,
        contact_id=(caller.contact_id or None) if caller else None,
        duration=message.duration,
        received_at=_iso(message.received_at),
        read=message.is_read,
        folder=message.folder,
        transcript=message.transcript,
        source="pbx" if message.pbx_message else "mail",
        proven=message.is_proven,
    )


def _iso(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")
