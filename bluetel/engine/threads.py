"""The engine's threads: the loop itself never waits for a database or a PBX."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

from channels.db import database_sync_to_async
from django.db import connections

if TYPE_CHECKING:
    from collections.abc import Callable

DATABASE_THREADS = 3

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Threads:
    """Threads whose work may use the database; each use gives its connection back."""

    def __init__(self, name: str = "db", *, size: int = DATABASE_THREADS) -> None:
        self._size = size
        self._database = ThreadPoolExecutor(size, thread_name_prefix=f"engine-{name}")
        # Made once: to make it for each use takes longer than most uses.
        self._hand_over = database_sync_to_async(
            _call, thread_sensitive=False, executor=self._database
        )

    async def database(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run what reads or writes the database."""
        return cast("_T", await self._hand_over(partial(function, *args, **kwargs)))

    def close(self) -> None:
        """Let the threads end; their connections are closed after each use or here."""
        for _ in range(self._size):
            self._database.submit(connections.close_all)
        self._database.shutdown(wait=False)


def _call(function: Callable[[], object]) -> object:
    return function()


class PbxThreads:
    """The threads that speak to one PBX, so that a slow PBX slows only itself."""

    def __init__(self, name: str, *, size: int) -> None:
        self._pool = ThreadPoolExecutor(size, thread_name_prefix=f"engine-{name}")

    async def run(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run a blocking command."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, partial(function, *args, **kwargs))

    def close(self) -> None:
        """Start nothing more; a command under way ends by its own time-out."""
        self._pool.shutdown(wait=False, cancel_futures=True)
