"""What a PBX posted by itself and nobody has taken yet; pure, for one thread."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

MOST_WAITING: Final = 50_000


class WaitingPushes:
    """In the order in which they came, bounded however many they are.

    Of two states of one person (bodies with a ``status``) the later takes the earlier's place, for
    both are whole; the steps of calls are all kept. Of either at most ``most`` wait, and what comes
    beyond is refused: nobody's last state gives way to the steps of calls.
    """

    def __init__(self, most: int = MOST_WAITING) -> None:
        self._most = most
        self._waiting: OrderedDict[tuple[str, object], object] = OrderedDict()
        self._steps = 0
        self._came = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, body: Mapping[str, object]) -> bool:
        """Keep one; whether there was room."""
        if "status" in body:
            place = ("state", body.get("username"))
            if place not in self._waiting and len(self._waiting) - self._steps >= self._most:
                return False
            self._waiting.pop(place, None)
        elif self._steps >= self._most:
            return False
        else:
            self._steps += 1
            self._came += 1
            place = ("step", self._came)
        self._waiting[place] = body
        return True

    def take(self) -> list[object]:
        """Give all and forget them."""
        taken, self._waiting, self._steps = list(self._waiting.values()), OrderedDict(), 0
        return taken
