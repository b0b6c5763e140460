"""Forwards and rules of users on a XiVO, with and without a login of their own."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from bluetel.telephony.types import Forward, ForwardKind
from tests.apps.xivo.conftest import XivoSite

JSON = "application/json"
ROUTE = {"calendar": {"route": "number", "number": "1003"}}


def put(browser: Client, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    answer = browser.put(f"/api/v1/{path}", body, content_type=JSON)
    return answer.status_code, answer.json()


def test_without_a_login_forwards_can_not_be_read(site: XivoSite) -> None:
    answer = site.browser("1001").get("/api/v1/forwards")

    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "not_supported"


def test_without_a_login_settings_are_sent_and_not_confirmed(site: XivoSite) -> None:
    browser = site.browser("1001")
    status, told = put(
        browser,
        "forwards",
        {"do_not_disturb": True, "unconditional": {"enabled": True, "destination": "1003"}},
    )

    assert status == 200
    assert told["do_not_disturb"]
    camille = site.xuc.do(lambda pbx: pbx.lines["1001"][0])
    assert camille.do_not_disturb
    assert camille.forwards[ForwardKind.UNCONDITIONAL] == Forward(enabled=True, destination="1003")


def test_what_rest_does_not_take_is_not_supported(site: XivoSite) -> None:
    status, told = put(
        site.browser("1001"), "forwards", {"busy": {"enabled": True, "destination": "1003"}}
    )

    assert (status, told["error"]["code"]) == (409, "not_supported")


@pytest.mark.parametrize("works", [None, False, True], ids=["untried", "refused", "works"])
def test_rules_are_for_those_whose_login_works(site: XivoSite, works: bool | None) -> None:
    site.give_login("1001", works=works)
    status, told = put(site.browser("1001"), "automation", ROUTE)

    if works:
        assert (status, told["calendar"]["route"]) == (200, "number")
    else:
        assert (status, told["error"]["code"]) == (409, "not_supported")


def test_a_rule_for_the_status_alone_needs_no_login(site: XivoSite) -> None:
    status, told = put(
        site.browser("1001"), "automation", {"calendar": {"set_im_busy": True, "route": "nothing"}}
    )

    assert (status, told["calendar"]["set_im_busy"]) == (200, True)


def test_the_page_offers_no_route_without_a_login_and_says_why(site: XivoSite) -> None:
    text = site.browser("1001").get("/settings/calendar/").content.decode()

    assert 'id="route-voicemail"' not in text
    assert "Without your login on the phone system" in text


def test_the_page_offers_routes_with_one(site: XivoSite) -> None:
    site.give_login("1001")

    assert (
        'id="route-voicemail"' in site.browser("1001").get("/settings/calendar/").content.decode()
    )


def test_on_the_page_what_was_sent_is_not_called_set(site: XivoSite) -> None:
    answer = site.browser("1001").post(
        "/settings/forwards/", {"which": "do_not_disturb", "enabled": "on"}, follow=True
    )

    assert "does not confirm what it has set" in answer.content.decode()
    assert site.xuc.do(lambda pbx: pbx.lines["1001"][0].do_not_disturb)


def test_the_home_page_shows_no_forwards_that_nobody_can_read(site: XivoSite) -> None:
    text = site.browser("1001").get("/").content.decode()

    assert "Without your login on the phone system" in text
    assert "When I am busy" not in text
