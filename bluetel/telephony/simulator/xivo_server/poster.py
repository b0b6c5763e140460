"""XUC's server push: it posts every phone's state and calls to the address it was given."""

from __future__ import annotations

import asyncio
import json
import logging
from urllib.parse import urlsplit

from bluetel.telephony.simulator.events import LegEvent, PresenceEvent, SimulatorEvent
from bluetel.telephony.simulator.http import JsonObject
from bluetel.telephony.simulator.people import Person
from bluetel.telephony.simulator.xivo_server import records
from bluetel.telephony.simulator.xivo_server.site import XucSite

logger = logging.getLogger(__name__)

WAITS = 3.0


class Poster:
    """Posts one after the other, over one connection; what can't be delivered is dropped."""

    def __init__(self, site: XucSite) -> None:
        self._site = site
        self._queue: asyncio.Queue[JsonObject] | None = None
        self._task: asyncio.Task[None] | None = None
        self._has_failed = False
        site.pbx.listen(self._translate)

    def start(self) -> None:
        """Begin on the running loop."""
        self._queue = asyncio.Queue()
        self._task = asyncio.get_running_loop().create_task(self._work(self._queue))

    def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()

    def post_all_states(self) -> None:
        """Everybody's state once, as the handshake asks."""
        for person in self._site.pbx.everybody():
            self._post_state(person)

    def _translate(self, event: SimulatorEvent) -> None:
        match event:
            case PresenceEvent(person):
                self._post_state(person)
            case LegEvent(leg=leg) if leg.person is not None:
                payload = records.phone_event(leg, self._site)
                self._put({"username": leg.person.login, "message": _message(payload)})
            case _:
                pass

    def _post_state(self, person: Person) -> None:
        if person.login and person.lines:
            self._put({"username": person.login, "status": records.hint_code(person)})

    def _put(self, body: JsonObject) -> None:
        if self._site.push_to and self._queue is not None:
            self._queue.put_nowait(body)

    async def _work(self, queue: asyncio.Queue[JsonObject]) -> None:
        while True:
            body = await queue.get()
            try:
                async with asyncio.timeout(WAITS):
                    await self._post(body)
                self._has_failed = False
            except (OSError, TimeoutError, EOFError) as error:
                if not self._has_failed:
                    logger.warning("a push could not be delivered (%s)", type(error).__name__)
                self._has_failed = True

    async def _post(self, body: JsonObject) -> None:
        parts = urlsplit(self._site.push_to)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
        try:
            data = json.dumps(body).encode()
            head = (
                f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
                "Connection: close\r\n\r\n"
            )
            writer.write(head.encode("ascii") + data)
            await writer.drain()
            await reader.readline()
        finally:
            writer.close()


def _message(payload: JsonObject) -> JsonObject:
    return records.message("PhoneEvent", payload)
