"""wazo-chatd: presences."""

from __future__ import annotations

from uuid import UUID

from bluetel.telephony.simulator.http import (
    HttpError,
    JsonObject,
    Request,
    Response,
    Route,
    Service,
    as_json,
    no_content,
)
from bluetel.telephony.simulator.people import Person
from bluetel.telephony.simulator.wazo_server import errors, records
from bluetel.telephony.simulator.wazo_server.site import Site
from bluetel.telephony.types import ChatState

CHOICES = {
    "available": ChatState.AVAILABLE,
    "unavailable": ChatState.BUSY,
    "invisible": ChatState.INVISIBLE,
    "away": ChatState.AWAY,
}


def _person(site: Site, request: Request) -> Person:
    user = request.params["user"]
    person = site.pbx.find(user.lower())
    if person is None:
        text = f'No such user: "{user}"'
        raise HttpError(
            errors.detailed(site, 404, text, "unknown-user", {"uuid": user}, resource="users")
        )
    return person


def list_presences(site: Site, request: Request) -> Response:
    """``GET /users/presences?user_uuid=``: unknown people are left out, ``total`` counts all."""
    wanted = request.query.get("user_uuid")
    if wanted is None:
        people = list(site.pbx.everybody())
    else:
        people = []
        for index, text in enumerate(wanted.split(",")):
            try:
                person = site.pbx.find(str(UUID(text)))
            except ValueError:
                broken = errors.constraint("Not a valid UUID.", "type", "uuid")
                raise errors.invalid(site, {"user_uuid": {str(index): broken}}) from None
            if person:
                people.append(person)
    items = [records.presence(person) for person in people]
    body = {"items": items, "filtered": len(items), "total": len(site.pbx.people)}
    return as_json(200, body)


def get_presence(site: Site, request: Request) -> Response:
    """``GET /users/{uuid}/presences``."""
    return as_json(200, records.presence(_person(site, request)))


def put_presence(site: Site, request: Request) -> Response:
    """``PUT /users/{uuid}/presences``: ``state`` is needed, ``status`` kept when not sent."""
    body = request.json()
    broken: JsonObject = {}
    state = body.get("state")
    if state is None:
        broken["state"] = errors.constraint(
            "Missing data for required field.", "required", "required"
        )
    elif state not in records.CHAT_CHOICES:
        text = f"Must be one of: {', '.join(records.CHAT_CHOICES)}."
        rule = {"choices": list(records.CHAT_CHOICES)}
        broken["state"] = [{"constraint_id": "enum", "constraint": rule, "message": text}]
    message = body.get("status")
    if message is not None and not isinstance(message, str):
        broken["status"] = errors.constraint("Not a valid string.", "type", "string")
    if broken:
        raise errors.invalid(site, broken)
    site.pbx.choose_chat(
        _person(site, request),
        CHOICES[str(state)],
        who=request.who,
        message=message if isinstance(message, str) else None,
        keep_message="status" not in body,
    )
    return no_content()


def status(site: Site, request: Request) -> Response:
    """``GET /status``: the one place that says whether presences are initialised."""
    del request
    ok = {"status": "ok"}
    ready = "fail" if "chatd" in site.faults.unavailable else "ok"
    return as_json(
        200,
        {
            "presence_initialization": {"status": ready},
            "rest_api": ok,
            "bus_consumer": ok,
            "master_tenant": ok,
        },
    )


SERVICE = Service(
    name="chatd",
    prefix="/api/chatd/1.0",
    routes=(
        Route(
            method="GET",
            path="/users/presences",
            access="chatd.users.presences.read",
            handler=list_presences,
        ),
        Route(
            method="GET",
            path="/users/{user:uuid}/presences",
            access="chatd.users.{user}.presences.read",
            handler=get_presence,
        ),
        Route(
            method="PUT",
            path="/users/{user:uuid}/presences",
            access="chatd.users.{user}.presences.update",
            handler=put_presence,
        ),
        Route(method="GET", path="/status", access=None, handler=status),
    ),
    unauthorized=errors.unauthorized_detailed,
    malformed=errors.malformed_bare,
    unavailable=errors.not_initialized,
)
