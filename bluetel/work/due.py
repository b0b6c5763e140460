"""Timed edges as rows: what must happen at an exact instant, whoever is alive then.

Each edge has a unique key, ``kind`` and ``subject``; putting it again moves it. ``next_at`` is when
somebody may take it: its time while nobody has it, the end of the lease while somebody does. So one
index finds both what is due and what a killed process left. The engine's lease is checked in the
transaction that claims, and its epoch written on the row: of two engines, the one that was
succeeded gets nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.db.models import F, Q

from bluetel.work import leases
from bluetel.work.models import Due

if TYPE_CHECKING:
    from collections.abc import Callable

LEASE = timedelta(seconds=30)
AT_ONCE = 500

_wakers: dict[str, set[Callable[[datetime], None]]] = {}
_lock = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """An edge whose time has come; ``version`` tells it from the same key put again meanwhile."""

    kind: str
    subject: str
    due_at: datetime
    version: int


def put(kind: str, times: Iterable[tuple[str, datetime]]) -> None:
    """Have these subjects' edges happen at these times, in place of what was put before."""
    edges = list(times)
    if not edges:
        return
    table = Due._meta.db_table  # noqa: SLF001 — Django's documented name for it
    adapt = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        # One statement for each row: the ORM's for many takes ten times longer to write down.
        cursor.executemany(
            f"INSERT INTO {table} (kind, subject, due_at, next_at, version, epoch)"  # noqa: S608 — no value of anybody's
            " VALUES (%s, %s, %s, %s, %s, NULL) ON CONFLICT (kind, subject) DO UPDATE SET"
            " due_at = excluded.due_at, next_at = excluded.next_at,"
            " version = excluded.version, epoch = excluded.epoch",
            [
                (kind, subject, adapt(at), adapt(at), secrets.randbits(62))
                for subject, at in sorted(edges)
            ],
        )
    first = min(at for _, at in edges)
    transaction.on_commit(partial(_wake, kind, first), robust=True)


def put_no_later(kind: str, subject: str, at: datetime) -> None:
    """Have an edge happen at ``at`` unless it does so earlier anyway."""
    if not Due.objects.filter(kind=kind, subject=subject, next_at__lte=at).exists():
        put(kind, [(subject, at)])


def cancel(kind: str, subjects: Iterable[str]) -> None:
    """Have no edge of these subjects happen."""
    Due.objects.filter(kind=kind, subject__in=list(subjects)).delete()


def claim(kind: str, *, held: leases.Held, now: datetime, most: int = AT_ONCE) -> list[Edge]:
    """Take up to ``most`` edges whose time has come, the earliest first. Raises ``LeaseLost``.

    Who doesn't :func:`finish` or :func:`put` them within :data:`LEASE` gets them again.
    """
    if not Due.objects.filter(kind=kind, next_at__lte=now).exists():
        return []  # most looks end here, without a lock
    with transaction.atomic():
        leases.check(held, now=now)
        return take(kind, epoch=held.epoch, now=now, most=most)


def take(kind: str, *, epoch: int, now: datetime, most: int) -> list[Edge]:
    """The claim itself: one statement, which never gives a row to two."""
    table = Due._meta.db_table  # noqa: SLF001 — Django's documented name for it
    skip = "FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
    adapt = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET next_at = %s, epoch = %s WHERE id IN ("  # noqa: S608 — no value of anybody's
            f"SELECT id FROM {table} WHERE kind = %s AND next_at <= %s"
            f" ORDER BY next_at LIMIT %s {skip}) RETURNING subject, due_at, version",
            [adapt(now + LEASE), epoch, kind, adapt(now), most],
        )
        rows = cursor.fetchall()
    edges = [
        Edge(kind=kind, subject=subject, due_at=_time(due_at), version=version)
        for subject, due_at, version in rows
    ]
    return sorted(edges, key=lambda edge: (edge.due_at, edge.subject))


def finish(edges: Sequence[Edge]) -> None:
    """These have happened; one that was put again meanwhile stays."""
    for kind in {edge.kind for edge in edges}:
        some = [edge for edge in edges if edge.kind == kind]
        Due.objects.filter(
            kind=kind,
            subject__in=[edge.subject for edge in some],  # these are indexed
            version__in=[edge.version for edge in some],
        ).delete()


def free_earlier(kind: str, *, held: leases.Held) -> int:
    """Make what earlier engines claimed and never finished due again; gives how many."""
    left = Due.objects.filter(kind=kind).filter(Q(epoch__lt=held.epoch))
    return left.update(next_at=F("due_at"), epoch=None)


def upcoming(kind: str, *, until: datetime, most: int = AT_ONCE) -> list[datetime]:
    """The different times at which something may be claimed, up to ``until``, in order."""
    rows = Due.objects.filter(kind=kind, next_at__lte=until).order_by("next_at")
    return list(rows.values_list("next_at", flat=True).distinct()[:most])


def listen(kind: str, waker: Callable[[datetime], None]) -> None:
    """Call ``waker`` with the earliest time whenever this process puts edges, in any thread."""
    with _lock:
        _wakers.setdefault(kind, set()).add(waker)


def unlisten(kind: str, waker: Callable[[datetime], None]) -> None:
    """No longer call ``waker``."""
    with _lock, suppress(KeyError):
        _wakers[kind].discard(waker)


def _wake(kind: str, first: datetime) -> None:
    with _lock:
        wakers = list(_wakers.get(kind, ()))
    for waker in wakers:
        waker(first)


def _time(value: datetime) -> datetime:
    """A time as the driver gives it; SQLite's have no zone and are UTC."""
    return value if value.tzinfo else value.replace(tzinfo=UTC)
