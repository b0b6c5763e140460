"""What Python's garbage collector need not look through, and how often it looks at the rest."""

from __future__ import annotations

import gc
from functools import cache

LOOK_AFTER = (10_000, 20, 20)
"""New objects before the youngest are looked through, and how often before older ones are.

Rows of a few hundred users are more objects than Python's own 700 many times over, and live just
long enough to be looked through again and again, which took a seventh of the time at nine o'clock.
"""


@cache
def spare_what_stays(_of: str) -> None:
    """Have the collector pass over all there is by now; for each part of a process once.

    To look all of it through for what may go would hold every request and page up for a quarter of
    a second, again and again.
    """
    gc.set_threshold(*LOOK_AFTER)
    gc.collect()
    gc.freeze()
