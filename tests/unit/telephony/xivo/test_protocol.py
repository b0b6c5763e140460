"""The CTI socket's state machine: nothing before LoggedOn, pings, and what commands wait for."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from bluetel.telephony.xivo.messages import ConfigUpdate, CtiMessage, HintChanged
from bluetel.telephony.xivo.protocol import Ask, CtiMachine, NotLoggedOn, Outcome, Stage

LOGGED_ON = json.dumps({"msgType": "LoggedOn", "ctiMessage": None})
HINT = json.dumps(
    {"msgType": "PhoneHintStatusEvent", "ctiMessage": {"number": "1041", "status": 8}}
)
DND = json.dumps(
    {"msgType": "UserConfigUpdate", "ctiMessage": {"fullName": None, "dndEnabled": True}}
)
ERROR = json.dumps({"msgType": "Error", "ctiMessage": {"Error": "no"}})


@pytest.fixture
def machine() -> CtiMachine:
    return CtiMachine(now=0.0)


@pytest.fixture
def logged_on(machine: CtiMachine) -> CtiMachine:
    machine.receive(LOGGED_ON, now=0.0)
    return machine


def outcomes_of(
    machine: CtiMachine, accepts: Callable[[CtiMessage], bool], *, until: float = 4.0
) -> list[CtiMessage | Outcome]:
    outcomes: list[CtiMessage | Outcome] = []
    machine.expect(Ask(accepts=accepts, done=outcomes.append, until=until))
    return outcomes


def is_dnd(message: CtiMessage) -> bool:
    return isinstance(message, ConfigUpdate) and message.do_not_disturb is True


def test_no_command_goes_before_logged_on(machine: CtiMachine) -> None:
    with pytest.raises(NotLoggedOn):
        machine.command("dial", destination="1042")
    with pytest.raises(NotLoggedOn):
        outcomes_of(machine, is_dnd)


def test_logged_on_opens_once(machine: CtiMachine) -> None:
    assert machine.receive(LOGGED_ON, now=1.0).opened
    assert not machine.receive(LOGGED_ON, now=2.0).opened
    assert machine.command("hangup") == '{"claz": "web", "command": "hangup"}'


def test_what_comes_before_logged_on_is_heard(machine: CtiMachine) -> None:
    assert machine.receive(HINT, now=1.0).message == HintChanged("1041", 8)
    assert machine.stage is Stage.WAITING


def test_a_socket_that_never_says_logged_on_is_given_up(machine: CtiMachine) -> None:
    assert not machine.tick(now=11.9).lost
    assert machine.tick(now=12.0).lost == "no LoggedOn came"


@pytest.mark.parametrize("reason", ["loggedOnFailed", "loggedOnTimeout"])
def test_a_refused_session_ends_the_socket(machine: CtiMachine, reason: str) -> None:
    frame = json.dumps({"msgType": "LoggedOnError", "ctiMessage": {"Error": reason}})

    assert reason in machine.receive(frame, now=1.0).lost
    assert machine.stage is Stage.LOST


def test_a_pbx_that_xuc_has_lost_ends_the_socket(logged_on: CtiMachine) -> None:
    frame = json.dumps({"msgType": "LinkStatusUpdate", "ctiMessage": {"status": "closed"}})

    assert logged_on.receive(frame, now=1.0).lost


def test_pings_go_every_five_seconds_and_three_misses_end_it(logged_on: CtiMachine) -> None:
    sent = []
    for second in range(1, 25):
        turn = logged_on.tick(now=float(second))
        sent += [second] * len(turn.send)
        if turn.lost:
            assert (second, turn.lost) == (20, "silent")
            break
    assert sent == [5, 10, 15]


@pytest.mark.parametrize("answer", ["{}", "", HINT, '{"claz": "pong"}', "nonsense"])
def test_any_frame_answers_a_ping(logged_on: CtiMachine, answer: str) -> None:
    for second in range(5, 100, 5):
        assert not logged_on.tick(now=float(second)).lost
        logged_on.receive(answer, now=second + 0.1)


def test_a_command_is_done_when_its_event_came(logged_on: CtiMachine) -> None:
    outcomes = outcomes_of(logged_on, is_dnd)
    logged_on.receive(HINT, now=1.0)
    assert outcomes == []
    logged_on.receive(DND, now=1.5)

    assert len(outcomes) == 1
    assert isinstance(outcomes[0], ConfigUpdate)


def test_a_command_without_its_event_fails_in_time(logged_on: CtiMachine) -> None:
    outcomes = outcomes_of(logged_on, is_dnd, until=4.0)
    assert logged_on.next_tick == 4.0
    logged_on.tick(now=3.9)
    assert outcomes == []
    logged_on.tick(now=4.0)

    assert outcomes == [Outcome.LATE]


def test_an_error_fails_the_command_that_has_waited_longest(logged_on: CtiMachine) -> None:
    first, second = outcomes_of(logged_on, is_dnd), outcomes_of(logged_on, is_dnd)
    logged_on.receive(ERROR, now=1.0)

    assert (first, second) == ([Outcome.FAILED], [])


def test_an_error_nobody_waits_for_is_no_matter(logged_on: CtiMachine) -> None:
    assert not logged_on.receive(ERROR, now=1.0).lost


def test_one_event_settles_all_who_wait_for_it(logged_on: CtiMachine) -> None:
    first, second = outcomes_of(logged_on, is_dnd), outcomes_of(logged_on, is_dnd)
    logged_on.receive(DND, now=1.0)

    assert len(first) == len(second) == 1


def test_the_end_of_a_socket_fails_what_waits(logged_on: CtiMachine) -> None:
    outcomes = outcomes_of(logged_on, is_dnd)
    logged_on.close()

    assert outcomes == [Outcome.LOST]
    with pytest.raises(NotLoggedOn):
        logged_on.command("hangup")


def test_unknown_types_are_passed_over_and_counted(logged_on: CtiMachine) -> None:
    odd = json.dumps({"msgType": "MeetingRoomInvite", "ctiMessage": {}})
    for _ in range(3):
        turn = logged_on.receive(odd, now=1.0)
        assert turn.message is None
    logged_on.receive("{}", now=1.0)

    assert logged_on.ignored == {"MeetingRoomInvite": 3, "": 1}


def test_nothing_is_heard_after_the_end(logged_on: CtiMachine) -> None:
    logged_on.close()

    assert logged_on.receive(HINT, now=1.0).message is None
    assert not logged_on.tick(now=100.0).send
