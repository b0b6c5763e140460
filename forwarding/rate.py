"""No more than so many writes a second, whatever the rush."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

BURST = 0.1
"""Seconds of the rate that may go at once after a pause."""


class TokenBucket:
    """``take`` returns when one more may go; those who wait go in their order."""

    def __init__(self, rate: float, *, clock: Callable[[], float]) -> None:
        """``rate`` is per second."""
        self.rate = rate
        self._clock = clock
        self._next_at = clock()

    async def take(self) -> None:
        """Wait for one's turn."""
        now = self._clock()
        self._next_at = max(self._next_at, now - BURST) + 1 / self.rate
        if self._next_at > now:
            await asyncio.sleep(self._next_at - now)
