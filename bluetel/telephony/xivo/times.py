"""How long the sockets wait for what."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from bluetel.telephony.xivo.protocol import LOGGED_ON_WITHIN, MOST_MISSES, PING_EVERY


@dataclass(frozen=True, slots=True, kw_only=True)
class CtiTimes:
    """Time and chance of the sockets, in seconds; tests give shorter ones.

    ``renew_every`` is far below any life a token is known to have: its unit is not documented.
    After ``most_doubted`` refusals of one login that nothing speaks for, it is tried again within
    ``doubted_wait``, or once the service account, asked every ``ask_again_every`` and whenever its
    socket opens, is taken;
    what the service account is told lasts ``answer_lasts`` for all. Where a command waits for a
    socket, the pause before the next try is no longer than ``wanted_delay``.
    """

    ping_every: float = PING_EVERY
    most_misses: int = MOST_MISSES
    logged_on_within: float = LOGGED_ON_WITHIN
    open_timeout: float = 8.0
    first_delay: float = 0.5
    longest_delay: float = 15.0
    wanted_delay: float = 0.5
    stable_after: float = 15.0
    answer_within: float = 4.0
    renew_every: float = 1200.0
    linger: float = 3.0
    seed_after: float = 1.0
    most_doubted: int = 3
    doubted_wait: tuple[float, float] = (600.0, 1800.0)
    ask_again_every: float = 60.0
    answer_lasts: float = 2.0
    rng: random.Random = field(default_factory=random.Random)
