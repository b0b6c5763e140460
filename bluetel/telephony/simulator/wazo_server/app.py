"""The ASGI application: which service a request is for, and who may ask what."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import MutableMapping
from typing import Any

from bluetel.telephony.simulator.wazo_server import (
    auth,
    call_logd,
    calld,
    chatd,
    confd,
    control,
    dird,
    errors,
)
from bluetel.telephony.simulator.wazo_server.bus import Bus
from bluetel.telephony.simulator.wazo_server.http import (
    HttpError,
    MalformedBody,
    Request,
    Response,
    Route,
    Service,
    query_of,
    unknown_route,
)
from bluetel.telephony.simulator.wazo_server.site import TENANT, Site
from bluetel.telephony.simulator.wazo_server.ticker import Ticker
from bluetel.telephony.simulator.wazo_server.websocketd import Receive, Send, SocketService

SERVICES = (
    auth.SERVICE,
    calld.SERVICE,
    confd.SERVICE,
    chatd.SERVICE,
    dird.SERVICE,
    call_logd.SERVICE,
    control.SERVICE,
)
LOOPBACK = ("127.0.0.1", "::1")
LOG_LIMIT = 10_000
SECRET_PATH = re.compile(r"(/token/)[^/]+")
"""A token in a path is as secret as one in a header."""
Scope = MutableMapping[str, Any]


class WazoApplication:
    """The simulated Wazo as one ASGI application."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.bus = Bus(site)
        self.sockets = SocketService(site, self.bus)
        self.ticker = Ticker(site)
        self.ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        site.tokens.on_expire_soon = self.bus.session_expires_soon
        site.drop_stream = self.sockets.drop_all
        site.expire_tokens = self._expire_tokens

    def _expire_tokens(self) -> None:
        for token in tuple(self.site.tokens.live.values()):
            self.site.tokens.end(token)
        self.sockets.expire_all()

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

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._loop = asyncio.get_running_loop()
                self.ticker.wind()
                await send({"type": "lifespan.startup.complete"})
                self.ready.set()
            else:
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
            response = await self._gone(receive)
        else:
            self.site.catch_up()
            try:
                response = self.answer(request)
            finally:
                self.ticker.wind()
        if faults.lose_answers and not is_control:
            response = await self._gone(receive)
        elif faults.slow and not is_control:
            await asyncio.sleep(faults.slow)
        headers = [
            (b"content-type", response.content_type.encode()),
            *((name.encode(), value.encode()) for name, value in response.headers),
        ]
        if response.status != 204:
            headers.append((b"content-length", str(len(response.body)).encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        body = b"" if request.method == "HEAD" else response.body
        await send({"type": "http.response.body", "body": body})

    async def _gone(self, receive: Receive) -> Response:
        """Leave the client without an answer until it gives up."""
        while (await receive())["type"] != "http.disconnect":
            pass
        return unknown_route()

    def answer(self, request: Request) -> Response:
        """What the PBX answers now; no waiting, no I/O."""
        service = next((one for one in SERVICES if request.path.startswith(f"{one.prefix}/")), None)
        if service is None:
            return unknown_route()
        if service is control.SERVICE:
            if request.client not in LOOPBACK:
                return errors.bare(403, "loopback only")
        else:
            self._note(request)
            if service.name in self.site.faults.unavailable and not request.path.endswith(
                "/status"
            ):
                return service.unavailable(self.site)
        try:
            found = service.find(request.method, request.path)
            if found is None:
                return unknown_route()
            route, params = found
            request.params = params
            return self._checked(service, route, request)
        except HttpError as error:
            return error.response
        except MalformedBody:
            return service.malformed()

    def _checked(self, service: Service, route: Route, request: Request) -> Response:
        if route.access is not None:
            access = route.access.format(**request.params)
            token = self.site.tokens.find(request.headers.get("x-auth-token", ""))
            if token is None:
                return service.unauthorized(self.site, request, errors.EXPIRED, access)
            tenant = request.headers.get("wazo-tenant", TENANT)
            if tenant != TENANT or not token.may(access):
                return service.unauthorized(self.site, request, errors.FORBIDDEN, access)
            request.token = token
        return route.handler(self.site, request)

    def _note(self, request: Request) -> None:
        """Write the request down for assertions, without what it signs in with."""
        try:
            body = json.loads(request.body) if request.body else None
        except ValueError:
            body = None
        self.site.requests.append(
            {
                "method": request.method,
                "path": SECRET_PATH.sub(r"\1…", request.path),
                "query": dict(request.query),
                "body": body,
                "time": self.site.pbx.now.isoformat(),
            }
        )
        del self.site.requests[:-LOG_LIMIT]


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
