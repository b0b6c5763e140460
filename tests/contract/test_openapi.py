"""Our schemas against Wazo's own OpenAPI documents, where a folder beside the checkout has them.

The documents aren't part of the project (they are GPL): elsewhere these tests are skipped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import zip_longest
from operator import or_
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.schemas import Route, document, routes

DOCUMENTS = Path(__file__).resolve().parents[3] / "shared" / "contracts" / "wazo"
pytestmark = pytest.mark.skipif(
    not DOCUMENTS.is_dir(), reason="Wazo's OpenAPI documents are not beside the checkout"
)
Spec = Mapping[str, Any]


@cache
def openapi(service: str) -> Spec:
    text = (DOCUMENTS / f"{service.removeprefix('wazo-')}.yml").read_text()
    loaded: Spec = yaml.safe_load(text)
    return loaded


def _fits(ours: str, theirs: str) -> int:
    """How well two paths agree: a parameter fits anything, the same word fits best."""
    parts = list(zip_longest(ours.split("/"), theirs.split("/"), fillvalue=""))
    same = [own == other or (own[:1] == other[:1] == "{") for own, other in parts]
    loose = [own[:1] == "{" or other[:1] == "{" for own, other in parts]
    return 1 + sum(same) if all(map(or_, same, loose)) else 0


def operation(route: Route) -> Spec | None:
    """What the document says of a route; parameters may have other names."""
    method = route.method.lower()
    paths = [path for path, known in openapi(route.service)["paths"].items() if method in known]
    best = max(paths, key=lambda path: _fits(route.path, path))
    if not _fits(route.path, best):
        return None
    found: Spec = openapi(route.service)["paths"][best][method]
    return found


def followed(spec: Spec, root: Spec) -> Spec:
    """What a reference leads to."""
    while "$ref" in spec:
        found: Any = root
        for part in spec["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        spec = found
    return spec


def resolved(spec: Spec, root: Spec) -> Spec:
    """A schema with its references followed and its ``allOf`` put together."""
    spec = followed(spec, root)
    properties: dict[str, Any] = dict(spec.get("properties", {}))
    required = set(spec.get("required", ()))
    for part in spec.get("allOf", ()):
        inner = resolved(part, root)
        properties = {**inner.get("properties", {}), **properties}
        required |= set(inner.get("required", ()))
    return {**spec, "properties": properties, "required": sorted(required)}


def differences(ours: Spec, theirs: Spec, *, service: str, where: str) -> Iterator[str]:
    """Where ours says what theirs does not: unknown properties, other types, other choices."""
    ours = resolved(ours, document(service))
    theirs = resolved(theirs, openapi(service))
    if "anyOf" in ours:
        options = [
            list(differences(option, theirs, service=service, where=where))
            for option in ours["anyOf"]
            if option.get("type") != "null"
        ]
        yield from min(options, key=len)
        return
    allowed = ours.get("type", [])
    types = {allowed} if isinstance(allowed, str) else set(allowed)
    named = theirs.get("type")
    if types and named and named not in types and not {named, "number"} <= types | {"integer"}:
        yield f"{where}: type {named}, ours {sorted(types)}"
    if {"enum"} <= set(ours) & set(theirs) and not set(theirs["enum"]) <= set(ours["enum"]):
        yield f"{where}: choices {theirs['enum']}, ours {ours['enum']}"
    if theirs["properties"]:
        for name, schema in ours["properties"].items():
            if name not in theirs["properties"]:
                yield f"{where}.{name}: unknown"
                continue
            inner = theirs["properties"][name]
            yield from differences(schema, inner, service=service, where=f"{where}.{name}")
    if "items" in ours and "items" in theirs:
        yield from differences(ours["items"], theirs["items"], service=service, where=f"{where}[]")


UNDOCUMENTED = {
    # Recorded in the services' answers, though their documents don't name them.
    "wazo-auth": ("remote_addr", "user_agent", "refresh_token", "scopes", "parent_uuid"),
    "wazo-confd": ("extension", "context", "protocol", "caller_id_name", "caller_id_num"),
    "wazo-dird": (
        "user_id agent_id endpoint_id id firstname lastname email exten mobile_phone_number "
        "voicemail_number"
    ).split(),
    "wazo-call-logd": ("tenant_uuid",),
    # Read in the source: these came with 25.16 and 26.05, the documents lag behind.
    "wazo-calld": ("transcription", "voicemail"),
    "wazo-chatd": (),
}
"""Fields of ours that Wazo's documents leave out, or give another type than the services do."""

UNDOCUMENTED_QUERIES = {"wazo-confd GET /users": {"email"}}
"""Filters by a column's name are taken by confd's lists, recorded, and not in its document."""


def unexpected(found: Iterable[str], service: str) -> list[str]:
    """The differences nobody has explained."""
    known = {f"{name}:" for name in UNDOCUMENTED[service]}
    return [one for one in found if one.split(" ")[0].rpartition(".")[2] not in known]


ROUTES = [pytest.param(route, id=str(route)) for route in routes()]


@pytest.mark.parametrize("route", ROUTES)
def test_each_route_of_ours_is_documented(route: Route) -> None:
    assert operation(route) is not None


@pytest.mark.parametrize("route", ROUTES)
def test_our_answers_are_documented(route: Route) -> None:
    known = operation(route)
    assert known is not None
    found: list[str] = []
    for status, ours in route.schema["responses"].items():
        theirs = {str(key): value for key, value in known["responses"].items()}.get(status)
        assert theirs is not None, f"{status} is not documented"
        theirs = followed(theirs, openapi(route.service))
        if ours is not None and "schema" in theirs:
            found += differences(ours, theirs["schema"], service=route.service, where=status)
    assert unexpected(found, route.service) == []


@pytest.mark.parametrize("route", ROUTES)
def test_what_we_send_is_documented(route: Route) -> None:
    known = operation(route)
    assert known is not None
    root = openapi(route.service)
    parameters = [followed(one, root) for one in known.get("parameters", ())]
    queries = {one["name"] for one in parameters if one.get("in") == "query"}
    asked = set(route.schema.get("query", ())) - UNDOCUMENTED_QUERIES.get(str(route), set())
    assert asked <= queries
    if "request" not in route.schema:
        return
    (body,) = [one["schema"] for one in parameters if one.get("in") == "body"]
    theirs = resolved(body, root)
    ours = route.schema["request"]
    found = list(differences(ours, theirs, service=route.service, where="body"))
    missing = set(theirs["required"]) - set(ours["properties"])
    assert (unexpected(found, route.service), missing) == ([], set())
