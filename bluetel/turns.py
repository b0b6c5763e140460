"""Turns to work: few at once, but nobody waits for one who only waits himself.

Threads that all compute wake and stop each other for the interpreter's lock, until most of a core
goes into that. So what mostly computes takes turns. Whoever says that he waits
(:func:`let_others_work`), or has not finished after a while and so waits for something far away,
gives his turn to the next.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

_pass_on: ContextVar[Callable[[], object] | None] = ContextVar("pass_on", default=None)


def let_others_work() -> None:
    """Give one's turn to the next, for one waits from now on; from any thread of the turn."""
    pass_on = _pass_on.get()
    if pass_on is not None:
        pass_on()


class Turns:
    """``at_once`` may work, each of them counted for at most ``seconds``; first come, first served.

    Used on one event loop at a time.
    """

    def __init__(self, at_once: int, *, seconds: float) -> None:
        self._free = at_once
        self._seconds = seconds
        self._lock = threading.Lock()
        self._waiting: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, and hold it while working."""
        await self._take()
        loop = asyncio.get_running_loop()
        is_held = True

        def pass_on() -> None:
            nonlocal is_held
            with self._lock:  # a thread may say that it waits just when its time is up
                was_held, is_held = is_held, False
            if was_held:
                self._pass_on(loop)

        late = loop.call_later(self._seconds, pass_on)
        token = _pass_on.set(pass_on)
        try:
            yield
        finally:
            _pass_on.reset(token)
            late.cancel()
            pass_on()

    async def _take(self) -> None:
        loop = asyncio.get_running_loop()
        with self._lock:
            if self._free:
                self._free -= 1
                return
            called = loop.create_future()
            self._waiting.append(called)
        try:
            await called
        except asyncio.CancelledError:
            if called.done() and not called.cancelled():
                self._pass_on(loop)
            raise

    def _pass_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Call the next, or have one more turn free; the loop is not woken for nobody."""
        with self._lock:
            if not self._waiting:
                self._free += 1
                return
            called = self._waiting.popleft()
        loop.call_soon_threadsafe(self._call, called)

    def _call(self, called: asyncio.Future[None]) -> None:
        if called.done():  # he gave up waiting
            self._pass_on(called.get_loop())
        else:
            called.set_result(None)
