"""Asking a PBX something while somebody waits: for so long only, and without holding a connection.

A PBX that has become slow would otherwise keep a thread and a database connection for each page
that is open, until there are none left for what has nothing to do with it.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from typing import TYPE_CHECKING, Final, TypeVar

from django.db import connection

from bluetel.telephony.errors import PbxUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from bluetel.accounts.models import Pbx

T = TypeVar("T")

AT_ONCE: Final = 8
"""Questions that wait for one PBX at the same time; what is behind them waits its turn."""
PATIENCE: Final = 2.5
"""Seconds a page waits for an answer before it shows what it knows."""

_pools: dict[int, ThreadPoolExecutor] = {}
_lock = threading.Lock()


def ask(pbx: Pbx, question: Callable[[], T], *, patience: float = PATIENCE) -> T:
    """What the PBX answers within ``patience`` seconds; raises ``PbxUnavailable`` when it doesn't.

    What ``question`` raises goes through. The thread's database connection is given back before
    the wait, unless a transaction needs it.
    """
    with _lock:
        if pbx.pk not in _pools:
            _pools[pbx.pk] = ThreadPoolExecutor(AT_ONCE, thread_name_prefix=f"asking-{pbx.name}")
        asked = _pools[pbx.pk].submit(question)
    if not connection.in_atomic_block:
        connection.close()
    try:
        return asked.result(patience)
    except TookTooLong:
        asked.cancel()  # if its turn hasn't come, it needn't
        raise PbxUnavailable(f"no answer within {patience:g} s") from None
