"""What would happen to calls at a time beyond the meetings that are rows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bluetel.accounts.models import User
from forwarding import services
from forwarding.calendars.accounts import add_upload
from forwarding.models import Calendar, Occurrence
from forwarding.selectors import routing_of
from tests.apps.forwarding.calendar_texts import NOW, calendar, meeting
from tests.apps.house import House


@pytest.fixture
def ada(house: House) -> User:
    """With a meeting at 11:00 each Wednesday, in which calls go to 1002."""
    ada = house.user("1001")
    rule = {"set_im_busy": True, "route": "number", "number": "1002"}
    services.save_automation(ada, {"calendar": rule}, now=NOW)
    weekly = meeting().replace("END:VEVENT", "RRULE:FREQ=WEEKLY\nEND:VEVENT")
    add_upload(ada, calendar(weekly).encode(), name="work", now=NOW)
    return ada


@pytest.mark.parametrize("weeks", [0, 1, 2, 3, 26, 52])
def test_a_weekly_meeting_is_foreseen_for_a_year(ada: User, weeks: int) -> None:
    at = NOW + timedelta(weeks=weeks, hours=2, minutes=30)
    found = routing_of(ada, now=NOW, at=at)
    assert (found["route"], found["destination"], found["im"]["status"]) == (
        "number",
        "1002",
        "busy",
    )
    assert found["until"] == f"{at + timedelta(minutes=30):%Y-%m-%dT%H:%M:%S}Z"


def test_between_two_meetings_calls_ring(ada: User) -> None:
    found = routing_of(ada, now=NOW, at=NOW + timedelta(weeks=26, hours=4))
    assert found["route"] == "own"


def test_asking_stores_nothing(ada: User) -> None:
    before = Occurrence.objects.count()
    routing_of(ada, now=NOW, at=NOW + timedelta(weeks=26))
    assert Occurrence.objects.count() == before


def test_a_calendar_that_could_not_be_read_for_a_day_says_nothing_of_later(ada: User) -> None:
    Calendar.objects.update(failing_since=NOW - timedelta(hours=25), error="unreachable")
    found = routing_of(ada, now=NOW, at=NOW + timedelta(weeks=26, hours=2, minutes=30))
    assert found["route"] == "own"
