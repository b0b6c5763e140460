"""The ASGI application of the simulated XUC."""

from __future__ import annotations

from typing import cast

from bluetel.telephony.simulator.application import LOOPBACK, SimulatedApplication
from bluetel.telephony.simulator.http import (
    HttpError,
    MalformedBody,
    Request,
    Response,
    as_json,
    unknown_route,
)
from bluetel.telephony.simulator.wazo_server import control
from bluetel.telephony.simulator.wazo_server.site import Site
from bluetel.telephony.simulator.xivo_server import rest
from bluetel.telephony.simulator.xivo_server.poster import Poster
from bluetel.telephony.simulator.xivo_server.site import XucSite
from bluetel.telephony.simulator.xivo_server.sockets import SocketService


class XucApplication(SimulatedApplication[SocketService]):
    """The simulated XUC as one ASGI application."""

    control_prefix = control.SERVICE.prefix

    def __init__(self, site: XucSite) -> None:
        super().__init__(site, SocketService(site))
        self.site = site
        self.poster = Poster(site)
        site.drop_stream = self.sockets.drop_all

    def begin(self) -> None:
        """Start to push."""
        self.poster.start()

    def end(self) -> None:
        """Push no more."""
        self.poster.stop()

    def answer(self, request: Request) -> Response:
        """What is answered now; no waiting, no I/O."""
        if not request.path.startswith(f"{control.SERVICE.prefix}/"):
            self.note(request)
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
