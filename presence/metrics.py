"""What the live part tells whoever watches BlueTel; read at ``/metrics``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from prometheus_client import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from collections.abc import Coroutine

SOCKETS = Gauge("bluetel_live_sockets", "Open live sockets of this process")
HUB_ALIVE = Gauge("bluetel_hub_alive", "1 while this process hears the channel layer")
EVENTS = Counter("bluetel_hub_messages_total", "Messages the hub took from the channel layer")
FRAMES = Counter("bluetel_live_frames_total", "Frames given to live sockets")
ENCODED = Counter("bluetel_live_frames_encoded_total", "Different frames made for them")
CUT = Counter("bluetel_live_backlogs_cut_total", "Backlogs cut because a browser did not read")
LOOP_LAG = Histogram(
    "bluetel_loop_lag_seconds",
    "How late the event loop wakes up",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
)

LAG_EVERY = 0.5

_watched: WeakKeyDictionary[asyncio.AbstractEventLoop, bool] = WeakKeyDictionary()


def watch_loop_lag() -> Coroutine[Any, Any, None] | None:
    """What measures the running loop's lag for ever; None if somebody already does."""
    loop = asyncio.get_running_loop()
    if _watched.get(loop):
        return None
    _watched[loop] = True
    return _measure(loop)


async def _measure(loop: asyncio.AbstractEventLoop) -> None:
    try:
        while True:
            due = loop.time() + LAG_EVERY
            await asyncio.sleep(LAG_EVERY)
            LOOP_LAG.observe(max(0.0, loop.time() - due))
    finally:
        _watched[loop] = False
