"""The status menu as a plain form."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from bluetel.accounts.models import User
from presence import services
from presence.forms import StatusForm
from presence.models import Claim, Favourite
from tests.apps.forwarding.meetings import add_meeting

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return User.objects.create(username="ada", language="en")


@pytest.fixture
def browser(ada: User) -> Client:
    browser = Client()
    browser.force_login(ada, backend="bluetel.accounts.backends.AccountBackend")
    return browser


def page(browser: Client) -> str:
    return browser.get("/").content.decode()


def shown(html: str, text: str) -> bool:
    """Whether a text stands in the page in a part that isn't hidden."""
    before = html[: html.index(text)]
    tag = before[before.rindex("<") :]
    return "hidden" not in tag


def test_a_status_is_set_and_the_page_it_was_set_on_comes_back(browser: Client) -> None:
    answer: HttpResponse = browser.post(
        "/presence/status/",
        {"im": "busy", "message": "Writing", "until": "open", "next": "/legend/"},
    )  # type: ignore[assignment]
    assert (answer.status_code, answer["Location"]) == (302, "/legend/")
    claim = Claim.objects.get()
    assert (claim.value, claim.message, claim.ends) == ("busy", "Writing", None)


def test_no_form_leads_to_another_site(browser: Client) -> None:
    answer = browser.post("/presence/status/", {"im": "busy", "next": "https://evil.test/"})
    assert answer["Location"] == "/"


def test_a_status_without_an_end_is_reminded_of_and_others_are_not(
    browser: Client, ada: User
) -> None:
    reminder = "You set your status to"
    assert "reminder" in page(browser)
    browser.post("/presence/status/", {"im": "busy", "until": "hour"})
    assert 'data-standing="manual" hidden' in page(browser)
    browser.post("/presence/status/", {"im": "busy", "until": "open"})
    assert 'data-standing="manual">' in page(browser)
    assert reminder in page(browser)
    browser.post("/presence/status/", {"im": "automatic"})
    assert 'data-standing="manual" hidden' in page(browser)
    assert not Claim.objects.exists()


def test_the_menu_says_why_the_status_holds(browser: Client, ada: User) -> None:
    assert shown(page(browser), "Automatic: available while a page is open")
    now = timezone.now()
    services.choose_status(ada.pk, "away", until=now + timedelta(hours=1), now=now)
    assert shown(page(browser), "Chosen by you, until <")
    assert not shown(page(browser), "Automatic: available while a page is open")


def until(html: str) -> str:
    """Which end is chosen unless the user chooses another."""
    chosen = re.search(r'name="until" id="[a-z-]+" value="([a-z-]+)" checked', html)
    assert chosen is not None
    return chosen[1]


def test_a_status_chosen_in_a_meeting_ends_with_it_unless_another_end_is_chosen(
    browser: Client, ada: User
) -> None:
    assert "the meeting ends" not in page(browser)
    assert until(page(browser)) == "open"
    now = timezone.now()
    ends = now + timedelta(minutes=20)
    add_meeting(ada, starts=now - timedelta(minutes=5), ends=ends)
    assert "the meeting ends" in page(browser)
    assert until(page(browser)) == "meeting"
    browser.post("/presence/status/", {"im": "away", "until": "meeting"})
    assert Claim.objects.get().ends == ends


@pytest.mark.parametrize(
    "form",
    [
        pytest.param({"im": "dnd"}, id="no status"),
        pytest.param({"im": "busy", "message": "x" * 251}, id="a long message"),
        pytest.param({"im": "busy", "until": "meeting"}, id="no meeting"),
    ],
)
def test_what_cannot_be_set_is_said(browser: Client, form: dict[str, str]) -> None:
    answer = browser.post("/presence/status/", form, follow=True)
    assert "banner--error" in answer.content.decode()
    assert not Claim.objects.exists()


def test_a_link_sets_nothing(browser: Client) -> None:
    assert browser.get("/presence/status/?im=busy").status_code == 405
    assert not Claim.objects.exists()


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        pytest.param("half-hour", datetime(2026, 10, 24, 22, 30, tzinfo=UTC), id="half an hour"),
        pytest.param("hour", datetime(2026, 10, 24, 23, 0, tzinfo=UTC), id="an hour"),
        pytest.param("today", datetime(2026, 10, 25, 23, 0, tzinfo=UTC), id="the long autumn day"),
        pytest.param("open", None, id="no end"),
        pytest.param("", None, id="nothing said"),
    ],
)
def test_the_ends_one_can_choose(until: str, expected: datetime | None) -> None:
    """Midnight in Paris on the day whose night lives an hour twice."""
    form = StatusForm({"im": "busy", "until": until})
    assert form.is_valid()
    with timezone.override(ZoneInfo("Europe/Paris")):
        assert form.end(now=datetime(2026, 10, 24, 22, 0, tzinfo=UTC)) == expected


def test_a_star_is_set_and_taken_away(browser: Client, ada: User) -> None:
    bo = User.objects.create(username="bo")
    browser.post(f"/presence/favourites/{bo.pk}/", {"favourite": "yes"})
    assert [one.person for one in Favourite.objects.filter(owner=ada)] == [bo]
    browser.post(f"/presence/favourites/{bo.pk}/", {"favourite": "yes"})
    assert Favourite.objects.count() == 1
    browser.post(f"/presence/favourites/{bo.pk}/", {"favourite": "no"})
    assert not Favourite.objects.exists()
