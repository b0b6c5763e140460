"""Legs and bridges: how the simulated PBX begins, joins and ends them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bluetel.telephony.simulator.events import (
    CallLogged,
    CallMissed,
    DtmfSent,
    LegEvent,
    LegStep,
    LineEvent,
    PresenceEvent,
)
from bluetel.telephony.simulator.legs import (
    NORMAL_CLEARING,
    Bridge,
    CallOutcome,
    Conversation,
    Leg,
    LegStatus,
    LogEntry,
    Party,
)
from bluetel.telephony.simulator.people import DeskLine, Person
from bluetel.telephony.simulator.registry import Registry
from bluetel.telephony.types import CallState

_ORDER = list(CallState)


class Switch(Registry):
    """The lowest floor of call handling; it knows no dial plan."""

    # --- Conversations ------------------------------------------------------------------------

    def _new_conversation(self, requested: str) -> Conversation:
        call = Conversation(id="", started_at=self.now, requested=requested)
        call.limit = self.after(
            self.habits.longest_call, lambda: self._end_all(call, NORMAL_CLEARING)
        )
        return call

    def _end_all(self, call: Conversation, cause: int) -> None:
        for leg in sorted(call.live_legs, key=lambda leg: leg.is_caller):
            self._end(leg, cause)

    def _conversation_over(self, call: Conversation) -> None:
        if call.limit:
            call.limit.cancel()
        self.after(self.habits.log_delay, lambda: self._log_call(call))

    # --- Legs ---------------------------------------------------------------------------------

    def _new_leg(
        self,
        call: Conversation,
        *,
        person: Person | None = None,
        line: DeskLine | None = None,
        outside: str = "",
        local: bool = False,
        is_caller: bool,
        status: LegStatus,
        own: Party,
        peer: Party,
        originating: bool = False,
    ) -> Leg:
        leg = Leg(
            id=f"{int(self.now.timestamp())}.{next(self._serials)}",
            call=call,
            person=person,
            line=line,
            outside=outside,
            local=local,
            is_caller=is_caller,
            status=status,
            number=own.number,
            name=own.name,
            peer_number=peer.number,
            peer_name=peer.name,
            created_at=self.now,
            originating=originating,
            since=self.now,
        )
        call.id = call.id or leg.id
        call.legs.append(leg)
        self.legs[leg.id] = leg
        if person:
            call.people[person.id] = person
        if line:
            line.legs.append(leg)
        self._reach(leg)
        self._tell(LegStep.CREATED, leg)
        if line:
            self._emit(LineEvent(line))
        if person:
            self._emit(PresenceEvent(person))
        return leg

    def _tell(self, step: LegStep, leg: Leg) -> None:
        if not leg.local:
            self._emit(LegEvent(step, leg))

    def _reach(self, leg: Leg) -> None:
        state = leg.state
        if state is CallState.HELD:
            state = CallState.TALKING
        if state is not CallState.ENDED and _ORDER.index(state) > _ORDER.index(leg.reached):
            leg.reached = state
            leg.since = self.now
        if leg.reached is CallState.TALKING and leg.talked_at is None:
            leg.talked_at = self.now

    def _changed(self, *legs: Leg) -> None:
        for leg in legs:
            if leg.is_live:
                self._reach(leg)
                self._tell(LegStep.CHANGED, leg)

    def _pick_up(self, leg: Leg) -> None:
        """Bring a leg up; told once without and once with the time of answer, as observed."""
        if leg.timer:
            leg.timer.cancel()
        leg.status = LegStatus.UP
        leg.originating = False
        leg.since = self.now
        self._reach(leg)
        if leg.person:
            self._emit(PresenceEvent(leg.person))
        self._tell(LegStep.CHANGED, leg)
        leg.answered_at = self.now
        self._tell(LegStep.ANSWERED, leg)

    def _join(self, *legs: Leg, bridge_id: str = "") -> None:
        for leg in legs:
            self._part(leg)
        bridge = Bridge(id=bridge_id or self.new_uuid(), legs=list(legs))
        for leg in legs:
            leg.bridge = bridge

    def _part(self, leg: Leg) -> None:
        if leg.bridge:
            leg.bridge.legs.remove(leg)
            leg.bridge = None

    def _end(self, leg: Leg, cause: int) -> None:
        """End one leg and nothing else; ending it twice does nothing."""
        if not leg.is_live:
            return
        if leg.timer:
            leg.timer.cancel()
        if leg.rung_by:
            leg.rung_by.rings.remove(leg)
            leg.rung_by = None
        self._part(leg)
        leg.ended_at = self.now
        leg.cause = cause
        leg.held = leg.muted = False
        del self.legs[leg.id]
        if leg.line:
            leg.line.legs.remove(leg)
        self._tell(LegStep.ENDED, leg)
        if leg.person:
            self._emit(PresenceEvent(leg.person))
        if leg.line:
            self._emit(LineEvent(leg.line))
        if not leg.call.live_legs:
            self._conversation_over(leg.call)
        siblings = self._leave_siblings(leg)
        if leg.local or all(sibling.local for sibling in siblings):
            for sibling in siblings:
                self._end(sibling, cause)

    def _leave_siblings(self, leg: Leg) -> Sequence[Leg]:
        """Stop counting among the phones that ring together; gives the others."""
        siblings, leg.siblings = leg.siblings, []
        for sibling in siblings:
            sibling.siblings.remove(leg)
        return siblings

    def _end_ringing(self, caller: Leg, cause: int) -> None:
        for ringing in tuple(caller.rings):
            self._end(ringing, cause)

    def _miss(self, person: Person, caller: Leg, reason: str) -> None:
        caller.call.missed = reason
        self._emit(CallMissed(person, caller, reason))

    # --- What one does during a call ----------------------------------------------------------

    def hold(self, leg: Leg) -> bool:
        """Hold at the phone's own key; False when there is nobody to hold."""
        if leg.held or not leg.mates:
            return False
        leg.held = True
        self._held_changed(leg, LegStep.HELD)
        return True

    def resume(self, leg: Leg) -> bool:
        """Take a held call back; False when it wasn't held."""
        if not leg.held:
            return False
        leg.held = False
        self._held_changed(leg, LegStep.RESUMED)
        return True

    def _held_changed(self, leg: Leg, step: LegStep) -> None:
        leg.since = self.now
        if leg.person:
            self._emit(PresenceEvent(leg.person))
        self._tell(step, leg)

    def mute(self, leg: Leg, *, muted: bool) -> None:
        """Silence the party's microphone or give it back."""
        leg.muted = muted
        self._changed(leg)

    def send_dtmf(self, leg: Leg, digits: str) -> None:
        """Send tones on a leg, one event a tone."""
        for digit in digits:
            self._emit(DtmfSent(leg, digit))

    # --- Log ----------------------------------------------------------------------------------

    def _log_call(self, call: Conversation) -> None:
        caller = call.caller
        if caller is None or caller.ended_at is None:
            return
        reached = call.answered_by or call.last_rung
        destination = reached.person if reached else None
        if reached:
            number = reached.outside or reached.number
            name = reached.name
        else:
            destination = call.requested_person
            number = call.requested
            name = call.requested_person.name if call.requested_person else ""
        outcome = CallOutcome.UNKNOWN
        if call.answered_by:
            outcome = CallOutcome.ANSWERED
        elif call.left_in:
            outcome = CallOutcome.VOICEMAIL
        people: Iterable[Person | None] = (*call.people.values(), call.requested_person)
        entry = LogEntry(
            id=len(self.log) + 1,
            conversation=call.id,
            started_at=call.started_at,
            answered_at=call.answered_at,
            ended_at=max(leg.ended_at or self.now for leg in call.legs),
            outcome=outcome,
            source=caller.person,
            source_number=caller.outside or (caller.line.extension if caller.line else ""),
            source_name=caller.person.name if caller.person else caller.name,
            requested=call.requested,
            requested_person=call.requested_person,
            destination=destination,
            destination_number=number,
            destination_name=name,
            participants=list({person.id: person for person in people if person}.values()),
        )
        self.add_to_log(entry)
        self._emit(CallLogged(entry))
