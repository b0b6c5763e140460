"""The contact list and the card in a browser: found while one types, called by one click."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Running, SignIn, live

pytestmark = pytest.mark.e2e


def open_contacts(page: Page) -> None:
    with live(page):
        page.goto("/contacts/")


def row(page: Page, name: str) -> Locator:
    """Somebody's row in the list."""
    return page.locator("[data-contact]").filter(has=page.get_by_role("link", name=name))


def test_somebody_is_found_while_one_types_and_called_from_a_choice_of_numbers(
    bluetel: Running, sign_in: SignIn
) -> None:
    page = sign_in("demo1")
    open_contacts(page)
    page.get_by_role("searchbox", name="Find a contact").fill("helene")
    expect(page.locator("[data-contact]")).to_have_count(1)
    expect(page.get_by_role("status").filter(has_text="1 person found")).to_be_attached()
    choose = row(page, "Hélène Marchetti").locator("summary")
    choose.focus()
    expect(choose).to_be_visible()
    page.keyboard.press("Enter")
    page.get_by_role("button", name=re.compile("^Call 04 65 71 20 66")).click()
    expect(page.get_by_text("Your phone is ringing – pick up")).to_be_visible()
    assert bluetel.phones()["1001"]["state"] == "ringing"


def test_escape_closes_the_choice_and_gives_the_focus_back(sign_in: SignIn) -> None:
    page = sign_in("demo1")
    open_contacts(page)
    choose = row(page, "Hélène Marchetti").locator("summary")
    choose.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=re.compile("^Call 04 65"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name=re.compile("^Call 04 65"))).to_be_hidden()
    expect(choose).to_be_focused()


def test_a_card_opens_beside_the_list_and_calls(bluetel: Running, sign_in: SignIn) -> None:
    page = sign_in("demo1")
    open_contacts(page)
    row(page, "Oskar Lindqvist").get_by_role("link").click()
    card = page.get_by_role("article", name="Oskar Lindqvist")
    expect(card).to_be_visible()
    expect(page).to_have_url(re.compile(r"open=user-"))
    card.get_by_role("button", name="Call 1003", exact=True).last.click()
    expect(page.get_by_text("Your phone is ringing – pick up")).to_be_visible()
    assert bluetel.phones()["1001"]["state"] == "ringing"


def test_on_a_narrow_screen_a_card_is_a_page_of_its_own(sign_in: SignIn) -> None:
    page = sign_in("demo1", width=360, locale="fr-FR")
    open_contacts(page)
    row(page, "Hélène Marchetti").get_by_role("link").click()
    expect(page.get_by_role("heading", level=1, name="Hélène Marchetti")).to_be_visible()
    expect(page.get_by_role("button", name="Appeler 06 39 98 12 08").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_a_contact_is_written_with_several_numbers_and_deleted_again(sign_in: SignIn) -> None:
    page = sign_in("demo2")
    open_contacts(page)
    page.get_by_role("link", name="New contact").click()
    page.get_by_label("Name", exact=True).fill("Zélie Quéméneur")
    numbers = page.get_by_role("textbox", name="Number")
    for place in range(4):
        numbers.nth(place).fill(f"06 39 98 77 0{place}")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1, name="Zélie Quéméneur")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Call 06 39 98 77 03"))).to_be_visible()
    page.get_by_role("link", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete").click()
    open_contacts(page)
    expect(row(page, "Zélie Quéméneur")).to_have_count(0)


def test_without_scripts_the_search_and_the_choice_work(bluetel: Running, sign_in: SignIn) -> None:
    page = sign_in("demo1", javascript=False)
    page.goto("/contacts/")
    search = page.get_by_role("searchbox", name="Find a contact")
    search.fill("helene")
    search.press("Enter")
    helene = row(page, "Hélène Marchetti")
    helene.locator("summary").click()
    helene.get_by_role("button", name=re.compile("^Call 04 65 71 20 66")).click()
    expect(page).to_have_url(re.compile(r"/dialer/calls/\d+/"))
    assert bluetel.phones()["1001"]["state"] == "ringing"
