from __future__ import annotations

import pytest

from bluetel.telephony.errors import RejectReason
from bluetel.telephony.simulator.events import CallLogged, DtmfSent, LegStep
from bluetel.telephony.simulator.legs import LegStatus
from bluetel.telephony.simulator.model import Refused
from bluetel.telephony.types import CallState, LineState
from tests.unit.simulator.conftest import Office


def test_a_click_rings_the_own_phone_and_nobody_elses(office: Office) -> None:
    leg = office.pbx.place_call(office.person("1001"), "1002")

    assert (leg.status, leg.is_caller, leg.originating) == (LegStatus.RINGING, True, True)
    assert office.person("1001").line_state is LineState.RINGING
    assert office.person("1002").line_state is LineState.AVAILABLE


def test_the_own_display_shows_the_dialled_number_until_it_is_picked_up(office: Office) -> None:
    leg = office.pbx.place_call(office.person("1001"), "1002")
    assert (leg.number, leg.peer_number) == ("1002", "1002")

    office.pbx.answer(leg)

    assert (leg.number, leg.name) == ("1001", "Camille Renard")
    assert (leg.peer_number, leg.peer_name) == ("1002", "Nadia Belkacem")


def test_picking_up_the_own_phone_rings_the_callee(office: Office) -> None:
    leg = office.click("1001", "1002")

    callee = office.leg("1002")
    assert (callee.status, callee.peer_number) == (LegStatus.RINGING, "1001")
    assert callee.call is leg.call
    assert leg.state is CallState.RINGING_PEER
    assert office.person("1001").line_state is LineState.TALKING


def test_both_talk_once_the_callee_picks_up(office: Office) -> None:
    leg = office.click("1001", "1002")
    office.pbx.answer(office.leg("1002"))

    assert leg.state is office.leg("1002").state is CallState.TALKING
    assert leg.mates == [office.leg("1002")]


def test_an_unanswered_own_phone_rings_thirty_seconds(office: Office) -> None:
    leg = office.pbx.place_call(office.person("1001"), "1002")

    office.pbx.advance(29.9)
    assert leg.is_live
    office.pbx.advance(0.1)

    assert leg.cause == 19
    assert office.steps(LegStep.CREATED) == [(LegStep.CREATED, "1001")]


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        pytest.param("4999", RejectReason.INVALID_EXTENSION, id="unknown-extension"),
        pytest.param("*971007", RejectReason.INVALID_EXTENSION, id="no-such-box"),
        pytest.param("*81002", RejectReason.INVALID_EXTENSION, id="pickup-is-switched-off"),
        pytest.param("", RejectReason.INVALID_EXTENSION, id="nothing"),
    ],
)
def test_a_number_the_dial_plan_does_not_know_is_refused(
    office: Office, number: str, reason: RejectReason
) -> None:
    with pytest.raises(Refused) as refused:
        office.pbx.place_call(office.person("1001"), number)

    assert refused.value.reason is reason
    assert office.diary == []


def test_an_unplugged_phone_can_not_place_a_call(office: Office) -> None:
    with pytest.raises(Refused) as refused:
        office.pbx.place_call(office.person("1008"), "1001")

    assert refused.value.reason is RejectReason.PHONE_UNREACHABLE


def test_somebody_without_a_line_can_not_place_a_call(office: Office) -> None:
    visitor = office.pbx.add_person(user_id="visitor", first_name="Ada", last_name="Aubin")

    with pytest.raises(Refused) as refused:
        office.pbx.place_call(visitor, "1001")

    assert refused.value.reason is RejectReason.NO_LINE


def test_a_foreign_line_is_refused(office: Office) -> None:
    with pytest.raises(Refused):
        office.pbx.place_call(office.person("1001"), "1002", line_id=office.line("1003").id)


def test_dialling_on_the_handset_rings_the_callee_at_once(office: Office) -> None:
    office.pbx.dial(office.line("1001"), "1002")

    assert office.person("1001").line_state is LineState.PROGRESSING
    assert office.person("1002").line_state is LineState.RINGING


