"""``/api/v1/calendars``: the calendars whose meetings decide where the user's calls go."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Router, Schema, Status

from bluetel.accounts.http import SignedInRequest
from bluetel.api.schemas import Error
from forwarding.calendars.accounts import add_calendar, calendars_of, remove_calendar
from forwarding.calendars.errors import code_of
from forwarding.calendars.reading import read_calendar
from forwarding.models import Calendar as CalendarRow
from forwarding.services import settle

LONGEST_ID = 19

router = Router(tags=["calendars"])
ERRORS = {400: Error, 403: Error, 404: Error, 502: Error}


class NewCalendar(Schema):
    """An address, and what opens it if it is not open."""

    kind: Literal["ics", "caldav"]
    url: str = Field(min_length=1, max_length=2048)
    username: str = Field("", max_length=256)
    password: str = Field("", max_length=1024)


class Calendar(Schema):
    """One calendar, or all those of an account; ``url`` is empty for an uploaded file.

    ``problem`` says more of ``error``; ``warnings`` are about single events.
    """

    id: str
    kind: Literal["ics", "caldav"]
    url: str
    name: str
    last_read_at: datetime | None
    error: Literal["calendar_unreachable", "address_refused"] | None
    problem: str
    failing_since: datetime | None
    warnings: list[dict[str, str]]


class Calendars(Schema):
    """The newest first."""

    calendars: list[Calendar]


@router.get("", response=Calendars, summary="The user's calendars")
def listed(request: SignedInRequest) -> dict[str, list[dict[str, Any]]]:
    """The newest first."""
    return {"calendars": [_record(one) for one in calendars_of(request.user)]}


@router.post("", response={201: Calendar, **ERRORS}, summary="Add a calendar")
def add(request: SignedInRequest, body: NewCalendar) -> Status[dict[str, Any]]:
    """It is read at once; one that can't be read now is kept, with its ``error``."""
    calendar = add_calendar(
        request.user,
        kind=body.kind,
        url=body.url,
        username=body.username,
        password=body.password,
        now=timezone.now(),
    )
    return Status(201, _record(calendar))


@router.delete("/{calendar_id}", response={204: None, 404: Error}, summary="Remove a calendar")
def remove(request: SignedInRequest, calendar_id: str) -> Status[None]:
    """With all that was known from it."""
    remove_calendar(_own(request, calendar_id), now=timezone.now())
    return Status(204, None)


@router.post("/{calendar_id}/refresh", response={200: Calendar, **ERRORS}, summary="Read it now")
def refresh(request: SignedInRequest, calendar_id: str) -> dict[str, Any]:
    """Answers when what it says has been applied."""
    calendar, now = _own(request, calendar_id), timezone.now()
    if read_calendar(calendar, now=now):
        settle(request.user, now=now)
    return _record(calendar)


def _own(request: SignedInRequest, calendar_id: str) -> CalendarRow:
    if not (calendar_id.isascii() and calendar_id.isdecimal() and len(calendar_id) < LONGEST_ID):
        raise Http404
    return get_object_or_404(calendars_of(request.user), pk=calendar_id)


def _record(calendar: CalendarRow) -> dict[str, Any]:
    return {
        "id": str(calendar.pk),
        "kind": calendar.kind,
        "url": calendar.url,
        "name": calendar.name,
        "last_read_at": calendar.last_read_at,
        "error": code_of(calendar.error),
        "problem": calendar.error,
        "failing_since": calendar.failing_since,
        "warnings": calendar.warnings,
    }
