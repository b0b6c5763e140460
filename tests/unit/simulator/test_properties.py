"""Any sequence of actions keeps the model's promises, and every call ends."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bluetel.telephony.simulator.events import LegEvent, LegStep, PresenceEvent, SimulatorEvent
from bluetel.telephony.simulator.legs import Leg, LegStatus
from bluetel.telephony.simulator.memory import MemoryBackend
from bluetel.telephony.simulator.model import Refused, SimulatedPbx
from bluetel.telephony.simulator.people import DeskLine
from bluetel.telephony.simulator.scenario import build, start_of_tests
from bluetel.telephony.types import Forward, ForwardKind, LineState, TransferKind

EXTENSIONS = ["1001", "1002", "1003", "1007"]
NUMBERS = [*EXTENSIONS, "0199004217", "0199004299", "0199004298", "*971002", "*25", "*98", "4999"]
phones = st.sampled_from(EXTENSIONS)
numbers = st.sampled_from(NUMBERS)
index = st.integers(min_value=0, max_value=7)


class Day(RuleBasedStateMachine):
    """People call, forward, transfer and pull cables in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.pbx: SimulatedPbx = build(now=start_of_tests(), history=False)
        self.created: list[Leg] = []
        self.ended: list[Leg] = []
        self.told: dict[str, LineState] = {}
        self.pbx.listen(self.note)
        self.backend = MemoryBackend(self.pbx)

    def note(self, event: SimulatorEvent) -> None:
        match event:
            case LegEvent(LegStep.CREATED, leg):
                self.created.append(leg)
            case LegEvent(LegStep.ENDED, leg):
                self.ended.append(leg)
            case PresenceEvent(person):
                self.told[person.extension] = person.line_state
            case _:
                pass

    def line(self, extension: str) -> DeskLine:
        return self.pbx.lines[extension][1]

    def some_leg(self, position: int) -> Leg | None:
        legs = list(self.pbx.legs.values())
        return legs[position % len(legs)] if legs else None

    # --- What people do -----------------------------------------------------------------------

    @rule(extension=phones, number=numbers, all_lines=st.booleans())
    def click(self, extension: str, number: str, all_lines: bool) -> None:
        with suppress(Refused):
            self.pbx.place_call(self.pbx.lines[extension][0], number, all_lines=all_lines)

    @rule(extension=phones, number=numbers)
    def dial(self, extension: str, number: str) -> None:
        with suppress(Refused):
            self.pbx.dial(self.line(extension), number)

    @rule(number=st.sampled_from(["0199004217", ""]), extension=phones)
    def outside_call(self, number: str, extension: str) -> None:
        self.pbx.call_in(number, name="", to=extension)

    @rule(position=index)
    def answer(self, position: int) -> None:
        ringing = [
            leg
            for leg in self.pbx.legs.values()
            if leg.status is LegStatus.RINGING and not leg.local
        ]
        if ringing:
            self.pbx.answer(ringing[position % len(ringing)])

    @rule(position=index, busy=st.booleans())
    def reject(self, position: int, busy: bool) -> None:
        leg = self.some_leg(position)
        if leg and leg.status is LegStatus.RINGING:
            self.pbx.reject(leg, busy=busy)

    @rule(position=index)
    def put_down(self, position: int) -> None:
        if leg := self.some_leg(position):
            self.pbx.put_down(leg)

    @rule(position=index)
    def hold_or_resume(self, position: int) -> None:
        leg = self.some_leg(position)
        if leg and not self.pbx.hold(leg):
            self.pbx.resume(leg)

    @rule(position=index, number=numbers, kind=st.sampled_from(TransferKind))
    def transfer(self, position: int, number: str, kind: TransferKind) -> None:
        if leg := self.some_leg(position):
            with suppress(Refused):
                self.pbx.start_transfer(leg, number, kind=kind)

    @rule(complete=st.booleans())
    def finish_transfer(self, complete: bool) -> None:
        for transfer in list(self.pbx.transfers.values())[:1]:
            if complete:
                self.pbx.complete_transfer(transfer)
            elif transfer.kind is TransferKind.ATTENDED:
                self.pbx.cancel_transfer(transfer)

    @rule(extension=phones, plugged=st.booleans())
    def plug(self, extension: str, plugged: bool) -> None:
        self.pbx.plug(self.line(extension), plugged=plugged)

    @rule(extension=phones, kind=st.sampled_from(ForwardKind), number=numbers, on=st.booleans())
    def forward(self, extension: str, kind: ForwardKind, number: str, on: bool) -> None:
        forward = Forward(enabled=on, destination=number)
        self.pbx.set_forward(self.pbx.lines[extension][0], kind, forward)

    @rule(extension=phones, on=st.booleans())
    def do_not_disturb(self, extension: str, on: bool) -> None:
        self.pbx.set_do_not_disturb(self.pbx.lines[extension][0], enabled=on)

    @rule(seconds=st.floats(min_value=0, max_value=40))
    def wait(self, seconds: float) -> None:
        self.pbx.advance(seconds)

    # --- What always holds --------------------------------------------------------------------

    @invariant()
    def phones_show_what_their_legs_imply(self) -> None:
        for extension in EXTENSIONS:
            person, line = self.pbx.lines[extension]
            assert line.legs == [leg for leg in self.pbx.legs.values() if leg.line is line]
            if not line.plugged:
                assert person.line_state is LineState.UNAVAILABLE
                assert not line.legs
            else:
                assert (person.line_state is LineState.AVAILABLE) == (not line.legs)

    @invariant()
    def who_listens_knows_every_phone(self) -> None:
        for extension, state in self.told.items():
            assert self.pbx.lines[extension][0].line_state is state, extension

    @invariant()
    def bridges_and_rings_hold_live_legs_only(self) -> None:
        for leg in self.pbx.legs.values():
            assert leg.is_live
            assert leg in leg.call.live_legs
            assert all(mate.is_live and mate.bridge is leg.bridge for mate in leg.mates)
            assert all(ringing.rung_by is leg for ringing in leg.rings)
            assert leg.rung_by is None or leg in leg.rung_by.rings

    @invariant()
    def no_leg_ends_twice(self) -> None:
        assert len(self.ended) == len({leg.id for leg in self.ended})
        assert {leg.id for leg in self.ended} <= {leg.id for leg in self.created}

    @invariant()
    def transfers_are_those_of_living_calls(self) -> None:
        for transfer in self.pbx.transfers.values():
            assert transfer.transferred.is_live
            assert transfer.initiator.is_live or transfer.kind is TransferKind.BLIND

    @invariant()
    def one_call_a_person_and_conversation(self) -> None:
        calls = self.backend.calls()
        assert len({(call.user, call.conversation) for call in calls}) == len(calls)

    def teardown(self) -> None:
        """Left alone, every call ends, and each was told."""
        self.pbx.advance(11 * 3600)
        assert not self.pbx.legs
        assert not self.pbx.transfers
        assert {leg.id for leg in self.created} == {leg.id for leg in self.ended}
        conversations = {leg.call.id for leg in self.created}
        assert {entry.conversation for entry in self.pbx.log} == conversations


TestDay = Day.TestCase
TestDay.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
