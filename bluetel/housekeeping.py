"""What Python's garbage collector need not look through."""

from __future__ import annotations

import gc
from functools import cache


@cache
def spare_what_stays() -> None:
    """Have the collector pass over all there is by now; of a process that serves, the first time.

    To look all of it through for what may go would hold every request and page up for a quarter of
    a second, again and again.
    """
    gc.collect()
    gc.freeze()
