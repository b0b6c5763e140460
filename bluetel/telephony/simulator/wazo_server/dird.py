"""wazo-dird: directory look-up."""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

from bluetel.telephony.simulator.http import (
    HttpError,
    JsonObject,
    Request,
    Response,
    Route,
    Service,
    as_json,
)
from bluetel.telephony.simulator.people import OutsideEntry, Person
from bluetel.telephony.simulator.search import entry_matches, folded, matches
from bluetel.telephony.simulator.wazo_server import errors
from bluetel.telephony.simulator.wazo_server.site import PBX_UUID, TENANT, TENANT_NAME, Site

PROFILE = "default"
HEADERS = (
    "Nom",
    "Prénom",
    "Nom de famille",
    "Numéro",
    "Mobile",
    "Boîte vocale",
    "Favoris",
    "E-mail",
)
TYPES = ("name", "firstname", "lastname", "number", "number", "voicemail", "favorite", "email")
SOURCES = {
    backend: (f"auto_{backend}_{TENANT_NAME}", str(uuid5(NAMESPACE_URL, f"bluetel-demo:{backend}")))
    for backend in ("wazo", "phonebook")
}


def _check_profile(site: Site, request: Request) -> None:
    profile = request.params["profile"]
    if profile != PROFILE:
        text = f"The profile `{profile}` does not exist"
        raise HttpError(errors.reason(site, 404, text))


def headers(site: Site, request: Request) -> Response:
    """``GET /directories/lookup/{profile}/headers``: the columns."""
    _check_profile(site, request)
    body = {"column_headers": list(HEADERS), "column_types": list(TYPES)}
    return as_json(200, body)


def lookup(site: Site, request: Request) -> Response:
    """``GET /directories/lookup/{profile}[/{user}]?term=``: no paging, no least length."""
    _check_profile(site, request)
    term = request.query.get("term")
    if term is None:
        return errors.bare(400, {"term": "term is missing"})
    wanted = folded(term)
    results = [_person_row(one) for one in site.pbx.everybody() if matches(one, wanted)]
    results += [
        _outside_row(index, entry)
        for index, entry in enumerate(site.pbx.directory)
        if entry_matches(entry, wanted)
    ]
    return as_json(
        200,
        {
            "column_headers": list(HEADERS),
            "column_types": list(TYPES),
            "results": results,
            "term": term,
        },
    )


def _person_row(person: Person) -> JsonObject:
    return {
        "column_values": [
            person.name,
            person.first_name,
            person.last_name,
            person.extension or None,
            person.mobile or None,
            person.box.number if person.box else None,
            False,
            person.email or None,
        ],
        "relations": {
            "xivo_id": PBX_UUID,
            "agent_id": None,
            "user_id": person.number,
            "user_uuid": person.id,
            "endpoint_id": person.lines[0].id if person.lines else None,
            "source_entry_id": str(person.number),
        },
        "source": SOURCES["wazo"][0],
        "backend": "wazo",
    }


def _outside_row(index: int, entry: OutsideEntry) -> JsonObject:
    first, _, last = entry.name.partition(" ")
    return {
        "column_values": [
            entry.name,
            first,
            last,
            entry.number,
            entry.mobile or None,
            None,
            False,
            entry.email or None,
        ],
        "relations": {
            "xivo_id": None,
            "agent_id": None,
            "user_id": None,
            "user_uuid": None,
            "endpoint_id": None,
            "source_entry_id": _entry_id(index),
        },
        "source": SOURCES["phonebook"][0],
        "backend": "phonebook",
    }


def _entry_id(index: int) -> str:
    return str(uuid5(NAMESPACE_URL, f"bluetel-demo:phonebook:{index}"))


def list_sources(site: Site, request: Request) -> Response:
    """``GET /directories/{profile}/sources[?backend=]``."""
    _check_profile(site, request)
    only = request.query.get("backend")
    items = [
        {"backend": backend, "name": name, "tenant_uuid": TENANT, "uuid": uuid}
        for backend, (name, uuid) in SOURCES.items()
        if only in (None, backend)
    ]
    return as_json(200, {"total": len(SOURCES), "filtered": len(items), "items": items})


def list_contacts(site: Site, request: Request) -> Response:
    """``GET /backends/{backend}/sources/{uuid}/contacts``: a whole source, paged."""
    backend, query = request.params["backend"], request.query
    if SOURCES.get(backend, ("", ""))[1] != request.params["source"]:
        return errors.detailed(site, 404, "No such source", "unknown-source", {})
    term = folded(query.get("search", ""))
    rows: list[JsonObject]
    if backend == "wazo":
        total = len(site.pbx.people)
        rows = [_contact(one) for one in site.pbx.everybody() if matches(one, term)]
    else:
        total = len(site.pbx.directory)
        rows = [
            _entry(index, entry)
            for index, entry in enumerate(site.pbx.directory)
            if entry_matches(entry, term)
        ]
    page = rows[int(query.get("offset", 0)) :]
    if (limit := int(query.get("limit", 0))) > 0:
        page = page[:limit]
    return as_json(200, {"total": total, "filtered": len(rows), "items": page})


def _contact(person: Person) -> JsonObject:
    return {
        "id": person.number,
        "uuid": person.id,
        "firstname": person.first_name,
        "lastname": person.last_name,
        "email": person.email or None,
        "exten": person.extension or None,
        "mobile_phone_number": person.mobile or None,
        "voicemail_number": person.box.number if person.box else None,
    }


def _entry(index: int, entry: OutsideEntry) -> JsonObject:
    first, _, last = entry.name.partition(" ")
    record: JsonObject = {
        "id": _entry_id(index),
        "firstname": first,
        "lastname": last,
        "number": entry.number,
    }
    extra = {"mobile": entry.mobile, "email": entry.email, "company": entry.company}
    return record | {name: value for name, value in extra.items() if value}


def status(site: Site, request: Request) -> Response:
    """``GET /status``."""
    del site, request
    ok = {"status": "ok"}
    return as_json(200, {"bus_consumer": ok, "rest_api": ok, "service_token": ok})


LOOKUP = "/directories/lookup/{profile}"
LOOKUP_RIGHT = "dird.directories.lookup.{profile}"

SERVICE = Service(
    name="dird",
    prefix="/api/dird/0.1",
    routes=(
        Route(method="GET", path=LOOKUP, access=f"{LOOKUP_RIGHT}.read", handler=lookup),
        Route(
            method="GET",
            path=f"{LOOKUP}/headers",
            access=f"{LOOKUP_RIGHT}.headers.read",
            handler=headers,
        ),
        Route(
            method="GET",
            path=f"{LOOKUP}/{{user:uuid}}",
            access=f"{LOOKUP_RIGHT}.{{user}}.read",
            handler=lookup,
        ),
        Route(
            method="GET",
            path="/directories/{profile}/sources",
            access="dird.directories.{profile}.sources.read",
            handler=list_sources,
        ),
        Route(
            method="GET",
            path="/backends/{backend}/sources/{source:uuid}/contacts",
            access="dird.backends.{backend}.sources.{source}.contacts.read",
            handler=list_contacts,
        ),
        Route(method="GET", path="/status", access=None, handler=status),
    ),
    unauthorized=errors.unauthorized_reason,
    malformed=errors.malformed_bare,
    unavailable=errors.down_reason,
)
