"""When the meeting somebody is in ends: asked here, known to whoever keeps the calendars.

This app lies below the one with the calendars, which registers itself when it is ready. Without
calendars nobody is in a meeting.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

BlockEnd = Callable[[int, datetime], datetime | None]
"""From a user's id and a time to the end of the busy block he is in then, or None."""

_provider: BlockEnd | None = None


def register(provider: BlockEnd | None) -> None:
    """Ask ``provider`` from now on."""
    global _provider  # noqa: PLW0603 — one per process, set as the apps get ready
    _provider = provider


def block_end(user_id: int, *, now: datetime) -> datetime | None:
    """When the busy block this user is in ends; None outside one."""
    return None if _provider is None else _provider(user_id, now)
