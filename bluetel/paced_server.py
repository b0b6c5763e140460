"""Daphne, waiting for browsers that are slow to take what is sent, and telling many the same.

Daphne hands all that an application sends to the socket's buffer at once, so a recording of two
hours would lie in memory for each browser that loads it slowly, and so would all that a page is
told which doesn't read. Here the application is held up while that buffer is full, which is how
Twisted's producers are meant to be used. What many pages are told is made a frame once.
"""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

from daphne.server import Server
from websockets.frames import Frame, Opcode

CLOSES_WITHIN = 10.0
"""Seconds for a page to read what it was told last and to say that it closes, too; daphne's one
second is not enough for one that is slow, which then never learns why it was closed."""
PACE = "bluetel.pace"
"""Where daphne's record of a connection keeps the pace of its page."""


class _Pace:
    """Whether a connection has room: a push producer, as Twisted names it."""

    __slots__ = ("__weakref__", "_room", "is_full")

    def __init__(self) -> None:
        self.is_full = False
        self._room: asyncio.Event | None = None

    def pauseProducing(self) -> None:  # noqa: N802 — Twisted's name
        self.is_full = True

    def resumeProducing(self) -> None:  # noqa: N802 — Twisted's name
        self.is_full = False
        if self._room is not None:
            self._room.set()

    stopProducing = resumeProducing  # noqa: N815 — Twisted's name

    async def wait(self) -> None:
        """Until there is room, or nobody any more."""
        while self.is_full:
            self._room = asyncio.Event()
            await self._room.wait()
        self._room = None


class PacedServer(Server):
    """Sends the next piece when the one before is on its way."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._paces: WeakKeyDictionary[Any, _Pace] = WeakKeyDictionary()
        self._text: str | None = None
        self._frame = b""

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Pass a message on; return once there is room for more."""
        match message["type"]:
            case "websocket.send" if message.get("text"):
                await self._tell(protocol, message["text"])
            case "websocket.accept":
                await super().handle_reply(protocol, message)
                self._pace(protocol)
            case "http.response.body":
                await self._send_piece(protocol, message)
            case _:
                await super().handle_reply(protocol, message)

    def _pace(self, protocol: Any) -> None:
        """Begin to hear how full a page's buffer is, in place of the request that it was."""
        connection = self.connections.get(protocol)
        if connection is not None and protocol.state == protocol.STATE_OPEN:
            pace = connection[PACE] = _Pace()
            protocol.closeHandshakeTimeout = CLOSES_WITHIN
            protocol.unregisterProducer()
            protocol.registerProducer(pace, streaming=True)

    async def _tell(self, protocol: Any, text: str) -> None:
        """Send a page a text, which is made a frame once for all who are sent it in turn."""
        connection = self.connections.get(protocol)
        if connection is None or "disconnected" in connection:
            return
        pace: _Pace | None = connection.get(PACE)
        if pace is None or protocol.state != protocol.STATE_OPEN:
            await super().handle_reply(protocol, {"type": "websocket.send", "text": text})
            return
        if text is not self._text:
            self._text, self._frame = text, Frame(Opcode.TEXT, text.encode()).serialize(mask=False)
        protocol.transport.write(self._frame)
        if pace.is_full:
            await pace.wait()

    async def _send_piece(self, protocol: Any, message: dict[str, Any]) -> None:
        """Send a piece of an answer."""
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
