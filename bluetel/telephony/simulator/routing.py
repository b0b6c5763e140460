"""The dial plan: what a number means, and where a call goes that is not taken.

The order is that of Wazo (reference/wazo.md §5): do-not-disturb, unconditional forward, ring, busy
or no-answer forward, voicemail.
"""

from __future__ import annotations

from dataclasses import dataclass

from bluetel.telephony.simulator.events import PresenceEvent
from bluetel.telephony.simulator.legs import (
    CALL_REJECTED,
    NO_ANSWER,
    NORMAL_CLEARING,
    OUT_OF_ORDER,
    SUBSCRIBER_ABSENT,
    UNALLOCATED,
    USER_BUSY,
    Leg,
    LegStatus,
    Party,
)
from bluetel.telephony.simulator.people import Box, DeskLine, Person
from bluetel.telephony.simulator.registry import HANDSET, OUTSIDE_NUMBER
from bluetel.telephony.simulator.switch import Switch
from bluetel.telephony.types import Forward, ForwardKind


@dataclass(frozen=True, slots=True)
class ToPhone:
    """A colleague's line."""

    person: Person
    line: DeskLine


@dataclass(frozen=True, slots=True)
class ToBox:
    """A voicemail box, to leave a message."""

    box: Box


@dataclass(frozen=True, slots=True)
class ToOutside:
    """The outside line."""

    number: str


@dataclass(frozen=True, slots=True)
class ToFeature:
    """A code that changes a setting of the caller's, or opens his own box."""

    code: str
    argument: str


Target = ToPhone | ToBox | ToOutside | ToFeature

FORWARD_CODES = {
    "*21": ForwardKind.UNCONDITIONAL,
    "*22": ForwardKind.NO_ANSWER,
    "*23": ForwardKind.BUSY,
}
MISSED = {USER_BUSY: "busy", NO_ANSWER: "no-answer", OUT_OF_ORDER: "channel-unavailable"}


