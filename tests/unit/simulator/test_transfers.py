from __future__ import annotations

import pytest

from bluetel.telephony.errors import RejectReason
from bluetel.telephony.simulator.events import TransferEvent, TransferStep
from bluetel.telephony.simulator.legs import Leg, SimulatedTransfer
from bluetel.telephony.simulator.model import Refused
from bluetel.telephony.types import CallState, TransferKind
from tests.unit.simulator.conftest import Office


def _steps(office: Office) -> list[TransferStep]:
    return [event.step for event in office.diary if isinstance(event, TransferEvent)]


def _consult(office: Office, number: str = "1003") -> tuple[Leg, Leg, SimulatedTransfer]:
    """1001 called 1002, who wants to pass him on: caller, initiator and transfer."""
    caller, initiator = office.talk("1001", "1002")
    transfer = office.pbx.start_transfer(initiator, number, kind=TransferKind.ATTENDED)
    return caller, initiator, transfer


def test_an_attended_transfer_rings_the_third_for_the_initiator(office: Office) -> None:
    caller, initiator, transfer = _consult(office)

    third = office.leg("1003")
    assert (third.peer_number, third.peer_name) == ("1002", "Nadia Belkacem")
    assert (initiator.peer_number, initiator.mates, caller.mates) == ("1003", (), ())
    assert transfer.status == "ringback"


def test_the_initiator_talks_to_the_third_through_a_half_channel(office: Office) -> None:
    _, initiator, transfer = _consult(office)
    office.pbx.answer(office.leg("1003"))

    assert transfer.status == "answered"
    assert initiator.mates == [transfer.near]
    assert office.leg("1003").mates == [transfer.far]
    assert initiator.bridge is not None
    assert initiator.bridge.id == transfer.id


def test_a_completed_transfer_joins_the_other_two(office: Office) -> None:
    caller, initiator, transfer = _consult(office)
    third = office.leg("1003")
    office.pbx.answer(third)
    office.pbx.complete_transfer(transfer)

    assert (initiator.is_live, initiator.cause) == (False, 16)
    assert (caller.state, third.state) == (CallState.TALKING, CallState.TALKING)
    assert (caller.peer_number, third.peer_number) == ("1003", "1001")
    assert _steps(office) == [
        TransferStep.CREATED,
        TransferStep.UPDATED,
        TransferStep.ANSWERED,
        TransferStep.COMPLETED,
        TransferStep.ENDED,
    ]


@pytest.mark.parametrize("who", ["1001", "1003"])
def test_either_ends_a_transferred_call(office: Office, who: str) -> None:
    _, _, transfer = _consult(office)
    office.pbx.answer(office.leg("1003"))
    office.pbx.complete_transfer(transfer)
    office.pbx.put_down(office.leg(who))

    assert not office.pbx.legs


def test_the_initiator_hanging_up_completes_the_transfer(office: Office) -> None:
    caller, initiator, _ = _consult(office)
    office.pbx.answer(office.leg("1003"))
    office.pbx.put_down(initiator)

    assert caller.peer_number == "1003"
    assert caller.state is CallState.TALKING


def test_a_cancelled_transfer_takes_the_first_caller_back(office: Office) -> None:
    caller, initiator, transfer = _consult(office)
    third = office.leg("1003")
    office.pbx.answer(third)
    office.pbx.cancel_transfer(transfer)

    assert not third.is_live
    assert initiator.mates == [caller]
    assert initiator.peer_number == "1001"
    assert not office.pbx.transfers


@pytest.mark.parametrize("how", ["reject", "ring_out", "hang_up"])
def test_a_third_who_is_not_there_gives_the_caller_back(office: Office, how: str) -> None:
    caller, initiator, _ = _consult(office, "1007")
    third = office.leg("1007")
    match how:
        case "reject":
            office.pbx.reject(third)
        case "ring_out":
            office.pbx.advance(30)
        case _:
            office.pbx.answer(third)
            office.pbx.put_down(third)
    office.pbx.advance(office.pbx.habits.prompt)

    assert initiator.mates == [caller]
    assert _steps(office)[-2:] == [TransferStep.CANCELLED, TransferStep.ENDED]


def test_an_initiator_who_does_not_wait_leaves_the_caller_to_the_third(office: Office) -> None:
    caller, initiator, _ = _consult(office)
    office.pbx.put_down(initiator)
    assert caller.is_live
    office.pbx.answer(office.leg("1003"))

    assert caller.state is CallState.TALKING
    assert (caller.peer_number, office.leg("1003").peer_number) == ("1003", "1001")


def test_a_caller_nobody_takes_after_that_is_hung_up(office: Office) -> None:
    caller, initiator, _ = _consult(office, "1007")
    office.pbx.put_down(initiator)
    office.pbx.advance(30 + office.pbx.habits.prompt)

    assert not caller.is_live
    assert not office.pbx.legs


def test_a_caller_who_does_not_wait_leaves_the_other_two(office: Office) -> None:
    caller, initiator, _ = _consult(office)
    office.pbx.put_down(caller)
    office.pbx.answer(office.leg("1003"))

    assert initiator.state is CallState.TALKING
    office.pbx.put_down(initiator)
    assert not office.pbx.legs


def test_a_blind_transfer_lets_the_initiator_go_at_once(office: Office) -> None:
    caller, initiator = office.talk("1001", "1002")
    office.pbx.start_transfer(initiator, "1003", kind=TransferKind.BLIND)

    assert not initiator.is_live
    third = office.leg("1003")
    assert third.peer_number == "1001"
    office.pbx.answer(third)
    assert caller.mates == [third]
    assert not office.pbx.transfers


def test_a_blind_transfer_to_a_box_leaves_a_message_there(office: Office) -> None:
    caller, initiator = office.talk("1001", "1002")
    office.pbx.start_transfer(initiator, "*971003", kind=TransferKind.BLIND)

    assert caller.box is office.person("1003").box


def test_only_a_call_with_one_other_can_be_transferred(office: Office) -> None:
    leg = office.click("1001", "1002")

    with pytest.raises(Refused) as refused:
        office.pbx.start_transfer(leg, "1003", kind=TransferKind.ATTENDED)
    assert refused.value.reason is RejectReason.CONFLICT


def test_nobody_is_transferred_to_an_unknown_number(office: Office) -> None:
    _, initiator = office.talk("1001", "1002")

    with pytest.raises(Refused) as refused:
        office.pbx.start_transfer(initiator, "4999", kind=TransferKind.BLIND)
    assert refused.value.reason is RejectReason.INVALID_EXTENSION
    assert initiator.is_live
