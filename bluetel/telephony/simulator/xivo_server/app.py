"""The ASGI application of the simulated XUC."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import MutableMapping
from typing import Any, cast

from bluetel.telephony.simulator.wazo_server import control
from bluetel.telephony.simulator.wazo_server.app import LOG_LIMIT, LOOPBACK, read_request
from bluetel.telephony.simulator.wazo_server.http import (
    HttpError,
    MalformedBody,
    Request,
    Response,
    as_json,
    unknown_route,
)
from bluetel.telephony.simulator.wazo_server.site import Site
from bluetel.telephony.simulator.wazo_server.ticker import Ticker
from bluetel.telephony.simulator.xivo_server import rest
from bluetel.telephony.simulator.xivo_server.poster import Poster
from bluetel.telephony.simulator.xivo_server.site import XucSite
from bluetel.telephony.simulator.xivo_server.sockets import Receive, Send, SocketService

Scope = MutableMapping[str, Any]
SECRET_FIELDS = frozenset({"password"})


class XucApplication:
    """The simulated XUC as one ASGI application."""

    def __init__(self, site: XucSite) -> None:
        self.site = site
        self.sockets = SocketService(site)
        self.poster = Poster(site)
        self.ticker = Ticker(site)
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        site.drop_stream = self.sockets.drop_all

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
            case "websocket" if scope["path"] == self.sockets.prefix:
                await self.sockets.serve(scope, receive, send)
                self.ticker.wind()
            case "websocket":
                await receive()
                await send({"type": "websocket.close", "code": 1000})
            case _:
                await self._live(receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._loop = asyncio.get_running_loop()
                self.poster.start()
                self.ticker.wind()
                await send({"type": "lifespan.startup.complete"})
                self.ready.set()
            else:
                self.poster.stop()
                self.ticker.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _serve_http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = await read_request(scope, receive)
        faults = self.site.faults
        is_control = request.path.startswith(control.SERVICE.prefix)
        if not is_control:
            self.site.traffic.saw(tuple(scope["client"]))
        if faults.hang and not is_control:
            await _gone(receive)
        self.site.catch_up()
        try:
            response = self.answer(request)
        finally:
            self.ticker.wind()
        if faults.lose_answers and not is_control:
            await _gone(receive)
        elif faults.slow and not is_control:
            await asyncio.sleep(faults.slow)
        headers = [
            (b"content-type", response.content_type.encode()),
            (b"content-length", str(len(response.body)).encode()),
        ]
        if response.status == 204:
            headers.pop()
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})

    def answer(self, request: Request) -> Response:
        """What is answered now; no waiting, no I/O."""
        if not request.path.startswith(f"{control.SERVICE.prefix}/"):
            self._note(request)
            return rest.answer(self.site, self.poster, request)
        if request.client not in LOOPBACK:
            return as_json(403, {"message": "loopback only"})
        if request.path == f"{control.SERVICE.prefix}/push":
            return self._set_push(request)
        try:
            found = control.SERVICE.find(request.method, request.path)
            if found is None:
                return unknown_route()
            route, request.params = found
            # The control interface is the simulator's own: it needs only what both sites have.
            return route.handler(cast("Site", self.site), request)
        except HttpError as error:
            return error.response
        except MalformedBody:
            return control.SERVICE.malformed()

    def _set_push(self, request: Request) -> Response:
        """``POST /push`` ``{"url"}``: the address of ``api.eventUrl``, empty for none."""
        self.site.push_to = str(request.json().get("url", ""))
        self.poster.post_all_states()
        return Response(status=204)

    def _note(self, request: Request) -> None:
        """Write the request down for assertions, without what it signs in with."""
        try:
            body = json.loads(request.body) if request.body else None
        except ValueError:
            body = None
        if isinstance(body, dict):
            body = {name: value for name, value in body.items() if name not in SECRET_FIELDS}
        self.site.requests.append(
            {
                "method": request.method,
                "path": request.path,
                "query": dict(request.query),
                "body": body,
                "time": self.site.pbx.now.isoformat(),
            }
        )
        del self.site.requests[:-LOG_LIMIT]


async def _gone(receive: Receive) -> None:
    """Leave the client without an answer until it gives up."""
    while (await receive())["type"] != "http.disconnect":
        pass
