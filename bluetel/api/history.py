"""``/api/v1/history``: the user's finished calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from django.utils import timezone
from ninja import Query, Router, Schema

from bluetel.accounts.http import SignedInRequest
from bluetel.api import schemas
from bluetel.api.moments import moment
from dialer.selectors import call_log

if TYPE_CHECKING:
    from dialer.selectors import CallLogPage

router = Router(tags=["calls"])

MOST_ROWS = 200
PATIENCE = 8.0


class LoggedRouting(Schema):
    """The decision by which a call was diverted."""

    route: str
    destination: str | None
    source: str
    reason: str


class LoggedCall(Schema):
    """A finished call; ``duration`` in seconds of talk."""

    id: str
    direction: Literal["outgoing", "incoming"]
    missed: bool
    number: str
    name: str
    contact_id: str | None
    started_at: str
    duration: int
    routing: LoggedRouting | None


class History(Schema):
    """Newest first; ``next`` is the ``before`` of the following page."""

    calls: list[LoggedCall]
    next: str | None


@router.get(
    "",
    response={
        200: History,
        **dict.fromkeys((400, 409, 503), schemas.Error),
    },
    summary="The call log",
)
def history(
    request: SignedInRequest,
    limit: Annotated[int, Query(ge=1)] = 50,
    before: str = "",
    missed: bool = False,  # noqa: FBT001, FBT002 — a parameter of the address
) -> CallLogPage:
    """At most 200 rows at once; ``missed`` leaves only calls that nobody picked up.

    ``before`` is a time (ISO 8601).
    """
    return call_log(
        request.user,
        limit=min(limit, MOST_ROWS),
        before=moment(before, request.user) if before else None,
        missed=missed,
        now=timezone.now(),
        patience=PATIENCE,
    )
