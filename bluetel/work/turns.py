"""Turns of those who write rows of many users at once, so that nobody is starved by them.

SQLite has one writer at a time, and who waits for it asks again and again, in no order: a few who
write without a pause keep out whoever has one row to write, the engine's lease among them. Those
few wait for each other here, in their order; and all of them wait while there is something to be
shown to people first, which needs the interpreter and no row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary


class WriteTurns:
    """``async with`` it for one's turn."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._is_calm = asyncio.Event()
        self._is_calm.set()
        self._hurried = 0

    async def __aenter__(self) -> None:
        """Wait for one's turn, and for whoever is in a hurry."""
        await self._lock.acquire()
        try:
            await self._is_calm.wait()
        except BaseException:
            self._lock.release()
            raise

    async def __aexit__(self, *_error: object) -> None:
        """Let the next begin."""
        self._lock.release()

    @contextmanager
    def hurry(self) -> Iterator[None]:
        """Have nobody's turn begin within."""
        self._hurried += 1
        self._is_calm.clear()
        try:
            yield
        finally:
            self._hurried -= 1
            if not self._hurried:
                self._is_calm.set()


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, WriteTurns] = WeakKeyDictionary()


def turn() -> WriteTurns:
    """The turns of all who write much on the running loop."""
    return _turns.setdefault(asyncio.get_running_loop(), WriteTurns())
