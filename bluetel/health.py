"""For the machines that watch BlueTel: is it up, is it ready, how is it doing."""

from __future__ import annotations

import hmac
import ipaddress
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache
from django.db import Error as DatabaseTrouble
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from bluetel.work.leases import holder_of
from bluetel.work.queue import count_given_up
from forwarding.selectors import count_failing

if TYPE_CHECKING:
    from collections.abc import Callable


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Each part by name; 503 while one that pages need is missing.

    A PBX that is down doesn't make BlueTel unready: its pages say so and the rest works.
    """
    parts = {"database": _works(_ask_database), "cache": _works(_ask_cache)}
    ready = all(parts.values())
    states = {name: "ok" if works else "failed" for name, works in parts.items()}
    if parts["database"]:
        states["engine"] = "ok" if holder_of("engine", now=timezone.now()) else "missing"
        failing = count_failing(now=timezone.now())
        states["forwards"] = f"{failing} not taken by the PBX" if failing else "ok"
        states["jobs"] = "some given up" if count_given_up() else "ok"
    return JsonResponse({"ready": ready, "parts": states}, status=200 if ready else 503)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus's format, for loopback or whoever has the token."""
    token = settings.ENV.metrics_token.get_secret_value()
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    has_token = bool(token) and hmac.compare_digest(given.encode(), token.encode())
    # A proxy on this machine is loopback too, so what it forwards needs the token.
    is_local = _is_loopback(request.META.get("REMOTE_ADDR", "")) and not (
        request.headers.get("X-Forwarded-For") or request.headers.get("Forwarded")
    )
    if not (has_token or is_local):
        return HttpResponse("metrics need the token\n", status=403, content_type="text/plain")
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _works(ask: Callable[[], None]) -> bool:
    try:
        ask()
    except (DatabaseTrouble, OSError):
        return False
    return True


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _ask_cache() -> None:
    try:
        cache.set("bluetel-ready", 1, 5)
    except Exception as error:
        raise OSError(str(error)) from error
