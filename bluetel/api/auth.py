"""Who calls the API: a browser's session with its CSRF token, or a program's bearer token."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ninja.errors import HttpError
from ninja.security import HttpBearer, SessionAuth
from ninja.utils import check_csrf

from bluetel.accounts.middleware import activate_for
from bluetel.accounts.signed_in import user_by_token

if TYPE_CHECKING:
    from django.http import HttpRequest


class BearerToken(HttpBearer):
    """``Authorization: Bearer TOKEN``, made with ``create_api_token``."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """The token's user, if the token is known and he may sign in."""
        user = user_by_token(token)
        if user is None:
            return None
        request.user = user
        activate_for(user)
        return user


class BrowserSession(SessionAuth):
    """The cookie of who is signed in; what changes something must come from our own pages.

    Who sends a token means to be known by it: a wrong one is not made up for by a cookie.
    """

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        """The user who is signed in; 403 for a request that another site may have made."""
        scheme = request.headers.get("Authorization", "").partition(" ")[0]
        if scheme.lower() == "bearer":
            return None
        user = super().authenticate(request, key)
        if user is not None and check_csrf(request) is not None:
            raise HttpError(HTTPStatus.FORBIDDEN, "csrf")
        return user


KEYS = [BearerToken(), BrowserSession(csrf=False)]
