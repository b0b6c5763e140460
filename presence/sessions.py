"""Whether the session behind a socket still holds, by the same rules as for a page."""

from __future__ import annotations

import hashlib
from importlib import import_module

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest


def digest_of(session_key: str) -> str:
    """What names a session on the channel layer: the key itself is a secret."""
    return hashlib.sha256(session_key.encode()).hexdigest()


def still_holds(session_key: str, *, user_id: str) -> bool:
    """Whether this session is still signed in as this user, who may still sign in.

    False after signing out, expiry, a new password, and when the account was disabled.
    """
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    return user.is_authenticated and str(user.pk) == user_id