class Routing(Switch):
    """Numbers, redirections, voicemail and announcements."""

    def resolve(self, number: str) -> Target | None:
        """What a dialled number leads to, or None when the dial plan doesn't know it."""
        if found := self.lines.get(number):
            return ToPhone(*found)
        prefix = self.habits.voicemail_prefix
        if number.startswith(prefix):
            box = self.boxes.get(number.removeprefix(prefix))
            return ToBox(box) if box else None
        if number in ("*25", "*20", "*98", "#21"):
            return ToFeature(number, "")
        if number[:3] in FORWARD_CODES:
            return ToFeature(number[:3], number[3:])
        return ToOutside(number) if OUTSIDE_NUMBER.fullmatch(number) else None

    # --- Where a call goes --------------------------------------------------------------------

    def _dial(self, caller: Leg, number: str, *, forwarded: bool = False) -> None:
        match self.resolve(number):
            case None:
                self._announce(caller, UNALLOCATED)
            case ToPhone(person, line):
                self._call_phone(caller, person, line)
            case ToBox(box):
                self._open_box(caller, box)
            case ToOutside(outside):
                self._call_outside(caller, outside)
            case ToFeature(code, argument):
                self._run_feature(caller, code, argument, forwarded=forwarded)

    def _call_phone(self, caller: Leg, person: Person, line: DeskLine) -> None:
        call = caller.call
        call.people[person.id] = person
        if call.redirections == 0 and not caller.local:
            call.requested_person = call.requested_person or person
        unconditional = person.forwards[ForwardKind.UNCONDITIONAL]
        if person.do_not_disturb:
            self._miss(person, caller, "dnd")
            self._give_up(caller, person, NORMAL_CLEARING)
        elif unconditional.enabled:
            self._miss(person, caller, "unconditional-forward")
            self._forward(caller, person, unconditional.destination)
        elif not line.plugged:
            self._miss(person, caller, "phone-unreachable")
            self._give_up(caller, person, SUBSCRIBER_ABSENT)
        elif len(person.legs) >= person.call_limit:
            self._not_taken(caller, person, USER_BUSY)
        else:
            self._ring(caller, person, line)

    def _ring(self, caller: Leg, person: Person, line: DeskLine) -> None:
        caller.peer_number, caller.peer_name = line.extension, person.name
        self._changed(caller)
        leg = self._new_leg(
            caller.call,
            person=person,
            line=line,
            is_caller=False,
            status=LegStatus.RINGING,
            own=Party(line.extension, person.name),
            peer=Party(caller.number, caller.name),
        )
        self._link(caller, leg)
        leg.timer = self.after(person.ring_seconds, lambda: self._decline(leg, NO_ANSWER))
        self._changed(leg)
        self._emit(PresenceEvent(person))

    def _call_outside(self, caller: Leg, number: str) -> None:
        caller.peer_number, caller.peer_name = number, ""
        self._changed(caller)
        if number.endswith("99"):
            self._announce(caller, USER_BUSY)
            return
        leg = self._new_leg(
            caller.call,
            outside=number,
            is_caller=False,
            status=LegStatus.RINGING,
            own=Party(number),
            peer=Party(caller.number, caller.name),
        )
        self._link(caller, leg)
        wait = self.habits.outside_answers_after
        if wait is None or number.endswith("98"):
            leg.timer = self.after(self.habits.outside_ring, lambda: self._decline(leg, NO_ANSWER))
        else:
            leg.timer = self.after(wait, lambda: self._connect(leg))

    def _link(self, caller: Leg, ringing: Leg) -> None:
        caller.rings.append(ringing)
        ringing.rung_by = caller
        caller.call.last_rung = ringing
        self._reach(caller)

    def _connect(self, leg: Leg) -> None:
        """The rung party picks up: its caller and it hear each other."""
        caller = leg.rung_by
        if caller is None:
            return
        caller.rings.remove(leg)
        leg.rung_by = None
        for other in tuple(caller.rings):
            self._end(other, NORMAL_CLEARING)
        self._join(caller, leg)
        if not caller.local:
            leg.call.answered_at = leg.call.answered_at or self.now
            leg.call.answered_by = leg.call.answered_by or leg
        self._pick_up(leg)
        if caller.status is not LegStatus.UP:
            self._pick_up(caller)
        self._changed(caller, leg)
        self._connected(caller)

    def _connected(self, caller: Leg) -> None:
        """A call that ``caller`` was making came through; transfers look here."""

    # --- Calls nobody takes -------------------------------------------------------------------

    def _decline(self, leg: Leg, cause: int) -> None:
        """The rung party did not take it: ``cause`` says why."""
        caller = leg.rung_by
        person = leg.person
        self._end(leg, cause)
        if caller is None or not caller.is_live:
            return
        if person is None:
            self._announce(caller, cause)
        else:
            self._not_taken(caller, person, cause)

    def _not_taken(self, caller: Leg, person: Person, cause: int) -> None:
        if cause == CALL_REJECTED:
            # Rejecting is an answer in itself: no missed call, no forward, no box.
            self._announce(caller, cause)
            return
        self._miss(person, caller, MISSED.get(cause, "phone-unreachable"))
        kinds = {USER_BUSY: ForwardKind.BUSY, NO_ANSWER: ForwardKind.NO_ANSWER}
        forward = person.forwards[kinds[cause]] if cause in kinds else Forward()
        if forward.enabled:
            self._forward(caller, person, forward.destination)
        else:
            self._give_up(caller, person, cause)

    def _forward(self, caller: Leg, person: Person, destination: str) -> None:
        call = caller.call
        call.forwarded_from = call.forwarded_from or person
        call.redirections += 1
        if call.redirections > self.habits.redirections:
            self._give_up(caller, person, NORMAL_CLEARING)
            return
        if caller.status is not LegStatus.UP:
            self._pick_up(caller)
        self._dial(caller, destination, forwarded=True)

    def _give_up(self, caller: Leg, person: Person, cause: int) -> None:
        """To the box of whom the caller wanted first, else an announcement and the end."""
        wanted = caller.call.forwarded_from or person
        if wanted.box:
            self._open_box(caller, wanted.box)
        else:
            self._announce(caller, cause)

    def _announce(self, caller: Leg, cause: int) -> None:
        """Say why, then hang up; what is said is not recorded here."""
        if caller.status is not LegStatus.UP and not caller.outside:
            self._pick_up(caller)
        caller.timer = self.after(self.habits.prompt, lambda: self.hang_up(caller, cause=cause))

    def _open_box(self, caller: Leg, box: Box) -> None:
        if caller.status is not LegStatus.UP:
            self._pick_up(caller)
        caller.box, caller.box_since = box, self.now
        longest = self.habits.outside_speaks if caller.outside else self.habits.longest_message
        caller.timer = self.after(longest, lambda: self.hang_up(caller))
        self._connected(caller)

    def _close_box(self, caller: Leg) -> None:
        """The caller hung up: what he said for a second or more is a message."""
        if caller.box is None or caller.box_since is None:
            return
        box, seconds = caller.box, int((self.now - caller.box_since).total_seconds())
        caller.box = None
        if seconds >= 1:
            caller.call.left_in = box
            self.leave_message(box, number=caller.number, name=caller.name, duration=seconds)

    # --- Codes --------------------------------------------------------------------------------

    def _run_feature(self, caller: Leg, code: str, argument: str, *, forwarded: bool) -> None:
        person = caller.person
        own = person.box if person else None
        if person and not forwarded:
            if code == "*98" and own:
                if caller.status is not LegStatus.UP:
                    self._pick_up(caller)
                return
            self.apply_code(person, code, argument)
        self._announce(caller, NORMAL_CLEARING)

    def apply_code(self, person: Person, code: str, argument: str) -> None:
        """Change a setting by a code dialled on the handset; an unknown code does nothing."""
        match code:
            case "*25":
                self.set_do_not_disturb(person, enabled=not person.do_not_disturb)
            case "*20":
                for kind, forward in person.forwards.items():
                    self.set_forward(person, kind, Forward(destination=forward.destination))
            case "#21":
                self.apply_code(person, "*21", "")
            case "*21" | "*22" | "*23":
                kind = FORWARD_CODES[code]
                destination = argument or person.forwards[kind].destination
                self.set_forward(
                    person,
                    kind,
                    Forward(enabled=bool(argument), destination=destination),
                    who=HANDSET,
                )

    # --- Hanging up ---------------------------------------------------------------------------

    def hang_up(self, leg: Leg, *, cause: int = NORMAL_CLEARING) -> None:
        """One party goes: whoever is left alone, or rings for it, goes too, callees first."""
        if not leg.is_live:
            return
        if leg.rung_by and leg.status is LegStatus.RINGING:
            self._decline(leg, CALL_REJECTED if cause == NORMAL_CLEARING else cause)
            return
        self._close_box(leg)
        self._end_ringing(leg, cause)
        mates = leg.mates
        for party in sorted((leg, *mates), key=lambda party: party.is_caller):
            if party is leg:
                self._end(leg, cause)
            else:
                self._left_alone(party, cause)

    def _left_alone(self, leg: Leg, cause: int) -> None:
        """The other party of ``leg`` went."""
        self._end(leg, cause)
