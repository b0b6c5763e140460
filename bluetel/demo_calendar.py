"""An invented calendar for one of the demo's people, so that a strip and forwards can be seen."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from django.conf import settings

from forwarding import services
from forwarding.calendars.accounts import add_upload

if TYPE_CHECKING:
    from bluetel.accounts.models import User

USER: Final = "demo6"
NUMBER: Final = "06 39 98 41 72"

_DAYS: Final = ("MO", "TU", "WE", "TH", "FR")

_WEEKLY: Final = (
    ("09:00", "09:30", "MO,TU,WE,TH,FR"),
    ("10:00", "11:30", "TU,TH"),
    ("14:00", "15:30", "MO,WE,FR"),
    ("16:30", "17:00", "TU,WE"),
)


def add_calendar(user: User, *, now: datetime) -> None:
    """Meetings today and every week, one of them now; colleagues see Busy, calls are forwarded."""
    if user.calendars.exists():
        return
    services.save_automation(
        user, {"calendar": {"set_im_busy": True, "route": "number", "number": NUMBER}}, now=now
    )
    add_upload(user, calendar_text(now).encode(), name="Work", now=now)


def calendar_text(now: datetime) -> str:
    """A calendar file with this week's meetings and one that goes on at ``now``."""
    local = now.astimezone(ZoneInfo(settings.TIME_ZONE))
    monday = local.date() - timedelta(days=local.weekday())
    quarter = local.replace(minute=local.minute // 15 * 15, second=0, microsecond=0)
    events = [
        _event(f"weekly-{number}", monday, starts, ends, days)
        for number, (starts, ends, days) in enumerate(_WEEKLY)
    ]
    events.append(_once("now", quarter, quarter + timedelta(minutes=75)))
    return "\n".join(
        ["BEGIN:VCALENDAR", "VERSION:2.0", "X-WR-CALNAME:Work", *events, "END:VCALENDAR"]
    )


def _event(uid: str, monday: date, starts: str, ends: str, days: str) -> str:
    zone = settings.TIME_ZONE
    day = f"{monday + timedelta(days=_DAYS.index(days[:2])):%Y%m%d}T"
    return "\n".join(
        [
            "BEGIN:VEVENT",
            f"UID:{uid}",
            f"DTSTART;TZID={zone}:{day}{starts.replace(':', '')}00",
            f"DTEND;TZID={zone}:{day}{ends.replace(':', '')}00",
            f"RRULE:FREQ=WEEKLY;BYDAY={days}",
            "END:VEVENT",
        ]
    )


def _once(uid: str, starts: datetime, ends: datetime) -> str:
    first, last = (f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}" for moment in (starts, ends))
    return "\n".join(
        ["BEGIN:VEVENT", f"UID:{uid}", f"DTSTART:{first}", f"DTEND:{last}", "END:VEVENT"]
    )
