"""A simulated PBX whose time is given, and a diary of what it told."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from bluetel.telephony.simulator.events import LegEvent, LegStep, SimulatorEvent
from bluetel.telephony.simulator.legs import Leg
from bluetel.telephony.simulator.model import SimulatedPbx
from bluetel.telephony.simulator.people import DeskLine, Person
from bluetel.telephony.simulator.scenario import build, start_of_tests


@dataclass
class Office:
    """The PBX and short ways to its people, phones and calls by extension."""

    pbx: SimulatedPbx
    diary: list[SimulatorEvent]

    def person(self, extension: str) -> Person:
        person = self.pbx.by_extension(extension)
        assert person is not None
        return person

    def line(self, extension: str) -> DeskLine:
        return self.person(extension).lines[0]

    def leg(self, extension: str) -> Leg:
        """The one live call at that phone."""
        (leg,) = self.line(extension).legs
        return leg

    def talk(self, caller: str, callee: str) -> tuple[Leg, Leg]:
        """A call dialled on a handset and picked up."""
        self.pbx.dial(self.line(caller), callee)
        self.pbx.answer(self.leg(callee))
        return self.leg(caller), self.leg(callee)

    def click(self, caller: str, number: str) -> Leg:
        """A click-to-call whose own phone has been picked up."""
        leg = self.pbx.place_call(self.person(caller), number)
        self.pbx.answer(leg)
        return leg

    def steps(self, *steps: LegStep) -> list[tuple[LegStep, str]]:
        """What legs did, with the extension or number they belong to."""
        return [
            (event.step, event.leg.outside or (event.leg.line.extension if event.leg.line else ""))
            for event in self.diary
            if isinstance(event, LegEvent) and event.step in steps
        ]


@pytest.fixture
def office() -> Office:
    pbx = build(now=start_of_tests(), history=False)
    diary: list[SimulatorEvent] = []
    pbx.listen(diary.append)
    return Office(pbx=pbx, diary=diary)
