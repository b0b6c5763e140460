"""The simulated PBX: a state machine with a given clock, no I/O and no threads.

``pbx.place_call(camille, "1002")``, ``pbx.answer(leg)``, ``pbx.advance(30)``. What happens is told
to the listeners; what changed settings is in ``pbx.writes``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bluetel.telephony.errors import RejectReason
from bluetel.telephony.simulator.events import LineEvent, PersonEvent, PersonStep, PresenceEvent
from bluetel.telephony.simulator.legs import (
    ANSWERED_ELSEWHERE,
    CALL_REJECTED,
    INTERWORKING,
    NO_ANSWER,
    NORMAL_CLEARING,
    OUT_OF_ORDER,
    USER_BUSY,
    Conversation,
    Leg,
    LegStatus,
    Party,
)
from bluetel.telephony.simulator.people import DeskLine, Person
from bluetel.telephony.simulator.registry import Habits
from bluetel.telephony.simulator.routing import ToFeature, ToPhone
from bluetel.telephony.simulator.transfers import Refused, Transfers

__all__ = ["Habits", "Refused", "SimulatedPbx"]


class SimulatedPbx(Transfers):
    """Everything the simulated PBX can be told; ``Refused`` is how it says no."""

    def __init__(self, *, now: datetime, habits: Habits | None = None) -> None:
        super().__init__(now=now, habits=habits)
        self.transfers = {}

    # --- Calls begin --------------------------------------------------------------------------

    def place_call(
        self,
        person: Person,
        number: str,
        *,
        line_id: int | None = None,
        all_lines: bool = False,
        who: str = "service",
    ) -> Leg:
        """Ring the person's own phone, to call ``number`` when he picks up.

        Gives the own leg; with ``all_lines`` a half-channel of which no event will tell. Refuses
        an unknown number, a person without a line, and an unplugged phone, in that order.
        """
        if self.resolve(number) is None:
            raise Refused(RejectReason.INVALID_EXTENSION)
        if not person.lines:
            raise Refused(RejectReason.NO_LINE)
        lines = [line for line in person.lines if line_id in (None, line.id)]
        if not lines:
            raise Refused(RejectReason.INVALID_DATA)
        if not all_lines:
            lines = lines[:1]
        if not any(line.plugged for line in lines):
            raise Refused(RejectReason.PHONE_UNREACHABLE)
        self._write(who, "call", person, "", number)
        call = self._new_conversation(number)
        call.clicked = True
        half = None
        if all_lines:
            half = self._new_leg(
                call,
                local=True,
                is_caller=True,
                status=LegStatus.RINGING,
                own=Party(number, number),
                peer=Party(number, number),
            )
        own = [self._ring_own(call, person, line) for line in lines if line.plugged]
        together = [half, *own] if half else own
        for leg in together:
            leg.siblings = [sibling for sibling in together if sibling is not leg]
        call.caller = own[0]
        return together[0]

    def _ring_own(self, call: Conversation, person: Person, line: DeskLine) -> Leg:
        number = call.requested
        leg = self._new_leg(
            call,
            person=person,
            line=line,
            is_caller=True,
            status=LegStatus.RINGING,
            own=Party(number, number),
            peer=Party(number, number),
            originating=True,
        )
        leg.timer = self.after(self.habits.own_ring, lambda: self.hang_up(leg, cause=NO_ANSWER))
        self._changed(leg)
        return leg

    def dial(self, line: DeskLine, number: str) -> Leg | None:
        """Dial on the handset; None for a code that changes a setting and makes no call.

        Refuses on an unplugged phone, and on one that is in a call already.
        """
        person = self.lines[line.extension][0]
        if not line.plugged or line.legs or not number:
            raise Refused(RejectReason.CONFLICT)
        target = self.resolve(number)
        if isinstance(target, ToFeature) and target.code != "*98":
            self.apply_code(person, target.code, target.argument)
            return None
        call = self._new_conversation(number)
        call.caller = self._new_leg(
            call,
            person=person,
            line=line,
            is_caller=True,
            status=LegStatus.DIALLING,
            own=Party(line.extension, person.name),
            peer=Party(number),
        )
        self._dial(call.caller, number)
        return call.caller

    def call_in(self, number: str, *, name: str, to: str) -> Leg:
        """Somebody outside calls an extension; an empty number is an anonymous caller."""
        if not isinstance(self.resolve(to), ToPhone):
            raise Refused(RejectReason.INVALID_EXTENSION)
        call = self._new_conversation(to)
        call.caller = self._new_leg(
            call,
            outside=number or "anonymous",
            is_caller=True,
            status=LegStatus.DIALLING,
            own=Party(number, name),
            peer=Party(to),
        )
        self._dial(call.caller, to)
        return call.caller

    # --- At the phone -------------------------------------------------------------------------

    def answer(self, leg: Leg) -> None:
        """Pick up a ringing phone; refuses when it doesn't ring."""
        if not leg.is_live or leg.status is not LegStatus.RINGING:
            raise Refused(RejectReason.CONFLICT)
        if leg.rung_by:
            self._connect(leg)
            return
        siblings = self._leave_siblings(leg)
        self._pick_up(leg)
        for sibling in siblings:
            self._end(sibling, ANSWERED_ELSEWHERE)
        leg.call.caller = leg
        if leg.person and leg.line:
            leg.number, leg.name = leg.line.extension, leg.person.name
        self._dial(leg, leg.call.requested)

    def reject(self, leg: Leg, *, busy: bool = False) -> None:
        """Refuse a ringing call; ``busy`` sends the phone's "busy" instead of its "decline"."""
        if not leg.is_live or leg.status is not LegStatus.RINGING:
            raise Refused(RejectReason.CONFLICT)
        self.hang_up(leg, cause=USER_BUSY if busy else CALL_REJECTED)

    def put_down(self, leg: Leg) -> None:
        """Hang up at the phone; a caller who gives up while it rings ends it with cause 127."""
        gives_up = leg.status is LegStatus.DIALLING
        self.hang_up(leg, cause=INTERWORKING if gives_up else NORMAL_CLEARING)

    def plug(self, line: DeskLine, *, plugged: bool) -> None:
        """Plug the phone in, or pull its cable, which ends what it was doing."""
        if line.plugged == plugged:
            return
        if not plugged:
            for leg in tuple(line.legs):
                self.hang_up(leg, cause=OUT_OF_ORDER)
        line.plugged = plugged
        self._emit(LineEvent(line))
        self._emit(PresenceEvent(self.lines[line.extension][0]))

    # --- Looking ------------------------------------------------------------------------------

    def legs_of(self, person: Person | None = None) -> Sequence[Leg]:
        """The live legs of one person, or of everybody, newest first as the PBX lists them."""
        if person:
            return sorted(person.legs, key=lambda leg: leg.created_at, reverse=True)
        return list(reversed(self.legs.values()))

    def outside_legs(self) -> Sequence[Leg]:
        """The live legs of outside parties, oldest first."""
        return [leg for leg in self.legs.values() if leg.outside]

    # --- Accounts -----------------------------------------------------------------------------

    def remove_person(self, person: Person, *, who: str = "service") -> None:
        """Delete an account with its lines and box; its calls end."""
        for leg in tuple(person.legs):
            self.hang_up(leg)
        for line in person.lines:
            del self.lines[line.extension]
        if person.box:
            del self.boxes[person.box.number]
        self._forget_logins(person)
        del self.people[person.id]
        self._write(who, "user", person, person.name, "")
        self._emit(PersonEvent(PersonStep.DELETED, person))