def test_a_phone_in_a_call_dials_no_second_one(office: Office) -> None:
    office.talk("1001", "1002")

    with pytest.raises(Refused):
        office.pbx.dial(office.line("1001"), "1003")


def test_hanging_up_ends_both_sides_callee_first(office: Office) -> None:
    caller, callee = office.talk("1001", "1002")
    office.pbx.put_down(caller)

    assert office.steps(LegStep.ENDED) == [(LegStep.ENDED, "1002"), (LegStep.ENDED, "1001")]
    assert (caller.cause, callee.cause) == (16, 16)
    assert office.pbx.legs == {}


def test_a_caller_who_gives_up_ends_it_with_127(office: Office) -> None:
    office.pbx.dial(office.line("1001"), "1003")
    caller, callee = office.leg("1001"), office.leg("1003")
    office.pbx.put_down(caller)

    assert (caller.cause, callee.cause) == (127, 127)


def test_a_rejected_call_tells_the_caller_why(office: Office) -> None:
    leg = office.click("1001", "1002")
    office.pbx.reject(office.leg("1002"))
    office.pbx.advance(office.pbx.habits.prompt)

    assert (leg.cause, leg.reached) == (21, CallState.RINGING_PEER)


def test_a_busy_phone_takes_no_second_call(office: Office) -> None:
    office.person("1002").box = None
    office.talk("1002", "1003")
    leg = office.click("1001", "1002")
    office.pbx.advance(office.pbx.habits.prompt)

    assert leg.cause == 17
    assert len(office.line("1002").legs) == 1


def test_a_phone_with_call_waiting_takes_a_second_call(office: Office) -> None:
    office.person("1002").call_limit = 2
    office.talk("1002", "1003")
    office.click("1001", "1002")

    assert [leg.status for leg in office.line("1002").legs] == [LegStatus.UP, LegStatus.RINGING]
    assert office.person("1002").line_state is LineState.RINGING


def test_an_unanswered_call_to_somebody_without_a_box_ends_with_19(office: Office) -> None:
    leg = office.click("1001", "1007")
    office.pbx.advance(30 + office.pbx.habits.prompt)

    assert leg.cause == 19


def test_an_unreachable_phone_ends_with_20(office: Office) -> None:
    office.person("1008").box = None
    leg = office.click("1001", "1008")
    office.pbx.advance(office.pbx.habits.prompt)

    assert leg.cause == 20


def test_an_outside_number_picks_up_after_its_time(office: Office) -> None:
    leg = office.click("1001", "0199004217")

    office.pbx.advance(3.9)
    before = leg.state
    office.pbx.advance(0.1)
    assert (before, leg.state) == (CallState.RINGING_PEER, CallState.TALKING)
    (outside,) = office.pbx.outside_legs()
    assert outside.outside == "0199004217"


@pytest.mark.parametrize(
    ("number", "seconds", "cause"),
    [
        pytest.param("0199004299", 2, 17, id="busy"),
        pytest.param("0199004298", 62, 19, id="never-answers"),
    ],
)
def test_some_outside_numbers_can_not_be_reached(
    office: Office, number: str, seconds: float, cause: int
) -> None:
    leg = office.click("1001", number)
    office.pbx.advance(seconds)

    assert (leg.cause, leg.talked_at) == (cause, None)


def test_an_outside_caller_rings_a_phone(office: Office) -> None:
    office.pbx.call_in("0199004217", name="Hélène Marchetti", to="1001")

    leg = office.leg("1001")
    assert (leg.peer_number, leg.peer_name) == ("0199004217", "Hélène Marchetti")
    office.pbx.answer(leg)
    assert leg.state is CallState.TALKING


def test_an_outside_caller_must_call_an_extension(office: Office) -> None:
    with pytest.raises(Refused):
        office.pbx.call_in("0199004217", name="", to="0199004218")


