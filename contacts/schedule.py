"""Has the contact base's background work done when it is due, inside the engine on duty."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils import timezone

from bluetel.work.duties import Duty
from contacts.deletions import forget_old
from contacts.jobs import compare_soon, read_directory_soon
from contacts.ldap.keeping import is_due
from contacts.remote_rounds import due_books

if TYPE_CHECKING:
    from bluetel.work.duties import Post

LOOK_EVERY: Final = 5.0


class Schedule(Duty):
    """Looks at the rows that say what is due, and asks for it."""

    async def run(self, post: Post) -> None:
        """Look every few seconds, for ever."""
        while True:
            await post.database(enqueue_due, now=timezone.now())
            await post.database(forget_old, now=timezone.now())
            await asyncio.sleep(LOOK_EVERY)


def enqueue_due(*, now: datetime) -> None:
    """Ask for everything whose time has come."""
    for book in due_books(now=now):
        compare_soon(book)
    if settings.LDAP_CONFIG is not None and is_due(now=now):
        read_directory_soon()
