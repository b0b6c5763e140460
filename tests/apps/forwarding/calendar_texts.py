"""Calendars as other programs write them, around the day of the tests."""

from __future__ import annotations

from datetime import UTC, datetime

NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)
SECRET = "Merger with Acme"


def meeting(start: str = "20261125T100000Z", end: str = "20261125T110000Z", uid: str = "a") -> str:
    """One event."""
    return (
        f"BEGIN:VEVENT\nUID:{uid}\nDTSTAMP:20261101T000000Z\nSUMMARY:{SECRET}\n"
        f"DTSTART:{start}\nDTEND:{end}\nEND:VEVENT\n"
    )


def calendar(*events: str) -> str:
    """A whole file."""
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//tests\n{''.join(events)}END:VCALENDAR\n"
