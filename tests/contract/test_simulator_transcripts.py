"""The simulated Wazo tells a call in the order in which the real one was recorded telling it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bluetel.telephony.simulator.model import SimulatedPbx
from bluetel.telephony.simulator.people import DeskLine
from bluetel.telephony.simulator.scenario import build
from bluetel.telephony.simulator.wazo_server.bus import Message
from bluetel.telephony.simulator.wazo_server.serve import build_application
from bluetel.telephony.simulator.wazo_server.tokens import Token
from bluetel.telephony.types import Forward, ForwardKind, TransferKind

SESSIONS = Path(__file__).resolve().parents[1] / "recordings" / "wazo" / "wazo-websocketd"
CALL_EVENTS = {
    "call_created",
    "call_updated",
    "call_answered",
    "call_held",
    "call_resumed",
    "call_ended",
}
Step = tuple[object, ...]


class Ear:
    """An open socket of the service account that keeps what it hears."""

    def __init__(self, token: Token) -> None:
        self.token = token
        self.heard: list[Mapping[str, Any]] = []

    def wants(self, name: str) -> bool:
        return name in CALL_EVENTS

    def deliver(self, message: Message) -> None:
        self.heard.append(json.loads(message.frame(version=2))["data"])


def recorded(name: str) -> Iterator[Mapping[str, Any]]:
    for frame in json.loads((SESSIONS / f"{name}.json").read_text())["frames"]:
        message = frame["frame"]
        if isinstance(message, dict) and message.get("op") == "event":
            data: Mapping[str, Any] = message["data"]
            if data["name"] in CALL_EVENTS:
                yield data


def told(events: Iterator[Mapping[str, Any]] | list[Mapping[str, Any]]) -> dict[str, list[Step]]:
    """What was told of each leg, by the order in which the legs appeared.

    Repetitions are left out. How the legs' events interleave is left to the network; what is told
    of one leg is not. Names and numbers count by whose they are: the leg's own, or a peer's.
    """
    legs: dict[str, list[Step]] = {}
    own: dict[str, str] = {}
    for event in events:
        data = event["data"]
        steps = legs.setdefault(data["call_id"], [])
        if "status" not in data:
            step: Step = (event["name"],)
        else:
            if event["name"] != "call_ended" and data["caller_id_name"]:
                own[data["call_id"]] = data["caller_id_number"]
            step = (
                event["name"],
                data["status"],
                "caller" if data["is_caller"] else "callee",
                "talks" if data["talking_to"] else "",
                "since" if data["answer_time"] else "",
                "own" if data["caller_id_number"] == own.get(data["call_id"]) else "peer",
                data.get("reason_code"),
            )
        if step not in steps:
            steps.append(step)
    for steps in legs.values():
        # Which of these two comes first is left to chance, too.
        if steps[0][:2] == ("call_updated", "Ringing"):
            steps[:2] = reversed(steps[:2])
    return {str(number): steps for number, steps in enumerate(legs.values())}


# --- The same days, lived in the simulator ------------------------------------------------------


def _lines(pbx: SimulatedPbx) -> tuple[DeskLine, DeskLine, DeskLine]:
    """Alice, Bob and Carol of the recordings."""
    one, two, three = (pbx.lines[extension][1] for extension in ("1001", "1002", "1007"))
    return one, two, three


def _click(pbx: SimulatedPbx) -> None:
    alice, bob, _ = _lines(pbx)
    leg = pbx.place_call(pbx.lines["1001"][0], bob.extension)
    pbx.advance(2)
    pbx.answer(leg)
    pbx.advance(2)
    pbx.answer(bob.legs[0])
    pbx.advance(3)
    pbx.put_down(alice.legs[0])


def _missed(pbx: SimulatedPbx) -> None:
    alice, _, carol = _lines(pbx)
    pbx.dial(alice, carol.extension)
    pbx.advance(4)
    pbx.put_down(alice.legs[0])


def _declined(pbx: SimulatedPbx) -> None:
    alice, _, carol = _lines(pbx)
    pbx.dial(alice, carol.extension)
    pbx.advance(3)
    pbx.reject(carol.legs[0], busy=True)
    pbx.advance(3)


def _held(pbx: SimulatedPbx) -> None:
    alice, _, carol = _lines(pbx)
    pbx.dial(alice, carol.extension)
    pbx.answer(carol.legs[0])
    pbx.hold(carol.legs[0])
    pbx.resume(carol.legs[0])
    pbx.put_down(carol.legs[0])


def _do_not_disturb(pbx: SimulatedPbx) -> None:
    alice, _, carol = _lines(pbx)
    pbx.set_do_not_disturb(pbx.lines[carol.extension][0], enabled=True)
    pbx.dial(alice, carol.extension)
    pbx.advance(1)
    pbx.put_down(alice.legs[0])


def _forwarded(pbx: SimulatedPbx) -> None:
    alice, bob, carol = _lines(pbx)
    forward = Forward(enabled=True, destination=bob.extension)
    pbx.set_forward(pbx.lines[carol.extension][0], ForwardKind.UNCONDITIONAL, forward)
    pbx.dial(alice, carol.extension)
    pbx.answer(bob.legs[0])
    pbx.put_down(bob.legs[0])


def _transferred(pbx: SimulatedPbx) -> None:
    alice, bob, carol = _lines(pbx)
    pbx.dial(alice, bob.extension)
    pbx.answer(bob.legs[0])
    transfer = pbx.start_transfer(bob.legs[0], carol.extension, kind=TransferKind.ATTENDED)
    pbx.answer(carol.legs[0])
    pbx.complete_transfer(transfer)
    pbx.put_down(alice.legs[0])


DAYS: Mapping[str, Callable[[SimulatedPbx], None]] = {
    "call_admin_wildcard": _click,
    "call_missed_admin_wildcard": _missed,
    "call_declined_admin_wildcard": _declined,
    "call_hold_admin_wildcard": _held,
    "call_to_dnd_admin_wildcard": _do_not_disturb,
    "call_forwarded_admin_wildcard": _forwarded,
    "transfer_admin_wildcard": _transferred,
}


@pytest.mark.parametrize("name", list(DAYS))
def test_each_leg_is_told_as_recorded(name: str) -> None:
    pbx = build(now=datetime.now(UTC), history=False)
    application = build_application(pbx)
    tokens = application.site.tokens
    ear = Ear(tokens.create(tokens.service, lifetime=600, remote="", agent=""))
    application.bus.receivers.add(ear)
    DAYS[name](pbx)

    assert told(ear.heard) == told(recorded(name))
