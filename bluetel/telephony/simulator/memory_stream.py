"""The event stream of the memory backend, which crosses from any thread into any loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator

from bluetel.telephony.simulator import memory_views as views
from bluetel.telephony.simulator.events import (
    BoxEvent,
    CallMissed,
    DoNotDisturbSet,
    ForwardSet,
    LegEvent,
    PersonEvent,
    PresenceEvent,
    SimulatorEvent,
)
from bluetel.telephony.simulator.legs import Leg
from bluetel.telephony.simulator.model import SimulatedPbx
from bluetel.telephony.simulator.people import Person
from bluetel.telephony.types import (
    Call,
    CallChanged,
    ConversationId,
    DoNotDisturbChanged,
    ForwardChanged,
    PbxEvent,
    PbxUserId,
    PresenceChanged,
    StreamLost,
    StreamOpened,
    UserChanged,
    VoicemailChanged,
)


class _Subscriber:
    """One running ``events()``: a queue in its own loop, filled from any thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.queue: asyncio.Queue[PbxEvent] = asyncio.Queue()

    def put(self, event: PbxEvent) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.queue.put_nowait, event)


class MemoryStream:
    """Tells the ports' events of a model to all who listen; its lock guards the model."""

    def __init__(self, pbx: SimulatedPbx) -> None:
        self._pbx = pbx
        self._lock = threading.RLock()
        self._subscribers: list[_Subscriber] = []
        self._told: dict[tuple[ConversationId, PbxUserId], Call] = {}
        self._stream_is_up = True
        pbx.listen(self._translate)

    def lose_stream(self, reason: str = "lost") -> None:
        """Break the event stream: nothing is told until ``restore_stream``."""
        with self._lock:
            self._stream_is_up = False
            self._tell(StreamLost(reason=reason))

    def restore_stream(self) -> None:
        """Open the stream again; living calls are told, as after any connect."""
        with self._lock:
            self._stream_is_up = True
            for subscriber in self._subscribers:
                self._open(subscriber)

    async def events(self) -> AsyncGenerator[PbxEvent, None]:
        """See ``EventSource``; after each ``StreamOpened`` the living calls are told."""
        subscriber = _Subscriber()
        with self._lock:
            self._subscribers.append(subscriber)
            if self._stream_is_up:
                self._open(subscriber)
        try:
            while True:
                yield await subscriber.queue.get()
        finally:
            with self._lock:
                self._subscribers.remove(subscriber)

    def _open(self, subscriber: _Subscriber) -> None:
        subscriber.put(StreamOpened())
        for call in self._live_calls():
            subscriber.put(CallChanged(call=call, at=self._pbx.now))

    def _tell(self, event: PbxEvent) -> None:
        for subscriber in self._subscribers:
            subscriber.put(event)

    def _translate(self, event: SimulatorEvent) -> None:
        """The model's listener; called inside ``do`` or a command, so under the lock."""
        told = list(self._ports_events(event))
        if self._stream_is_up:
            for one in told:
                self._tell(one)

    def _ports_events(self, event: SimulatorEvent) -> Iterator[PbxEvent]:
        at = self._pbx.now
        match event:
            case LegEvent(leg=leg) | CallMissed(caller=leg):
                yield from self._changed_calls(leg)
            case PresenceEvent(person):
                yield PresenceChanged(presence=views.presence_of(person), at=at)
            case ForwardSet(person, kind):
                forward = person.forwards[kind]
                yield ForwardChanged(user=person.id, kind=kind, forward=forward, at=at)
            case DoNotDisturbSet(person):
                enabled = person.do_not_disturb
                yield DoNotDisturbChanged(user=person.id, enabled=enabled, at=at)
            case BoxEvent(person=person):
                yield VoicemailChanged(user=person.id, at=at)
            case PersonEvent(person=person):
                yield UserChanged(user=person.id, at=at)

    def _changed_calls(self, leg: Leg) -> Iterator[PbxEvent]:
        for call in views.calls_of(leg.call):
            key = (call.conversation, call.user)
            if self._told.get(key) != call:
                self._told[key] = call
                yield CallChanged(call=call, at=self._pbx.now)
        if not leg.call.live_legs:
            for person_id in leg.call.people:
                self._told.pop((ConversationId(leg.call.id), PbxUserId(person_id)), None)

    def _live_calls(self, only: Person | None = None) -> list[Call]:
        conversations = {leg.call.id: leg.call for leg in self._pbx.legs_of(only)}
        found = [
            call for talk in conversations.values() for call in views.calls_of(talk, only=only)
        ]
        return [call for call in found if call.is_live]
