"""A few processes for what computes long or reads strangers' texts: calendars, cards, mails.

They keep the web's and the engine's loops free, and end with their parent. A function that runs
there is module-level, takes and gives plain values, and needs no Django.
"""

from __future__ import annotations

import os
import resource
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from multiprocessing import connection, get_context, parent_process
from typing import ParamSpec, TypeVar

from bluetel.one_core import cores_for_others, run_on

_P = ParamSpec("_P")
_T = TypeVar("_T")

PROCESSES = 2
MEMORY = 1024**3
"""Bytes of address space of each process: a text that needs more fails alone."""

_TASKS_EACH = 500  # libraries keep caches that only grow, such as the time zones texts define
_lock = threading.Lock()


class ProcessesLost(Exception):
    """A process ended in the middle of the work, killed from outside or out of memory."""


def compute(function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """The answer of ``function`` from another process, and its errors; blocks this thread.

    Raises :class:`ProcessesLost`; the next call finds new processes.
    """
    with _lock:
        pool = _pool()
    try:
        return pool.submit(function, *args, **kwargs).result()
    except BrokenProcessPool:
        with _lock:
            if _pool() is pool:
                _pool.cache_clear()
        raise ProcessesLost from None


def close() -> None:
    """End the processes; the next :func:`compute` starts new ones."""
    with _lock:
        if _pool.cache_info().currsize:
            _pool().shutdown(cancel_futures=True)
            _pool.cache_clear()


@lru_cache(maxsize=1)
def _pool() -> ProcessPoolExecutor:
    # Not forked: the parent has threads and an event loop.
    return ProcessPoolExecutor(
        PROCESSES,
        mp_context=get_context("spawn"),
        initializer=_begin,
        initargs=(cores_for_others(),),
        max_tasks_per_child=_TASKS_EACH,
    )


def _begin(cores: Collection[int]) -> None:
    run_on(cores)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.nice(5)  # an edge is more urgent than a text
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
