"""No page has a serious finding of axe, scrolls sideways or has a text too long for its button."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from tests.e2e.addresses import html_pages
from tests.e2e.conftest import Running, SignIn, open_dialer

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

WIDE: ViewportSize = {"width": 1280, "height": 900}
NARROW: ViewportSize = {"width": 360, "height": 740}
ALL_RULES: dict[str, object] = {"resultTypes": ["violations"]}
COLOURS: dict[str, object] = {"resultTypes": ["violations"], "runOnly": ["color-contrast"]}
"""What a switch between light and dark can change."""
Look = tuple[ViewportSize, Literal["light", "dark"], dict[str, object]]
THREE_LOOKS: Sequence[Look] = (
    (WIDE, "light", ALL_RULES),
    (WIDE, "dark", COLOURS),
    (NARROW, "light", ALL_RULES),
)
TWO_LOOKS: Sequence[Look] = ((WIDE, "light", ALL_RULES), (NARROW, "dark", ALL_RULES))


TOO_LONG = """[...document.querySelectorAll("button, .button, select")]
  .filter((one) => {
    if (!(one instanceof HTMLSelectElement)) return one.scrollWidth > one.clientWidth + 1
    const style = getComputedStyle(one)
    const pen = document.createElement("canvas").getContext("2d")
    pen.font = style.font
    const room = one.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight)
    return one.clientWidth > 0 && pen.measureText(one.selectedOptions[0]?.text ?? "").width > room
  })
  .map((one) => `the text of “${one.textContent.trim().slice(0, 60)}” is too long for its frame`)"""
"""Buttons whose text leaves their frame, and choices that are cut off."""


def findings(page: Page, options: dict[str, object]) -> list[str]:
    """What axe calls serious or critical on a page as it is."""
    violations = Axe().run(page, options=options).response["violations"]
    return [
        f"{one['id']} at {node['target']}: {node['failureSummary']}"
        for one in violations
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]


def findings_in(page: Page, looks: Sequence[Look] = THREE_LOOKS) -> list[str]:
    """The same in several looks; and whether it fits a narrow screen."""
    found = []
    for size, scheme, options in looks:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        seen = [*findings(page, options), *page.evaluate(TOO_LONG)]
        found += [f"{size['width']} {scheme}: {one}" for one in seen]
    if page.evaluate("document.documentElement.scrollWidth") > NARROW["width"]:
        found.append("scrolls sideways at 360 px")
    return found


@dataclass(frozen=True)
class Reader:
    """A browser in one language, signed out and without motion."""

    context: BrowserContext
    looks: Sequence[Look]

    def walk(self, addresses: list[str]) -> dict[str, list[str]]:
        """The findings on each of these pages."""
        page = self.context.new_page()
        found = {}
        for address in addresses:
            page.goto(address)
            if some := findings_in(page, self.looks):
                found[address] = some
        return found


@pytest.fixture(params=[("en-GB", THREE_LOOKS), ("fr-FR", TWO_LOOKS)], ids=["en", "fr"])
def reader(browser: Browser, bluetel: Running, request: pytest.FixtureRequest) -> Iterator[Reader]:
    """Somebody English, and somebody French, who sees the narrow and dark look as well."""
    locale, looks = request.param
    context = browser.new_context(base_url=bluetel.url, locale=locale, reduced_motion="reduce")
    yield Reader(context, looks)
    context.close()


def test_pages_for_everybody(reader: Reader, bluetel: Running) -> None:
    addresses = html_pages(requests.Session(), bluetel.url)
    assert "/accounts/login/" in addresses
    assert reader.walk(addresses) == {}


def test_pages_of_who_is_signed_in(reader: Reader, bluetel: Running) -> None:
    session = bluetel.session("demo1")
    addresses = html_pages(session, bluetel.url)
    assert {"/", "/calls/", "/legend/", "/demo/phones/"} <= set(addresses)
    reader.context.add_cookies(
        [{"name": "bluetel", "value": session.cookies["bluetel"], "url": bluetel.url}]
    )
    assert reader.walk(addresses) == {}


def test_the_dialer_with_suggestions_and_the_menu(sign_in: SignIn) -> None:
    camille = sign_in("demo1", reduced_motion=True, bypass_csp=True)
    open_dialer(camille)
    camille.keyboard.type("n")
    expect(camille.get_by_role("option").first).to_be_visible()
    assert findings_in(camille) == []
    camille.keyboard.press("Escape")
    camille.keyboard.press("Escape")
    camille.locator("[popovertarget=me-menu]").click()
    assert findings_in(camille) == []


def test_the_call_bar_and_the_note_of_an_incoming_call(bluetel: Running, sign_in: SignIn) -> None:
    camille = sign_in("demo1", reduced_motion=True, bypass_csp=True)
    bluetel.incoming("0199004217", name="Hélène Marchetti", to="1001")
    expect(camille.get_by_role("button", name="Answer")).to_be_visible()
    assert findings_in(camille) == []
    bluetel.phone("1001", "answer")
    expect(camille.get_by_text(re.compile(r"In a call"))).to_be_visible()
    assert findings_in(camille) == []
