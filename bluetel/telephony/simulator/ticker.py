"""The real clock's hand: wakes the model when its next timer is due, and not before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from bluetel.telephony.simulator.model import SimulatedPbx


class Timed(Protocol):
    """A simulated PBX with a clock, whatever it speaks."""

    pbx: SimulatedPbx

    @property
    def clock(self) -> Callable[[], datetime]:
        """Gives the time."""

    def catch_up(self) -> None:
        """Let the model see what time it is."""


class Ticker:
    """Sleeps until the model's next timer; to be wound after everything that may set one."""

    def __init__(self, site: Timed) -> None:
        self._site = site
        self._handle: asyncio.TimerHandle | None = None

    def wind(self) -> None:
        """Set the alarm to the next due timer."""
        self.stop()
        due = self._site.pbx.next_due
        if due is None:
            return
        delay = (due - self._site.clock()).total_seconds()
        self._handle = asyncio.get_running_loop().call_later(max(0.0, delay), self._strike)

    def stop(self) -> None:
        """Take the alarm off."""
        if self._handle:
            self._handle.cancel()
            self._handle = None

    def _strike(self) -> None:
        self._site.catch_up()
        self.wind()
