"""The team on the home page, filtered by the server as a page without scripts asks it to."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from bluetel.calls.services import place_call
from bluetel.work import leases
from presence.audiences import choose_audience
from presence.models import PbxLink, PersonState
from presence.person import EPOCH_BITS
from presence.team import set_favourites
from tests.apps.house import NOW, House

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(house: House) -> Client:
    """Camille's, whose team is Nadia (busy) and Oskar (free)."""
    held = leases.take(leases.ENGINE, owner="engine", now=timezone.now())
    assert held is not None
    revision = held.epoch << EPOCH_BITS
    PbxLink.objects.create(pbx=house.pbx, is_up=True, since=NOW, revision=revision + 1)
    team = {"1002": "busy", "1003": "available"}
    for extension, phone in team.items():
        PersonState.objects.create(
            user=house.user(extension), phone=phone, im="available", revision=revision + 2
        )
    set_favourites(house.user("1001"), [str(house.user(one).pk) for one in team])
    browser = Client()
    browser.force_login(house.user("1001"), backend="bluetel.accounts.backends.AccountBackend")
    return browser


def shown(browser: Client, **query: str) -> list[str]:
    """The extensions of the rows that aren't hidden."""
    page = browser.get(f"/?{urlencode(query)}").content.decode()
    rows = re.findall(r'<li class="row" data-person="\d+" data-sought="([^"]*)"( hidden)?', page)
    return [sought.split()[-1] for sought, hidden in rows if not hidden]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param({}, ["1002", "1003"], id="no filter"),
        pytest.param({"q": "NÁDIA"}, ["1002"], id="a first name, in any case and accent"),
        pytest.param({"q": "bel nad"}, ["1002"], id="beginnings of words in any order"),
        pytest.param({"q": "1003"}, ["1003"], id="an extension"),
        pytest.param({"q": "adia"}, [], id="the middle of a word"),
        pytest.param({"free": "yes"}, ["1003"], id="free phones only"),
        pytest.param({"free": "yes", "q": "nadia"}, [], id="both"),
    ],
)
def test_the_team_is_filtered(browser: Client, query: dict[str, str], expected: list[str]) -> None:
    assert shown(browser, **query) == expected


def test_who_hides_his_phone_is_not_among_the_free(house: House, browser: Client) -> None:
    choose_audience(house.user("1003"), "phone", "nobody", now=timezone.now())
    assert shown(browser, free="yes") == []


def test_when_nobody_fits_the_page_says_what_to_do(browser: Client) -> None:
    none = re.compile(r'data-part="none"( hidden)?>Nobody in your team fits')
    found = none.search(browser.get("/?q=zzz").content.decode())
    assert found is not None
    assert not found[1]


def test_the_call_bar_shows_the_signs_of_a_colleague_and_of_nobody_else(
    house: House, browser: Client
) -> None:
    place_call(house.user("1001"), "1002", now=timezone.now())
    house.answer("1001")
    house.hear()
    page = browser.get("/legend/").content.decode()
    peer = re.search(r'data-part="peer" aria-live="off"( hidden)?>\s*<presence-badge[^>]*', page)
    assert peer is not None
    assert not peer[1]
    assert f'data-user="{house.user("1002").pk}" data-phone="busy"' in peer[0]
    house.put_down("1001")
    house.hear()
    place_call(house.user("1001"), "0199004217", now=timezone.now())
    page = browser.get("/legend/").content.decode()
    assert 'data-part="peer" aria-live="off" hidden' in page
