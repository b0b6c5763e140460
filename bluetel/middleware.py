"""What every answer of BlueTel has in common."""

from __future__ import annotations

import ipaddress
from http import HTTPStatus
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import gettext as _

from bluetel.api.errors import error_response, too_large
from bluetel.once import remembering

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse


class TrustedProxiesMiddleware:
    """Whether a browser came by https is for the site's own proxies to say, for nobody else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._networks = [ipaddress.ip_network(one) for one in settings.ENV.trusted_proxies]

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Take the scheme out that a stranger claims."""
        claims = "HTTP_X_FORWARDED_PROTO" in request.META
        if claims and not self._trusts(request.META.get("REMOTE_ADDR", "")):
            del request.META["HTTP_X_FORWARDED_PROTO"]
        return self.get_response(request)

    def _trusts(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)


class PrivatePagesMiddleware:
    """Pages hold names, numbers and presence: nothing keeps a copy of them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Forbid storing, unless the view said otherwise."""
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        )
        return response


class ReadingMiddleware:
    """What only reads asks the database for each thing once."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Remember what was read until the answer is made."""
        if request.method not in {"GET", "HEAD"}:
            return self.get_response(request)
        with remembering():
            return self.get_response(request)


class ApiErrorsMiddleware:
    """Programs get every error in the API's one shape, those too that no route of it raised."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Replace a page or a bare text that says what went wrong."""
        response = self.get_response(request)
        is_error = response.status_code >= HTTPStatus.BAD_REQUEST
        if not is_error or not request.path_info.startswith("/api/"):
            return response
        if response.headers.get("Content-Type", "").startswith("application/json"):
            return response
        code, message = _unrouted_error(response.status_code)
        replaced = error_response(response.status_code, code, message)
        for name in ("Allow", "Content-Range", "Accept-Ranges"):
            if name in response.headers:
                replaced.headers[name] = response.headers[name]
        return replaced


class HeadMiddleware:
    """What can be read can be asked for without its body (RFC 9110 §9.1), in the API as well.

    A route that has an answer of its own to HEAD keeps it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Ask again as GET where the route takes that only; the server leaves out the body."""
        response = self.get_response(request)
        is_refused = response.status_code == HTTPStatus.METHOD_NOT_ALLOWED
        if request.method != "HEAD" or not is_refused or "GET" not in response.headers["Allow"]:
            return response
        request.method = "GET"
        try:
            return self.get_response(request)
        finally:
            request.method = "HEAD"


def _unrouted_error(status: int) -> tuple[str, str]:
    match status:
        case HTTPStatus.NOT_FOUND:
            return "not_found", _("There is nothing here.")
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return "method_not_allowed", _("This address takes another method.")
        case HTTPStatus.FORBIDDEN:
            return "forbidden", _("You may not do this.")
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return "too_large", too_large()
        case _ if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return "invalid_request", _("The request can't be read.")
        case _:
            return "failed", _("Something went wrong here. It has been written to the log.")
