"""``/api/v1/presence/me``: the caller's own chat status."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from django.utils import timezone
from ninja import Field, Router, Schema
from pydantic import StrictBool

from bluetel.accounts.http import SignedInRequest
from bluetel.api.changes import Change
from bluetel.api.moments import WrittenTime, of_user
from bluetel.api.schemas import Person
from presence import selectors, services

router = Router()


class Status(Person):
    """The caller's status, why it holds, and until when this reason does."""

    source: Literal["manual", "calendar", "idle", "session"]
    until: str | None


class NewStatus(Change):
    """A status to choose; ``im`` null gives automatic."""

    of = Status

    im: str | None = Field(description="available, busy, away, offline; null for automatic")
    message: str = Field("", description="250 characters at most")
    until: WrittenTime | Literal["end_of_meeting"] | None = Field(
        None, description="ISO 8601; without a zone it is the user's own; null for no end"
    )


class Idle(Schema):
    """Whether the caller has left his keyboard."""

    idle: StrictBool


@router.get("/presence/me", response=Status, tags=["presence"], summary="What is my status")
def my_status(request: SignedInRequest) -> object:
    """The status colleagues see, if they may."""
    return selectors.my_status(request.user, now=timezone.now())


@router.put("/presence/me", response=Status, tags=["presence"], summary="Set my status")
def set_status(request: SignedInRequest, body: NewStatus) -> object:
    """Choose a status by hand, or be automatic; ``no_meeting`` outside a meeting."""
    now = timezone.now()
    if body.im is None:
        services.be_automatic(request.user.pk)
    else:
        until = body.until
        if isinstance(until, datetime):
            until = of_user(until, request.user)
        services.choose_status(request.user.pk, body.im, message=body.message, until=until, now=now)
    return selectors.my_status(request.user, now=now)


@router.post("/presence/me/idle", response=Status, tags=["presence"], summary="I am idle, or back")
def set_idle(request: SignedInRequest, body: Idle) -> object:
    """Said by a page; it counts while its user has one open."""
    now = timezone.now()
    services.set_idle(request.user.pk, idle=body.idle, now=now)
    return selectors.my_status(request.user, now=now)
