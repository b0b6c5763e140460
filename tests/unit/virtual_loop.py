"""An event loop in which no time passes but while everybody waits, and then at once."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    """Instead of waiting for the next timer it has the loop's clock be there."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout > 0:
            self.now += timeout
            timeout = 0.0
        return super().select(timeout)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """For what has timers alone: who waits for a socket or a thread waits for good."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Virtual seconds."""
        return self._virtual.now

    def stand_still(self, seconds: float) -> None:
        """As if something had held the loop up for so long."""
        self._virtual.now += seconds


def run_in_virtual_time(function: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run it to its end, in a loop of its own."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(function())
