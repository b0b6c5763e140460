"""How many requests came on how many connections."""

from __future__ import annotations

from collections import OrderedDict

REMEMBERED = 4096


class Traffic:
    """Counts what clients send to the services; the control interface isn't counted.

    A connection is known by its address and port. One that was idle while 4096 others came counts
    anew.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.connections = 0
        self._clients: OrderedDict[tuple[str, int], None] = OrderedDict()

    def saw(self, client: tuple[str, int]) -> None:
        """Count one request."""
        self.requests += 1
        if client not in self._clients:
            self.connections += 1
            if len(self._clients) >= REMEMBERED:
                self._clients.popitem(last=False)
        self._clients[client] = None
        self._clients.move_to_end(client)
