"""What the hub needs of a page's socket and of the event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock(Protocol):
    """The part of an event loop the hub needs; tests drive one of their own."""

    def time(self) -> float:
        """Seconds that only grow."""

    def call_later(self, delay: float, callback: Callable[[], object], /) -> object:
        """Call ``callback`` after ``delay`` seconds."""


class LiveSocket(Protocol):
    """One browser page, seen from the hub; none of its methods waits or raises.

    ``is_busy`` while earlier frames still wait for the browser to read: it then calls
    :meth:`Hub.drained` once they are gone.
    """

    user_id: str
    pbx: int | None

    @property
    def session(self) -> str:
        """The digest of its session's key."""

    @property
    def is_busy(self) -> bool:
        """Whether frames wait."""

    def push(self, frame: str) -> None:
        """Send a frame, in order with the others."""

    def check_session(self) -> None:
        """Look soon whether the session still holds."""

    def end(self) -> None:
        """Close: the session ended."""
