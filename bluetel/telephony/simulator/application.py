"""What the simulated PBXs' ASGI applications have in common: the loop the model lives in."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from bluetel.telephony.simulator.http import JsonObject, Request, Response, query_of
from bluetel.telephony.simulator.model import SimulatedPbx
from bluetel.telephony.simulator.ticker import Ticker
from bluetel.telephony.simulator.traffic import Traffic

LOOPBACK = ("127.0.0.1", "::1")
LOG_LIMIT = 10_000
SECRET_FIELDS = frozenset({"password"})
SECRET_PATH = re.compile(r"(/token/)[^/]+")
"""A token in a path is as secret as one in a header."""
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Faults(Protocol):
    """What is wrong with the answers over HTTP, read at each."""

    hang: bool
    lose_answers: bool
    slow: float


class Site(Protocol):
    """A simulated PBX, whatever it speaks: the model with its clock, its faults, who called."""

    pbx: SimulatedPbx
    traffic: Traffic
    requests: list[JsonObject]

    @property
    def clock(self) -> Callable[[], datetime]:
        """Gives the time."""

    @property
    def faults(self) -> Faults:
        """What is wrong at the moment."""

    def catch_up(self) -> None:
        """Let the model see what time it is."""


class Sockets(Protocol):
    """The WebSocket service of a simulated PBX."""

    prefix: str

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Talk to one client until either side closes."""


S = TypeVar("S", bound=Sockets)


class SimulatedApplication(ABC, Generic[S]):
    """A model behind HTTP and WebSocket; ``ready`` is set once its loop runs."""

    control_prefix: str

    def __init__(self, site: Site, sockets: S) -> None:
        self.common_site = site
        self.sockets = sockets
        self.ticker = Ticker(site)
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop the model lives in, once ``ready`` is set."""
        if self._loop is None:
            raise RuntimeError("not started")
        return self._loop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        match scope["type"]:
            case "http":
                await self._serve_http(scope, receive, send)
            case "websocket" if scope["path"].startswith(self.sockets.prefix):
                await self.sockets.serve(scope, receive, send)
                self.ticker.wind()
            case "websocket":
                await receive()
                await send({"type": "websocket.close", "code": 1000})
            case _:
                await self._live(receive, send)

    async def _serve_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request as the faults say; the control interface knows no faults."""
        request = await read_request(scope, receive)
        site = self.common_site
        is_control = request.path.startswith(self.control_prefix)
        if not is_control:
            site.traffic.saw(tuple(scope["client"]))
            if site.faults.hang:
                await _leave_unanswered(receive)
                return
        site.catch_up()
        try:
            response = self.answer(request)
        finally:
            self.ticker.wind()
        if not is_control:
            if site.faults.lose_answers:
                await _leave_unanswered(receive)
                return
            await asyncio.sleep(site.faults.slow)
        await _send_response(response, send, with_body=request.method != "HEAD")

    @abstractmethod
    def answer(self, request: Request) -> Response:
        """What the PBX answers now; no waiting, no I/O."""

    def note(self, request: Request) -> None:
        """Write a request down for assertions, without what it signs in with."""
        try:
            body = json.loads(request.body) if request.body else None
        except ValueError:
            body = None
        if isinstance(body, dict):
            body = {name: value for name, value in body.items() if name not in SECRET_FIELDS}
        site = self.common_site
        site.requests.append(
            {
                "method": request.method,
                "path": SECRET_PATH.sub(r"\1…", request.path),
                "query": dict(request.query),
                "body": body,
                "time": site.pbx.now.isoformat(),
            }
        )
        del site.requests[:-LOG_LIMIT]

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._loop = asyncio.get_running_loop()
                self.begin()
                self.ticker.wind()
                await send({"type": "lifespan.startup.complete"})
                self.ready.set()
            else:
                self.end()
                self.ticker.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def begin(self) -> None:
        """Start what else runs in the loop."""

    def end(self) -> None:
        """Stop what else runs in the loop."""


async def read_request(scope: Scope, receive: Receive) -> Request:
    """One whole HTTP request."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    client = scope.get("client")
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=query_of(scope["query_string"]),
        headers={
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in scope["headers"]
        },
        body=body,
        client=client[0] if client else "",
    )


async def _send_response(response: Response, send: Send, *, with_body: bool) -> None:
    headers = [
        (b"content-type", response.content_type.encode()),
        *((name.encode(), value.encode()) for name, value in response.headers),
    ]
    if response.status != 204:
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body if with_body else b""})


async def _leave_unanswered(receive: Receive) -> None:
    """Wait until the client gives up."""
    while (await receive())["type"] != "http.disconnect":
        pass
