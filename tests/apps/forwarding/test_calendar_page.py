"""The calendar page: the rule with its sentence, the days ahead, the calendars read."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings

from forwarding.models import Automation, Calendar
from tests.apps.forwarding.calendar_texts import calendar, meeting
from tests.apps.forwarding.conftest import CalendarSite
from tests.apps.house import House
from tests.apps.pages.sentence import sentence_of

PAGE = "/settings/calendar/"
CHOICES = {"im": "nothing", "route": "nothing", "number": "", "all_day": "ignore",
           "tentative": "ignore"}  # fmt: skip


@pytest.fixture
def browser(client: Client, house: House, settings: Settings) -> Client:
    settings.FETCH_ALLOW = ("127.0.0.0/8",)
    client.force_login(house.user("1001"))
    return client


@pytest.mark.parametrize(
    ("im", "route", "sentence"),
    [
        ("nothing", "nothing", "In a meeting nothing changes: calls ring as always."),
        ("busy", "nothing", "In a meeting: your colleagues see Busy , calls ring as always."),
        (
            "busy",
            "number",
            "In a meeting: your colleagues see Busy , calls go to 06 39 98 41 72 .",
        ),
    ],
)
def test_the_sentence_says_what_is_saved(
    browser: Client, im: str, route: str, sentence: str
) -> None:
    sent = {**CHOICES, "im": im, "route": route, "number": "0639984172"}
    assert browser.post(PAGE, sent).status_code == 302
    shown = sentence_of(browser.get(PAGE).content.decode())
    assert shown.removesuffix(" Afterwards everything is as you left it.") == sentence


@pytest.mark.parametrize(
    ("language", "labels"),
    [
        (
            "en",
            [
                "Update my IM status when I have a meeting",
                "Do nothing",
                "Update my status to Busy",
                "Update my phone status when I attend a meeting",
                "Voicemail",
                "Forward to",
            ],
        ),
        (
            "fr",
            [
                "Mettre à jour mon statut de messagerie instantanée lorsque je suis en réunion",
                "Ne rien faire",
                "Passer mon statut à Occupé",
                "Mettre à jour mon statut téléphonique lorsque je suis en réunion",
                "Répondeur",
                "Transférer",
            ],
        ),
    ],
)
def test_the_fixed_labels_stand_word_for_word(
    browser: Client, language: str, labels: list[str]
) -> None:
    page = browser.get(PAGE, headers={"accept-language": language}).content.decode()
    assert [label for label in labels if f">{label}<" not in page] == []


def test_choices_are_saved(browser: Client) -> None:
    browser.post(PAGE, {**CHOICES, "all_day": "out_of_office", "tentative": "busy"})
    saved = Automation.objects.get()
    assert (saved.all_day, saved.tentative) == ("out_of_office", "busy")


def test_only_meetings_with_others_may_count(browser: Client) -> None:
    browser.post(PAGE, {**CHOICES, "only_with_others": "on"})
    assert Automation.objects.get().only_with_others
    assert 'id="only-with-others" checked' in browser.get(PAGE).content.decode()
    browser.post(PAGE, CHOICES)
    assert not Automation.objects.get().only_with_others


def test_the_status_may_wait_until_he_hangs_up(browser: Client) -> None:
    browser.post(PAGE, {**CHOICES, "im": "busy", "until_hang_up": "on"})
    assert Automation.objects.get().until_hang_up
    assert 'id="until-hang-up" checked' in browser.get(PAGE).content.decode()
    browser.post(PAGE, {**CHOICES, "im": "busy"})
    assert not Automation.objects.get().until_hang_up


def test_a_circle_is_refused_under_the_number(browser: Client) -> None:
    answer = browser.post(PAGE, {**CHOICES, "route": "number", "number": "1001"})
    assert answer.status_code == 400
    assert 'id="number-error"' in answer.content.decode()


def test_a_calendar_is_added_read_and_removed(browser: Client, site: CalendarSite) -> None:
    sent = {"kind": "ics", "url": site.url}
    assert browser.post(f"{PAGE}add/", sent).status_code == 302
    (added,) = Calendar.objects.all()
    assert f"{PAGE}{added.pk}/refresh/" in browser.get(PAGE).content.decode()
    browser.post(f"{PAGE}{added.pk}/refresh/")
    browser.post(f"{PAGE}{added.pk}/remove/")
    assert not Calendar.objects.exists()


def test_a_file_is_uploaded(browser: Client) -> None:
    file = SimpleUploadedFile("work.ics", calendar(meeting()).encode())
    browser.post(f"{PAGE}add/", {"kind": "upload", "file": file})
    assert Calendar.objects.get().name == "work.ics"


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"kind": "ics", "url": ""}, "id_url-note"),
        ({"kind": "ics", "url": "http://127.0.0.1:9/"}, "id_url-note"),
        ({"kind": "ics", "url": "http://10.1.1.1/"}, "id_url-note"),
        ({"kind": "upload"}, "id_file-note"),
    ],
    ids=["without-address", "nobody-answers", "private", "without-file"],
)
def test_what_can_t_be_read_is_refused_under_its_field(
    browser: Client, sent: dict[str, str], field: str
) -> None:
    answer = browser.post(f"{PAGE}add/", sent)
    page = answer.content.decode()
    assert answer.status_code == 400
    assert f'class="field__error" id="{field}"' in page
    assert not Calendar.objects.exists()


@pytest.mark.parametrize(("password", "kinds"), [("", "caldav"), ("secret", "caldav ics")])
def test_a_file_s_address_shows_user_and_password_once_it_asks_for_them(
    browser: Client, site: CalendarSite, password: str, kinds: str
) -> None:
    site.password, site.status = password, 200 if password else 404
    answer = browser.post(f"{PAGE}add/", {"kind": "ics", "url": site.url})
    assert f'<div class="pair" data-kinds="{kinds}">' in answer.content.decode()


def test_a_calendar_that_is_down_is_told(browser: Client, site: CalendarSite) -> None:
    browser.post(f"{PAGE}add/", {"kind": "ics", "url": site.url})
    site.status = 503
    browser.post(f"{PAGE}{Calendar.objects.get().pk}/refresh/")
    assert "Not reachable since" in browser.get(PAGE).content.decode()


def test_somebody_else_s_calendar_is_not_there(browser: Client, house: House) -> None:
    other = Calendar.objects.create(
        user=house.user("1002"), kind="ics", created_at=house.user("1002").date_joined
    )
    assert browser.post(f"{PAGE}{other.pk}/remove/").status_code == 404
