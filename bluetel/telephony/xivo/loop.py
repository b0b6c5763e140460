"""The thread in which all sockets of one XUC live, and the way into it from any other thread."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from bluetel.telephony.errors import PbxUnavailable

T = TypeVar("T")


class CtiLoop:
    """An event loop in a thread of its own, begun when it is first needed."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def run(self, work: Callable[[], Coroutine[Any, Any, T]], *, timeout: float) -> T:
        """Have a coroutine run and give what it gives; not to be called from a loop.

        ``PbxUnavailable`` when it takes longer than ``timeout`` seconds, or after :meth:`close`.
        """
        future = asyncio.run_coroutine_threadsafe(self._bounded(work, timeout), self._running())
        try:
            return future.result()
        except (TimeoutError, concurrent.futures.CancelledError):
            raise PbxUnavailable("no whole answer in time", maybe_done=True) from None

    def post(self, action: Callable[[], object]) -> None:
        """Have something done there soon; nothing happens after :meth:`close`."""
        if self._is_closed:
            return
        self._running().call_soon_threadsafe(action)

    def close(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run ``last`` there, then end the thread; idempotent."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        future = asyncio.run_coroutine_threadsafe(last(), loop)
        try:
            future.result(timeout=3.0)
        except TimeoutError:
            future.cancel()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=3.0)

    @staticmethod
    async def _bounded(work: Callable[[], Coroutine[Any, Any, T]], within: float) -> T:
        async with asyncio.timeout(within):
            return await work()

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._is_closed:
                raise PbxUnavailable("this backend is closed")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._serve, args=[self._loop], name=f"xivo-{self._name}", daemon=True
                )
                self._thread.start()
            return self._loop

    @staticmethod
    def _serve(loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
        finally:
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()
