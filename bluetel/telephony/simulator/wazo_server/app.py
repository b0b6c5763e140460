"""The ASGI application: which service a request is for, and who may ask what."""

from __future__ import annotations

from bluetel.telephony.simulator.application import LOOPBACK, SimulatedApplication
from bluetel.telephony.simulator.http import (
    HttpError,
    MalformedBody,
    Request,
    Response,
    Route,
    Service,
    unknown_route,
)
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
from bluetel.telephony.simulator.wazo_server.site import TENANT, Site
from bluetel.telephony.simulator.wazo_server.websocketd import SocketService

SERVICES = (
    auth.SERVICE,
    calld.SERVICE,
    confd.SERVICE,
    chatd.SERVICE,
    dird.SERVICE,
    call_logd.SERVICE,
    control.SERVICE,
)


class WazoApplication(SimulatedApplication[SocketService]):
    """The simulated Wazo as one ASGI application."""

    control_prefix = control.SERVICE.prefix

    def __init__(self, site: Site) -> None:
        self.bus = Bus(site)
        super().__init__(site, SocketService(site, self.bus))
        self.site = site
        site.tokens.on_expire_soon = self.bus.session_expires_soon
        site.drop_stream = self.sockets.drop_all
        site.expire_tokens = self._expire_tokens

    def _expire_tokens(self) -> None:
        for token in tuple(self.site.tokens.live.values()):
            self.site.tokens.end(token)
        self.sockets.expire_all()

    def answer(self, request: Request) -> Response:
        """What the PBX answers now; no waiting, no I/O."""
        service = next((one for one in SERVICES if request.path.startswith(f"{one.prefix}/")), None)
        if service is None:
            return unknown_route()
        if service is control.SERVICE:
            if request.client not in LOOPBACK:
                return errors.bare(403, "loopback only")
        else:
            self.note(request)
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
