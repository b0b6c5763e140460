"""The simulated XUC says nothing in another shape than the documents have."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bluetel.telephony.simulator.scenario import build, start_of_tests
from bluetel.telephony.simulator.xivo_server import records
from bluetel.telephony.simulator.xivo_server.serve import build_application
from bluetel.telephony.simulator.xivo_server.site import XucSite
from bluetel.telephony.types import ForwardKind
from tests.contract.shared import shared_contract

NOW: datetime = start_of_tests()
OURS = json.loads((Path(__file__).parents[2] / "contracts" / "xivo-events.json").read_text())
EXTRA = {"email", "otherDName"}
"""Columns are the administrator's own; the name's field is documented without an example."""


@pytest.fixture
def site() -> XucSite:
    pbx = build(now=NOW)
    return build_application(pbx).site


def said(site: XucSite) -> list[dict[str, Any]]:
    """One message of each kind, as the simulated XUC puts it."""
    pbx = site.pbx
    camille = pbx.lines["1001"][0]
    call = pbx.place_call(camille, "1002")
    people = records.found_people("10", site)
    messages = [
        records.user_config(camille),
        records.user_config(camille, only=ForwardKind.BUSY),
        records.phone_status(camille, site),
        records.counters(camille),
        records.line_config(camille),
        records.message("PhoneEvent", records.phone_event(call, site)),
        records.current_calls(camille, site),
        records.table("DirectoryResult", people, site, login="demo1"),
        records.sheets("ContactSheet", people, site, login="demo1"),
        records.history(camille, site, size=5, days=None),
    ]
    return [dict(message) for message in messages]


def paths(value: object, path: str = "") -> Iterator[str]:
    """The fields of a message, however deep; a list's items are one."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            here = f"{path}.{name}"
            yield here
            if name != "userData":
                yield from paths(inner, here)
    elif isinstance(value, list):
        for item in value:
            yield from paths(item, f"{path}[]")


def unknown_fields(message: dict[str, Any], examples: list[dict[str, Any]]) -> set[str]:
    known = {path for example in examples for path in paths(example)}
    return {
        path for path in paths(message) if path not in known and path.split(".")[-1] not in EXTRA
    }


def test_its_types_are_those_of_our_examples(site: XucSite) -> None:
    named = {one["message"].get("msgType") for one in OURS}

    assert {message["msgType"] for message in said(site)} <= named


def test_its_fields_are_those_of_the_contract(site: XucSite) -> None:
    contract = shared_contract("xivo/xuc.json")
    examples: dict[str, list[dict[str, Any]]] = {}
    for event in contract["websocket"]["events"]:
        found = [value for key, value in event.items() if key.startswith("example")]
        found += list(event.get("examples", {}).values())
        wholes = [
            one if "msgType" in one else _with_entry(event["name"], one) for one in found if one
        ]
        examples[event["name"]] = wholes

    for message in said(site):
        assert unknown_fields(message, examples[message["msgType"]]) == set(), message["msgType"]


def _with_entry(name: str, entry: dict[str, Any]) -> dict[str, Any]:
    """A message around the example of one entry."""
    return {"msgType": name, "ctiMessage": {"entries": [entry], "headers": []}}
