"""Users for the live bench and the cookies of their sessions: ``COUNT SESSIONS FILE``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluetel.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.cached_db import SessionStore  # noqa: E402

from bluetel.accounts.models import User  # noqa: E402


def main(count: int, sessions: int, file: str) -> None:
    """Make them, with ids from 1."""
    User.objects.bulk_create(
        [User(pk=pk, username=f"person{pk}") for pk in range(1, count + 1)],
        batch_size=5000,
    )
    lines = []
    for user in User.objects.order_by("pk")[:sessions]:
        store = SessionStore()
        store[SESSION_KEY] = str(user.pk)
        store[BACKEND_SESSION_KEY] = "bluetel.accounts.backends.AccountBackend"
        store[HASH_SESSION_KEY] = user.get_session_auth_hash()
        store.save()
        lines.append(f"Cookie: {settings.SESSION_COOKIE_NAME}={store.session_key}\n")
    Path(file).write_text("".join(lines), encoding="ascii")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
