from __future__ import annotations

import logging

import pytest
from django.test import Client
from pytest_django import Settings

from tests.apps.house import House

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def little_is_much(settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 20


@pytest.fixture
def browser(house: House) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(house.user("1001"), backend="bluetel.accounts.backends.AccountBackend")
    return client


@pytest.mark.parametrize(
    "form", [{"name": "x" * 2000}, {str(number): "" for number in range(30)}], ids=["long", "many"]
)
def test_a_form_with_too_much_in_it_is_answered_by_a_page_and_one_line_of_the_log(
    browser: Client, caplog: pytest.LogCaptureFixture, form: dict[str, str]
) -> None:
    answer = browser.post("/settings/account/", form)
    assert answer.status_code == 413
    assert "This is too large" in answer.text
    (line,) = caplog.records
    assert (line.levelno, line.exc_info) == (logging.WARNING, None)


@pytest.mark.parametrize("path", ["calls", "nowhere"])
def test_programs_are_told_so_in_the_shape_of_all_errors(house: House, path: str) -> None:
    answer = Client().post(
        f"/api/v1/{path}",
        data='{"number": "%s"}' % ("1" * 2000),
        content_type="application/json",
        headers={"Authorization": f"Bearer {house.token('1001')}"},
    )
    known = {"calls": (413, "too_large"), "nowhere": (404, "not_found")}
    assert (answer.status_code, answer.json()["error"]["code"]) == known[path]
