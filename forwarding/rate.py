"""No more than so many writes a second, whatever the rush."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

BURST = 0.1
"""Seconds of the rate that may go at once: after a pause, and when the loop comes late."""

SECOND = 1.07
"""A second as it is counted here: what goes later than another may come to the PBX less late.

By how much, is how long a thread may wait for the interpreter before it speaks to the PBX.
"""


class TokenBucket:
    """``take`` returns when one more may go; those who wait go in their order.

    In no second go more than the rate, whenever it begins, and they go evenly spaced.
    """

    def __init__(self, rate: float, *, clock: Callable[[], float]) -> None:
        """``rate`` is per second."""
        self.rate = rate
        self._clock = clock
        self._next_at = clock()
        self._last = deque[float](maxlen=max(1, int(rate)))
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def take(self) -> None:
        """Wait for one's turn."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        if self._timer is None:
            self._release()
        await turn

    def _release(self) -> None:
        """Let go whoever may, and come again for the next."""
        self._timer = None
        while self._waiting:
            if self._waiting[0].done():  # cancelled meanwhile
                del self._waiting[0]
                continue
            now = self._clock()
            wait = self._pause(now)
            if wait > 0:
                self._timer = asyncio.get_running_loop().call_later(wait, self._release)
                return
            self._next_at = max(self._next_at, now - BURST) + SECOND / self.rate
            self._last.append(now)
            self._waiting.popleft().set_result(None)

    def _pause(self, now: float) -> float:
        is_full = len(self._last) == self._last.maxlen
        return max(self._next_at, self._last[0] + SECOND if is_full else now) - now
