"""wazo-confd: users, lines, forwards, services, boxes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
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
from bluetel.telephony.simulator.search import folded, matches
from bluetel.telephony.simulator.wazo_server import errors, records, voicemail_records
from bluetel.telephony.simulator.wazo_server.site import CONTEXT, PBX_UUID, VERSION, Site
from bluetel.telephony.types import Forward

MISSING = "Missing data for required field."
ORDERS: dict[str, Callable[[Person], str]] = {
    "id": lambda person: f"{person.number:09}",
    "uuid": lambda person: person.id,
    "firstname": lambda person: person.first_name,
    "lastname": lambda person: person.last_name,
    "email": lambda person: person.email,
    "mobile_phone_number": lambda person: person.mobile,
}


def _input_error(field: str, text: str) -> HttpError:
    return HttpError(errors.listed(400, f"Input Error - {field}: {[text]}"))


def _person(site: Site, request: Request) -> Person:
    user = request.params["user"]
    person = site.pbx.find(user.lower())
    if person is None:
        text = f"Resource Not Found - User was not found ('id': {UUID(user)!r})"
        raise HttpError(errors.listed(404, text))
    return person


def infos(site: Site, request: Request) -> Response:
    """``GET /infos``: which PBX this is."""
    del site, request
    return as_json(200, {"uuid": PBX_UUID, "wazo_version": VERSION})


# --- Users --------------------------------------------------------------------------------------


def list_users(site: Site, request: Request) -> Response:
    """``GET /users``: by ``email``, ``uuid``, ``exten``, ``username`` or ``search``, paged."""
    query = request.query
    people = _filtered(site, query)
    order = query.get("order", "id")
    if order not in ORDERS:
        raise HttpError(errors.listed(400, f"Input Error - order: column '{order}' was not found"))
    view = query.get("view", "")
    if view not in VIEWS:
        raise HttpError(errors.listed(400, f"Input Error - view '{view}' does not exist"))
    if order != "id":
        people.sort(key=ORDERS[order])
    if query.get("direction") == "desc":
        people.reverse()
    page = people[int(query.get("offset", 0)) :]
    if (limit := int(query.get("limit", 0))) > 0:
        page = page[:limit]
    items = [VIEWS[view](person) for person in page]
    return as_json(200, {"total": len(people), "items": items})


def _filtered(site: Site, query: Mapping[str, str]) -> list[Person]:
    people = list(site.pbx.everybody())
    if email := query.get("email"):
        people = [person for person in people if person.email == email]
    if username := query.get("username"):
        people = [person for person in people if person.login == username]
    if uuids := query.get("uuid"):
        people = [person for person in map(site.pbx.find, uuids.split(",")) if person]
    if extens := query.get("exten"):
        people = [person for person in map(site.pbx.by_extension, extens.split(",")) if person]
    if term := query.get("search"):
        people = [person for person in people if matches(person, folded(term))]
    return people


def _summary(person: Person) -> JsonObject:
    return {
        "id": person.number,
        "uuid": person.id,
        "firstname": person.first_name,
        "lastname": person.last_name or None,
        "email": person.email or None,
        "extension": person.extension or None,
        "context": CONTEXT if person.lines else None,
        "provisioning_code": None,
        "protocol": "sip" if person.lines else None,
        "enabled": person.enabled,
        "subscription_type": 0,
        "is_webrtc": False if person.lines else None,
    }


def _directory(person: Person) -> JsonObject:
    return {
        "id": person.number,
        "uuid": person.id,
        "line_id": person.lines[0].id if person.lines else None,
        "agent_id": None,
        "firstname": person.first_name,
        "lastname": person.last_name,
        "email": person.email or None,
        "exten": person.extension or None,
        "mobile_phone_number": person.mobile or None,
        "voicemail_number": person.box.number if person.box else None,
        "userfield": None,
        "description": None,
        "context": CONTEXT if person.lines else None,
    }


VIEWS: dict[str, Callable[[Person], JsonObject]] = {
    "": records.user,
    "summary": _summary,
    "directory": _directory,
}


def get_user(site: Site, request: Request) -> Response:
    """``GET /users/{uuid}``."""
    return as_json(200, records.user(_person(site, request)))


def put_user(site: Site, request: Request) -> Response:
    """``PUT /users/{uuid}``: changes what is sent; unknown fields are ignored."""
    person, body = _person(site, request), request.json()
    names = {
        "firstname": "first_name",
        "lastname": "last_name",
        "email": "email",
        "mobile_phone_number": "mobile",
        "timezone": "time_zone",
        "language": "language",
    }
    given: dict[str, str] = {}
    for field, name in names.items():
        if field not in body:
            continue
        value = body[field]
        if value is not None and not isinstance(value, str):
            raise _input_error(field, "Not a valid string.")
        given[name] = value or ""
    if given.get("email") and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", given["email"]):
        raise _input_error("email", "Not a valid email address.")
    site.pbx.edit_person(person, who=request.who, **given)
    return no_content()


# --- Forwards and services ----------------------------------------------------------------------


def get_forwards(site: Site, request: Request) -> Response:
    """``GET /users/{uuid}/forwards``."""
    return as_json(200, records.forwards(_person(site, request)))


def put_forwards(site: Site, request: Request) -> Response:
    """``PUT /users/{uuid}/forwards``: merges, and sends all three events each time."""
    person, body = _person(site, request), request.json()
    merged = {
        name: _merged(person.forwards[kind], body.get(name, {}))
        for name, kind in records.FORWARDS.items()
    }
    for name, forward in merged.items():
        site.pbx.set_forward(person, records.FORWARDS[name], forward, who=request.who)
    return no_content()


def get_forward(site: Site, request: Request) -> Response:
    """``GET /users/{uuid}/forwards/{name}``."""
    person = _person(site, request)
    kind = records.FORWARDS[request.path.rsplit("/", 1)[1]]
    return as_json(200, records.forward(person.forwards[kind]))


def put_forward(site: Site, request: Request) -> Response:
    """``PUT /users/{uuid}/forwards/{name}``: both fields are optional."""
    person = _person(site, request)
    kind = records.FORWARDS[request.path.rsplit("/", 1)[1]]
    forward = _merged(person.forwards[kind], request.json())
    site.pbx.set_forward(person, kind, forward, who=request.who)
    return no_content()


def _merged(before: Forward, body: object) -> Forward:
    if not isinstance(body, dict):
        raise _input_error("_schema", "Invalid input type.")
    enabled = body.get("enabled", before.enabled)
    destination = body.get("destination", before.destination)
    if not isinstance(enabled, bool):
        raise _input_error("enabled", "Not a valid boolean.")
    if destination is not None and not isinstance(destination, str):
        raise _input_error("destination", "Not a valid string.")
    if enabled and not destination:
        text = "Resource Error - Forward must be disabled to remove destination"
        raise HttpError(errors.listed(400, text))
    return Forward(enabled=enabled, destination=destination or "")


def get_services(site: Site, request: Request) -> Response:
    """``GET /users/{uuid}/services``."""
    return as_json(200, records.services(_person(site, request)))


def get_dnd(site: Site, request: Request) -> Response:
    """``GET /users/{uuid}/services/dnd``."""
    return as_json(200, {"enabled": _person(site, request).do_not_disturb})


def put_dnd(site: Site, request: Request) -> Response:
    """``PUT /users/{uuid}/services/dnd``: a strict boolean."""
    body = request.json()
    if "enabled" not in body:
        raise _input_error("enabled", MISSING)
    enabled = body["enabled"]
    if not isinstance(enabled, bool):
        raise _input_error("enabled", "Not a valid boolean.")
    site.pbx.set_do_not_disturb(_person(site, request), enabled=enabled, who=request.who)
    return no_content()


# --- Boxes and lines ----------------------------------------------------------------------------


def list_user_voicemails(site: Site, request: Request) -> Response:
    """``GET /users/{uuid}/voicemails``: one or none."""
    person = _person(site, request)
    items = [voicemail_records.voicemail(person, person.box)] if person.box else []
    return as_json(200, {"total": len(items), "items": items})


def get_voicemail(site: Site, request: Request) -> Response:
    """``GET /voicemails/{id}``."""
    number = int(request.params["voicemail"])
    for box in site.pbx.boxes.values():
        if box.id == number:
            return as_json(200, voicemail_records.voicemail(site.pbx.people[box.owner], box))
    return errors.listed(404, f"Resource Not Found - Voicemail was not found ('id': {number})")


def list_lines(site: Site, request: Request) -> Response:
    """``GET /lines``, paged."""
    rows = sorted(site.pbx.lines.values(), key=lambda row: row[1].id)
    page = rows[int(request.query.get("offset", 0)) :]
    if (limit := int(request.query.get("limit", 0))) > 0:
        page = page[:limit]
    items = [records.line(person, line) for person, line in page]
    return as_json(200, {"total": len(rows), "items": items})


def get_line(site: Site, request: Request) -> Response:
    """``GET /lines/{id}``."""
    number = int(request.params["line"])
    for person, line in site.pbx.lines.values():
        if line.id == number:
            return as_json(200, records.line(person, line))
    return errors.listed(404, f"Resource Not Found - Line was not found ('id': {number})")


def status(site: Site, request: Request) -> Response:
    """``GET /status``."""
    del site, request
    ok = {"status": "ok"}
    return as_json(
        200, {"master_tenant": ok, "service_token": ok, "bus_consumer": ok, "rest_api": ok}
    )


USER = "/users/{user:uuid}"
RIGHT = "confd.users.{user}"

SERVICE = Service(
    name="confd",
    prefix="/api/confd/1.1",
    routes=(
        Route(method="GET", path="/infos", access="confd.infos.read", handler=infos),
        Route(method="GET", path="/users", access="confd.users.read", handler=list_users),
        Route(method="GET", path=USER, access=f"{RIGHT}.read", handler=get_user),
        Route(method="PUT", path=USER, access=f"{RIGHT}.update", handler=put_user),
        Route(
            method="GET",
            path=f"{USER}/forwards",
            access=f"{RIGHT}.forwards.read",
            handler=get_forwards,
        ),
        Route(
            method="PUT",
            path=f"{USER}/forwards",
            access=f"{RIGHT}.forwards.update",
            handler=put_forwards,
        ),
        *(
            Route(
                method=method,
                path=f"{USER}/forwards/{name}",
                access=f"{RIGHT}.forwards.{name}.{verb}",
                handler=handler,
            )
            for name in records.FORWARDS
            for method, verb, handler in (
                ("GET", "read", get_forward),
                ("PUT", "update", put_forward),
            )
        ),
        Route(
            method="GET",
            path=f"{USER}/services",
            access=f"{RIGHT}.services.read",
            handler=get_services,
        ),
        Route(
            method="GET",
            path=f"{USER}/services/dnd",
            access=f"{RIGHT}.services.dnd.read",
            handler=get_dnd,
        ),
        Route(
            method="PUT",
            path=f"{USER}/services/dnd",
            access=f"{RIGHT}.services.dnd.update",
            handler=put_dnd,
        ),
        Route(
            method="GET",
            path=f"{USER}/voicemails",
            access=f"{RIGHT}.voicemails.read",
            handler=list_user_voicemails,
        ),
        Route(
            method="GET",
            path="/voicemails/{voicemail:int}",
            access="confd.voicemails.{voicemail}.read",
            handler=get_voicemail,
        ),
        Route(method="GET", path="/lines", access="confd.lines.read", handler=list_lines),
        Route(
            method="GET",
            path="/lines/{line:int}",
            access="confd.lines.{line}.read",
            handler=get_line,
        ),
        Route(method="GET", path="/status", access=None, handler=status),
    ),
    unauthorized=errors.unauthorized_listed,
    malformed=errors.malformed_listed,
    unavailable=errors.down_listed,
)
