"""The CTI sockets: what is pushed to whom, and when they end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any

from bluetel.telephony.simulator.application import Receive, Send
from bluetel.telephony.simulator.events import (
    BoxEvent,
    DoNotDisturbSet,
    ForwardSet,
    LegEvent,
    PersonEvent,
    PresenceEvent,
    SimulatorEvent,
    TransferEvent,
    TransferStep,
)
from bluetel.telephony.simulator.http import JsonObject, query_of
from bluetel.telephony.simulator.outgoing import Outgoing
from bluetel.telephony.simulator.people import Person
from bluetel.telephony.simulator.xivo_server import records
from bluetel.telephony.simulator.xivo_server.commands import obey
from bluetel.telephony.simulator.xivo_server.records import message
from bluetel.telephony.simulator.xivo_server.site import XucSite
from bluetel.telephony.types import TransferKind

"""ASGI's own types, which are open by definition."""

GOING_AWAY, NORMAL = 1001, 1000
STATUSES = [
    {"name": "available", "color": "#9BC920", "longName": "Disponible",
     "actions": [{"name": "enablednd", "parameters": "false"}]},
    {"name": "away", "color": "#FFDD00", "longName": "Sorti",
     "actions": [{"name": "enablednd", "parameters": "false"}]},
    {"name": "donotdisturb", "color": "#D13224", "longName": "Ne pas déranger",
     "actions": [{"name": "enablednd", "parameters": "true"}]},
]  # fmt: skip


class CtiSocket:
    """One user's socket; ``person`` is None for the service account."""

    def __init__(self, site: XucSite, send: Send, *, login: str) -> None:
        self.site = site
        self.login = login
        self.person: Person | None = site.person(login)
        self.numbers: set[str] = set()
        self._send = send
        self._told: dict[str, int] = {}
        self._outgoing = Outgoing[None]()

    # --- To the client ------------------------------------------------------------------------

    def say(self, frame: JsonObject) -> None:
        """Send a frame, as often and in the order the faults say."""
        faults = self.site.faults
        if faults.silence_stream:
            return
        if faults.odd_messages:
            payload = frame.get("ctiMessage")
            if isinstance(payload, dict):
                frame = {**frame, "ctiMessage": {**payload, "fieldOfTomorrow": [1]}, "extra": {}}
            self._outgoing.put(json.dumps(message("TypeOfTomorrow", {"status": 3})))
        self._outgoing.put(
            json.dumps(frame), twice=faults.duplicate_events, shuffled=faults.reorder_events
        )

    def tell_hint(self, person: Person) -> None:
        """The state of a phone, to who subscribed to its number, once per change."""
        code = records.hint_code(person)
        for line in person.lines:
            number = line.extension
            if number in self.numbers and self._told.get(number) != code:
                self._told[number] = code
                self.say(message("PhoneHintStatusEvent", {"number": number, "status": code}))

    def subscribe(self, numbers: list[str]) -> None:
        """Take a subscription, by the reading chosen."""
        readings = self.site.readings
        if readings.hint_subscription == "replaces":
            self.numbers.clear()
        self.numbers |= set(numbers)
        for number in numbers:
            found = self.site.pbx.lines.get(number)
            if found is None:
                if readings.initial_hints:
                    self.say(message("PhoneHintStatusEvent", {"number": number, "status": -2}))
                continue
            self._told.pop(number, None)
            if readings.initial_hints:
                self.tell_hint(found[0])
            else:
                self._told[number] = records.hint_code(found[0])

    def unsubscribe_all(self) -> None:
        """Forget all numbers."""
        self.numbers.clear()
        self._told.clear()

    def close(self) -> None:
        """Close after what is queued has been sent."""
        self._outgoing.close(None)

    # --- The connection -----------------------------------------------------------------------

    async def run(self, receive: Receive) -> None:
        """Talk until either side closes."""
        self._greet()
        reader = asyncio.ensure_future(self._read(receive))
        writer = asyncio.ensure_future(self._write())
        try:
            await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
            if writer.done() and not reader.done():
                await self._send({"type": "websocket.close", "code": NORMAL})
        finally:
            for task in (reader, writer):
                task.cancel()
            await asyncio.gather(reader, writer, return_exceptions=True)

    def _greet(self) -> None:
        faults = self.site.faults
        if faults.no_logged_on:
            return
        if faults.logged_on_error:
            self.say(message("LoggedOnError", {"Error": faults.logged_on_error}))
            self.close()
            return
        self.say(message("LoggedOn", None))
        self.say(message("UsersStatuses", STATUSES))
        self.say(message("UserStatusUpdate", {"status": "available"}))
        self.say(message("RightProfile", {"profile": "NoRight"}))
        person = self.person
        if person is None:
            return
        self.say(records.user_config(person))
        self.say(records.phone_status(person, self.site))
        if person.box is not None:
            self.say(records.counters(person))

    async def _write(self) -> None:
        while (frame := await self._outgoing.get()) is not None:
            await self._send({"type": "websocket.send", "text": frame})

    async def _read(self, receive: Receive) -> None:
        while True:
            got = await receive()
            if got["type"] != "websocket.receive":
                return
            self.site.catch_up()
            obey(self, got.get("text") or "")


