"""Daphne, waiting for browsers that are slow to take what is sent.

Daphne hands all that an application sends to the socket's buffer at once, so a recording of two
hours would lie in memory for each browser that loads it slowly. Here the application is held up
while that buffer is full, which is how Twisted's producers are meant to be used.
"""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

from daphne.server import Server


class _Pace:
    """Whether a connection has room: a push producer, as Twisted names it."""

    def __init__(self) -> None:
        self._room = asyncio.Event()
        self._room.set()

    def pauseProducing(self) -> None:  # noqa: N802 — Twisted's name
        self._room.clear()

    def resumeProducing(self) -> None:  # noqa: N802 — Twisted's name
        self._room.set()

    def stopProducing(self) -> None:  # noqa: N802 — Twisted's name
        self._room.set()

    async def wait(self) -> None:
        """Until there is room, or nobody any more."""
        await self._room.wait()


class PacedServer(Server):
    """Sends the next piece of a long answer when the one before is on its way."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._paces: WeakKeyDictionary[Any, _Pace] = WeakKeyDictionary()

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Pass a message on; return once there is room for more."""
        if message["type"] != "http.response.body":
            await super().handle_reply(protocol, message)
            return
        is_last = not message.get("more_body")
        pace = self._paces.get(protocol)
        is_open = protocol in self.connections and protocol.channel is not None
        if pace is None and not is_last and is_open:
            pace = self._paces[protocol] = _Pace()
            protocol.registerProducer(pace, streaming=True)
        elif pace is not None and is_last:
            del self._paces[protocol]
            if is_open:
                protocol.unregisterProducer()
        await super().handle_reply(protocol, message)
        if pace is not None and not is_last:
            await pace.wait()
