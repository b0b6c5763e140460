"""The jobs' rows: put, claimed with a lease, done, failed, given up.

Works alike on SQLite and PostgreSQL. A claim is good while its row says so: who was frozen and
lost his row changes nothing more.
"""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, F, Min, OuterRef, Q
from django.db.models.functions import Least
from django.utils.module_loading import import_string

from bluetel.work.models import Job
from bluetel.work.owners import is_gone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.db.models import QuerySet

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
RENEW_EVERY = timedelta(seconds=10)
MOST_RUNS = 12
RETRY_FIRST, RETRY_MOST = timedelta(seconds=2), timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A job as whoever runs it holds it; ``runs`` counts this run as well."""

    id: int
    function: str
    arguments: Mapping[str, object]
    key: str
    owner: str
    runs: int


def put(function: str, *, arguments: Mapping[str, object], key: str, due_at: datetime) -> int:
    """Write a waiting job, or bring the one of this key up to date; gives the row's id."""
    if not key:
        return Job.objects.create(function=function, arguments=arguments, due_at=due_at).pk
    with transaction.atomic():
        found = _renew_waiting(key, function, arguments, due_at)
        if found is not None:
            return found
        try:
            with transaction.atomic():
                return Job.objects.create(
                    function=function,
                    arguments=arguments,
                    key=key,
                    waiting_key=key,
                    due_at=due_at,
                ).pk
        except IntegrityError:  # another put it meanwhile
            return _renew_waiting(key, function, arguments, due_at) or 0


def claim(*, owner: str, now: datetime, most: int, only: int | None = None) -> list[Claim]:
    """Take up to ``most`` jobs that are due, those of killed processes among them.

    ``only`` names the one row wanted. A job whose key runs already is left waiting.
    """
    due = Job.objects.filter(
        Q(state=Job.State.WAITING, due_at__lte=now)
        | Q(state=Job.State.RUNNING, lease_until__lte=now)
    )
    if not due.exists():
        return []  # most looks end here, without a lock
    with transaction.atomic():
        running = Job.objects.filter(
            state=Job.State.RUNNING, key=OuterRef("key"), lease_until__gt=now
        ).exclude(key="")
        due = due.exclude(Exists(running)).order_by("due_at", "pk")
        if only is not None:
            due = due.filter(pk=only)
        if connection.features.has_select_for_update_skip_locked:
            due = due.select_for_update(skip_locked=True, of=("self",))
        rows = _one_of_each_key(due[:most])
        Job.objects.filter(pk__in=[row.pk for row in rows]).update(
            state=Job.State.RUNNING,
            waiting_key=None,
            owner=owner,
            lease_until=now + LEASE,
            runs=F("runs") + 1,
        )
    return [
        Claim(
            id=row.pk,
            function=row.function,
            arguments=row.arguments,
            key=row.key,
            owner=owner,
            runs=row.runs + 1,
        )
        for row in rows
    ]


def run(claim: Claim) -> None:
    """Do the work; raises what it raises."""
    import_string(claim.function)(**claim.arguments)


def renew(claims: Sequence[Claim], *, now: datetime) -> None:
    """Hold on to what runs for another :data:`LEASE`."""
    for one in claims:
        _rows(one).update(lease_until=now + LEASE)


def finish(claim: Claim) -> None:
    """The work is done: what was given up of the same key is forgotten too."""
    _rows(claim).delete()
    if claim.key:
        Job.objects.filter(key=claim.key, state=Job.State.DEAD).delete()


def fail(claim: Claim, error: BaseException, *, now: datetime) -> bool:
    """The work failed: wait for the next try, or give up; whether it was given up."""
    if claim.key and Job.objects.filter(waiting_key=claim.key).exists():
        _rows(claim).delete()  # a newer one of this key waits already
        return False
    said = f"{type(error).__name__}: {error}"[:2000]
    if claim.runs >= MOST_RUNS:
        return bool(_rows(claim).update(state=Job.State.DEAD, error=said, lease_until=None))
    try:
        with transaction.atomic():
            _rows(claim).update(
                state=Job.State.WAITING,
                waiting_key=claim.key or None,
                due_at=now + back_off(claim.runs),
                owner="",
                lease_until=None,
                error=said,
            )
    except IntegrityError:
        _rows(claim).delete()
    return False


def back_off(runs: int) -> timedelta:
    """How long to wait after that many runs: doubled each time, and spread."""
    doubled: int = 2 ** min(runs - 1, 20)
    wait = min(RETRY_FIRST * doubled, RETRY_MOST)
    return wait * random.uniform(0.75, 1.25)  # noqa: S311 — spreads load, guards nothing


def free_orphans(*, now: datetime) -> int:
    """Make the jobs of processes that certainly ended due at once; gives how many."""
    running = Job.objects.filter(state=Job.State.RUNNING, lease_until__gt=now)
    owners = running.values_list("owner", flat=True).distinct()
    gone = [owner for owner in owners if is_gone(owner)]
    return running.filter(owner__in=gone).update(lease_until=now) if gone else 0


def next_due() -> datetime | None:
    """When the next waiting job is due."""
    found: datetime | None = Job.objects.filter(state=Job.State.WAITING).aggregate(
        next=Min("due_at")
    )["next"]
    return found


def revive(rows: QuerySet[Job], *, now: datetime) -> int:
    """Try given-up jobs once more; one whose key waits again already is dropped."""
    revived = 0
    for row in rows.filter(state=Job.State.DEAD):
        put(row.function, arguments=row.arguments, key=row.key, due_at=now)
        row.delete()
        revived += 1
    return revived


def count_given_up() -> int:
    """How many jobs were given up."""
    return Job.objects.filter(state=Job.State.DEAD).count()


def _renew_waiting(
    key: str, function: str, arguments: Mapping[str, object], due_at: datetime
) -> int | None:
    waiting = Job.objects.filter(waiting_key=key)
    waiting.update(
        function=function, arguments=arguments, due_at=Least(F("due_at"), due_at), runs=0
    )
    return waiting.values_list("pk", flat=True).first()


def _one_of_each_key(rows: QuerySet[Job]) -> list[Job]:
    seen: set[str] = set()
    taken = []
    for row in rows:
        if not row.key or row.key not in seen:
            seen.add(row.key)
            taken.append(row)
    return taken


def _rows(claim: Claim) -> QuerySet[Job]:
    """The claim's row, as long as it is the claim's."""
    return Job.objects.filter(
        pk=claim.id, state=Job.State.RUNNING, owner=claim.owner, runs=claim.runs
    )
