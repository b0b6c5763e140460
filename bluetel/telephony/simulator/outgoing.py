"""What waits to be sent on a socket, in the order that the faults of the day say."""

from __future__ import annotations

import asyncio
import random
from typing import Generic, TypeVar

REORDER_WINDOW = 0.05
T = TypeVar("T")


class Outgoing(Generic[T]):
    """A queue of frames and of ``T``, the word to close, that may shuffle the frames."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[str | T] = asyncio.Queue()
        self._held_back: list[str] = []

    def put(self, frame: str, *, twice: bool = False, shuffled: bool = False) -> None:
        """Queue a frame; shuffled ones wait for others of the same moment."""
        frames = [frame] * (2 if twice else 1)
        if not shuffled:
            for one in frames:
                self._queue.put_nowait(one)
            return
        if not self._held_back:
            asyncio.get_running_loop().call_later(REORDER_WINDOW, self._release)
        self._held_back += frames

    def _release(self) -> None:
        frames, self._held_back = self._held_back, []
        random.shuffle(frames)
        for frame in frames:
            self._queue.put_nowait(frame)

    def close(self, word: T) -> None:
        """Close after what is queued."""
        self._queue.put_nowait(word)

    async def get(self) -> str | T:
        """The next to be sent."""
        return await self._queue.get()
