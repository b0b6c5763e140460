"""wazo-websocketd: the event socket, its protocol, and when it closes with which code."""

from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any

from bluetel.telephony.simulator.application import Receive, Send
from bluetel.telephony.simulator.http import JsonObject, query_of
from bluetel.telephony.simulator.outgoing import Outgoing
from bluetel.telephony.simulator.wazo_server.bus import Bus, Message
from bluetel.telephony.simulator.wazo_server.site import Site
from bluetel.telephony.simulator.wazo_server.tokens import Token

"""ASGI's own types, which are open by definition."""

INTERNAL_ERROR = 1011
NO_TOKEN = 4001
REFUSED = 4002
EXPIRED = 4003
PROTOCOL_ERROR = 4004
SHORT_LIFE, MEDIUM_LIFE, LONGEST_CHECK = 15.0, 80.0, 43_200.0


class Closing(Exception):
    """Close the socket with this code and reason."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason


def check_after(remaining: float) -> float:
    """How long a token is trusted before it is looked at again, in seconds.

    The real one looks at the end of short lives, after 60 s at most of medium ones, and at 75 % of
    long ones: until then a revoked token still receives (reference/wazo-observed.md).
    """
    if remaining <= SHORT_LIFE:
        return remaining
    if remaining <= MEDIUM_LIFE:
        return min(60.0, remaining)
    return min(0.75 * remaining, LONGEST_CHECK)


class EventSocket:
    """One connection; ``token`` is replaced by ``op token``, its subscriptions stay."""

    def __init__(self, site: Site, send: Send, *, token: Token, version: int) -> None:
        self.token = token
        self._site = site
        self._send = send
        self._version = version
        self._names: set[str] = set()
        self._started = False
        self._outgoing = Outgoing[Closing]()

    # --- From the bus -------------------------------------------------------------------------

    def wants(self, name: str) -> bool:
        """Whether events of that name are to be sent: before ``start`` they are dropped."""
        return self._started and (name in self._names or "*" in self._names)

    def deliver(self, message: Message) -> None:
        """Queue one event, as often and in the order the faults say."""
        faults = self._site.faults
        if faults.silence_stream:
            return
        self._outgoing.put(
            message.frame(version=self._version),
            twice=faults.duplicate_events,
            shuffled=faults.reorder_events,
        )

    def close(self, code: int, reason: str = "") -> None:
        """Close after what is queued has been sent."""
        self._outgoing.close(Closing(code, reason))

    # --- The connection -----------------------------------------------------------------------

    async def run(self, receive: Receive) -> None:
        """Talk until either side closes."""
        self._say("init", {"version": self._version})
        reader = asyncio.ensure_future(self._read(receive))
        writer = asyncio.ensure_future(self._write())
        watcher = asyncio.ensure_future(self._watch_token())
        tasks = (reader, writer, watcher)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done() and (closing := task.result()) is not None:
                    await self._send(
                        {
                            "type": "websocket.close",
                            "code": closing.code,
                            "reason": closing.reason,
                        }
                    )
                    break
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _write(self) -> Closing:
        while True:
            frame = await self._outgoing.get()
            if isinstance(frame, Closing):
                return frame
            await self._send({"type": "websocket.send", "text": frame})

    async def _watch_token(self) -> Closing:
        while True:
            remaining = (self.token.expires_at - self._site.clock()).total_seconds()
            await asyncio.sleep(max(0.0, check_after(remaining)))
            self._site.catch_up()
            if self._site.tokens.find(self.token.id) is None:
                return Closing(EXPIRED, "authentication expired")

    async def _read(self, receive: Receive) -> Closing | None:
        while True:
            message = await receive()
            if message["type"] != "websocket.receive":
                return None
            try:
                self._obey(message.get("text"))
            except Closing as closing:
                return closing

    def _obey(self, text: str | None) -> None:
        try:
            frame = json.loads(text or "")
        except ValueError:
            raise Closing(PROTOCOL_ERROR) from None
        match frame:
            case {"op": "subscribe", "data": {"event_name": str(name)}}:
                self._names.add(name)
                self._acknowledge("subscribe")
            case {"op": "start"}:
                self._acknowledge("start")
                self._started = True
            case {"op": "ping", "data": {"payload": payload}}:
                if self._version > 1:
                    self._say("pong", {"payload": payload})
            case {"op": "token", "data": {"token": str(token_id)}}:
                self._renew(token_id)
            case _:
                raise Closing(PROTOCOL_ERROR)

    def _renew(self, token_id: str) -> None:
        self._site.catch_up()
        token = self._site.tokens.find(token_id)
        if token is None or not token.may("websocketd"):
            raise Closing(REFUSED, "authentication failed")
        self.token = token
        self._acknowledge("token")

    def _acknowledge(self, op: str) -> None:
        # Protocol 1 says nothing more once events flow.
        if self._version > 1 or not self._started:
            self._say(op, None)

    def _say(self, op: str, data: JsonObject | None) -> None:
        if not self._site.faults.silence_stream:
            self._outgoing.put(json.dumps({"op": op, "code": 0, "data": data}))


class SocketService:
    """Accepts event sockets and keeps the list of the open ones."""

    prefix = "/api/websocketd"

    def __init__(self, site: Site, bus: Bus) -> None:
        self._site = site
        self._bus = bus
        self._open: set[EventSocket] = set()

    async def serve(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """One connection, from its upgrade to its end: what is wrong is said after accepting."""
        await receive()
        await send({"type": "websocket.accept"})
        try:
            token, version = self._admit(scope)
        except Closing as closing:
            await send({"type": "websocket.close", "code": closing.code, "reason": closing.reason})
            return
        socket = EventSocket(self._site, send, token=token, version=version)
        self._open.add(socket)
        self._bus.receivers.add(socket)
        try:
            with suppress(ConnectionError):
                await socket.run(receive)
        finally:
            self._open.discard(socket)
            self._bus.receivers.discard(socket)

    def _admit(self, scope: MutableMapping[str, Any]) -> tuple[Token, int]:
        self._site.catch_up()
        query = query_of(scope["query_string"])
        headers = {name.lower(): value for name, value in scope["headers"]}
        token_id = query.get("token") or headers.get(b"x-auth-token", b"").decode("latin-1")
        if "websocketd" in self._site.faults.unavailable:
            raise Closing(INTERNAL_ERROR, "bus connection error")
        if not token_id:
            raise Closing(NO_TOKEN, "no token")
        version = query.get("version", "1")
        if not version.isdigit():
            raise Closing(INTERNAL_ERROR)
        if version not in ("1", "2"):
            raise Closing(PROTOCOL_ERROR)
        token = self._site.tokens.find(token_id)
        down = "auth" in self._site.faults.unavailable
        if token is None or not token.may("websocketd") or down:
            raise Closing(REFUSED, "authentication failed")
        return token, int(version)

    def drop_all(self, code: int = INTERNAL_ERROR, reason: str = "bus connection lost") -> None:
        """Close every open socket."""
        for socket in tuple(self._open):
            socket.close(code, reason)

    def expire_all(self) -> None:
        """Close every open socket as their tokens have ended."""
        self.drop_all(EXPIRED, "authentication expired")
