"""``/api/v1/calls`` as outsiders use it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from bluetel.calls.models import Call
from bluetel.telephony.errors import PbxUnavailable
from tests.apps.house import House


class Program:
    """A program with a token."""

    def __init__(self, token: str) -> None:
        self.client = Client()
        self.headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str) -> Any:
        return self.client.get(f"/api/v1/{path}", headers=self.headers)

    def delete(self, path: str) -> Any:
        return self.client.delete(f"/api/v1/{path}", headers=self.headers)

    def post(self, path: str, body: object = None, **headers: str) -> Any:
        return self.client.post(
            f"/api/v1/{path}",
            body or {},
            content_type="application/json",
            headers={**self.headers, **headers},
        )


@pytest.fixture
def camille(house: House) -> Program:
    return Program(house.token("1001"))


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_placing_a_call_answers_202_with_the_call(house: House, camille: Program) -> None:
    answer = camille.post("calls", {"number": "01 99 00 42 17"})
    body = answer.json()
    assert answer.status_code == 202
    assert body["state"] == "ringing_self"
    assert body["number"] == "01 99 00 42 17"
    assert body["dialed"] == "0199004217"
    assert body["shown"].replace("\xa0", " ") == "01 99 00 42 17"
    assert isinstance(body["id"], str)
    assert camille.get("calls").json()["calls"] == [body]
    assert camille.get(f"calls/{body['id']}").json() == body


def test_a_phone_that_is_not_the_callers_is_said_to_be_none_of_his(camille: Program) -> None:
    answer = camille.post("calls", {"number": "1002", "device": "kitchen"})
    assert code(answer) == (409, "no_line")
    assert "phone of this name" in answer.json()["error"]["message"]
    assert not Call.objects.exists()


def test_the_same_key_gives_the_same_call(house: House, camille: Program) -> None:
    header = {"Idempotency-Key": "one"}
    first = camille.post("calls", {"number": "1002"}, **header).json()
    assert camille.post("calls", {"number": "1002"}, **header).json()["id"] == first["id"]
    assert code(camille.post("calls", {"number": "1003"}, **header)) == (409, "key_reused")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"number": ""}, (400, "invalid_number")),
        ({"number": "abc"}, (400, "invalid_number")),
        ({}, (400, "invalid_number")),
        ({"number": 1002}, (400, "invalid_number")),
        ({"number": None}, (400, "invalid_number")),
        ({"number": "1099"}, (400, "invalid_number")),
        ({"number": "0899700123"}, (403, "number_refused")),
        ({"number": "*98"}, (403, "number_refused")),
        ({"number": "1001"}, (403, "number_refused")),
    ],
)
def test_bad_numbers_are_refused_by_code(
    house: House, camille: Program, body: dict[str, object], expected: tuple[int, str]
) -> None:
    assert code(camille.post("calls", body)) == expected
    assert not house.has_call("1001")


def test_what_is_said_of_a_number_turns_no_text_around(house: House, camille: Program) -> None:
    answer = camille.post("calls", {"number": "\u202e1099"})
    assert code(answer) == (400, "invalid_number")
    assert "\u202e" not in answer.json()["error"]["message"]


def test_an_address_that_is_none_and_a_wrong_method_are_told_like_any_error(
    house: House, camille: Program
) -> None:
    assert code(camille.get("nothing")) == (404, "not_found")
    assert code(camille.get("calls/1/hold")) == (405, "method_not_allowed")
    assert camille.get("calls/1/hold")["Allow"] == "POST"


def test_a_device_that_cannot_be_written_down_is_none_of_the_users(
    house: House, camille: Program
) -> None:
    answer = camille.post("calls", {"number": "1002", "device": "\0\ud800desk"})
    assert code(answer) == (409, "no_line")


def test_what_can_be_read_can_be_asked_for_without_its_body(house: House, camille: Program) -> None:
    read = camille.get("me")
    head = camille.client.head("/api/v1/me", headers=camille.headers)
    assert (head.status_code, head.content) == (200, b"")
    assert head["Content-Type"] == read["Content-Type"]
    refused = camille.client.head("/api/v1/calls/1/hold", headers=camille.headers)
    assert refused.status_code == 405
    assert Client().head("/api/v1/me").status_code == 401


def test_a_body_that_is_no_json_is_refused(house: House, camille: Program) -> None:
    answer = camille.client.post(
        "/api/v1/calls", "{", content_type="application/json", headers=camille.headers
    )
    assert code(answer) == (400, "invalid_request")


def test_an_unplugged_phone_is_409(house: House) -> None:
    maud = Program(house.token("1008"))
    assert code(maud.post("calls", {"number": "1002"})) == (409, "phone_unreachable")


def test_nobody_without_a_line_can_call(house: House, camille: Program) -> None:
    user = house.user("1001")
    user.pbx = None
    user.save()
    assert code(camille.post("calls", {"number": "1002"})) == (409, "no_line")


def test_too_many_calls_are_429_with_the_time_to_wait(
    house: House, camille: Program, settings: Settings
) -> None:
    settings.CALLS_PER_MINUTE = 1
    call = camille.post("calls", {"number": "1002"}).json()
    camille.delete(f"calls/{call['id']}")
    answer = camille.post("calls", {"number": "1003"})
    assert code(answer) == (429, "too_many_calls")
    assert 0 < int(answer["Retry-After"]) <= 60


def test_a_pbx_that_is_down_is_503(house: House, camille: Program) -> None:
    house.backend.fail(PbxUnavailable("down"))
    assert code(camille.post("calls", {"number": "1002"})) == (503, "pbx_unavailable")


def test_hanging_up_is_204_and_twice_as_well(house: House, camille: Program) -> None:
    call = camille.post("calls", {"number": "1002"}).json()
    assert camille.delete(f"calls/{call['id']}").status_code == 204
    assert camille.delete(f"calls/{call['id']}").status_code == 204
    ended = camille.get(f"calls/{call['id']}").json()
    assert (ended["state"], ended["end_reason"]) == ("ended", "cancelled")


def test_a_talk_is_steered(house: House, camille: Program) -> None:
    call = camille.post("calls", {"number": "1002"}).json()
    house.answer("1001")
    house.answer("1002")
    house.hear()
    path = f"calls/{call['id']}"
    for action in ("hold", "resume", "mute", "unmute"):
        assert camille.post(f"{path}/{action}").status_code == 204, action
    assert camille.post(f"{path}/dtmf", {"digits": "12#"}).status_code == 204
    assert code(camille.post(f"{path}/dtmf", {"digits": "12a"})) == (400, "invalid_digits")
    body = {"number": "1003", "kind": "blind"}
    assert camille.post(f"{path}/transfer", body).status_code == 204
    assert house.is_ringing("1003")


def test_what_a_phone_cannot_do_is_409_not_supported(house: House) -> None:
    tom = Program(house.token("1004"))
    call = tom.post("calls", {"number": "1002"}).json()
    house.answer("1004")
    house.answer("1002")
    house.hear()
    assert code(tom.post(f"calls/{call['id']}/hold")) == (409, "not_supported")


@pytest.mark.parametrize("path", ["calls/1", "calls/nonsense", "calls/99999999999999999999"])
def test_a_call_that_is_not_there_is_404(house: House, camille: Program, path: str) -> None:
    assert code(camille.get(path)) == (404, "not_found")


def test_somebody_elses_call_is_404_and_stays_alive(house: House, camille: Program) -> None:
    call = camille.post("calls", {"number": "1002"}).json()
    oskar = Program(house.token("1003"))
    assert code(oskar.get(f"calls/{call['id']}")) == (404, "not_found")
    assert code(oskar.delete(f"calls/{call['id']}")) == (404, "not_found")
    assert oskar.get("calls").json() == {"calls": []}
    assert house.is_ringing("1001")


def test_without_a_key_nobody_comes_in(house: House) -> None:
    assert code(Program("wrong").get("calls")) == (401, "not_signed_in")
    assert code(Client().get("/api/v1/me")) == (401, "not_signed_in")


def test_neither_does_who_would_change_something(house: House) -> None:
    nobody = Client(enforce_csrf_checks=True).post("/api/v1/calls", {})
    for answer in (nobody, Program("wrong").post("calls", {"number": "1002"})):
        assert code(answer) == (401, "not_signed_in")
        assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Bearer wrong", "bearer wrong", "Bearer ", "Bearer"])
def test_a_wrong_token_is_not_made_up_for_by_a_cookie(house: House, header: str) -> None:
    browser = house.browser("1001")
    answer = browser.get("/api/v1/me", headers={"Authorization": header})
    assert code(answer) == (401, "not_signed_in")


def test_a_key_that_is_too_long_is_refused_rather_than_cut(house: House, camille: Program) -> None:
    key = {"Idempotency-Key": "k" * 201}
    assert code(camille.post("calls", {"number": "1002"}, **key)) == (400, "invalid_request")
    assert not house.is_ringing("1001")


def test_a_disabled_user_s_token_is_worth_nothing(house: House, camille: Program) -> None:
    user = house.user("1001")
    user.is_active = False
    user.save()
    assert code(camille.get("me")) == (401, "not_signed_in")


def test_a_foreign_page_cannot_make_a_signed_in_browser_call(house: House) -> None:
    browser = house.browser("1001")
    answer = browser.post("/api/v1/calls", {"number": "1002"}, content_type="application/json")
    assert code(answer) == (403, "csrf_failed")
    assert not Call.objects.exists()


def test_a_page_with_its_csrf_token_calls(house: House) -> None:
    browser = house.browser("1001")
    browser.get("/")
    answer = browser.post(
        "/api/v1/calls",
        {"number": "1002"},
        content_type="application/json",
        headers={"X-CSRFToken": browser.cookies["csrftoken"].value},
    )
    assert answer.status_code == 202


@pytest.mark.parametrize("method", ["get", "head"])
def test_reading_never_dials(house: House, camille: Program, method: str) -> None:
    getattr(camille.client, method)("/api/v1/calls?number=1002", headers=camille.headers)
    assert not house.has_call("1001")


def test_errors_are_in_the_users_language(house: House, camille: Program) -> None:
    user = house.user("1001")
    user.language = "fr"
    user.save()
    message = camille.post("calls", {"number": "abc"}).json()["error"]["message"]
    assert "Rien n’a été composé." in message


def test_me_says_who_one_is(house: House, camille: Program) -> None:
    me = camille.get("me").json()
    assert me["display_name"] == "Camille Renard"
    assert (me["extension"], me["pbx"]) == ("1001", "house")
    assert {"hold", "transfer", "dtmf", "directory"} <= set(me["capabilities"])


def test_presence_lists_the_colleagues(house: House, camille: Program) -> None:
    answer = camille.get("presence").json()
    names = {person["name"] for person in answer["people"]}
    assert "Nadia Belkacem" in names
    assert isinstance(answer["revision"], int)


def test_the_description_gives_each_operation_an_id_of_its_own(house: House) -> None:
    paths = Client().get("/api/v1/openapi.json").json()["paths"]
    ids = [one["operationId"] for methods in paths.values() for one in methods.values()]
    assert len(ids) == len(set(ids))


def test_the_description_names_every_route(house: House) -> None:
    paths = Client().get("/api/v1/openapi.json").json()["paths"]
    wanted = ("calls", "calls/{call_id}", "calls/{call_id}/transfer/complete", "me", "search")
    assert {f"/api/v1/{path}" for path in wanted} <= set(paths)
