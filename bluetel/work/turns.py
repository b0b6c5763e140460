"""Turns of those who write rows of many users at once, so that nobody is starved by them.

SQLite has one writer at a time, and who waits for it asks again and again, in no order: a few who
write without a pause keep out whoever has one row to write, the engine's lease among them. Those
few wait for each other here, in their order.
"""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


def turn() -> asyncio.Lock:
    """The lock of all who write much on the running loop."""
    return _turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())
