"""What the home page says of the user's calls, and the way to change it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from bluetel.accounts.models import User
from forwarding import services
from forwarding.calendars.accounts import add_upload
from forwarding.models import Line, SuppressedMeeting
from tests.apps.forwarding.calendar_texts import calendar, meeting
from tests.apps.house import House


@pytest.fixture
def ada(client: Client, house: House) -> User:
    ada = house.user("1001")
    client.force_login(ada)
    return ada


def in_a_meeting(user: User) -> None:
    """With a rule that sends calls to a mobile."""
    now = timezone.now()
    rule = {"set_im_busy": True, "route": "number", "number": "06 39 98 41 72"}
    services.save_automation(user, {"calendar": rule}, now=now)
    starts, ends = (f"{now + timedelta(minutes=m):%Y%m%dT%H%M%SZ}" for m in (-10, 50))
    add_upload(user, calendar(meeting(starts, ends)).encode(), name="work", now=now)


def page(client: Client, path: str = "/") -> str:
    return client.get(path).content.decode().replace("\u00a0", " ")


def test_it_says_where_calls_go_until_when_and_why(client: Client, ada: User) -> None:
    in_a_meeting(ada)
    shown = page(client)
    assert 'calls go to <span class="number">06 39 98 41 72</span>.' in shown
    assert "You are in a meeting." in shown
    assert "Stop for this meeting" in shown
    assert "Never for this series" in shown


def test_not_for_this_meeting_and_back_again(client: Client, ada: User) -> None:
    in_a_meeting(ada)
    client.post("/settings/forwards/suppress/", {"scope": "meeting", "next": "/"})
    shown = page(client)
    assert "calls go to" not in shown
    assert "Let the meeting count again" in shown
    client.post("/settings/forwards/unsuppress/", {"next": "/"})
    assert "Stop for this meeting" in page(client)


def test_never_for_this_series_is_kept(client: Client, ada: User) -> None:
    in_a_meeting(ada)
    client.post("/settings/forwards/suppress/", {"scope": "series", "next": "/"})
    assert SuppressedMeeting.objects.get().starts is None


def test_a_foreign_address_is_no_way_back(client: Client, ada: User) -> None:
    answer = client.post("/settings/forwards/unsuppress/", {"next": "https://example.org/"})
    assert answer["Location"] == "/"


def test_without_a_meeting_there_is_nothing_to_stop(client: Client, ada: User) -> None:
    answer = client.post("/settings/forwards/suppress/", {"scope": "meeting"}, follow=True)
    assert "You are in no meeting now." in answer.content.decode()


def test_own_forwards_are_shown(client: Client, ada: User) -> None:
    own = {
        "unconditional": {"enabled": False, "destination": ""},
        "busy": {"enabled": True, "destination": "1003"},
        "no_answer": {"enabled": True, "destination": "*971001"},
        "do_not_disturb": True,
    }
    Line.objects.update_or_create(user=ada, defaults={"own": own, "voicemail": "*971001"})
    shown = page(client)
    assert "No call rings: do not disturb is on." in shown
    assert '<span class="number">1003</span>' in shown


@pytest.mark.parametrize("part", ["today", "ahead"])
def test_the_parts_that_follow_can_be_drawn_alone(client: Client, ada: User, part: str) -> None:
    shown = page(client, f"/settings/forwards/part/{part}/")
    assert "strip" in shown
    assert "<html" not in shown


def test_when_the_phone_system_is_down_forwards_say_so(client: Client, ada: User) -> None:
    sent = {"which": "unconditional", "unconditional-enabled": "on",
            "unconditional-destination": "1002"}  # fmt: skip
    answer = client.post("/settings/forwards/", sent)
    assert answer.status_code == 400
    assert "banner--error" in answer.content.decode()


def test_other_pages_say_that_calls_are_diverted(client: Client, ada: User) -> None:
    assert "banner__title" not in page(client, "/legend/").partition("<main")[2]
    in_a_meeting(ada)
    shown = page(client, "/legend/").partition("<main")[2]
    assert 'calls go to <span class="number">06 39 98 41 72</span>.' in shown
    assert '<input type="hidden" name="next" value="/legend/">' in shown
