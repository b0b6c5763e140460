"""One user's calls, put together from his phone events; pure.

A call is known by its ``linkedId``, which all its legs share, and then by ``uniqueId``. All events
say what is now, so repeats change nothing; what comes late of a call that has ended is passed over
(``reference/xivo.md`` §9, §15.5).

XUC's events don't tell a click's first half, in which the own phone rings, from its second, nor
why a call was not taken. The first is read off the own phone's state, the second off what the
colleague's phone did meanwhile, where it is one (docs/pbx-backends.md).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from bluetel.telephony.types import Call, CallId, CallState, ConversationId, Direction, PbxUserId
from bluetel.telephony.xivo import hints
from bluetel.telephony.xivo.messages import PhoneEvent, PhoneStep

CLICK_LASTS = timedelta(seconds=15)
"""How long after a ``dial`` a new call to that number counts as its doing."""

UNSEEN_LASTS = timedelta(seconds=60)
"""How long a call placed without events is shown while the own phone does nothing."""

REMEMBERED = 64
NORMAL, USER_BUSY, NO_ANSWER, UNREACHABLE, FAILURE = 16, 17, 19, 20, 41
_ORDER = list(CallState)
_blind_ids = count(1)


@dataclass(eq=False, slots=True, kw_only=True)
class _Entry:
    """One call; ``began_with`` is the step first seen of it.

    ``has_rung`` is true once the other side's phone was seen to ring after the own one was up.
    """

    id: str
    conversation: str
    state: CallState
    direction: Direction
    number: str
    name: str
    started_at: datetime
    began_with: PhoneStep
    is_clicked: bool = False
    is_consultation: bool = False
    is_blind: bool = False
    own_phone_moved: bool = False
    has_rung: bool = False
    has_failed: bool = False
    unique_ids: set[str] = field(default_factory=set)
    answered_at: datetime | None = None
    reached: CallState = CallState.RINGING_SELF

    def move_to(self, state: CallState, now: datetime) -> None:
        self.state = state
        counts_as = CallState.TALKING if state is CallState.HELD else state
        if _ORDER.index(counts_as) > _ORDER.index(self.reached):
            self.reached = counts_as
        if counts_as is CallState.TALKING and self.answered_at is None:
            self.answered_at = now


@dataclass(frozen=True, slots=True)
class _Click:
    number: str
    until: datetime


class CallBook:
    """The calls of one user. Methods give the calls that are different now."""

    def __init__(
        self, user: PbxUserId, *, peer_code: Callable[[str], int | None] = lambda _: None
    ) -> None:
        """``peer_code`` is the state of the phone at a number, None where nobody knows."""
        self._user = user
        self._peer_code = peer_code
        self._entries: dict[str, _Entry] = {}
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._click: _Click | None = None
        self._consulting = ""

    # --- Looking ------------------------------------------------------------------------------

    def calls(self) -> list[Call]:
        """The live calls, oldest first."""
        return [self._call(entry) for entry in self._shown()]

    def find(self, call: CallId) -> Call | None:
        """A live call by its id."""
        for entry in self._shown():
            if entry.id == call:
                return self._call(entry)
        return None

    def is_of(self, call: CallId, event: PhoneEvent) -> bool:
        """Whether an event is about that call, live or the last to end under its names."""
        entry = self._known(event)
        return entry is not None and entry.id == call

    def is_consulting(self) -> bool:
        """Whether a third person is being asked."""
        return any(entry.is_consultation for entry in self._entries.values())

    def __bool__(self) -> bool:
        return bool(self._entries)

    def _shown(self) -> list[_Entry]:
        return [entry for entry in self._entries.values() if not entry.is_consultation]

    # --- What is asked for ----------------------------------------------------------------------

    def click(self, number: str, *, now: datetime) -> None:
        """The user asked for a call to ``number``: its events are about to come."""
        self._click = _Click(number, now + CLICK_LASTS)

    def forget_click(self) -> None:
        """It came to nothing."""
        self._click = None

    def consult(self, number: str) -> None:
        """The user begins to ask a third person: the next new call is that."""
        self._consulting = number

    def begin_blind(self, number: str, *, now: datetime) -> Call:
        """A call that was asked for where no event may ever tell of it."""
        self.click(number, now=now)
        name = f"click-{int(now.timestamp())}.{next(_blind_ids)}"
        entry = _Entry(
            id=name,
            conversation=name,
            state=CallState.RINGING_SELF,
            direction=Direction.OUTGOING,
            number=number,
            name="",
            started_at=now,
            began_with=PhoneStep.DIALING,
            is_clicked=True,
            is_blind=True,
        )
        self._entries[name] = entry
        return self._call(entry)

    # --- What happens -----------------------------------------------------------------------------

    def apply(self, event: PhoneEvent, *, now: datetime) -> list[Call]:
        """Take one phone event."""
        if self._is_late(event):
            return []
        entry = self._known(event)
        is_over = event.step in {PhoneStep.RELEASED, PhoneStep.FAILURE}
        if entry is None:
            return [] if is_over else self._begin(event, now)
        before = self._call(entry)
        if is_over:
            entry.has_failed = event.step is PhoneStep.FAILURE
            return self._finish(entry, now)
        self._update(entry, event, now)
        after = self._call(entry)
        return [after] if after != before and not entry.is_consultation else []

    def reconcile(self, events: Sequence[PhoneEvent], *, now: datetime) -> list[Call]:
        """Take all calls there are: what isn't among them has ended."""
        changed = [call for event in events for call in self.apply(event, now=now)]
        there = {id(entry) for entry in map(self._known, events) if entry is not None}
        for entry in tuple(self._entries.values()):
            if id(entry) not in there and not entry.is_blind:
                changed += self._finish(entry, now)
        return changed

    def note_own_phone(self, code: int, *, now: datetime) -> list[Call]:
        """The own phone is in this state: a click's first half ends when it is picked up."""
        changed = []
        for entry in tuple(self._entries.values()):
            if not entry.is_clicked:
                continue
            if entry.state is CallState.RINGING_SELF and hints.is_in_call(code):
                entry.own_phone_moved = True
                entry.move_to(CallState.RINGING_PEER, now)
                self._look_at_peer(entry)
                changed.append(self._call(entry))
            elif code == hints.RINGING:
                entry.own_phone_moved = True
            elif entry.is_blind and entry.own_phone_moved and not hints.is_in_call(code):
                changed += self._finish(entry, now)
        return changed

    def note_ringing(self, number: str) -> None:
        """The phone at this number rings."""
        for entry in self._entries.values():
            if entry.number == number:
                self._look_at_peer(entry)

    def expire(self, *, now: datetime) -> list[Call]:
        """End the calls placed without events of which the own phone never showed anything."""
        changed = []
        for entry in tuple(self._entries.values()):
            is_old = now - entry.started_at >= UNSEEN_LASTS
            if entry.is_blind and not entry.own_phone_moved and is_old:
                changed += self._finish(entry, now)
        return changed

    # --- Inside -----------------------------------------------------------------------------------

    def _known(self, event: PhoneEvent) -> _Entry | None:
        if event.linked_id in self._entries:
            return self._entries[event.linked_id]
        for entry in self._entries.values():
            if event.unique_id in entry.unique_ids or event.linked_id in entry.unique_ids:
                return entry
        return None

    def _is_late(self, event: PhoneEvent) -> bool:
        """Whether it is of a call that has ended.

        Who passed a call on and gets it back is rung by a leg of its own: that is no late event.
        """
        if event.linked_id not in self._ended:
            return False
        if event.unique_id in self._ended:
            return True
        return event.step is not PhoneStep.RINGING and self._known(event) is None

    def _begin(self, event: PhoneEvent, now: datetime) -> list[Call]:
        is_clicked = self._is_of_click(event, now)
        if is_clicked:
            blind = next((one for one in self._entries.values() if one.is_blind), None)
            if blind is not None:
                return self._adopt(blind, event, now)
        is_outgoing = event.is_outgoing
        if is_outgoing is None:
            is_outgoing = event.step is PhoneStep.DIALING
        entry = _Entry(
            id=event.unique_id,
            conversation=event.linked_id,
            state=CallState.RINGING_SELF,
            direction=Direction.OUTGOING if is_clicked or is_outgoing else Direction.INCOMING,
            number=event.number or (self._click.number if is_clicked and self._click else ""),
            name="" if is_clicked else event.name,
            started_at=now,
            began_with=event.step,
            is_clicked=is_clicked,
        )
        if self._consulting and event.is_outgoing is not False and not is_clicked:
            entry.is_consultation, self._consulting = True, ""
        if is_clicked:
            self._click = None
        self._entries[event.linked_id] = entry
        self._update(entry, event, now)
        return [] if entry.is_consultation else [self._call(entry)]

    def _adopt(self, blind: _Entry, event: PhoneEvent, now: datetime) -> list[Call]:
        """Events tell of a call placed without them after all; it keeps its name."""
        blind.is_blind, self._click = False, None
        blind.unique_ids |= {event.linked_id, event.unique_id}
        self._update(blind, event, now)
        return [self._call(blind)]

    def _is_of_click(self, event: PhoneEvent, now: datetime) -> bool:
        click = self._click
        if click is None or now >= click.until:
            return False
        begins = event.step in {PhoneStep.DIALING, PhoneStep.RINGING}
        return begins and event.number in {"", click.number}

    def _update(self, entry: _Entry, event: PhoneEvent, now: datetime) -> None:
        entry.unique_ids.add(event.unique_id)
        if event.number and event.number != entry.number:
            entry.number, entry.name = event.number, event.name
        elif event.name:
            entry.name = event.name
        match event.step:
            case PhoneStep.ESTABLISHED:
                entry.move_to(CallState.TALKING, now)
            case PhoneStep.ON_HOLD:
                entry.move_to(CallState.HELD, now)
            case PhoneStep.DIALING if entry.reached is CallState.RINGING_SELF:
                # Of a click this may be its very beginning: then the own phone's state tells.
                if not entry.is_clicked or entry.began_with is not PhoneStep.DIALING:
                    entry.move_to(CallState.RINGING_PEER, now)
        self._look_at_peer(entry)

    def _look_at_peer(self, entry: _Entry) -> None:
        is_called = entry.reached is CallState.RINGING_PEER
        if is_called and hints.is_ringing(self._peer_code(entry.number)):
            entry.has_rung = True

    def _finish(self, entry: _Entry, now: datetime) -> list[Call]:
        for name, one in tuple(self._entries.items()):
            if one is entry:
                del self._entries[name]
        for name in {entry.conversation, *entry.unique_ids}:
            self._ended[name] = None
        while len(self._ended) > REMEMBERED:
            self._ended.popitem(last=False)
        if entry.is_consultation:
            return []
        return [self._call(entry, ended_at=now)]

    def _call(self, entry: _Entry, *, ended_at: datetime | None = None) -> Call:
        return Call(
            user=self._user,
            id=CallId(entry.id),
            conversation=ConversationId(entry.conversation),
            state=CallState.ENDED if ended_at else entry.state,
            direction=entry.direction,
            number=entry.number,
            name="" if entry.state is CallState.RINGING_SELF and entry.is_clicked else entry.name,
            started_at=entry.started_at,
            answered_at=entry.answered_at,
            ended_at=ended_at,
            cause=self._cause(entry) if ended_at else None,
            reached=entry.reached,
        )

    def _cause(self, entry: _Entry) -> int | None:
        """A Q.850 cause, as far as one can be told: XUC gives none.

        That the peer's phone rings yet says nothing: its state comes on another socket, and a
        caller who gave up is told in the same order as a peer who refused.
        """
        if entry.reached is CallState.TALKING:
            return NORMAL
        if entry.reached is not CallState.RINGING_PEER or entry.is_blind:
            return FAILURE if entry.has_failed else None
        code = self._peer_code(entry.number)
        if code in {hints.UNREACHABLE, hints.UNEXISTING}:
            return UNREACHABLE
        has_rung = entry.has_rung or hints.is_ringing(code)
        if not has_rung and hints.is_in_call(code):
            return USER_BUSY
        return FAILURE if entry.has_failed else NO_ANSWER
