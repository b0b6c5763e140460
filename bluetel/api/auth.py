"""Who calls the API: a browser's session with its CSRF token, or a program's bearer token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ninja.security import HttpBearer, SessionAuth

from bluetel.accounts.middleware import activate_for
from bluetel.accounts.tokens import owner_of

if TYPE_CHECKING:
    from django.http import HttpRequest


class BearerToken(HttpBearer):
    """``Authorization: Bearer TOKEN``, made with ``create_api_token``."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """The token's user, if the token is known and he may sign in."""
        user = owner_of(token)
        if user is None:
            return None
        request.user = user
        activate_for(user)
        return user


KEYS = [BearerToken(), SessionAuth(csrf=True)]
