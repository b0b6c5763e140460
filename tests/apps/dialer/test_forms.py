"""The dialer's plain forms, for pages without JavaScript."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from bluetel.calls.models import Call
from tests.apps.house import House


@pytest.fixture
def camille(house: House) -> Client:
    browser = Client()
    browser.force_login(house.user("1001"), backend="bluetel.accounts.backends.AccountBackend")
    return browser


def test_the_form_calls_and_shows_the_call(house: House, camille: Client) -> None:
    answer = camille.post("/dialer/call/", {"number": "1002", "key": "k"}, follow=True)
    assert "Your phone is ringing – pick up" in answer.content.decode()
    assert house.is_ringing("1001")


def test_sending_the_form_twice_is_one_call(house: House, camille: Client) -> None:
    for _ in range(2):
        camille.post("/dialer/call/", {"number": "1002", "key": "k"})
    assert Call.objects.count() == 1


def test_what_is_refused_is_said_and_the_number_is_kept(house: House, camille: Client) -> None:
    answer = camille.post("/dialer/call/", {"number": "0899 70 01 23"})
    assert answer.status_code == 400
    assert "costs extra" in answer.content.decode()
    assert "0899 70 01 23" in answer.content.decode()


def test_a_name_is_answered_by_whom_it_finds_each_with_a_call_button(
    house: House, camille: Client
) -> None:
    name = house.user("1002").display_name
    answer = camille.post("/dialer/call/", {"number": f" {name.lower()} "})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Whom do you want to call?" in page
    assert name in page
    form = rf'action="/dialer/call/" data-form="call" data-name="{name}">.*?</form>'
    buttons = re.findall(form, page, re.DOTALL)
    assert any('name="number" value="1002"' in button for button in buttons)
    assert "somebody we know" not in page
    assert not house.has_call("1001")


def test_the_api_takes_no_name(house: House) -> None:
    answer = Client().post(
        "/api/v1/calls",
        {"number": house.user("1002").display_name},
        content_type="application/json",
        headers={"Authorization": f"Bearer {house.token('1001')}"},
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_number")


def test_a_name_that_nobody_has_is_refused_and_kept(camille: Client) -> None:
    answer = camille.post("/dialer/call/", {"number": "Zebulon Quux"})
    assert answer.status_code == 400
    assert "“Zebulon Quux” is neither a number nor somebody we know." in answer.content.decode()


def test_a_link_never_calls(house: House, camille: Client) -> None:
    assert camille.get("/dialer/call/?number=1002").status_code == 405
    assert not house.has_call("1001")


def test_the_buttons_steer_the_call(house: House, camille: Client) -> None:
    camille.post("/dialer/call/", {"number": "1002"})
    house.answer("1001")
    house.answer("1002")
    house.hear()
    call = Call.objects.get(user=house.user("1001"))
    for action, state in (("hold", "held"), ("resume", "talking"), ("hang-up", "ended")):
        camille.post(f"/dialer/calls/{call.pk}/{action}/")
        house.hear()
        call.refresh_from_db()
        assert call.state == state


@pytest.mark.parametrize(
    ("digits", "told"), [("12#", False), ("", True), ("12a", True), ("1" * 41, True)]
)
def test_only_tones_are_sent(house: House, camille: Client, digits: str, told: bool) -> None:
    camille.post("/dialer/call/", {"number": "1002"})
    house.answer("1001")
    house.hear()
    call = Call.objects.get(user=house.user("1001"))
    answer = camille.post(f"/dialer/calls/{call.pk}/dtmf/", {"digits": digits}, follow=True)
    assert ("Tones are 0 to 9" in answer.content.decode()) is told


def test_an_unknown_button_is_404(house: House, camille: Client) -> None:
    camille.post("/dialer/call/", {"number": "1002"})
    call = Call.objects.get()
    assert camille.post(f"/dialer/calls/{call.pk}/explode/").status_code == 404


def test_another_s_call_page_is_404(house: House, camille: Client) -> None:
    camille.post("/dialer/call/", {"number": "1002"})
    other = Client()
    other.force_login(house.user("1003"), backend="bluetel.accounts.backends.AccountBackend")
    assert other.get(f"/dialer/calls/{Call.objects.get().pk}/").status_code == 404


def test_a_hostile_caller_name_is_text_on_the_page(house: House, camille: Client) -> None:
    house.do(lambda model: model.call_in("0199004217", name="<script>alert(1)</script>", to="1001"))
    house.hear()
    page = camille.get(f"/dialer/calls/{Call.objects.get().pk}/").content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