def test_all_lines_ring_and_the_first_to_answer_wins(office: Office) -> None:
    both = office.pbx.add_person(
        user_id="two-lines", first_name="Ada", last_name="Aubin", extensions=["2001", "2002"]
    )
    half = office.pbx.place_call(both, "1002", all_lines=True)
    first, second = both.lines[0].legs[0], both.lines[1].legs[0]
    assert half.local
    assert half.call is first.call is second.call

    office.pbx.answer(second)

    assert (first.cause, half.is_live) == (26, False)
    assert office.leg("1002").status is LegStatus.RINGING


def test_of_a_half_channel_no_event_tells(office: Office) -> None:
    person = office.person("1001")
    half = office.pbx.place_call(person, "1002", all_lines=True)
    office.pbx.hang_up(half)

    assert office.steps(*LegStep) == [
        (LegStep.CREATED, "1001"),
        (LegStep.CHANGED, "1001"),
        (LegStep.ENDED, "1001"),
    ]


def test_hold_and_resume_change_the_phones_state(office: Office) -> None:
    caller, _ = office.talk("1001", "1002")

    assert office.pbx.hold(caller)
    assert (office.person("1001").line_state, caller.state) == (
        LineState.HOLDING,
        CallState.HELD,
    )
    assert not office.pbx.hold(caller)
    assert office.pbx.resume(caller)
    assert office.person("1001").line_state is LineState.TALKING
    assert not office.pbx.resume(caller)


def test_a_ringing_call_can_not_be_held(office: Office) -> None:
    assert not office.pbx.hold(office.click("1001", "1002"))


def test_a_call_in_progress_is_muted_and_takes_tones(office: Office) -> None:
    caller, _ = office.talk("1001", "1002")
    office.pbx.mute(caller, muted=True)
    office.pbx.send_dtmf(caller, "1#")

    assert caller.muted
    assert [event.digit for event in office.diary if isinstance(event, DtmfSent)] == ["1", "#"]


def test_pulling_the_cable_ends_the_call(office: Office) -> None:
    caller, callee = office.talk("1001", "1002")
    office.pbx.plug(office.line("1002"), plugged=False)

    assert (caller.is_live, callee.cause) == (False, 27)
    assert office.person("1002").line_state is LineState.UNAVAILABLE
    office.pbx.plug(office.line("1002"), plugged=True)
    assert office.person("1002").line_state is LineState.AVAILABLE


def test_a_phone_that_does_not_ring_can_not_be_picked_up(office: Office) -> None:
    caller, _ = office.talk("1001", "1002")

    with pytest.raises(Refused):
        office.pbx.answer(caller)
    with pytest.raises(Refused):
        office.pbx.reject(caller)


def test_no_call_lasts_longer_than_ten_hours(office: Office) -> None:
    caller, _ = office.talk("1001", "1002")
    office.pbx.advance(10 * 3600)

    assert not caller.is_live


def test_a_finished_call_is_logged_a_second_later(office: Office) -> None:
    caller, _ = office.talk("1001", "1002")
    office.pbx.advance(5)
    office.pbx.put_down(caller)
    assert not office.pbx.log
    office.pbx.advance(1)

    (entry,) = office.pbx.log
    assert (entry.source_number, entry.destination_number) == ("1001", "1002")
    assert (entry.answered, entry.seconds) == (True, 5)
    assert [person.extension for person in entry.participants] == ["1001", "1002"]
    assert office.diary[-1] == CallLogged(entry)


def test_a_missed_call_is_logged_as_not_answered(office: Office) -> None:
    office.pbx.dial(office.line("1001"), "1002")
    office.pbx.put_down(office.leg("1001"))
    office.pbx.advance(1)

    (entry,) = office.pbx.log_of(office.person("1002"))
    assert (entry.answered, entry.answered_at, entry.seconds) == (False, None, 0)


def test_removing_a_person_ends_his_calls(office: Office) -> None:
    caller, _ = office.talk("1001", "1002")
    office.pbx.remove_person(office.person("1002"))

    assert not caller.is_live
    assert office.pbx.by_extension("1002") is None
    assert office.pbx.by_login("demo2") is None
    assert office.pbx.resolve("*971002") is None
