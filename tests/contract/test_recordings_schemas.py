"""What the real services answered fits our schemas."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError

from tests.contract.schemas import (
    FOLDER,
    SERVICES,
    check_answer,
    check_event,
    document,
    route_of,
)

RECORDINGS = FOLDER.parent / "recordings" / "wazo"


def _relevant(path: Path) -> bool:
    """Whether a recorded request is one of ours, was understood, and didn't ask for CSV."""
    record = json.loads(path.read_text())
    request, answer = record["request"], record["response"]
    if answer["status"] in (405, 500) or "csv" in request["headers"].get("Accept", ""):
        return False
    return route_of(path.parent.name, request["method"], _below(request["path"])) is not None


def _below(path: str) -> str:
    """The path without the service's version."""
    return "/" + path.split("/", 2)[2]


ANSWERS = [
    path
    for service in SERVICES
    for path in sorted((RECORDINGS / service).glob("*.json"))
    if _relevant(path)
]
SESSIONS = sorted((RECORDINGS / "wazo-websocketd").glob("*.json"))


@pytest.mark.parametrize("name", [*SERVICES, "wazo-errors", "wazo-events"])
def test_our_schemas_are_schemas(name: str) -> None:
    loaded = document(name)
    Draft202012Validator.check_schema(loaded.get("$defs", {}))
    parts = [*loaded.get("shapes", {}).values(), *loaded.get("events", {}).values()]
    for route in loaded.get("routes", {}).values():
        parts += [schema for schema in route["responses"].values() if schema]
        parts += [route["request"]] if "request" in route else []
    assert parts
    for schema in parts:
        Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_recorded_answer_fits_our_schema(path: Path) -> None:
    record = json.loads(path.read_text())
    request, answer = record["request"], record["response"]
    route = route_of(path.parent.name, request["method"], _below(request["path"]))
    assert route is not None
    content_type = {name.lower(): value for name, value in answer["headers"].items()}.get(
        "content-type", ""
    )
    check_answer(route, answer["status"], content_type, answer.get("body"))


@pytest.mark.parametrize("path", SESSIONS, ids=lambda path: path.stem)
def test_recorded_events_fit_our_schemas(path: Path) -> None:
    known = document("wazo-events")["events"]
    for frame in json.loads(path.read_text())["frames"]:
        message = frame["frame"]
        if isinstance(message, dict) and message.get("op") == "event":
            message = message["data"]
        if isinstance(message, dict) and message.get("name") in known:
            check_event(message)


def test_most_of_our_routes_were_recorded() -> None:
    """The schemas are held by real answers, not only by each other."""
    assert len(ANSWERS) > 100


@pytest.mark.parametrize("field", ["call_id", "talking_to", "status", "user_uuid"])
def test_a_renamed_field_is_noticed(field: str) -> None:
    record = json.loads((RECORDINGS / "wazo-calld" / "calls_get_200_admin.json").read_text())
    body = record["response"]["body"]
    body[f"{field}_"] = body.pop(field)
    route = route_of("wazo-calld", "GET", "/calls/1795333711.0")
    assert route is not None

    with pytest.raises(ValidationError):
        check_answer(route, 200, "application/json", body)
