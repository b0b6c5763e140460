"""Carries events from the sockets' thread into the loop of whoever listens."""

from __future__ import annotations

import asyncio
import threading

from bluetel.telephony.types import PbxEvent, StreamLost, StreamOpened


class Subscriber:
    """One running ``events()``: a queue in its own loop, filled from any thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.queue: asyncio.Queue[PbxEvent] = asyncio.Queue()

    def put(self, event: PbxEvent) -> None:
        """Hand an event over."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.queue.put_nowait, event)


class Broadcast:
    """All who listen now; an outage is told once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscribers: list[Subscriber] = []
        self._is_open: bool | None = None

    def join(self, subscriber: Subscriber) -> bool:
        """Add one; gives whether the stream is open now, which he has not been told."""
        with self._lock:
            self._subscribers.append(subscriber)
            return self._is_open is True

    def leave(self, subscriber: Subscriber) -> bool:
        """Take one out; gives whether nobody is left."""
        with self._lock:
            self._subscribers.remove(subscriber)
            return not self._subscribers

    def opened(self) -> None:
        """The stream is open; what follows is complete."""
        self._is_open = True
        self.tell(StreamOpened())

    def lost(self, reason: str) -> None:
        """Nothing is known until it opens again."""
        if self._is_open is not False:
            self._is_open = False
            self.tell(StreamLost(reason=reason))

    def tell(self, event: PbxEvent) -> None:
        """Tell everybody."""
        with self._lock:
            subscribers = tuple(self._subscribers)
        for subscriber in subscribers:
            subscriber.put(event)
