"""Recordings on their way from the PBX to a browser: whole, in files without a name.

A PBX gives a recording from its beginning only, while a player asks for any part of it, several
times and from several tabs. So it is copied once into a file that no path leads to, which ends
with this process at the latest, and every part is read from there: memory stays flat however long
the recording is. Few are kept, for some minutes after they were last asked for.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
import weakref
from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from bluetel.telephony.ports import Taker

PIECE = 64 * 1024
KEPT = 24
KEPT_BYTES = 512 * 1024 * 1024
KEPT_FOR = 600.0


class Recording:
    """A whole recording; it may be read by many threads, and is gone when nobody holds it."""

    def __init__(self, folder: str) -> None:
        """Make the file, readable by this process only and by no name."""
        self._file, path = tempfile.mkstemp(prefix="voicemail-", dir=folder)
        os.unlink(path)  # noqa: PTH108 — the descriptor is all there is to be
        weakref.finalize(self, os.close, self._file)
        self.size = 0

    def append(self, piece: bytes) -> None:
        """Write the next piece."""
        view = memoryview(piece)
        while view:
            written = os.pwrite(self._file, view, self.size)
            self.size += written
            view = view[written:]

    def read(self, start: int, count: int) -> bytes:
        """Up to ``count`` bytes from ``start`` on."""
        return os.pread(self._file, count, start)

    def pieces(self, start: int, count: int) -> Iterator[bytes]:
        """The bytes from ``start`` on, in pieces that are small enough to hold."""
        end = min(start + count, self.size)
        while start < end:
            piece = self.read(start, min(PIECE, end - start))
            start += len(piece)
            yield piece


class Spool:
    """The recordings this process holds; ``now`` is in seconds of a clock that only grows."""

    def __init__(self, folder: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[float, Recording]] = OrderedDict()
        self._copying: dict[Hashable, threading.Lock] = {}

    def recording(self, key: Hashable, copy: Callable[[Taker], None]) -> Recording:
        """The recording of ``key``, had by ``copy`` if it isn't here yet.

        Whoever asks for it meanwhile waits for the same copy; what ``copy`` raises goes on to the
        caller, and the next who waits tries anew.
        """
        with self._lock:
            one_at_a_time = self._copying.setdefault(key, threading.Lock())
        with one_at_a_time:
            found = self._find(key)
            try:
                if found is None:
                    found = Recording(self._folder)
                    copy(found.append)
                    self._keep(key, found)
            finally:
                with self._lock:
                    self._copying.pop(key, None)
            return found

    def forget(self, key: Hashable) -> None:
        """Let go of a recording that was deleted."""
        with self._lock:
            self._kept.pop(key, None)

    def _find(self, key: Hashable) -> Recording | None:
        with self._lock:
            self._expire()
            kept = self._kept.get(key)
            if kept is None:
                return None
            self._kept[key] = (self._clock(), kept[1])
            self._kept.move_to_end(key)
            return kept[1]

    def _keep(self, key: Hashable, recording: Recording) -> None:
        with self._lock:
            self._kept[key] = (self._clock(), recording)
            self._expire()

    def _expire(self) -> None:
        while self._kept:
            key, (used_at, _) = next(iter(self._kept.items()))
            size = sum(recording.size for _, recording in self._kept.values())
            is_old = self._clock() - used_at > KEPT_FOR
            is_too_much = len(self._kept) > 1 and (len(self._kept) > KEPT or size > KEPT_BYTES)
            if not (is_old or is_too_much):
                return
            del self._kept[key]
