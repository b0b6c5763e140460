"""What we wrote to a PBX comes back as its event: told apart here from what others wrote."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from bluetel.telephony.types import Forward, PbxUserId

Setting = Forward | bool
"""What the PBX holds: one of the forwards, or do-not-disturb."""

FORGOTTEN_AFTER = 60.0

_Place = tuple[int, PbxUserId, str]


@dataclass(slots=True)
class _Expected:
    value: Setting
    at: float
    came: asyncio.Event = field(default_factory=asyncio.Event)


class Echoes:
    """Values written, and the events that say so; one event answers one write."""

    def __init__(self) -> None:
        self._expected: dict[_Place, list[_Expected]] = {}

    def expect(
        self, pbx: int, user: PbxUserId, what: str, value: Setting, *, at: float
    ) -> asyncio.Event:
        """A write is about to begin; its answer is set when the PBX says that it holds this."""
        expected = _Expected(value, at)
        self._expected.setdefault((pbx, user, what), []).append(expected)
        return expected.came

    def hear(self, pbx: int, user: PbxUserId, what: str, value: Setting, *, at: float) -> bool:
        """Whether an event at ``at`` only says what we wrote."""
        place = pbx, user, what
        waiting = [one for one in self._expected.get(place, []) if at - one.at < FORGOTTEN_AFTER]
        found = next((one for one in waiting if one.value == value), None)
        if found is not None:
            found.came.set()
            waiting.remove(found)
        if waiting:
            self._expected[place] = waiting
        else:
            self._expected.pop(place, None)
        return found is not None
