"""What ``bench.edges`` runs in processes of its own: ``python -m bench.edges_program WHAT …``.

Each prints one line of JSON. The database is that of ``DATABASE_URL``, made ready by ``prepare``.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from bluetel.accounts.models import User  # noqa: E402
from bluetel.work import due, leases  # noqa: E402
from bluetel.work.clock import EdgeClock  # noqa: E402
from bluetel.work.models import Due, Lease  # noqa: E402
from bluetel.work.owners import own_name  # noqa: E402
from forwarding.models import (  # noqa: E402
    Automation,
    Calendar,
    CalendarObject,
    Collection,
    Line,
    Occurrence,
)
from forwarding.planning import begin  # noqa: E402

PENDING = 100_000
FAR = timedelta(days=30)
KIND = "bench"


class Post:
    """The engine's post without an engine."""

    def __init__(self) -> None:
        held = leases.take(
            leases.ENGINE, owner=own_name(), now=timezone.now(), ttl=timedelta(hours=1)
        )
        assert held is not None
        self.held = held
        self._pool = ThreadPoolExecutor(3)

    async def database(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Run in a thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, partial(function, *args, **kwargs))

    run = database

    async def publish(self, message: object) -> None:
        """There is nobody to tell."""


def prepare() -> dict[str, object]:
    """Tables, and edges that are not due for long."""
    call_command("migrate", verbosity=0, interactive=False)
    far = timezone.now() + FAR
    due.put(KIND, [(f"far {n}", far + timedelta(seconds=n)) for n in range(PENDING)])
    return {"pending": Due.objects.filter(kind=KIND).count()}


def lateness(count: int, seconds: float) -> dict[str, object]:
    """``count`` edges spread over so many seconds; how late each was handed out, in ms."""
    return asyncio.run(_lateness(Post(), count, seconds))


async def _lateness(post: Post, count: int, seconds: float) -> dict[str, object]:
    late: list[float] = []
    done = asyncio.Event()

    async def fire(edges: Sequence[due.Edge]) -> None:
        now = timezone.now()
        late.extend((now - edge.due_at) / timedelta(milliseconds=1) for edge in edges)
        await post.database(due.finish, edges)
        if len(late) >= count:
            done.set()

    first = timezone.now() + timedelta(seconds=3)
    step = timedelta(seconds=seconds) / count
    times = [(f"soon {n}", first + step * n) for n in range(count)]
    await post.database(due.put, KIND, times)
    clock = asyncio.create_task(EdgeClock(KIND, fire).run(post))
    async with asyncio.timeout(seconds + 60):
        await done.wait()
    clock.cancel()
    await asyncio.gather(clock, return_exceptions=True)
    return {"late": [round(one, 2) for one in late]}


def fill(count: int) -> dict[str, object]:
    """``count`` edges that are due."""
    Due.objects.filter(kind=KIND).delete()
    past = timezone.now() - timedelta(seconds=1)
    due.put(KIND, [(str(n), past) for n in range(count)])
    return {"due": count}


def idle(times: int) -> dict[str, object]:
    """What a look costs when nothing is due, in ms."""
    post = Post()
    now = timezone.now()
    began = time.perf_counter()
    for _ in range(times):
        due.claim(KIND, held=post.held, now=now)
    return {"ms": (time.perf_counter() - began) / times * 1000}


def take(epoch: int, dies: bool) -> dict[str, object]:  # noqa: FBT001 — from the command line
    """Take until nothing is left, saying what; or hang after the first batch, to be killed."""
    taken: list[str] = []
    began = time.perf_counter()
    while edges := due.take(KIND, epoch=epoch, now=timezone.now(), most=100):
        if dies:
            print(json.dumps({"held": [edge.subject for edge in edges]}), flush=True)
            time.sleep(60)
        taken.extend(edge.subject for edge in edges)
    return {"taken": taken, "seconds": time.perf_counter() - began}


def free() -> dict[str, object]:
    """A later engine takes what a killed one had."""
    post = Post()
    return {"freed": due.free_earlier(KIND, held=post.held)}


def people(count: int) -> dict[str, object]:
    """Users with a rule and a meeting each, up to so many."""
    now = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    there = User.objects.count()
    users = User.objects.bulk_create(
        User(username=f"u{n}", extension=str(20000 + n)) for n in range(there, count)
    )
    Automation.objects.bulk_create(
        Automation(user=user, set_im_busy=True, calendar_route="number", calendar_dialed="1001")
        for user in users
    )
    Line.objects.bulk_create(Line(user=user) for user in users)
    calendars = Calendar.objects.bulk_create(
        Calendar(user=user, kind="ics", created_at=now) for user in users
    )
    collections = Collection.objects.bulk_create(Collection(calendar=one) for one in calendars)
    sources = CalendarObject.objects.bulk_create(
        CalendarObject(collection=one, digest="", content=b"", expanded_until=now, zone="UTC")
        for one in collections
    )
    Occurrence.objects.bulk_create(
        Occurrence(user=user, source=source, uid="m", starts=now, ends=now + timedelta(hours=1))
        for user, source in zip(users, sources, strict=True)
    )
    return {"people": User.objects.count()}


def decide(changed: int, rounds: int) -> dict[str, object]:
    """What it costs to decide for so many users whose input changed, in ms of CPU, and queries."""
    post = Post()
    ids = list(User.objects.order_by("pk").values_list("pk", flat=True)[:changed])
    now = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
    Lease.objects.update(until=now + timedelta(days=3650))
    begin(post.held, ids, now=now)
    spent = []
    queries = 0

    def count(execute: Any, *args: Any) -> Any:
        nonlocal queries
        queries += 1
        return execute(*args)

    for _ in range(rounds):
        began = time.process_time()
        with connection.execute_wrapper(count):
            begin(post.held, ids, now=now)
        spent.append((time.process_time() - began) * 1000)
    return {"ms": sorted(spent)[len(spent) // 2], "queries": queries / rounds}


if __name__ == "__main__":
    what, *given = sys.argv[1:]
    print(json.dumps(globals()[what](*(json.loads(one) for one in given))), flush=True)
