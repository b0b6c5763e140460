"""Our own JSON schemas of the Wazo routes and events BlueTel uses (tests/contracts)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

FOLDER = Path(__file__).resolve().parents[1] / "contracts"
SERVICES = ("wazo-auth", "wazo-calld", "wazo-chatd", "wazo-confd", "wazo-dird", "wazo-call-logd")
Schema = Mapping[str, Any]
"""JSON Schema is open by definition."""


@cache
def document(name: str) -> Schema:
    loaded: Schema = json.loads((FOLDER / f"{name}.json").read_text())
    return loaded


@dataclass(frozen=True)
class Route:
    """One method and path of a service; braces in the path are parameters."""

    service: str
    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.service} {self.method} {self.path}"

    @property
    def schema(self) -> Schema:
        found: Schema = document(self.service)["routes"][f"{self.method} {self.path}"]
        return found

    def fits(self, path: str) -> int:
        """0 when the path is another's, else more the fewer parameters it takes to fit."""
        own, given = self.path.strip("/").split("/"), path.strip("/").split("/")
        if len(own) != len(given):
            return 0
        if not all(part == other or part[0] == "{" for part, other in zip(own, given, strict=True)):
            return 0
        return 1 + sum(part[0] != "{" for part in own)


def routes() -> Iterator[Route]:
    for service in SERVICES:
        for name in document(service)["routes"]:
            method, path = name.split(" ")
            yield Route(service, method, path)


def route_of(service: str, method: str, path: str) -> Route | None:
    """The route of ours a request's path (below the service's version) belongs to."""
    candidates = [route for route in routes() if (route.service, route.method) == (service, method)]
    best = max(candidates, key=lambda route: route.fits(path), default=None)
    return best if best and best.fits(path) else None


def check(schema: Schema, value: object, *, service: str) -> None:
    """Raise ``ValidationError`` unless the value fits; ``service`` holds the definitions."""
    definitions = document(service).get("$defs", {})
    Draft202012Validator({**schema, "$defs": definitions}).validate(value)


def check_answer(route: Route, status: int, content_type: str, body: object) -> None:
    """An answer of a route: what its status says, or an error in one of the service's shapes."""
    answers = route.schema["responses"]
    if str(status) in answers:
        if (schema := answers[str(status)]) is not None:
            check(schema, body, service=route.service)
        return
    assert status >= 400, f"{route} answers {status}, which no schema knows"
    if route.method == "HEAD":
        return
    if content_type.startswith("text/html"):
        assert status == 404
        return
    shapes = document("wazo-errors")["shapes"]
    allowed = [shapes[name] for name in document(route.service)["errors"]]
    check({"anyOf": allowed}, body, service="wazo-errors")


def check_event(message: Mapping[str, object]) -> None:
    """A bus message: its envelope, and its data by its name."""
    events = document("wazo-events")
    check(events["envelope"], message, service="wazo-events")
    check(events["events"][message["name"]], message["data"], service="wazo-events")
