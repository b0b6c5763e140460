"""A person signs in, clicks, his phone rings, the call goes out, and colleagues see it live."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import (
    WITHIN_A_SECOND,
    Running,
    SignIn,
    colleague,
    handset,
    live,
    open_dialer,
)

pytestmark = pytest.mark.e2e


@pytest.mark.smoke
def test_calling_a_colleague_by_three_letters_of_the_name(
    bluetel: Running, sign_in: SignIn
) -> None:
    camille = sign_in("demo1", by_form=True)
    phones = camille.context.new_page()
    phones.goto("/demo/phones/")
    oskar = sign_in("demo3", by_form=True)

    open_dialer(camille)
    camille.keyboard.type("nad")
    expect(camille.get_by_role("option", name=re.compile("Nadia Belkacem")).first).to_be_visible()
    camille.keyboard.press("ArrowDown")
    camille.keyboard.press("Enter")

    expect(camille.get_by_text("Your phone is ringing – pick up")).to_be_visible()
    assert bluetel.phones()["1001"]["state"] == "ringing"
    assert bluetel.phones()["1002"]["state"] == "idle"
    expect(colleague(oskar, "Camille Renard")).to_contain_text("Ringing", timeout=WITHIN_A_SECOND)

    handset(phones, "1001").get_by_role("button", name="Answer").click()
    expect(camille.get_by_text("Calling Nadia Belkacem…")).to_be_visible()
    expect(colleague(oskar, "Nadia Belkacem")).to_contain_text("Ringing", timeout=WITHIN_A_SECOND)
    expect(colleague(oskar, "Camille Renard")).to_contain_text("Busy", timeout=WITHIN_A_SECOND)

    handset(phones, "1002").get_by_role("button", name="Answer").click()
    expect(camille.get_by_text(re.compile(r"In a call,? 0:0\d"))).to_be_visible()
    expect(colleague(oskar, "Nadia Belkacem")).to_contain_text("Busy", timeout=WITHIN_A_SECOND)

    camille.get_by_role("button", name="Hang up").click()
    for name in ("Camille Renard", "Nadia Belkacem"):
        expect(colleague(oskar, name)).to_contain_text("Available", timeout=WITHIN_A_SECOND)
    assert bluetel.phones()["1001"]["state"] == "idle"


@pytest.mark.parametrize(
    "pasted",
    ["+33 (0)1 99 00 42 17", "01.99.00.42.17", "tel:+33-1-99-00-42-17", "01\u00a099 00 42 17"],
    ids=["zero-in-brackets", "dots", "tel-link", "no-break-space"],
)
def test_a_pasted_outside_number_is_called_as_the_site_dials_it(
    bluetel: Running, sign_in: SignIn, pasted: str
) -> None:
    camille = sign_in("demo1")
    open_dialer(camille)
    camille.get_by_role("combobox", name="Name or number").fill(pasted)
    camille.get_by_role("button", name="Call", exact=True).click()
    expect(camille.get_by_text("Your phone is ringing – pick up")).to_be_visible()
    assert bluetel.phones()["1001"]["number"] == "0199004217"


def test_the_keyboard_alone_opens_the_dialer_calls_and_hangs_up(
    bluetel: Running, sign_in: SignIn
) -> None:
    camille = sign_in("demo1")
    camille.keyboard.press("Control+k")
    expect(camille.get_by_role("combobox", name="Name or number")).to_be_focused()
    camille.keyboard.type("1002")
    camille.keyboard.press("Enter")
    expect(camille.get_by_text("Your phone is ringing – pick up")).to_be_visible()
    camille.keyboard.press("Control+Shift+X")
    expect(camille.get_by_text("Your phone is ringing – pick up")).to_be_hidden()
    assert bluetel.phones()["1001"]["state"] == "idle"


def test_letters_typed_while_the_dialer_opens_stay(sign_in: SignIn) -> None:
    camille = sign_in("demo1")
    camille.evaluate(
        """async () => {
          const box = document.querySelector("dialer-box");
          const panel = box.querySelector("[popover]");
          const opened = new Promise((done) => {
            panel.addEventListener("toggle", done, { once: true });
          });
          box.open();
          document.execCommand("insertText", false, "10");
          await opened;
        }"""
    )
    camille.keyboard.type("02")
    expect(camille.get_by_role("combobox", name="Name or number")).to_have_value("1002")


def test_at_360_px_nothing_scrolls_sideways_and_the_call_goes_out(
    bluetel: Running, sign_in: SignIn
) -> None:
    camille = sign_in("demo1", width=360, height=720)
    open_dialer(camille)
    camille.keyboard.type("1002")
    camille.keyboard.press("Enter")
    expect(camille.get_by_text("Your phone is ringing – pick up")).to_be_visible()
    assert camille.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_double_click_is_one_call(bluetel: Running, sign_in: SignIn) -> None:
    camille = sign_in("demo1")
    open_dialer(camille)
    camille.get_by_role("combobox", name="Name or number").fill("1002")
    camille.get_by_role("button", name="Call", exact=True).dblclick()
    expect(camille.get_by_text("Your phone is ringing – pick up")).to_be_visible()
    assert len(camille.request.get("/api/v1/calls").json()["calls"]) == 1


def test_two_tabs_show_the_same_call(bluetel: Running, sign_in: SignIn) -> None:
    camille = sign_in("demo1")
    other = camille.context.new_page()
    with live(other):
        other.goto("/")
    camille.bring_to_front()
    open_dialer(camille)
    camille.keyboard.type("1002")
    camille.keyboard.press("Enter")
    expect(other.get_by_text("Your phone is ringing – pick up")).to_be_visible()
    other.reload()
    expect(other.get_by_text("Your phone is ringing – pick up")).to_be_visible()


def test_what_is_no_number_is_said_and_not_dialled(bluetel: Running, sign_in: SignIn) -> None:
    camille = sign_in("demo1")
    open_dialer(camille)
    camille.keyboard.type("kerj@n")
    camille.keyboard.press("Enter")
    expect(camille.get_by_text(re.compile("Nothing was dialled"))).to_be_visible()
    assert bluetel.phones()["1001"]["state"] == "idle"


def test_in_french_everything_is_french(bluetel: Running, sign_in: SignIn) -> None:
    camille = sign_in("demo1", locale="fr-FR")
    camille.get_by_role("button", name=re.compile("^Numéroteur")).click()
    champ = camille.get_by_role("combobox", name="Nom ou numéro")
    champ.fill("1002")
    camille.get_by_role("button", name="Appeler", exact=True).click()
    expect(camille.get_by_text("Votre téléphone sonne – décrochez")).to_be_visible()


def test_without_javascript_the_form_calls_and_the_page_tells(
    bluetel: Running, sign_in: SignIn
) -> None:
    camille = sign_in("demo1", javascript=False)
    camille.get_by_label("Name or number").fill("1002")
    camille.get_by_role("button", name="Call", exact=True).click()
    expect(camille.get_by_text("Your phone is ringing – pick up").first).to_be_visible()
    assert bluetel.phones()["1001"]["state"] == "ringing"
