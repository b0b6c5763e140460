"""Who called while nobody was there is called back from the list of calls."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.e2e.conftest import Running, SignIn, live


def test_a_call_of_the_list_is_called_back_with_one_click(
    bluetel: Running, sign_in: SignIn
) -> None:
    camille = sign_in("demo1")
    with live(camille):
        camille.goto("/calls/")
    camille.get_by_role("button", name=re.compile(r"^Call .+ back$")).first.click()
    expect(camille.get_by_text("Your phone is ringing – pick up")).to_be_visible()
    assert bluetel.phones()["1001"]["state"] == "ringing"
    bluetel.phone("1001", "answer")
    expect(camille.get_by_text(re.compile("^Calling "))).to_be_visible()


def test_without_scripts_the_list_calls_back_too(bluetel: Running, sign_in: SignIn) -> None:
    camille = sign_in("demo1", javascript=False)
    camille.goto("/calls/")
    camille.get_by_role("button", name=re.compile(r"^Call .+ back$")).first.click()
    assert bluetel.phones()["1001"]["state"] == "ringing"
