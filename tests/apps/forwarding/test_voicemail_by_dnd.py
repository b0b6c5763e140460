"""A PBX on which do-not-disturb is the way to voicemail: it is part of what is own and applied."""

from __future__ import annotations

import pytest

from bluetel.accounts.models import Pbx
from forwarding import services
from tests.apps.forwarding.day import Day
from tests.apps.house import House


@pytest.fixture
def day(house: House) -> Day:
    """A day on such a PBX, with meetings that lead to voicemail."""
    Pbx.objects.update(voicemail_by_dnd=True)
    found = Day(house)
    found.rules(calendar={"route": "voicemail"})
    return found


def is_quiet(day: Day) -> bool:
    return day.person.do_not_disturb


def test_a_meeting_switches_it_on_and_its_end_off_again(day: Day) -> None:
    day.add("A", "10:00", "11:00")
    day.go_to("10:00")
    assert is_quiet(day)
    assert (day.seen().route, day.seen().reason) == ("voicemail", "meeting")
    assert day.log() == []
    day.go_to("11:00")

    assert not is_quiet(day)
    assert day.seen().route == "own"


def test_the_own_forward_stays_where_it_is_and_holds_again_afterwards(day: Day) -> None:
    day.dial("1042")
    day.add("A", "10:00", "11:00")
    day.go_to("10:30")
    assert is_quiet(day)
    day.go_to("11:00")

    assert not is_quiet(day)
    assert day.on_pbx == "on 1042"


def test_ones_own_do_not_disturb_is_left_alone(day: Day) -> None:
    day.switch_dnd(on=True)
    day.add("A", "10:00", "11:00")
    day.go_to("10:30")
    assert day.seen().route == "do_not_disturb"
    day.go_to("11:30")

    assert is_quiet(day)


def test_who_switches_it_off_in_a_meeting_gets_his_calls(day: Day) -> None:
    day.add("A", "10:00", "11:00")
    day.go_to("10:10")
    day.switch_dnd(on=False)

    assert not is_quiet(day)
    assert day.seen().route == "own"
    day.go_to("11:00")
    assert not is_quiet(day)


def test_a_forward_set_meanwhile_is_for_afterwards(day: Day) -> None:
    day.add("A", "10:00", "11:00")
    day.go_to("10:10")
    day.dial("1043")
    assert is_quiet(day)
    day.go_to("11:00")

    assert not is_quiet(day)
    assert day.on_pbx == "on 1043"


def test_a_suppressed_meeting_switches_it_off(day: Day) -> None:
    day.add("A", "10:00", "11:00")
    day.go_to("10:10")
    day.do(services.suppress, "meeting")

    assert not is_quiet(day)


def test_another_engine_finds_what_is_ours(day: Day) -> None:
    day.add("A", "10:00", "11:00")
    day.go_to("10:10")
    day.kill_engine()
    day.go_to("10:30")
    day.start_engine()
    assert is_quiet(day)
    day.go_to("11:00")

    assert not is_quiet(day)
