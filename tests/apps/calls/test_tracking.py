"""Rows follow the PBX, whoever began the call and in whatever order the news come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bluetel.calls import control, services
from bluetel.calls.models import Call
from bluetel.calls.selectors import live_calls
from bluetel.calls.tracking import apply_pbx_calls, apply_pbx_snapshot, live_conversations, sweep
from bluetel.telephony import types
from bluetel.telephony.types import CallId, CallState, PbxUserId, TransferKind
from tests.apps.house import NOW, House


def place(house: House, number: str) -> Call:
    return services.place_call(house.user("1001"), number, now=NOW).call


def the_call(call: Call) -> Call:
    call.refresh_from_db()
    return call


def test_a_call_runs_from_ones_own_phone_to_the_talk_and_its_end(house: House) -> None:
    call = place(house, "1002")
    seen = [the_call(call).state]
    for step, extension in (
        (house.answer, "1001"),
        (house.answer, "1002"),
        (house.put_down, "1002"),
    ):
        step(extension)
        house.hear()
        seen.append(the_call(call).state)
    assert seen == ["ringing_self", "ringing_peer", "talking", "ended"]
    assert call.end_reason == "hung_up"
    assert call.answered_at is not None


def test_the_colleague_sees_the_same_call_coming_in(house: House) -> None:
    place(house, "1002")
    house.answer("1001")
    told = dict(house.hear())
    incoming = told[house.user("1002").pk]
    assert (incoming["state"], incoming["direction"]) == ("ringing_self", "incoming")
    assert incoming["name"] == "Camille Renard"
    assert incoming["contact_id"] == f"user-{house.user('1001').pk}"


@pytest.mark.parametrize(
    ("what_happens", "reason"),
    [
        (lambda house: house.reject("1001"), "you_did_not_answer"),
        (lambda house: house.do(lambda model: model.advance(31)), "you_did_not_answer"),
    ],
    ids=["own-phone-rejected", "own-phone-rang-out"],
)
def test_not_picking_up_ones_own_phone_calls_nobody(
    house: House, what_happens: Callable[[House], object], reason: str
) -> None:
    call = place(house, "1002")
    what_happens(house)
    house.hear()
    assert the_call(call).end_reason == reason
    assert not house.has_call("1002")


@pytest.mark.parametrize(
    ("what_happens", "reason"),
    [
        (lambda house: house.reject("1007", busy=True), "busy"),
        (lambda house: house.reject("1007"), "refused"),
        (lambda house: house.do(lambda model: model.advance(60)), "no_answer"),
        (lambda house: house.put_down("1001"), "cancelled"),
    ],
    ids=["busy", "declined", "not-picked-up", "caller-gives-up"],
)
def test_a_call_the_peer_did_not_take_says_why(
    house: House, what_happens: Callable[[House], object], reason: str
) -> None:
    # Rui has no voicemail box that would take the call.
    call = place(house, "1007")
    house.answer("1001")
    house.hear()
    what_happens(house)
    house.do(lambda model: model.advance(5))
    house.hear()
    assert the_call(call).end_reason == reason


def test_a_call_dialled_on_the_handset_shows_too(house: House) -> None:
    house.do(lambda model: model.dial(model.lines["1003"][1], "1004"))
    house.hear()
    calls = {call.user.extension: call for call in Call.objects.select_related("user")}
    assert (calls["1003"].direction, calls["1003"].state) == ("outgoing", "ringing_peer")
    assert (calls["1004"].direction, calls["1004"].state) == ("incoming", "ringing_self")


def test_a_hostile_caller_name_is_kept_as_harmless_text(house: House) -> None:
    hostile = "\u202e<script>alert(1)</script>\r\n" + "x" * 10_000
    house.do(lambda model: model.call_in("0199004217", name=hostile, to="1001"))
    house.hear()
    call = Call.objects.get()
    assert call.name.startswith("<script>alert(1)</script> x")
    assert len(call.name) == 200
    assert call.number == "0199004217"


@pytest.mark.parametrize("number", ["", "anonymous", "Unknown"])
def test_who_withholds_his_number_shows_none(house: House, number: str) -> None:
    house.do(lambda model: model.call_in(number, name="", to="1001"))
    house.hear()
    call = Call.objects.get()
    assert (call.number, call.name) == ("", "")


def test_an_ended_call_is_never_brought_back_to_life(house: House) -> None:
    call = place(house, "1002")
    alive = house.backend.calls(PbxUserId(house.user("1001").pbx_user_id))
    house.put_down("1001")
    house.hear()
    assert apply_pbx_calls(house.pbx, alive, now=NOW) == []
    assert the_call(call).state == "ended"


def test_news_told_twice_change_nothing(house: House) -> None:
    place(house, "1002")
    house.answer("1001")
    calls = house.backend.calls()
    assert apply_pbx_calls(house.pbx, calls, now=NOW)
    assert apply_pbx_calls(house.pbx, calls, now=NOW) == []


def test_what_a_snapshot_lacks_has_ended(house: House) -> None:
    call = place(house, "1002")
    other = Call.objects.create(user=house.user("1003"), pbx=house.pbx, created_at=NOW)
    known = live_conversations(house.pbx)
    told = apply_pbx_snapshot(house.pbx, [], known=known, now=NOW)
    assert [record["id"] for _, record in told] == [str(call.pk)]
    assert the_call(call).state == "ended"
    assert the_call(other).state == "requested"


def test_a_call_placed_while_the_snapshot_is_read_goes_on(house: House) -> None:
    known, seen = live_conversations(house.pbx), house.backend.calls()
    call = place(house, "1002")
    assert apply_pbx_snapshot(house.pbx, seen, known=known, now=NOW) == []
    assert the_call(call).state == "ringing_self"


def test_a_call_of_nobody_we_know_is_left_alone(house: House) -> None:
    place(house, "1002")
    calls = house.backend.calls()
    Call.objects.all().delete()
    house.user("1001").delete()
    assert apply_pbx_calls(house.pbx, calls, now=NOW) == []


def test_a_call_that_was_never_heard_of_again_ends_after_a_minute(house: House) -> None:
    lost = Call.objects.create(
        user=house.user("1001"), pbx=house.pbx, dialed="1002", uncertain=True, created_at=NOW
    )
    assert sweep(now=NOW + timedelta(seconds=59)) == []
    ((user_id, record),) = sweep(now=NOW + timedelta(seconds=61))
    assert (user_id, record["end_reason"]) == (lost.user_id, "failed")


def test_ended_calls_are_readable_for_a_day_and_then_forgotten(house: House) -> None:
    call = place(house, "1002")
    house.put_down("1001")
    house.hear()
    sweep(now=NOW + timedelta(hours=24))
    assert Call.objects.filter(pk=call.pk).exists()
    sweep(now=NOW + timedelta(hours=26))
    assert not Call.objects.filter(pk=call.pk).exists()


def test_hanging_up_on_the_page_is_the_end_at_once(house: House) -> None:
    call = place(house, "1002")
    ended = control.hang_up(the_call(call), now=NOW)
    assert (ended.state, ended.end_reason) == ("ended", "cancelled")
    assert not house.has_call("1001")
    house.hear()
    assert the_call(call).end_reason == "cancelled"


def test_hanging_up_twice_is_no_error(house: House) -> None:
    call = place(house, "1002")
    control.hang_up(the_call(call), now=NOW)
    assert control.hang_up(the_call(call), now=NOW).end_reason == "cancelled"


def test_the_furthest_state_decides_the_reason(house: House) -> None:
    call = place(house, "1002")
    house.answer("1001")
    house.answer("1002")
    house.hear()
    talked = house.backend.calls(PbxUserId(house.user("1001").pbx_user_id))[0]
    assert talked.reached is CallState.TALKING
    assert control.hang_up(the_call(call), now=NOW).end_reason == "hung_up"


def test_asking_a_third_person_first_keeps_the_name_of_the_first(house: House) -> None:
    house.do(lambda model: model.call_in("0199004217", name="Hélène Marchetti", to="1001"))
    house.answer("1001")
    house.hear()
    call = Call.objects.get(user=house.user("1001"))
    control.transfer(call, "1003", kind=TransferKind.ATTENDED)
    house.hear()
    assert (the_call(call).number, call.name) == ("0199004217", "Hélène Marchetti")


def passed_back(house: House) -> tuple[Call, list[types.Call]]:
    """1001 calls 1002, who passes him on to 1003, who passes him back.

    Gives the first row of 1002, and what the PBX said of it while they talked.
    """
    place(house, "1002")
    house.answer("1001")
    house.answer("1002")
    house.hear()
    first = Call.objects.get(user=house.user("1002"))
    talking = list(house.backend.calls(PbxUserId(house.user("1002").pbx_user_id)))
    for by, to in (("1002", "1003"), ("1003", "1002")):
        (call,) = live_calls(house.user(by))
        control.transfer(call, to, kind=TransferKind.BLIND)
        house.hear()
        if to == "1003":
            house.answer(to)
            house.hear()
    return first, talking


def test_a_call_that_is_passed_back_shows_as_one_more(house: House) -> None:
    first, _ = passed_back(house)
    (again,) = live_calls(house.user("1002"))
    assert (again.state, again.direction, again.answered_at) == ("ringing_self", "incoming", None)
    assert (the_call(first).state, again.conversation) == ("ended", first.conversation)
    house.answer("1002")
    house.hear()
    assert the_call(again).state == "talking"
    house.put_down("1002")
    house.hear()
    assert live_calls(house.user("1002")) == []
    assert the_call(again).end_reason == "hung_up"


def test_what_comes_late_of_the_first_leaves_the_second_alone(house: House) -> None:
    first, talking = passed_back(house)
    assert apply_pbx_calls(house.pbx, talking, now=NOW) == []
    ended = [replace(call, state=CallState.ENDED) for call in talking]
    assert apply_pbx_calls(house.pbx, ended, now=NOW) == []
    assert [call.state for call in live_calls(house.user("1002"))] == ["ringing_self"]
    assert the_call(first).state == "ended"


def test_a_call_that_another_line_takes_keeps_its_row(house: House) -> None:
    place(house, "1002")
    house.answer("1001")
    house.hear()
    (call,) = live_calls(house.user("1002"))
    (seen,) = house.backend.calls(PbxUserId(house.user("1002").pbx_user_id))
    other = replace(seen, id=CallId("other-line"), state=CallState.TALKING)
    apply_pbx_calls(house.pbx, [other], now=NOW)
    (after,) = live_calls(house.user("1002"))
    assert (after.pk, after.pbx_call_id, after.state) == (call.pk, "other-line", "talking")
