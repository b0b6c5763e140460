"""Pages in the user's language and times in his zone."""

from __future__ import annotations

import zoneinfo
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone, translation

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    from bluetel.accounts.models import User


def activate_for(user: User) -> None:
    """Speak this user's language and show his times, for the rest of the request."""
    if user.language:
        translation.activate(user.language)
    zone = user.time_zone or settings.TIME_ZONE
    try:
        timezone.activate(zoneinfo.ZoneInfo(zone))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        timezone.deactivate()


class UserLocaleMiddleware:
    """The user's own choice first, then the cookie, then what the browser asks for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Handle one request in the right language."""
        translation.activate(translation.get_language_from_request(request))
        if request.user.is_authenticated:
            activate_for(request.user)
        request.LANGUAGE_CODE = translation.get_language()
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", translation.get_language() or "")
        response.headers["Vary"] = ", ".join(
            filter(None, [response.headers.get("Vary"), "Accept-Language"])
        )
        timezone.deactivate()
        return response
