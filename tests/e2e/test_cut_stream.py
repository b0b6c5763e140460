"""The PBX's event stream is cut: nobody shows a stale green, and what is back is fresh."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Running, SignIn, colleague

pytestmark = pytest.mark.e2e

ONE_HEARTBEAT = 8_000
"""Five seconds by the book, and what a busy machine takes to draw."""
BACK_WITHIN = 40_000


def test_a_cut_stream_shows_everybody_as_unknown_and_its_return_as_they_are(
    bluetel: Running, sign_in: SignIn
) -> None:
    camille = sign_in("demo1")
    team = camille.locator("team-list presence-badge")
    banner = camille.get_by_text(re.compile(r"^Phone system unreachable since \d\d:\d\d$"))
    expect(colleague(camille, "Nadia Belkacem")).to_contain_text("Available")
    expect(banner).to_be_hidden()

    bluetel.fault(refuse_logins=True, expire_tokens=True, drop_stream=True)
    expect(banner).to_be_visible(timeout=ONE_HEARTBEAT)
    for badge in team.all():
        expect(badge).to_have_attribute("data-phone", "unknown")
    expect(colleague(camille, "Nadia Belkacem")).to_contain_text("Unknown")

    bluetel.incoming("0199004217", name="Hélène Marchetti", to="1002")
    bluetel.fault(refuse_logins=False)
    expect(banner).to_be_hidden(timeout=BACK_WITHIN)
    expect(colleague(camille, "Nadia Belkacem")).to_contain_text("Ringing")
    expect(colleague(camille, "Oskar Lindqvist")).to_contain_text("Available")


def test_a_page_opened_while_the_stream_is_cut_shows_nobody_as_free(
    bluetel: Running, sign_in: SignIn
) -> None:
    camille = sign_in("demo1")
    bluetel.fault(refuse_logins=True, expire_tokens=True, drop_stream=True)
    expect(colleague(camille, "Nadia Belkacem")).to_contain_text("Unknown")
    late = sign_in("demo3", javascript=False)
    expect(colleague(late, "Nadia Belkacem")).to_contain_text("Unknown")
    expect(late.get_by_text(re.compile("^Phone system unreachable"))).to_be_visible()
    bluetel.fault(refuse_logins=False)
    expect(colleague(camille, "Nadia Belkacem")).to_contain_text("Available", timeout=BACK_WITHIN)
