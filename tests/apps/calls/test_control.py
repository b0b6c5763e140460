"""Steering a live call, and what is said where a phone can't."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bluetel.calls import control, errors, services
from bluetel.calls.models import Call
from bluetel.telephony.errors import PbxUnavailable, Rejected, RejectReason
from bluetel.telephony.simulator.events import DtmfSent
from bluetel.telephony.types import TransferKind
from tests.apps.house import NOW, House


@pytest.fixture
def talk(house: House) -> Call:
    """Camille talks with Nadia; both phones can be steered from afar."""
    call = services.place_call(house.user("1001"), "1002", now=NOW).call
    house.answer("1001")
    house.answer("1002")
    house.hear()
    call.refresh_from_db()
    return call


def state_of(house: House, call: Call) -> str:
    house.hear()
    call.refresh_from_db()
    return call.state


def test_hold_and_back(house: House, talk: Call) -> None:
    control.hold(talk, held=True)
    assert state_of(house, talk) == "held"
    control.hold(talk, held=False)
    assert state_of(house, talk) == "talking"


def test_a_phone_that_cannot_hold_says_so(house: House) -> None:
    call = services.place_call(house.user("1004"), "1002", now=NOW).call
    house.answer("1004")
    house.answer("1002")
    house.hear()
    call.refresh_from_db()
    with pytest.raises(errors.NotPossible):
        control.hold(call, held=True)
    assert state_of(house, call) == "talking"


def test_mute_and_back(house: House, talk: Call) -> None:
    assert control.mute(talk, muted=True).muted
    assert house.leg("1001").muted
    assert not control.mute(talk, muted=False).muted


def test_tones_reach_the_pbx(house: House, talk: Call) -> None:
    heard: list[str] = []
    house.do(
        lambda model: model.listen(
            lambda event: heard.append(event.digit) if isinstance(event, DtmfSent) else None
        )
    )
    control.send_dtmf(talk, "12#")
    assert heard[:3] == ["1", "2", "#"]


def test_a_blind_transfer_rings_the_third_phone(house: House, talk: Call) -> None:
    control.transfer(talk, "1003", kind=TransferKind.BLIND)
    assert state_of(house, talk) == "ended"
    assert house.is_ringing("1003")


def test_an_attended_transfer_is_completed(house: House, talk: Call) -> None:
    control.transfer(talk, "1003", kind=TransferKind.ATTENDED)
    house.answer("1003")
    house.hear()
    control.complete_transfer(talk)
    assert state_of(house, talk) == "ended"
    assert house.has_call("1002")
    assert house.has_call("1003")


def test_an_attended_transfer_is_cancelled(house: House, talk: Call) -> None:
    control.transfer(talk, "1003", kind=TransferKind.ATTENDED)
    house.answer("1003")
    house.hear()
    control.cancel_transfer(talk)
    assert state_of(house, talk) == "talking"
    assert not house.has_call("1003")


@pytest.mark.parametrize("number", ["0899700123", "+18095550123", "*98", "1001"])
def test_a_transfer_obeys_the_dial_policy(house: House, talk: Call, number: str) -> None:
    with pytest.raises(errors.NumberRefused):
        control.transfer(talk, number, kind=TransferKind.BLIND)
    assert state_of(house, talk) == "talking"


def test_a_transfer_to_nowhere_leaves_the_call_alone(house: House, talk: Call) -> None:
    with pytest.raises(errors.InvalidNumber):
        control.transfer(talk, "1099", kind=TransferKind.BLIND)
    assert state_of(house, talk) == "talking"


@pytest.mark.parametrize("end", [control.complete_transfer, control.cancel_transfer])
def test_a_transfer_that_has_not_begun_has_no_end(
    house: House, talk: Call, end: Callable[[Call], None]
) -> None:
    with pytest.raises(errors.NoTransfer, match="not being transferred") as refused:
        end(talk)
    assert refused.value.code == "not_supported"
    assert state_of(house, talk) == "talking"


def test_a_call_nobody_has_answered_is_not_passed_on(house: House) -> None:
    call = services.place_call(house.user("1001"), "1002", now=NOW).call
    with pytest.raises(errors.NotPossible):
        control.transfer(call, "1003", kind=TransferKind.BLIND)
    assert state_of(house, call) == "ringing_self"


def test_what_the_pbx_refuses_is_not_a_pbx_that_is_down(house: House, talk: Call) -> None:
    house.backend.fail(Rejected("nobody to hold", reason=RejectReason.CONFLICT))
    with pytest.raises(errors.NotPossible):
        control.hold(talk, held=True)


def test_what_has_ended_cannot_be_steered(house: House, talk: Call) -> None:
    ended = control.hang_up(talk, now=NOW)
    with pytest.raises(errors.CallOver):
        control.hold(ended, held=True)


def test_a_pbx_that_is_down_is_said_so(house: House, talk: Call) -> None:
    house.backend.fail(PbxUnavailable("down"))
    with pytest.raises(errors.PbxDown):
        control.mute(talk, muted=True)


def test_answering_from_afar_picks_the_own_phone_up(house: House) -> None:
    call = services.place_call(house.user("1001"), "1002", now=NOW).call
    control.answer(call)
    assert state_of(house, call) == "ringing_peer"
    assert house.is_ringing("1002")
