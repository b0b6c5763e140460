from __future__ import annotations

import itertools
import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from forwarding.models import Automation, Line, SuppressedMeeting
from presence.models import PersonState
from tests.apps.forwarding.meetings import add_meeting
from tests.apps.house import House

pytestmark = pytest.mark.django_db

MOBILE = "06 39 98 41 72"


class Caller:
    """A program with the token of the user at 1001."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.user = house.user("1001")
        self._token = house.token("1001")

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        answer = Client().generic(
            method,
            f"/api/v1/{path}",
            data="" if body is None else json.dumps(body),
            content_type="application/json",
            headers={"Authorization": f"Bearer {self._token}"},
        )
        return answer.status_code, answer.json() if answer.content else None

    def code(self, method: str, path: str, body: object = None) -> tuple[int, str]:
        status, answer = self.ask(method, path, body)
        return status, answer["error"]["code"]


@pytest.fixture
def caller(house: House) -> Caller:
    return Caller(house)


def test_who_has_no_page_open_is_offline_once_a_meeting_no_longer_counts(caller: Caller) -> None:
    now = timezone.now()
    PersonState.objects.create(user=caller.user, phone="available", im="busy", revision=1)
    Automation.objects.create(user=caller.user, set_im_busy=True)
    hour = timedelta(hours=1)
    add_meeting(caller.user, starts=now - hour, ends=now + hour)
    assert caller.ask("GET", "routing")[1]["im"]["status"] == "busy"
    status, answer = caller.ask("POST", "routing/suppress", {"scope": "meeting"})
    assert (status, answer["im"]["status"], answer["im"]["source"]) == (201, "offline", "session")


def test_a_rule_that_is_refused_does_not_speak_of_dialling(caller: Caller) -> None:
    status, answer = caller.ask("PUT", "automation", {"im": {"route": "number", "number": "Bo"}})
    assert (status, answer["error"]["code"]) == (400, "invalid_number")
    assert "neither a number" in answer["error"]["message"]
    assert "dialled" not in answer["error"]["message"]


def test_who_chose_nothing_has_no_rules(caller: Caller) -> None:
    assert caller.ask("GET", "automation") == (
        200,
        {
            "calendar": {
                "set_im_busy": False,
                "until_hang_up": False,
                "route": "nothing",
                "number": "",
                "all_day": "ignore",
                "tentative": "ignore",
                "only_with_others": False,
            },
            "im": {"route": "nothing", "number": "", "only_by_hand": False},
        },
    )


def test_rules_are_merged_and_keep_their_number_when_switched_off(caller: Caller) -> None:
    status, _ = caller.ask("PUT", "automation", {"im": {"route": "number", "number": MOBILE}})
    assert status == 200
    caller.ask("PUT", "automation", {"calendar": {"route": "voicemail", "set_im_busy": True}})
    status, found = caller.ask("PUT", "automation", {"im": {"route": "nothing"}})
    assert (status, found["im"]) == (
        200,
        {"route": "nothing", "number": MOBILE, "only_by_hand": False},
    )
    assert found["calendar"]["route"] == "voicemail"


@pytest.mark.parametrize(
    ("number", "refusal"),
    [
        ("1001", (403, "number_refused")),
        ("112", (403, "number_refused")),
        ("0899 12 34 56", (403, "number_refused")),
        ("+1 809 555 0100", (403, "number_refused")),
        ("nobody", (400, "invalid_number")),
        ("", (400, "invalid_number")),
    ],
)
def test_a_target_that_no_click_may_dial_is_refused(
    caller: Caller, number: str, refusal: tuple[int, str]
) -> None:
    change = {"calendar": {"route": "number", "number": number}}
    assert caller.code("PUT", "automation", change) == refusal
    assert not Automation.objects.exists()


def test_a_target_that_sends_calls_back_is_refused(caller: Caller) -> None:
    colleague = caller.house.user("1002")
    Automation.objects.create(user=colleague, im_route="number", im_dialed="1001")
    change = {"im": {"route": "number", "number": "1002"}}
    assert caller.code("PUT", "automation", change) == (403, "number_refused")


def test_voicemail_without_a_box_is_refused(caller: Caller) -> None:
    caller.house.do(lambda model: setattr(model.lines["1001"][0], "box", None))
    change = {"calendar": {"route": "voicemail"}}
    assert caller.code("PUT", "automation", change) == (400, "no_voicemail")


def test_a_word_that_is_no_choice_is_refused(caller: Caller) -> None:
    change = {"calendar": {"route": "fax"}}
    assert caller.code("PUT", "automation", change) == (400, "invalid_request")


def test_routing_says_what_holds_and_what_will(caller: Caller) -> None:
    caller.ask("PUT", "automation", {"calendar": {"route": "number", "number": MOBILE}})
    now = timezone.now()
    add_meeting(caller.user, starts=now - timedelta(minutes=1), ends=now + timedelta(hours=1))
    status, found = caller.ask("GET", "routing")
    assert status == 200
    assert (found["route"], found["destination"]) == ("number", "0639984172")
    assert (found["source"], found["reason"], found["applied"]) == ("calendar", "meeting", False)
    later = (now + timedelta(hours=2)).isoformat()
    status, found = caller.ask("GET", f"routing?at={later}")
    assert (found["route"], found["source"], found["applied"]) == ("own", "own", None)


def test_a_time_more_than_a_year_ahead_or_that_is_none_is_refused(caller: Caller) -> None:
    far = (timezone.now() + timedelta(days=367)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert caller.code("GET", f"routing?at={far}") == (400, "invalid_request")
    assert caller.code("GET", "routing?at=tomorrow") == (400, "invalid_request")


def test_the_forecast_has_no_gaps(caller: Caller) -> None:
    caller.ask("PUT", "automation", {"calendar": {"route": "voicemail", "set_im_busy": True}})
    now = timezone.now()
    for hours in (5, 30):
        starts = now + timedelta(hours=hours)
        add_meeting(caller.user, uid=str(hours), starts=starts, ends=starts + timedelta(hours=1))
    status, found = caller.ask("GET", "routing/forecast?days=7")
    segments = found["segments"]
    assert status == 200
    assert [segment["route"] for segment in segments] == [
        "own", "voicemail", "own", "voicemail", "own",
    ]  # fmt: skip
    assert all(one["to"] == other["from"] for one, other in itertools.pairwise(segments))
    assert [segment["im"]["status"] for segment in segments][1] == "busy"


def test_the_forecast_does_not_end_a_reason_at_its_own_end(caller: Caller) -> None:
    status, now_holds = caller.ask("GET", "routing")
    for days in (1, 7):
        (found,) = caller.ask("GET", f"routing/forecast?days={days}")[1]["segments"]
        assert (found["until"], found["im"]["until"]) == (None, None)
        assert (found["until"], found["im"]) == (now_holds["until"], now_holds["im"])
    assert status == 200


def test_a_meeting_is_suppressed_and_counts_again(caller: Caller) -> None:
    caller.ask("PUT", "automation", {"calendar": {"route": "voicemail"}})
    assert caller.code("POST", "routing/suppress", {"scope": "meeting"}) == (400, "no_meeting")
    now = timezone.now()
    add_meeting(caller.user, starts=now - timedelta(minutes=1), ends=now + timedelta(hours=1))
    status, found = caller.ask("POST", "routing/suppress", {"scope": "series"})
    assert (status, found["route"], found["suppressed"]) == (201, "own", True)
    assert SuppressedMeeting.objects.get().starts is None
    assert caller.ask("DELETE", "routing/suppress") == (204, None)
    assert caller.ask("GET", "routing")[1]["route"] == "voicemail"


def test_forwards_need_an_engine_that_hears_the_pbx(caller: Caller) -> None:
    assert caller.code("GET", "forwards") == (503, "pbx_unavailable")
    change = {"do_not_disturb": True}
    assert caller.code("PUT", "forwards", change) == (503, "pbx_unavailable")
    assert not Line.objects.filter(wanted__has_key="do_not_disturb").exists()


def test_who_has_no_line_has_no_forwards(caller: Caller) -> None:
    caller.user.pbx = None
    caller.user.save()
    assert caller.code("GET", "forwards") == (409, "no_line")
