"""Reading mails' headers in a process of its own: what strangers write costs this one nothing."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TYPE_CHECKING

from bluetel.one_core import cores_for_others, run_on
from voicemail.mails import MailFacts, read_headers

if TYPE_CHECKING:
    from collections.abc import Sequence

logger = logging.getLogger(__name__)

PATIENCE = 20.0

_lock = threading.Lock()
_pools: list[ProcessPoolExecutor] = []


def read_all(heads: Sequence[bytes]) -> list[MailFacts | None]:
    """The facts in each header block; None for one that could not be read in time."""
    waiting = [_pool().submit(read_headers, head) for head in heads]
    found: list[MailFacts | None] = []
    for future in waiting:
        try:
            found.append(future.result(PATIENCE))
        except (BrokenProcessPool, TimeoutError) as error:
            logger.warning("a mail could not be read: %s", type(error).__name__)
            close()
            found.append(None)
    return found


def close() -> None:
    """End the process; the next mail starts another."""
    with _lock:
        gone, _pools[:] = list(_pools), []
    for pool in gone:
        pool.shutdown(wait=False, cancel_futures=True)


def _pool() -> ProcessPoolExecutor:
    with _lock:
        if not _pools:
            # Not a fork: this process has threads, and they hold locks.
            pool = ProcessPoolExecutor(
                1,
                mp_context=get_context("spawn"),
                initializer=run_on,
                initargs=(cores_for_others(),),
            )
            _pools.append(pool)
        return _pools[0]
