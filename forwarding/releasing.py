"""Giving forwards back, with an engine beside or without one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from django.utils import timezone

from bluetel.work import leases
from bluetel.work.owners import own_name
from forwarding import services
from forwarding.doing import settle
from forwarding.residents import users_with_ours, users_with_something

WITHIN = 30.0
LOOK_EVERY = 0.1
LEASE = timedelta(seconds=60)
"""Longer than a PBX that doesn't answer can hold up one step; who is killed frees it at once."""


def give_back(user_ids: Sequence[int] | None, *, now: datetime) -> tuple[int, list[int]]:
    """Put the forwards of these users, or of all, back to their own.

    Gives how many users were looked at, and those whose PBX still holds something of ours after
    :data:`WITHIN` seconds. Beside an engine the rows are changed and the engine writes; without one
    this process takes the engine's place for as long as it needs.
    """
    concerned = users_with_something() if user_ids is None else list(user_ids)
    services.release(concerned, now=now)
    ends = time.monotonic() + WITHIN
    while left := users_with_ours(concerned):
        held = leases.take(leases.ENGINE, owner=own_name(), now=timezone.now(), ttl=LEASE)
        if held is not None:
            with suppress(leases.LeaseLost):  # an engine has begun meanwhile: it goes on
                try:
                    settle(held, left, clock=_renewing(held))
                finally:
                    leases.release(held, now=timezone.now())
                left = users_with_ours(concerned)
                break
        if time.monotonic() >= ends:
            break
        time.sleep(LOOK_EVERY)
    return len(concerned), left


def _renewing(held: leases.Held) -> Callable[[], datetime]:
    """A clock that keeps the lease while it is looked at."""

    def look() -> datetime:
        now = timezone.now()
        leases.renew(held, now=now, ttl=LEASE)
        return now

    return look
