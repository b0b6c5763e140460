"""A number in an address that no database can hold leads nowhere, and breaks nothing."""

from __future__ import annotations

import re
from http import HTTPStatus

import pytest
from django.test import Client

from tests.apps.house import House
from tests.apps.presence.test_viewer_matrix import ROUTES

pytestmark = pytest.mark.django_db

HUGE = "99999999999999999999"
NUMBERED = sorted(route for route in ROUTES if "<" in route)


@pytest.fixture
def browser(house: House) -> Client:
    browser = Client()
    browser.force_login(house.user("1001"), backend="bluetel.accounts.backends.AccountBackend")
    return browser


@pytest.mark.parametrize("number", [HUGE, f"user-{HUGE}"])
def test_no_address_breaks_on_a_huge_number(browser: Client, number: str) -> None:
    for route in NUMBERED:
        address = "/" + re.sub(r"<int:\w+>", HUGE, route)
        address = re.sub(r"<slug:form>", "csv", address)
        address = re.sub(r"<[^>]+>", number, address)
        for ask in (browser.get, browser.post, browser.put, browser.patch, browser.delete):
            answer = ask(address, content_type="application/json")
            assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, address
