"""Keeping a process on one core at a time: the least busy of those it may run on.

Only one thread of Python computes at a time. With threads on several cores, whoever hands the
interpreter's lock over wakes another core, and until that one runs nobody computes; a request has
some thirty such moments. On one core the next thread runs at once (``docs/measurements.md``). What
computes without the lock says so (:func:`on_any_core`).

Linux only; elsewhere, on one core and where the system forbids it, nothing changes.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

logger = logging.getLogger(__name__)

LOOKS: Final = 0.5
"""Seconds for which the cores are looked at."""
PAUSE: Final = (5.0, 15.0)
"""Seconds between two looks: by chance, or two processes on one core would both leave it."""
WORTH_IT: Final = 0.25
"""So much more of a core must be free for a process to go there."""

_TASKS: Final = Path("/proc/self/task")
_STATES: Final = Path("/proc/stat")
_IDLE: Final = slice(3, 5)  # idle, and waiting for a disk; proc(5)


class Ticks(NamedTuple):
    """Time of a core since the machine began, in the system's ticks."""

    busy: int
    all: int


class _Cores:
    """Where this process may run, and where it is kept; ``here`` is None as long as it isn't."""

    def __init__(self) -> None:
        self.allowed: Set[int] = set()
        self.here: int | None = None

    def go_to(self, core: int) -> None:
        """Take all threads there; those that start later follow the one that starts them."""
        done: set[int] = set()
        while new := {int(task.name) for task in _TASKS.iterdir()} - done:
            for thread in new:
                with suppress(ProcessLookupError):  # it has ended
                    os.sched_setaffinity(thread, {core})
            done |= new
        self.here = core

    def take_back(self) -> None:
        """Take this thread to where the others are by now."""
        os.sched_setaffinity(0, self.allowed if self.here is None else {self.here})


_cores: Final = _Cores()


def stay_on_one_core() -> bool:
    """Keep this process and all its threads on one core from now on; whether that is so."""
    if _cores.here is not None:
        return True
    try:
        _cores.allowed = os.sched_getaffinity(0)
        if len(_cores.allowed) < 2:
            return False
        # Any will do until they have been looked at; which, differs from process to process.
        here = sorted(_cores.allowed)[os.getpid() % len(_cores.allowed)]
        _cores.go_to(here)
    except (AttributeError, OSError):
        logger.debug("cores can't be chosen here", exc_info=True)
        return False
    threading.Thread(target=_keep_looking, args=[here], name="one-core", daemon=True).start()
    return True


def is_on_one_core() -> bool:
    """Whether the process is kept on one core."""
    return _cores.here is not None


@contextmanager
def on_any_core() -> Iterator[None]:
    """Let this thread, and those it starts, run anywhere meanwhile: for work without the lock."""
    if _cores.here is None:
        yield
        return
    os.sched_setaffinity(0, _cores.allowed)
    try:
        yield
    finally:
        _cores.take_back()


def ticks_of(text: str) -> dict[int, Ticks]:
    """The cores' times out of ``/proc/stat``."""
    found = {}
    for line in text.splitlines():
        name, *numbers = line.split()
        if name.startswith("cpu") and name != "cpu":
            ticks = [int(number) for number in numbers[:8]]
            found[int(name.removeprefix("cpu"))] = Ticks(sum(ticks) - sum(ticks[_IDLE]), sum(ticks))
    return found


def better_core(
    here: int, before: Mapping[int, Ticks], after: Mapping[int, Ticks], *, own: float
) -> int:
    """The core to be on: another one than ``here`` if others than this process leave more of it.

    ``own`` is the share of its core, from 0 to 1, that the process had itself meanwhile.
    """
    busy = {}
    for core, now in after.items():
        then = before.get(core, now)
        busy[core] = (now.busy - then.busy) / max(1, now.all - then.all)
    if here not in busy:
        return here
    least = min(busy, key=busy.__getitem__)
    return least if busy[here] - own - busy[least] >= WORTH_IT else here


def _keep_looking(here: int) -> None:
    try:
        while True:
            here = _look(here)
            time.sleep(random.uniform(*PAUSE))  # noqa: S311 — no secret
    except OSError:
        # They were taken away from this process meanwhile; the system has put it elsewhere.
        _cores.here = None
        logger.warning("no longer kept on one core", exc_info=True)


def _look(here: int) -> int:
    before, spent, began = _allowed_ticks(), time.process_time(), time.monotonic()
    time.sleep(LOOKS)
    own = (time.process_time() - spent) / (time.monotonic() - began)
    core = better_core(here, before, _allowed_ticks(), own=own)
    if core != here:
        _cores.go_to(core)
    return core


def _allowed_ticks() -> dict[int, Ticks]:
    ticks = ticks_of(_STATES.read_text())
    return {core: ticks[core] for core in _cores.allowed if core in ticks}
