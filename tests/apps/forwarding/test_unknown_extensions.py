"""Calls sent to an extension that nobody has: taken, for it may be a group, and said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from bluetel.accounts.models import User
from forwarding.models import Automation, Line
from tests.apps.house import House

NOBODY_S = "1999"
SENTENCE = "Nobody here has extension 1999."


@pytest.fixture
def browser(client: Client, house: House) -> Client:
    client.force_login(house.user("1001"))
    return client


def put(browser: Client, path: str, body: object) -> Any:
    answer = browser.put(f"/api/v1/{path}", json.dumps(body), content_type="application/json")
    assert answer.status_code == 200
    return answer.json()


def rule(number: str, *, route: str = "number") -> dict[str, str]:
    return {"route": route, "number": number}


def forward(destination: str, *, enabled: bool = True) -> dict[str, object]:
    return {"enabled": enabled, "destination": destination}


def keep_forward(house: House, destination: str) -> None:
    own = {
        "unconditional": forward(destination),
        "busy": forward("", enabled=False),
        "no_answer": forward("", enabled=False),
        "do_not_disturb": False,
    }
    Line.objects.create(user=house.user("1001"), own=own)


def test_the_api_takes_the_rule_and_warns(browser: Client) -> None:
    saved = put(browser, "automation", {"calendar": rule(NOBODY_S)})
    (warning,) = saved["warnings"]
    assert (warning["code"], warning["field"]) == ("unknown_extension", "calendar.number")
    assert warning["message"].startswith(SENTENCE)
    assert Automation.objects.get().calendar_dialed == NOBODY_S
    assert browser.get("/api/v1/automation").json() == saved


def test_the_answer_can_be_sent_back_with_its_warning(browser: Client) -> None:
    saved = put(browser, "automation", {"im": rule(NOBODY_S)})
    assert put(browser, "automation", saved) == saved


@pytest.mark.parametrize("number", ["1002", "06 39 98 41 72", "+33 1 99 00 42 17"])
def test_a_number_that_leads_somewhere_gives_no_warning(browser: Client, number: str) -> None:
    assert "warnings" not in put(browser, "automation", {"calendar": rule(number)})


def test_a_number_that_is_not_used_gives_no_warning(browser: Client) -> None:
    put(browser, "automation", {"calendar": rule(NOBODY_S)})
    assert "warnings" not in put(browser, "automation", {"calendar": {"route": "nothing"}})


def test_a_group_that_is_in_a_book_gives_no_warning(browser: Client) -> None:
    lines = [{"label": "extension", "number": NOBODY_S}]
    made = browser.post(
        "/api/v1/contacts",
        json.dumps({"name": "Switchboard", "numbers": lines, "book": "personal"}),
        content_type="application/json",
    )
    assert made.status_code == 201
    assert "warnings" not in put(browser, "automation", {"calendar": rule(NOBODY_S)})


def test_where_no_people_are_known_nobody_s_number_gives_no_warning(
    browser: Client, house: House
) -> None:
    User.objects.exclude(pk=house.user("1001").pk).delete()
    assert "warnings" not in put(browser, "automation", {"calendar": rule(NOBODY_S)})


def test_own_forwards_warn_too_wherever_they_were_set(browser: Client, house: House) -> None:
    keep_forward(house, NOBODY_S)
    (warning,) = browser.get("/api/v1/forwards").json()["warnings"]
    assert warning["field"] == "unconditional.destination"


def test_own_forwards_to_a_colleague_or_a_box_give_no_warning(
    browser: Client, house: House
) -> None:
    keep_forward(house, "*971001")
    assert "warnings" not in browser.get("/api/v1/forwards").json()


@pytest.mark.parametrize("path", ["account", "calendar"])
def test_the_page_warns_beside_the_number_of_a_rule(browser: Client, path: str) -> None:
    put(browser, "automation", {"calendar": rule(NOBODY_S), "im": rule(NOBODY_S)})
    page = browser.get(f"/settings/{path}/").content.decode()
    assert SENTENCE in page[page.index('id="number-doubt"') :]


def test_the_page_warns_beside_a_forward(browser: Client, house: House) -> None:
    keep_forward(house, NOBODY_S)
    page = browser.get("/settings/forwards/").content.decode()
    assert SENTENCE in page[page.index('id="unconditional-doubt"') :]
    assert 'id="busy-doubt"' not in page


def test_the_page_of_a_number_that_is_somebody_s_says_nothing(browser: Client) -> None:
    put(browser, "automation", {"calendar": rule("1002")})
    assert "number-doubt" not in browser.get("/settings/calendar/").content.decode()
