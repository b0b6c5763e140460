"""``/api/v1/presence/me`` as outsiders use it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from forwarding.services import block_end
from presence import blocks
from presence.models import Claim
from tests.apps.house import House


class Program:
    """A program with a token."""

    def __init__(self, token: str) -> None:
        self.client = Client()
        self.headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str) -> Any:
        return self.client.get(f"/api/v1/{path}", headers=self.headers)

    def put(self, path: str, body: object) -> Any:
        return self.client.put(
            f"/api/v1/{path}", body, content_type="application/json", headers=self.headers
        )

    def post(self, path: str, body: object) -> Any:
        return self.client.post(
            f"/api/v1/{path}", body, content_type="application/json", headers=self.headers
        )

    def delete(self, path: str) -> Any:
        return self.client.delete(f"/api/v1/{path}", headers=self.headers)


@pytest.fixture
def camille(house: House) -> Program:
    return Program(house.token("1001"))


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_setting_a_status_answers_200_with_it(camille: Program) -> None:
    answer = camille.put("presence/me", {"im": "busy", "message": "Writing", "until": None})
    body = answer.json()
    assert answer.status_code == 200
    assert (body["im"], body["message"]) == ("busy", "Writing")
    assert (body["source"], body["until"]) == ("manual", None)
    assert camille.get("presence/me").json() == body


def test_an_end_past_what_a_calendar_has_is_refused(camille: Program) -> None:
    end = "9999-12-31T23:59:59-23:59"
    assert code(camille.put("presence/me", {"im": "busy", "until": end})) == (
        400,
        "invalid_request",
    )
    assert not Claim.objects.exists()


def test_who_has_chosen_a_status_reads_it_among_the_colleagues_at_once(
    house: House, camille: Program
) -> None:
    Program(house.token("1001")).put("presence/me", {"im": "busy", "message": "Writing"})
    people = camille.get("presence").json()["people"]
    (me,) = (one for one in people if one["name"] == "Camille Renard")
    assert (me["im"], me["message"]) == ("busy", "Writing")


def test_message_and_end_may_be_left_out(camille: Program) -> None:
    assert camille.put("presence/me", {"im": "away"}).json()["im"] == "away"


def test_a_status_may_have_an_end(camille: Program) -> None:
    ends = (timezone.now() + timedelta(hours=1)).replace(microsecond=0)
    body = camille.put("presence/me", {"im": "busy", "until": ends.isoformat()}).json()
    assert datetime.fromisoformat(body["until"]) == ends


def test_an_end_without_a_zone_is_the_users_own(house: House, camille: Program) -> None:
    user = house.user("1001")
    user.time_zone = "America/New_York"
    user.save()
    body = camille.put("presence/me", {"im": "busy", "until": "2030-01-15T12:00:00"}).json()
    assert body["until"] == "2030-01-15T17:00:00Z"


def test_null_is_automatic(camille: Program) -> None:
    camille.put("presence/me", {"im": "busy", "message": "Writing"})
    body = camille.put("presence/me", {"im": None}).json()
    assert (body["source"], body["message"]) == ("session", "")
    assert not Claim.objects.exists()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param({"im": "busy", "until": "end_of_meeting"}, "no_meeting", id="no meeting"),
        pytest.param({"im": "dnd"}, "invalid_request", id="no status"),
        pytest.param({"im": "unknown"}, "invalid_request", id="unknown"),
        pytest.param({"im": "busy", "message": "x" * 251}, "invalid_request", id="long message"),
        pytest.param({"im": "busy", "until": "soon"}, "invalid_request", id="no time"),
        pytest.param({"im": "busy", "until": "2020-01-01T00:00:00Z"}, "invalid_request", id="past"),
        pytest.param({"message": "x"}, "invalid_request", id="nothing chosen"),
    ],
)
def test_what_is_refused(camille: Program, body: object, expected: str) -> None:
    assert code(camille.put("presence/me", body)) == (400, expected)


def test_until_the_meeting_ends(camille: Program) -> None:
    ends = (timezone.now() + timedelta(minutes=20)).replace(microsecond=0)
    blocks.register(lambda user_id, now: ends)
    try:
        body = camille.put("presence/me", {"im": "away", "until": "end_of_meeting"}).json()
    finally:
        blocks.register(block_end)
    assert datetime.fromisoformat(body["until"]) == ends


def test_idle_is_said_and_taken_back(house: House, camille: Program) -> None:
    assert camille.post("presence/me/idle", {"idle": True}).status_code == 200
    claim = Claim.objects.get()
    assert (claim.source, claim.value, claim.user) == ("idle", "away", house.user("1001"))
    assert camille.post("presence/me/idle", {"idle": False}).status_code == 200
    assert not Claim.objects.exists()


def test_without_a_token_nobody_has_a_status() -> None:
    answer = Client().get("/api/v1/presence/me")
    assert answer.status_code == 401
