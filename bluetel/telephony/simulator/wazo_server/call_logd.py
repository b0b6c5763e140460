"""wazo-call-logd: finished calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bluetel.telephony.simulator.http import (
    JsonObject,
    Request,
    Response,
    Route,
    Service,
    as_json,
)
from bluetel.telephony.simulator.legs import LogEntry
from bluetel.telephony.simulator.search import folded
from bluetel.telephony.simulator.wazo_server import errors, records
from bluetel.telephony.simulator.wazo_server.site import Site

DEFAULT_LIMIT = 1000
CHOICES = {
    "call_status": ("answered", "blocked", "voicemail", "unknown"),
    "call_direction": ("internal", "inbound", "outbound"),
}


def list_all(site: Site, request: Request) -> Response:
    """``GET /cdr``: everybody's."""
    return _listed(site, request, site.pbx.log, tags=True)


def list_of_user(site: Site, request: Request) -> Response:
    """``GET /users/{uuid}/cdr``: empty for somebody unknown."""
    person = site.pbx.find(request.params["user"].lower())
    return _listed(site, request, site.pbx.log_of(person) if person else (), tags=True)


def list_own(site: Site, request: Request) -> Response:
    """``GET /users/me/cdr``."""
    person = request.token.account.person if request.token else None
    if person is None:
        text = "Given token has no user UUID"
        return errors.detailed(site, 400, text, "token-with-user-uuid-required", {})
    return _listed(site, request, site.pbx.log_of(person), tags=False)


def _listed(site: Site, request: Request, entries: Sequence[LogEntry], *, tags: bool) -> Response:
    query = request.query
    for name, choices in CHOICES.items():
        if name in query and query[name] not in choices:
            text = f"Must be one of: {', '.join(choices)}."
            raise errors.invalid(site, {name: errors.constraint(text, "type", "enum")})
    since, until = _time(site, query, "from"), _time(site, query, "until")
    rows = [
        entry
        for entry in entries
        if (since is None or entry.started_at >= since)
        and (until is None or entry.started_at < until)
        and _fits(entry, query)
    ]
    rows.sort(key=lambda entry: entry.started_at, reverse=query.get("direction", "desc") == "desc")
    page = rows[int(query.get("offset", 0)) :]
    if limit := int(query.get("limit", DEFAULT_LIMIT)):
        page = page[:limit]
    return as_json(
        200,
        {
            "items": [records.log_entry(site, entry, tags=tags) for entry in page],
            "total": len(entries),
            "filtered": len(rows),
        },
    )


def _fits(entry: LogEntry, query: Mapping[str, str]) -> bool:
    words = (
        entry.source_name,
        entry.source_number,
        entry.destination_name,
        entry.destination_number,
    )
    return (
        query.get("call_status", entry.outcome) == entry.outcome
        and query.get("call_direction", direction := records.log_direction(entry)) == direction
        and query.get("conversation_id", entry.conversation) == entry.conversation
        and entry.id >= int(query.get("from_id", 0))
        and any(folded(query.get("search", "")) in folded(word) for word in words)
    )


def _time(site: Site, query: Mapping[str, str], name: str) -> datetime | None:
    if name not in query:
        return None
    try:
        at = datetime.fromisoformat(query[name])
    except ValueError:
        broken = errors.constraint("Not a valid datetime", "type", "datetime")
        raise errors.invalid(site, {name: broken}) from None
    return at if at.tzinfo else at.replace(tzinfo=site.zone)


def get_one(site: Site, request: Request) -> Response:
    """``GET /cdr/{id}``."""
    number = int(request.params["cdr"])
    for entry in site.pbx.log:
        if entry.id == number:
            return as_json(200, records.log_entry(site, entry))
    details: JsonObject = {"cdr_id": number}
    text, code = "No CDR found matching this ID", "cdr-not-found-with-given-id"
    return errors.detailed(site, 404, text, code, details)


def status(site: Site, request: Request) -> Response:
    """``GET /status``."""
    del site, request
    ok = {"status": "ok"}
    return as_json(200, {"bus_consumer": ok, "service_token": ok, "task_queue": ok})


SERVICE = Service(
    name="call-logd",
    prefix="/api/call-logd/1.0",
    routes=(
        Route(
            method="GET",
            path="/users/me/cdr",
            access="call-logd.users.me.cdr.read",
            handler=list_own,
        ),
        Route(
            method="GET",
            path="/users/{user:uuid}/cdr",
            access="call-logd.users.{user}.cdr.read",
            handler=list_of_user,
        ),
        Route(method="GET", path="/cdr", access="call-logd.cdr.read", handler=list_all),
        Route(
            method="GET", path="/cdr/{cdr:int}", access="call-logd.cdr.{cdr}.read", handler=get_one
        ),
        Route(method="GET", path="/status", access=None, handler=status),
    ),
    unauthorized=errors.unauthorized_detailed,
    malformed=errors.malformed_bare,
    unavailable=errors.auth_down_detailed,
)
