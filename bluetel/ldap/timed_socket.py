"""A socket that holds a whole operation to one deadline, however slowly its packets come."""

from __future__ import annotations

import socket
import time


class TimedSocket:
    """A socket whose reads and writes share one deadline, set before each operation."""

    def __init__(self, raw: socket.socket) -> None:
        self.raw = raw
        self._deadline = time.monotonic()

    def allow(self, seconds: float) -> None:
        """Give the next operation this long, all its packets together."""
        self._deadline = time.monotonic() + seconds

    def recv(self, size: int) -> bytes:
        """As a socket's, within the deadline."""
        self._hold()
        return self.raw.recv(size)

    def sendall(self, data: bytes) -> None:
        """As a socket's, within the deadline."""
        self._hold()
        self.raw.sendall(data)

    def shutdown(self, how: int) -> None:
        """As a socket's."""
        self.raw.shutdown(how)

    def close(self) -> None:
        """As a socket's."""
        self.raw.close()

    def _hold(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self.raw.settimeout(left)
