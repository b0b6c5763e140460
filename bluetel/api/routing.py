"""``/api/v1/forwards``, ``/automation`` and ``/routing``: where the user's calls go, and why."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Field, Query, Router, Schema, Status
from pydantic import StrictBool

from bluetel.accounts.http import SignedInRequest
from bluetel.accounts.models import User
from bluetel.api import schemas
from bluetel.api.changes import Change
from bluetel.api.errors import ApiError
from bluetel.api.moments import moment
from forwarding import selectors, services
from forwarding.doubts import doubts_of_forwards, doubts_of_rules
from forwarding.messages import AutomationRecord, ForwardsRecord

router = Router(tags=["routing"])
ERRORS = {
    400: schemas.Error,
    403: schemas.Error,
    404: schemas.Error,
    409: schemas.Error,
    503: schemas.Error,
}
AHEAD = timedelta(days=366)


class Forward(Schema):
    """One forward; a disabled one keeps its number."""

    enabled: bool
    destination: str


class Doubt(Schema):
    """Something taken that may not do what was meant; ``field`` is the path of what it is about."""

    code: Literal["unknown_extension"]
    field: str
    message: str


class Forwards(Schema):
    """The user's own settings, wherever he made them.

    ``warnings`` are there only when there are any.
    """

    unconditional: Forward
    busy: Forward
    no_answer: Forward
    do_not_disturb: bool
    warnings: list[Doubt] | None = None


class ForwardChange(Change):
    """What is left out stays."""

    enabled: StrictBool | None = None
    destination: str | None = None


class ForwardsChange(Change):
    """What is left out stays."""

    of = Forwards

    unconditional: ForwardChange | None = None
    busy: ForwardChange | None = None
    no_answer: ForwardChange | None = None
    do_not_disturb: StrictBool | None = None


class CalendarRule(Schema):
    """What meetings do to the user's status and calls."""

    set_im_busy: bool
    until_hang_up: bool
    route: Literal["nothing", "voicemail", "number"]
    number: str
    all_day: Literal["ignore", "busy", "out_of_office"]
    tentative: Literal["ignore", "busy"]
    only_with_others: bool


class ImRule(Schema):
    """What the status Busy does to the user's calls."""

    route: Literal["nothing", "voicemail", "number"]
    number: str
    only_by_hand: bool


class Automation(Schema):
    """The user's rules; numbers stay though they are not used.

    ``warnings`` are there only when there are any.
    """

    calendar: CalendarRule
    im: ImRule
    warnings: list[Doubt] | None = None


class CalendarRuleChange(Change):
    """What is left out stays."""

    set_im_busy: StrictBool | None = None
    until_hang_up: StrictBool | None = None
    route: Literal["nothing", "voicemail", "number"] | None = None
    number: str | None = None
    all_day: Literal["ignore", "busy", "out_of_office"] | None = None
    tentative: Literal["ignore", "busy"] | None = None
    only_with_others: StrictBool | None = None


class ImRuleChange(Change):
    """What is left out stays."""

    route: Literal["nothing", "voicemail", "number"] | None = None
    number: str | None = None
    only_by_hand: StrictBool | None = None


class AutomationChange(Change):
    """What is left out stays."""

    of = Automation

    calendar: CalendarRuleChange | None = None
    im: ImRuleChange | None = None


class ImStatus(Schema):
    """The chat status, what it comes from, and until when for that reason."""

    status: Literal["available", "busy", "away", "offline", "unknown"]
    source: Literal["manual", "calendar", "idle", "session"]
    until: str | None


class Losing(Schema):
    """What would decide if what decides were not there."""

    route: str
    destination: str | None
    source: str
    reason: str
    reason_code: str
    until: str | None
    problem: str


class Routing(Schema):
    """Where calls go, in whose name, why, and until when for that reason.

    ``destination`` is exactly what the PBX holds when ``route`` is ``number``. ``applied`` says
    whether the PBX has it; null for another time than now.
    """

    route: Literal["own", "voicemail", "number", "do_not_disturb"]
    destination: str | None
    source: Literal["manual", "im", "calendar", "own"]
    im: ImStatus
    reason: str
    reason_code: str
    until: str | None
    applied: bool | None
    losing: list[Losing]
    in_meeting: bool
    suppressed: bool
    problem: str


