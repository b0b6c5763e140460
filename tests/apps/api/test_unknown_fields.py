from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from tests.apps.house import House

pytestmark = pytest.mark.django_db

EVERYONE = {"audience": "everyone", "people": [], "groups": []}


def put(house: House, path: str, body: object) -> tuple[int, dict[str, Any]]:
    answer = Client().put(
        f"/api/v1/{path}",
        data=json.dumps(body),
        content_type="application/json",
        headers={"Authorization": f"Bearer {house.token('1001')}"},
    )
    return answer.status_code, answer.json()


def get(house: House, path: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {house.token('1001')}"}
    record: dict[str, Any] = Client().get(f"/api/v1/{path}", headers=headers).json()
    return record


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("automation", {"calender": {"route": "voicemail"}}, "calender"),
        ("automation", {"calendar": {"rout": "voicemail"}}, "rout"),
        ("automation", {"im": {"route": "nothing", "until_hang_up": True}}, "until_hang_up"),
        ("forwards", {"busy": {"enabled": True, "number": "1002"}}, "number"),
        ("forwards", {"noanswer": {"enabled": False}}, "noanswer"),
        ("privacy", {"phone": EVERYONE | {"group": ["1"]}}, "group"),
        ("favourites", {"people": [], "users": []}, "users"),
        ("presence/me", {"im": "busy", "untill": None}, "untill"),
    ],
)
def test_a_field_nobody_knows_is_named_and_nothing_is_changed(
    house: House, path: str, body: dict[str, Any], name: str
) -> None:
    before = get(house, path)
    status, answer = put(house, path, body)
    assert (status, answer["error"]["code"]) == (400, "invalid_request")
    assert answer["error"]["message"] == (
        f"The field {name} can't be read: there is no field of this name."
    )
    assert get(house, path) == before


@pytest.mark.parametrize("path", ["automation", "privacy", "favourites"])
def test_what_was_given_can_be_sent_back_as_it_is(house: House, path: str) -> None:
    status, _ = put(house, path, get(house, path))
    assert status == 200


def test_a_status_can_be_sent_back_with_all_that_came_with_it(house: House) -> None:
    status, answer = put(house, "presence/me", get(house, "presence/me") | {"im": "busy"})
    assert (status, answer["im"]) == (200, "busy")


def test_of_a_very_long_name_the_beginning_is_given_back(house: House) -> None:
    _, answer = put(house, "automation", {"x" * 5000: 1})
    assert len(answer["error"]["message"]) < 200
