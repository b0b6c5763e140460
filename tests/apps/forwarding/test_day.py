from __future__ import annotations

from datetime import timedelta

import pytest

from bluetel.telephony.types import Forward, ForwardKind, PbxUserId
from forwarding import services
from forwarding.models import Line, PbxWrite
from forwarding.planning import begin
from tests.apps.forwarding.day import Day, Seen
from tests.apps.house import House

MOBILE = "0639984172"


@pytest.fixture
def day(house: House) -> Day:
    return Day(house)


@pytest.fixture
def ruled(day: Day) -> Day:
    """The worked day's rules: meetings show Busy and lead to voicemail, Busy to a mobile."""
    day.rules(
        calendar={"set_im_busy": True, "route": "voicemail"},
        im={"route": "number", "number": "06 39 98 41 72"},
    )
    return day


def test_the_worked_day(ruled: Day) -> None:
    day = ruled
    voicemail = day.voicemail
    day.add("A", "10:00", "11:00")
    day.add("B", "10:30", "12:00")
    day.add("C", "14:00", "15:00")
    there = "offline"  # no page of his is open

    day.go_to("09:59:59.9")
    assert day.seen() == Seen(there, "own", None, "own", "10:00")
    assert day.on_pbx == "off"
    day.go_to("10:00")
    assert day.seen() == Seen("busy", "voicemail", None, "meeting", "12:00")
    assert day.on_pbx == f"on {voicemail}"
    day.go_to("10:40")
    day.dial("1042")
    assert day.seen() == Seen("busy", "number", "1042", "override", "12:00")
    day.go_to("11:00")
    assert day.seen() == Seen("busy", "number", "1042", "override", "12:00")
    day.go_to("12:00")
    assert day.seen() == Seen(there, "number", "1042", "own_forward", "14:00")
    day.go_to("12:05")
    day.dial(None)
    assert day.seen() == Seen(there, "own", None, "own", "14:00")
    day.go_to("13:00")
    day.status("busy")
    assert day.seen() == Seen("busy", "number", MOBILE, "busy_by_hand", None)
    day.go_to("14:00")
    assert day.seen() == Seen("busy", "number", MOBILE, "busy_by_hand", None)
    day.go_to("14:10")
    day.status(None)
    assert day.seen() == Seen("busy", "voicemail", None, "meeting", "15:00")
    day.go_to("14:20")
    day.do(services.suppress, "meeting")
    assert day.seen() == Seen(there, "own", None, "suppressed", "15:00")
    day.go_to("14:30")
    day.move("C", "16:00", "17:00")
    assert day.seen() == Seen(there, "own", None, "own", "16:00")
    day.go_to("16:00")
    assert day.seen() == Seen("busy", "voicemail", None, "meeting", "17:00")
    day.go_to("16:20")
    day.kill_engine()
    assert day.on_pbx == f"on {voicemail}"
    day.go_to("16:40")
    day.remove("C")
    assert day.on_pbx == f"on {voicemail}"
    day.start_engine()
    assert day.seen() == Seen(there, "own", None, "own", None)
    assert day.on_pbx == "off"
    assert day.log() == [
        f"10:00 on {voicemail}",
        f"13:00 on {MOBILE}",
        f"14:10 on {voicemail}",
        "14:20 off 1042",
        f"16:00 on {voicemail}",
        "16:40 off 1042",
    ]


def test_a_write_that_the_pbx_does_not_keep_is_tried_again_ever_more_rarely(
    ruled: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = ruled

    def take_and_forget(user: PbxUserId, kind: ForwardKind, forward: Forward) -> None:
        pass

    day.add("A", "10:00", "11:00")
    with monkeypatch.context() as patched:
        patched.setattr(day.house.backend, "set_forward", take_and_forget)
        day.go_to("10:05")
        tried = PbxWrite.objects.filter(outcome=PbxWrite.Outcome.FAILED).count()
        assert 8 <= tried <= 20
        assert Line.objects.get(pk=day.user.pk).failing_since is not None
    day.go_to("10:06")
    assert day.on_pbx == f"on {day.voicemail}"
    assert Line.objects.get(pk=day.user.pk).failing_since is None


def test_nothing_fails_any_more_where_nothing_is_to_be_written(ruled: Day) -> None:
    day = ruled
    day.go_to("09:30")
    Line.objects.update(failing_since=day.now - timedelta(minutes=5), tries=4)
    begin(day.held, [day.user.pk], now=day.now, heard_since={})
    line = Line.objects.get(pk=day.user.pk)
    assert (line.failing_since, line.tries) == (None, 0)


def test_a_meeting_counts_again_though_its_forward_was_switched_off(ruled: Day) -> None:
    day = ruled
    day.add("A", "10:00", "12:00")
    day.go_to("10:00")
    day.dial(None)
    assert day.seen() == Seen("busy", "own", None, "override", "12:00")
    day.do(services.unsuppress)
    assert day.seen() == Seen("busy", "voicemail", None, "meeting", "12:00")
    assert day.on_pbx == f"on {day.voicemail}"


def test_a_forward_set_over_a_status_is_not_taken_back_with_a_meeting(ruled: Day) -> None:
    day = ruled
    day.go_to("09:10")
    day.status("busy")
    day.dial("1042")
    assert day.seen() == Seen("busy", "number", "1042", "override", None)
    day.do(services.unsuppress)
    assert day.seen() == Seen("busy", "number", "1042", "override", None)


def test_a_pbx_that_was_made_anew_is_no_choice_of_the_users(ruled: Day) -> None:
    day = ruled
    day.add("A", "10:00", "12:00")
    day.go_to("10:00")
    day.kill_engine()
    day.dial(None)
    services.forget_pbx([day.user.pk])
    day.start_engine()
    assert day.seen() == Seen("busy", "voicemail", None, "meeting", "12:00")
    assert day.on_pbx == f"on {day.voicemail}"
