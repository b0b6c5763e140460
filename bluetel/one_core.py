"""Keeping a process on one core at a time: the least busy of those it may run on.

Only one thread of Python computes at a time. With threads on several cores, whoever hands the
interpreter's lock over wakes another core, and until that one runs nobody computes; a request has
some thirty such moments. On one core the next thread runs at once (``docs/measurements.md``). What
computes without the lock says so (:func:`on_any_core`).

Linux only; elsewhere, and where the system forbids it or doesn't say how busy they are, nothing
changes.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

logger = logging.getLogger(__name__)

LOOKS: Final = 0.5
"""Seconds for which the cores are looked at."""
PAUSE: Final = (5.0, 15.0)
"""Seconds before a look: by chance, or two processes on one core would both leave it."""
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
        self.allowed: set[int] = set()
        self.here: int | None = None
        self._lock = threading.Lock()

    def go_to(self, core: int) -> None:
        """Take all threads there; what they start later, threads or processes, begins there."""
        with self._lock:
            done: set[int] = set()
            while new := {int(task.name) for task in _TASKS.iterdir()} - done:
                for thread in new:
                    with suppress(ProcessLookupError):  # it has ended
                        os.sched_setaffinity(thread, {core})
                done |= new
            self.here = core

    def let_off(self) -> None:
        """Let this thread run on any core it may."""
        with suppress(OSError):  # it may not any more; where it is, it stays
            os.sched_setaffinity(0, self.allowed)

    def take_back(self) -> None:
        """Take this thread to where the others are by now."""
        with self._lock, suppress(OSError):
            if self.here is not None:
                os.sched_setaffinity(0, {self.here})


_cores: Final = _Cores()


def stay_on_one_core() -> bool:
    """Keep this process and all its threads on one core from now on; whether that is so."""
    if _cores.here is not None:
        return True
    try:
        _cores.allowed = os.sched_getaffinity(0)
        # Some containers number them otherwise there: then which is busy can't be told.
        if not _cores.allowed <= ticks_of(_STATES.read_text()).keys():
            return False
        # Any will do at first. By chance: in containers all processes have the same number.
        _cores.go_to(random.choice(sorted(_cores.allowed)))  # noqa: S311 — no secret
    except (AttributeError, OSError, ValueError):
        logger.debug("cores can't be chosen here", exc_info=True)
        return False
    if len(_cores.allowed) > 1:
        threading.Thread(target=_keep_looking, name="one-core", daemon=True).start()
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
    _cores.let_off()
    try:
        yield
    finally:
        _cores.take_back()


def cores_for_others() -> list[int]:
    """Where a process that this one starts should run; nothing if that makes no difference."""
    return sorted(_cores.allowed) if _cores.here is not None else []


def run_on(cores: Collection[int]) -> None:
    """Run on these cores, in a process that was started by one which is kept on one."""
    if cores:
        with suppress(OSError):  # it may not any more; where it is, it stays
            os.sched_setaffinity(0, cores)


def ticks_of(text: str) -> dict[int, Ticks]:
    """The cores' times out of ``/proc/stat``."""
    found = {}
    for line in text.splitlines():
        name, *numbers = line.split()
        if name.startswith("cpu") and name != "cpu":
            ticks = [int(number) for number in numbers[:8]]
            idle = sum(ticks[_IDLE])
            found[int(name.removeprefix("cpu"))] = Ticks(sum(ticks) - idle, sum(ticks))
    return found


def better_core(
    here: int, before: Mapping[int, Ticks], after: Mapping[int, Ticks], *, own: float
) -> int:
    """The core to be on: another one than ``here`` if others than this process leave more of it.

    ``own`` is the share of its core, from 0 to 1, that the process had itself meanwhile. A core of
    which nothing is said any more has been taken away.
    """
    busy = {}
    for core, now in after.items():
        then = before.get(core, now)
        busy[core] = (now.busy - then.busy) / max(1, now.all - then.all)
    least = min(busy, key=busy.__getitem__, default=here)
    if here in busy and busy[here] - own - busy[least] < WORTH_IT:
        return here
    return least


def _keep_looking() -> None:
    is_failing = False
    while True:
        time.sleep(random.uniform(*PAUSE))  # noqa: S311 — no secret
        try:
            _look()
        except (OSError, ValueError):
            if not is_failing:
                logger.warning("can't look for a free core", exc_info=True)
            is_failing = True
        else:
            if is_failing:
                logger.info("free cores are looked for again")
            is_failing = False


def _look() -> None:
    here = _cores.here
    kept = os.sched_getaffinity(os.getpid())  # of the main thread, which nobody lets off
    if here is None or kept != {here}:
        # The core was taken away from this process, and the system has put it on others.
        _cores.allowed = kept
        here = min(kept)
    before, spent, began = _allowed_ticks(), time.process_time(), time.monotonic()
    time.sleep(LOOKS)
    own = (time.process_time() - spent) / (time.monotonic() - began)
    core = better_core(here, before, _allowed_ticks(), own=own)
    if kept != {core}:
        _cores.go_to(core)


def _allowed_ticks() -> dict[int, Ticks]:
    ticks = ticks_of(_STATES.read_text())
    return {core: ticks[core] for core in _cores.allowed if core in ticks}