class Segment(Routing):
    """A stretch of time in which the same holds."""

    from_: str = Field(alias="from")
    to: str


class Forecast(Schema):
    """The days to come, without gaps."""

    segments: list[Segment]


class Suppress(Schema):
    """Not for this meeting, or never for this series."""

    scope: Literal["meeting", "series"] = "meeting"


@router.get(
    "/forwards",
    response={200: Forwards, **ERRORS},
    exclude_none=True,
    summary="The user's own settings",
)
def forwards(request: SignedInRequest) -> object:
    """As he last set them, wherever he did; what holds now is ``routing``."""
    services.refresh_forwards(request.user, now=timezone.now())
    return _forwards(request.user, selectors.forwards_of(request.user))


@router.put(
    "/forwards",
    response={200: Forwards, **ERRORS},
    exclude_none=True,
    summary="Change own settings",
)
def put_forwards(request: SignedInRequest, body: ForwardsChange) -> object:
    """Merges what is sent; answers when the PBX has taken it. Acts as the handset would."""
    changes: dict[str, Any] = body.model_dump(exclude_none=True)
    sent = services.set_forwards(request.user, changes, now=timezone.now())
    return _forwards(request.user, sent or selectors.forwards_of(request.user))


@router.get("/automation", response=Automation, exclude_none=True, summary="The user's rules")
def automation(request: SignedInRequest) -> object:
    """What meetings and the status Busy do by themselves."""
    return _automation(request.user, selectors.automation_of(request.user))


@router.put(
    "/automation",
    response={200: Automation, **ERRORS},
    exclude_none=True,
    summary="Change rules",
)
def put_automation(request: SignedInRequest, body: AutomationChange) -> object:
    """Merges what is sent; takes effect at once, also in the middle of a meeting."""
    changes: dict[str, dict[str, Any]] = body.model_dump(exclude_none=True)
    saved = services.save_automation(request.user, changes, now=timezone.now())
    return _automation(request.user, selectors.automation_record(saved))


@router.get("/routing", response={200: Routing, **ERRORS}, summary="Where calls go")
def routing(request: SignedInRequest, at: str = "") -> object:
    """Now, or at another time (ISO 8601) up to a year ahead, as today's calendar says."""
    now = timezone.now()
    then = moment(at, request.user) if at else None
    if then is not None and then > now + AHEAD:
        raise ApiError("invalid_request", _("Give a time within the next 366 days."))
    return selectors.routing_of(request.user, now=now, at=then)


@router.get(
    "/routing/forecast",
    response={200: Forecast, **ERRORS},
    by_alias=True,
    summary="Where calls will go",
)
def forecast(
    request: SignedInRequest, days: Annotated[int, Query(ge=1, le=14)] = 7
) -> dict[str, object]:
    """The days to come, from today's calendar."""
    return {"segments": selectors.forecast_of(request.user, now=timezone.now(), days=days)}


@router.post("/routing/suppress", response={201: Routing, **ERRORS}, summary="Not for this meeting")
def suppress(request: SignedInRequest, body: Suppress) -> Status[object]:
    """The meetings of this moment change nothing; with ``series`` they never do."""
    now = timezone.now()
    services.suppress(request.user, body.scope, now=now)
    return Status(201, selectors.routing_of(request.user, now=now))


@router.delete("/routing/suppress", response={204: None, **ERRORS}, summary="Count it again")
def unsuppress(request: SignedInRequest) -> Status[None]:
    """The meetings of this moment, and their series, count again."""
    services.unsuppress(request.user, now=timezone.now())
    return Status(204, None)


def _forwards(user: User, record: ForwardsRecord) -> dict[str, Any]:
    return {**record, "warnings": doubts_of_forwards(user, record) or None}


def _automation(user: User, record: AutomationRecord) -> dict[str, Any]:
    return {**record, "warnings": doubts_of_rules(user, record) or None}
