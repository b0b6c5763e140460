"""The real clock, and the timers of a machine that has no clock of its own."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count


def real_time() -> datetime:
    """Now, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(slots=True, eq=False)
class Timer:
    """Something that happens at ``due`` unless it is cancelled before."""

    due: datetime
    action: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        """Forget it; cancelling twice, or after it has happened, does nothing."""
        self.cancelled = True


class GivenClock:
    """Time that moves only when it is told to, and the timers it fires on its way."""

    def __init__(self, *, now: datetime) -> None:
        self.now = now
        self._heap: list[tuple[datetime, int, Timer]] = []
        self._serial = count()

    @property
    def next_due(self) -> datetime | None:
        """When the next timer is due, or None while nothing waits."""
        while self._heap and self._heap[0][2].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def after(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Have ``action`` happen once, ``seconds`` from now."""
        return self.at(self.now + timedelta(seconds=seconds), action)

    def at(self, due: datetime, action: Callable[[], None]) -> Timer:
        """Have ``action`` happen once at ``due``, or at the next step if that has passed."""
        timer = Timer(due, action)
        heapq.heappush(self._heap, (due, next(self._serial), timer))
        return timer

    def run_until(self, moment: datetime) -> None:
        """Move to ``moment``, firing on the way what is due, each at its own time.

        A moment in the past fires nothing and leaves the time as it is.
        """
        while (due := self.next_due) is not None and due <= moment:
            timer = heapq.heappop(self._heap)[2]
            self.now = max(self.now, due)
            timer.action()
        self.now = max(self.now, moment)

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self.run_until(self.now + timedelta(seconds=seconds))
