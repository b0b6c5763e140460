"""The account page: language, time zone, and what the status Busy does to calls."""

from __future__ import annotations

import pytest
from django.test import Client

from bluetel.accounts.models import User
from forwarding.models import Automation
from tests.apps.house import House
from tests.apps.pages.sentence import sentence_of


@pytest.fixture
def ada(client: Client, house: House) -> User:
    ada = house.user("1001")
    client.force_login(ada)
    return ada


CHOICES = {"language": "fr", "time_zone": "Europe/Lisbon", "route": "nothing", "number": ""}


def test_language_and_time_zone_are_kept(client: Client, ada: User) -> None:
    answer = client.post("/settings/account/", CHOICES)
    ada.refresh_from_db()
    assert (answer.status_code, ada.language, ada.time_zone) == (302, "fr", "Europe/Lisbon")


def test_a_zone_that_is_none_is_refused(client: Client, ada: User) -> None:
    before = ada.time_zone
    answer = client.post("/settings/account/", {**CHOICES, "time_zone": "Europe/Nowhere"})
    ada.refresh_from_db()
    assert (answer.status_code, ada.time_zone) == (400, before)


def test_what_is_not_sent_stays_as_it_is(client: Client, ada: User) -> None:
    client.post("/settings/account/", CHOICES)
    answer = client.post("/settings/account/", {"route": "nothing", "number": ""})
    ada.refresh_from_db()
    assert (answer.status_code, ada.language, ada.time_zone) == (302, "fr", "Europe/Lisbon")


def test_a_refused_form_without_a_number_is_shown_again(client: Client, ada: User) -> None:
    answer = client.post("/settings/account/", {"route": "nothing", "time_zone": "Mars/Base"})
    assert answer.status_code == 400


def test_the_rule_is_saved_and_keeps_its_number_when_it_is_switched_off(
    client: Client, ada: User
) -> None:
    client.post("/settings/account/", {**CHOICES, "route": "number", "number": "1002"})
    client.post("/settings/account/", {**CHOICES, "route": "nothing", "number": "1002"})
    rule = Automation.objects.get(user=ada)
    assert (rule.im_route, rule.im_number) == ("nothing", "1002")
    assert 'value="1002"' in client.get("/settings/account/").content.decode()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("1001", "own number"),
        ("112", "emergency"),
        ("+33899012345", "Not forwarded: this number costs extra."),
        ("", ""),
    ],
    ids=["oneself", "emergency", "premium", "nothing"],
)
def test_a_number_that_can_t_be_used_is_refused_under_its_field(
    client: Client, ada: User, number: str, words: str
) -> None:
    answer = client.post("/settings/account/", {**CHOICES, "route": "number", "number": number})
    page = answer.content.decode()
    assert answer.status_code == 400
    error = page[page.index('id="number-error"') :].partition("</p>")[0]
    assert words in error
    assert not Automation.objects.exists()


def test_the_rule_can_be_kept_to_a_busy_set_by_hand(client: Client, ada: User) -> None:
    client.post("/settings/account/", {**CHOICES, "only_by_hand": "on"})
    assert Automation.objects.get(user=ada).im_only_by_hand
    page = client.get("/settings/account/").content.decode()
    assert 'id="only-by-hand" checked' in page
    client.post("/settings/account/", CHOICES)
    assert not Automation.objects.get(user=ada).im_only_by_hand


@pytest.mark.parametrize(
    ("language", "choices", "words"),
    [
        ("en", {}, "When you are Busy, calls go to"),
        ("en", {"only_by_hand": "on"}, "When you set Busy yourself, calls go to"),
        ("en", {"only_by_hand": "on"}, "Busy because of a meeting changes nothing here."),
        ("fr", {"only_by_hand": "on"}, "Quand vous passez vous-même à Occupé, les appels vont"),
    ],
)
def test_the_sentence_says_which_busy_counts(
    client: Client, ada: User, language: str, choices: dict[str, str], words: str
) -> None:
    sent = {**CHOICES, "language": language, "route": "number", "number": "1002", **choices}
    client.post("/settings/account/", sent)
    page = client.get("/settings/account/").content.decode()
    assert words in sentence_of(page)
