"""The engine inside a web process, on the loop of its server."""

from __future__ import annotations

import asyncio
import logging

from bluetel.engine.engine import Engine
from presence import feed

logger = logging.getLogger(__name__)


class EmbeddedEngine:
    """Starts and stops the engine and the hub of this process."""

    def __init__(self) -> None:
        self._engine = Engine()
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin on the running loop; the hub first, so that it hears the engine from the start."""
        feed.this_process()
        self._running = asyncio.get_event_loop().create_task(self._engine.run())
        self._running.add_done_callback(_report)

    def stop(self) -> asyncio.Future[None]:
        """End both; the lease is given back."""
        return asyncio.ensure_future(self._stop())

    async def _stop(self) -> None:
        await self._engine.stop()
        await feed.stop()


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.critical("the engine ended", exc_info=task.exception())
