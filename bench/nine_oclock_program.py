"""What ``bench.nine_oclock`` runs in a process of its own: many meetings begin in one second.

``python -m bench.nine_oclock_program USERS READY_WITHIN``: an engine on the database of
``DATABASE_URL`` with a PBX in this process that takes a millisecond for each command. Prints one
line of JSON: for decisions, for what colleagues see and for writes, how late each was, in ms.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from bluetel.accounts.models import Pbx, User  # noqa: E402
from bluetel.engine.engine import Engine  # noqa: E402
from bluetel.telephony.ports import PbxConfig  # noqa: E402
from bluetel.telephony.simulator import scenario  # noqa: E402
from bluetel.telephony.simulator.memory import MemoryBackend  # noqa: E402
from bluetel.telephony.types import Forward, ForwardKind, PbxUserId  # noqa: E402
from forwarding import planning, reconciler, steps  # noqa: E402
from forwarding.models import (  # noqa: E402
    Automation,
    Calendar,
    CalendarObject,
    Collection,
    Occurrence,
)
from presence.live import LIVE  # noqa: E402
from presence.subscription import Subscription  # noqa: E402

MOBILE = "0639984172"
LASTS = timedelta(hours=1)
DRAINED_WITHIN = 240.0


class SlowPbx(MemoryBackend):
    """Takes a millisecond for each command, and notes when each write came."""

    def __init__(self, users: int) -> None:
        super().__init__(scenario.build(now=datetime.now(UTC), users=users, history=False))
        self.arrivals: dict[str, datetime] = {}
        self.has_all = threading.Event()
        self._users = users

    def set_forward(self, user: PbxUserId, kind: ForwardKind, forward: Forward) -> None:
        """As every backend; see ``ForwardControl``."""
        time.sleep(0.001)
        self.arrivals[user] = datetime.now(UTC)
        super().set_forward(user, kind, forward)
        if len(self.arrivals) == self._users:
            self.has_all.set()


_backends: list[SlowPbx] = []


def keep(backend: SlowPbx) -> None:
    """Give this backend out."""
    _backends.append(backend)


def open_backend(_config: PbxConfig) -> SlowPbx:
    """What ``PBX_BACKENDS`` names here."""
    return _backends[0]


def settle_in(users: int) -> SlowPbx:
    """A house full of people, each with a rule."""
    call_command("migrate", verbosity=0, interactive=False)
    settings.PBX_BACKENDS = {"wazo": "bench.nine_oclock_program.open_backend"}
    settings.ENGINE_DUTIES = ["forwarding.reconciler.Reconciler"]
    settings.COMMON_DUTIES = []
    backend = SlowPbx(users)
    # The backend's name leads to this module as it is imported, not as it is run.
    importlib.import_module("bench.nine_oclock_program").keep(backend)
    pbx = Pbx.objects.create(name="bench", kind=Pbx.Kind.WAZO, url="https://pbx.test")
    User.objects.bulk_create(
        User(
            pbx=pbx,
            pbx_user_id=person.id,
            username=person.id,
            first_name=person.first_name,
            last_name=person.last_name,
            extension=person.extension,
        )
        for person in backend.users()
    )
    Automation.objects.bulk_create(
        Automation(
            user=user,
            set_im_busy=True,
            calendar_route="number",
            calendar_number=MOBILE,
            calendar_dialed=MOBILE,
        )
        for user in User.objects.all()
    )
    return backend


def add_meetings(starts: datetime) -> None:
    """One for everybody, at the same time."""
    users = list(User.objects.all())
    calendars = Calendar.objects.bulk_create(
        Calendar(user=user, kind="ics", created_at=starts) for user in users
    )
    collections = Collection.objects.bulk_create(Collection(calendar=one) for one in calendars)
    sources = CalendarObject.objects.bulk_create(
        CalendarObject(collection=one, digest="", content=b"", expanded_until=starts, zone="UTC")
        for one in collections
    )
    Occurrence.objects.bulk_create(
        Occurrence(user=user, source=source, uid="nine", starts=starts, ends=starts + LASTS)
        for user, source in zip(users, sources, strict=True)
    )


class Watch:
    """Notes when each was decided, and when colleagues were told."""

    def __init__(self, starts: datetime) -> None:
        self.starts = starts
        self.decided: dict[int, datetime] = {}
        self.seen: dict[str, datetime] = {}
        self.queries = 0
        self._lock = threading.Lock()

    def wrap(self, decide: Callable[..., steps.Plan]) -> Callable[..., steps.Plan]:
        """What decides, watched."""

        def watched(*args: Any, **kwargs: Any) -> steps.Plan:
            with connection.execute_wrapper(self._count):
                plan = decide(*args, **kwargs)
            now = datetime.now(UTC)
            for step in plan.steps:
                if isinstance(step, steps.Write):
                    self.decided.setdefault(step.user_id, now)
            return plan

        return watched

    def _count(self, execute: Callable[..., Any], *args: Any) -> Any:
        if datetime.now(UTC) >= self.starts:
            with self._lock:
                self.queries += 1
        return execute(*args)

    async def hear(self, message: Any) -> None:
        """One message of the live layer."""
        now = datetime.now(UTC)
        for known in message.get("people", ()):
            if known["person"]["im"] == "busy":
                self.seen.setdefault(known["person"]["user_id"], now)


async def nine_oclock(backend: SlowPbx, ready_within: float) -> dict[str, object]:
    """Let the hour come; what was late by how much."""
    starts = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=ready_within)
    await asyncio.to_thread(add_meetings, starts)
    watch = Watch(starts)
    reconciler.begin = watch.wrap(planning.begin)  # type: ignore[attr-defined]
    reconciler.conclude = watch.wrap(planning.conclude)  # type: ignore[attr-defined]
    subscription = asyncio.create_task(Subscription(LIVE, on_message=watch.hear).run())
    engine = Engine()
    running = asyncio.create_task(engine.run())
    await asyncio.sleep((starts - datetime.now(UTC)).total_seconds())
    spent = time.process_time()
    await asyncio.to_thread(backend.has_all.wait, DRAINED_WITHIN)
    spent = time.process_time() - spent
    await engine.stop()
    await running
    subscription.cancel()
    with suppress(asyncio.CancelledError):
        await subscription

    def late(times: dict[Any, datetime]) -> list[float]:
        return [round((at - starts) / timedelta(milliseconds=1), 1) for at in times.values()]

    a_second = Counter(int(at.timestamp()) for at in backend.arrivals.values())
    return {
        "decided": late(watch.decided),
        "seen": late(watch.seen),
        "written": late(backend.arrivals),
        "queries": watch.queries,
        "cpu": spent,
        "most_a_second": max(a_second.values(), default=0),
    }


if __name__ == "__main__":
    people, within = int(sys.argv[1]), float(sys.argv[2])
    print(json.dumps(asyncio.run(nine_oclock(settle_in(people), within))), flush=True)
