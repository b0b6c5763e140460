"""Ending tasks of the event loop."""

from __future__ import annotations

import asyncio
from typing import Any

CANCEL_AGAIN = 2.0


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel and wait, and cancel again what goes on: a cancellation can get lost on its way.

    On Python 3.11 ``asyncio.wait_for``, by which redis-py sends, swallows one that comes in the
    moment in which what it waits for is done. What a task raises at its end is not of interest.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=CANCEL_AGAIN)
    await asyncio.gather(*tasks, return_exceptions=True)
