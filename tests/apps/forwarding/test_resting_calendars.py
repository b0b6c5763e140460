"""A calendar that nobody could read for a day: calls ring, and its owner is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import Settings

from bluetel.work.models import Job
from forwarding.calendars.accounts import add_calendar
from forwarding.calendars.errors import CalendarUnreachable
from forwarding.calendars.reading import expand_all_of, read_calendar
from forwarding.calendars.resting import send_note
from forwarding.models import Calendar
from forwarding.selectors import routing_of
from tests.apps.forwarding.conftest import CalendarSite
from tests.apps.forwarding.day import Day
from tests.apps.forwarding.timelines import calendar, event
from tests.apps.house import House
from tests.servers.smtp import Post, post_office

pytestmark = pytest.mark.django_db

LONG = event("x", "20261124T090000Z", "20261126T090000Z")


@pytest.fixture
def post(settings: Settings) -> Iterator[Post]:
    with post_office(settings) as keeper:
        yield keeper


@pytest.fixture
def day(house: House, site: CalendarSite, post: Post, settings: Settings) -> Day:
    """Camille's, whose calls go to her box in a meeting of two days, as her calendar says."""
    settings.FETCH_ALLOW = ("127.0.0.0/8",)
    day = Day(house)
    day.rules(calendar={"set_im_busy": True, "route": "voicemail"})
    site.text = calendar([LONG]).decode()
    add_calendar(day.user, kind="ics", url=site.url, now=day.now)
    day.calendar_changed()
    assert day.on_pbx == f"on {day.voicemail}"
    return day


def read(day: Day) -> None:
    """The engine asks the address once more."""
    read_calendar(Calendar.objects.select_related("user").exclude(url="").get(), now=day.now)


def fail_to_read(day: Day) -> None:
    with pytest.raises(CalendarUnreachable):
        read(day)
    day.calendar_changed()


def let_it_rest(day: Day, site: CalendarSite) -> None:
    """It can't be read for a day and a minute."""
    site.status = 503
    fail_to_read(day)
    day.pass_to(day.now + timedelta(hours=24, minutes=1))
    fail_to_read(day)


def test_until_a_day_is_over_the_meeting_goes_on(day: Day, site: CalendarSite) -> None:
    site.status = 503
    fail_to_read(day)
    day.pass_to(day.now + timedelta(hours=23, minutes=59))
    fail_to_read(day)
    assert day.on_pbx == f"on {day.voicemail}"


def test_then_the_own_settings_are_back(day: Day, site: CalendarSite) -> None:
    let_it_rest(day, site)
    assert (day.on_pbx, day.seen().im) == ("off", "offline")


def test_a_new_time_zone_does_not_wake_it(day: Day, site: CalendarSite) -> None:
    let_it_rest(day, site)
    day.user.time_zone = "Asia/Tokyo"
    day.user.save()
    expand_all_of(day.user, now=day.now)
    day.calendar_changed()
    assert day.on_pbx == "off"


def test_once_it_is_read_again_calls_follow_it_again(day: Day, site: CalendarSite) -> None:
    let_it_rest(day, site)
    site.status = 200
    read(day)
    day.calendar_changed()
    assert day.on_pbx == f"on {day.voicemail}"
    assert routing_of(day.user, now=day.now)["problem"] == ""


def send_notes() -> None:
    """What the job queue does."""
    for job in Job.objects.filter(key__startswith="calendar-rests:"):
        send_note(**job.arguments)


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("en", "Your calls no longer follow your calendar"),
        ("fr", "Vos appels ne suivent plus votre agenda"),
    ],
)
def test_its_owner_gets_one_mail(
    day: Day, site: CalendarSite, post: Post, language: str, subject: str
) -> None:
    day.user.language = language
    day.user.save()
    let_it_rest(day, site)
    fail_to_read(day)
    send_notes()
    (mail,) = post.mails
    assert post.recipients == [[day.user.email]]
    assert mail["Subject"] == subject
    assert "/settings/calendar/" in mail.get_content()


def test_a_calendar_that_is_back_before_the_mail_went_sends_none(
    day: Day, site: CalendarSite, post: Post
) -> None:
    let_it_rest(day, site)
    site.status = 200
    read(day)
    send_notes()
    assert post.mails == []


@pytest.mark.parametrize("page", ["/", "/settings/calendar/"])
def test_the_pages_say_so(day: Day, site: CalendarSite, client: Client, page: str) -> None:
    let_it_rest(day, site)
    client.force_login(day.user, backend="bluetel.accounts.backends.AccountBackend")
    assert "until it can be" in client.get(page).content.decode()
