"""Commands and events of XUC's socket, against examples of ours and against the contract."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bluetel.telephony.types import ForwardKind, LineState, PhoneFacts
from bluetel.telephony.xivo import decode, hints
from bluetel.telephony.xivo.commands import COMMANDS, PING, frame
from bluetel.telephony.xivo.messages import (
    ConfigUpdate,
    CtiMessage,
    Ignored,
    LineConfig,
    PhoneEvent,
    PhoneStep,
)
from tests.contract.shared import shared_contract

EXAMPLES = Path(__file__).parents[3] / "contracts"
OUR_COMMANDS = json.loads((EXAMPLES / "xivo-commands.json").read_text())
OUR_EVENTS = json.loads((EXAMPLES / "xivo-events.json").read_text())


def sent(example: dict[str, Any]) -> str:
    """What BlueTel would write for a command as the example shows it."""
    arguments = {key: value for key, value in example.items() if key not in {"claz", "command"}}
    return frame(example["command"], arguments)


@pytest.mark.parametrize(
    "example", OUR_COMMANDS, ids=[f"{n}-{one['command']}" for n, one in enumerate(OUR_COMMANDS)]
)
def test_a_command_is_written_as_the_example(example: dict[str, Any]) -> None:
    assert json.loads(sent(example)) == example


@pytest.mark.parametrize(
    "example", OUR_EVENTS, ids=[f"{n}-{one['reads']}" for n, one in enumerate(OUR_EVENTS)]
)
def test_an_event_is_read(example: dict[str, Any]) -> None:
    message = decode.message(json.dumps(example["message"]))

    assert type(message).__name__ == example["reads"]
    assert decode.message_of(example["message"]) == message


@pytest.mark.parametrize("example", OUR_EVENTS, ids=str)
def test_unknown_fields_change_nothing(example: dict[str, Any]) -> None:
    message = dict(example["message"])
    payload = message.get("ctiMessage")
    if isinstance(payload, dict):
        message["ctiMessage"] = {**payload, "fieldOfTomorrow": {"a": [1]}}

    assert decode.message_of({**message, "more": 1}) == decode.message_of(example["message"])


def test_a_command_nobody_has_is_refused_here() -> None:
    with pytest.raises(ValueError, match="no command"):
        frame("resume", {})
    with pytest.raises(ValueError, match="does not take"):
        frame("dial", {"number": "1042"})


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "{", '{"msgType": 3}', '{"msgType": "PhoneEvent"}', "[" * 100_000],
    ids=["empty", "list", "null", "cut", "number", "no-payload", "deep"],
)
def test_what_can_not_be_read_is_ignored(text: str) -> None:
    assert isinstance(decode.message(text), Ignored)
    assert isinstance(decode.message(b"\x00"), Ignored)


def mangled(value: Any) -> Iterator[Any]:
    """A payload with one part after another of another type, or gone."""
    odd: list[Any] = [None, 7, "x", [], {}, True]
    yield from odd
    if isinstance(value, dict):
        for key, inner in value.items():
            yield {other: kept for other, kept in value.items() if other != key}
            for instead in [*odd, *([*mangled(inner)] if isinstance(inner, dict | list) else [])]:
                yield {**value, key: instead}
    if isinstance(value, list):
        for place, inner in enumerate(value):
            for instead in mangled(inner):
                yield [*value[:place], instead, *value[place + 1 :]]


@pytest.mark.parametrize("example", OUR_EVENTS, ids=str)
def test_no_payload_breaks_the_reader(example: dict[str, Any]) -> None:
    message = example["message"]
    for payload in mangled(message.get("ctiMessage")):
        assert dataclasses.is_dataclass(decode.message_of({**message, "ctiMessage": payload}))


def test_the_line_s_secret_is_left_where_it_is() -> None:
    message = decode.message_of(
        {"msgType": "LineConfig", "ctiMessage": {"id": "1", "password": "geheim", "vendor": "Snom"}}
    )

    assert message == LineConfig(has_line=True, phone=PhoneFacts(make="Snom"))
    assert "geheim" not in repr(message)


def test_a_partial_update_tells_of_a_forward_only_with_its_destination() -> None:
    update = next(
        message
        for example in OUR_EVENTS
        if isinstance(message := decode.message_of(example["message"]), ConfigUpdate)
        and not message.is_whole
    )

    assert set(update.forwards) == {ForwardKind.UNCONDITIONAL}
    assert update.do_not_disturb is True


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (0, LineState.AVAILABLE),
        (1, LineState.TALKING),
        (2, LineState.TALKING),
        (4, LineState.UNAVAILABLE),
        (8, LineState.RINGING),
        (9, LineState.RINGING),
        (16, LineState.HOLDING),
        (17, LineState.HOLDING),
        (-1, None),
        (-2, LineState.UNAVAILABLE),
        (-99, None),
        (3, None),
        (1000, None),
    ],
)
def test_each_hint_has_its_state_and_others_are_unknown(code: int, state: LineState | None) -> None:
    assert hints.line_state(code) is state


@pytest.mark.parametrize(
    ("value", "code"),
    [(8, 8), ("8", 8), ("RINGING", 8), ("-2", -2), ("nonsense", None), (None, None), (True, None)],
)
def test_a_state_is_read_as_a_number_or_a_name(value: object, code: int | None) -> None:
    assert hints.code_of(value) == code


def test_a_failure_is_known_by_any_name_with_fail_in_it() -> None:
    message = decode.message_of(
        {"msgType": "PhoneEvent", "ctiMessage": {"eventType": "EventDialFailed", "otherDN": "1"}}
    )

    assert isinstance(message, PhoneEvent)
    assert message.step is PhoneStep.FAILURE


# --- The contract itself, where it is at hand ----------------------------------------------------


def test_every_command_of_the_contract_round_trips() -> None:
    contract = shared_contract("xivo/xuc.json")
    for command in contract["websocket"]["commands"]:
        for name, example in command.items():
            if not name.startswith("example"):
                continue
            if command["name"] == "ping":
                assert json.loads(PING) == example
                continue
            assert json.loads(sent(example)) == example


def test_every_event_of_the_contract_is_read_or_counted() -> None:
    contract = shared_contract("xivo/xuc.json")
    read: dict[str, CtiMessage] = {}
    for event in contract["websocket"]["events"]:
        examples = [value for name, value in event.items() if name.startswith("example")]
        examples += list(event.get("examples", {}).values())
        for example in examples:
            if not isinstance(example, dict) or "msgType" not in example:
                continue
            read[event["name"]] = decode.message(json.dumps(example))

    ignored = {name for name, message in read.items() if isinstance(message, Ignored)}
    assert ignored == {
        "UsersStatuses", "UserStatusUpdate", "CustomerCallHistoryResponseWithId", "RightProfile",
        "Sheet", "FlashTextEvent", "ConferenceEvent", "ConferenceParticipantEvent",
    }  # fmt: skip


def test_every_phone_state_of_the_contract_is_known() -> None:
    contract = shared_contract("xivo/xuc.json")
    for code, state in contract["phone_hint_status"].items():
        if code.lstrip("-").isdigit():
            assert hints.code_of(state["name"]) == int(code)


def test_our_commands_are_the_contract_s() -> None:
    contract = shared_contract("xivo/xuc.json")
    named = {
        example["command"]
        for command in contract["websocket"]["commands"]
        for example in [command.get("example")]
        if isinstance(example, dict) and "command" in example
    }
    assert named <= set(COMMANDS)
