"""Who looks at BlueTel, by a page or by a program, as the web processes tell the engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from presence.messages import PageMessage, PagesMessage

FORGOTTEN_AFTER = 60.0
"""Web processes speak every 20 s; one that died says nothing more."""
ASKS_FOR = 300.0
"""For so long after a program asked for somebody's calls it is taken to ask again."""


@dataclass(slots=True)
class _Process:
    heard_at: float
    users: set[str] = field(default_factory=set)


class OpenPages:
    """The users with a page in any process. ``now`` is in seconds of a clock that only grows.

    Each method gives the users for whom it made a difference.
    """

    def __init__(self) -> None:
        self._processes: dict[str, _Process] = {}

    def __contains__(self, user: str) -> bool:
        return any(user in process.users for process in self._processes.values())

    def users(self) -> set[str]:
        """Everybody with a page."""
        found: set[str] = set()
        for process in self._processes.values():
            found |= process.users
        return found

    def take(self, message: PageMessage | PagesMessage, *, now: float) -> set[str]:
        """Take what a web process says."""
        process = self._processes.setdefault(message["process"], _Process(now))
        process.heard_at = now
        if message["type"] == "pages":
            changed = process.users ^ set(message["users"])
            process.users = set(message["users"])
            return changed
        if message["is_open"]:
            process.users.add(message["user"])
        else:
            process.users.discard(message["user"])
        return {message["user"]}

    def expire(self, *, now: float) -> set[str]:
        """Forget the processes that have fallen silent."""
        gone = [
            name
            for name, process in self._processes.items()
            if now - process.heard_at > FORGOTTEN_AFTER
        ]
        changed: set[str] = set()
        for name in gone:
            changed |= self._processes.pop(name).users
        return changed


class Askers:
    """The users whose calls a program asks for; ``now`` as in :class:`OpenPages`."""

    def __init__(self) -> None:
        self._asked_at: dict[str, float] = {}

    def take(self, user: str, *, now: float) -> bool:
        """Note that somebody's calls were asked for; whether that is new."""
        is_new = user not in self.users(now=now)
        self._asked_at[user] = now
        return is_new

    def users(self, *, now: float) -> set[str]:
        """Everybody whose calls were asked for lately; the others are forgotten."""
        self._asked_at = {
            user: asked_at for user, asked_at in self._asked_at.items() if now - asked_at < ASKS_FOR
        }
        return set(self._asked_at)