class SocketService:
    """Accepts sockets, keeps the list of the open ones and tells each what concerns it."""

    prefix = "/xuc/api/2.0/cti"

    def __init__(self, site: XucSite) -> None:
        self._site = site
        self._open: set[CtiSocket] = set()
        site.pbx.listen(self._translate)

    async def serve(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """One connection; without a valid token the handshake is refused."""
        await receive()
        login = self._site.tokens.get(query_of(scope["query_string"]).get("token", ""))
        if login is None or self._site.faults.unavailable:
            await send({"type": "websocket.close", "code": NORMAL})
            return
        await send({"type": "websocket.accept"})
        if self._site.readings.second_socket == "replaces":
            for other in tuple(self._open):
                if other.login == login:
                    other.close()
        socket = CtiSocket(self._site, send, login=login)
        self._open.add(socket)
        try:
            with suppress(ConnectionError):
                await socket.run(receive)
        finally:
            self._open.discard(socket)

    def count(self, login: str) -> int:
        """How many sockets somebody has open."""
        return sum(socket.login == login for socket in self._open)

    @property
    def open_count(self) -> int:
        """How many sockets there are."""
        return len(self._open)

    def drop_all(self) -> None:
        """Close every socket."""
        for socket in tuple(self._open):
            socket.close()

    def say_to(self, person: Person, frame: JsonObject) -> None:
        """Push a frame to all sockets of one user."""
        for socket in tuple(self._open):
            if socket.person is person:
                socket.say(frame)

    def _translate(self, event: SimulatorEvent) -> None:
        match event:
            case LegEvent(leg=leg) if leg.person is not None:
                payload = records.phone_event(leg, self._site)
                self.say_to(leg.person, message("PhoneEvent", payload))
            case TransferEvent(transfer=transfer) if transfer.kind is TransferKind.ATTENDED:
                self._tell_transfer(event)
            case PresenceEvent(person):
                self.say_to(person, records.phone_status(person, self._site))
                for socket in tuple(self._open):
                    socket.tell_hint(person)
            case ForwardSet(person, kind):
                is_partial = self._site.readings.settings_told == "partial"
                self.say_to(person, records.user_config(person, only=kind if is_partial else None))
            case DoNotDisturbSet(person) | PersonEvent(person=person):
                self.say_to(person, records.user_config(person))
            case BoxEvent(person=person):
                self.say_to(person, records.counters(person))
            case _:
                pass

    def _tell_transfer(self, event: TransferEvent) -> None:
        step, transfer = event.step, event.transfer
        person = transfer.initiator.person
        if person is None:
            return
        kinds = {
            TransferStep.UPDATED: "EventDialing",
            TransferStep.ANSWERED: "EventEstablished",
            TransferStep.ENDED: "EventReleased",
        }
        if step in kinds:
            payload = records.consultation(transfer, kinds[step])
            self.say_to(person, message("PhoneEvent", payload))
        if step is TransferStep.ENDED and transfer.initiator.is_live:
            leg = transfer.initiator
            self.say_to(person, message("PhoneEvent", records.phone_event(leg, self._site)))
