"""Duties that exactly one process has at a time, on SQLite and PostgreSQL alike.

Who holds a lease renews it every :data:`RENEW_EVERY`; who dies without letting go is succeeded
when :data:`TTL` has passed. The epoch is the fencing token: a holder that was frozen and thinks it
still holds fails :func:`check` in the very transaction that would record its effect. Times are the
callers' clocks, so machines that share a database must agree to a few seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from bluetel.work.models import Epoch, Lease
from bluetel.work.owners import is_gone

if TYPE_CHECKING:
    from django.db.models import QuerySet

TTL = timedelta(seconds=10)
RENEW_EVERY = timedelta(seconds=3)
ENGINE = "engine"


class LeaseLost(Exception):
    """Somebody else has the duty now; nothing may be written in its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A lease as its holder knows it.

    ``previously_renewed_at`` is when the holder before last said that it lived, if there was one.
    """

    name: str
    owner: str
    epoch: int
    previously_renewed_at: datetime | None = None


def take(name: str, *, owner: str, now: datetime, ttl: timedelta = TTL) -> Held | None:
    """Take the lease if it is free, has run out or its holder's process ended; else None."""
    if not _is_free(Lease.objects.filter(name=name).first(), now):
        return None  # most tries end here, without a lock
    try:
        with transaction.atomic():
            lease = Lease.objects.select_for_update().filter(name=name).first()
            if not _is_free(lease, now):
                return None
            epoch = _next_epoch()
            before = lease.renewed_at if lease else None
            Lease(name=name, owner=owner, epoch=epoch, renewed_at=now, until=now + ttl).save(
                force_insert=lease is None, force_update=lease is not None
            )
    except IntegrityError:
        return None  # two inserted the very first row at once, and the other was quicker
    return Held(name=name, owner=owner, epoch=epoch, previously_renewed_at=before)


def renew(held: Held, *, now: datetime, ttl: timedelta = TTL) -> bool:
    """Hold on for another ``ttl``; False when the lease has run out or is somebody else's.

    A lease that ran out is not revived: readers have taken its holder for dead meanwhile, and only
    a new epoch tells them that what comes is fresh.
    """
    renewed = _rows(held).filter(until__gt=now).update(renewed_at=now, until=now + ttl)
    return renewed == 1


def release(held: Held, *, now: datetime) -> None:
    """Let go, so that another may take over at once."""
    _rows(held).filter(until__gt=now).update(until=now)


def check(held: Held, *, now: datetime) -> None:
    """Raise :class:`LeaseLost` unless ``held`` holds; locks the row until the transaction ends."""
    if not _rows(held).select_for_update().filter(until__gt=now).exists():
        raise LeaseLost(held.name)


def holder_of(name: str, *, now: datetime) -> Lease | None:
    """The lease's row while somebody holds it."""
    return Lease.objects.filter(name=name, until__gt=now).first()


def _is_free(lease: Lease | None, now: datetime) -> bool:
    return lease is None or lease.until <= now or is_gone(lease.owner)


def _rows(held: Held) -> QuerySet[Lease]:
    return Lease.objects.filter(name=held.name, owner=held.owner, epoch=held.epoch)


def _next_epoch() -> int:
    Epoch.objects.get_or_create(pk=1)
    counter = Epoch.objects.select_for_update().get(pk=1)
    counter.value += 1
    counter.save(update_fields=["value"])
    return counter.value
