"""S1, S3: the meetings of many begin in one second; three things are late by different measures.

Decisions and what colleagues see are told apart from the writes, which keep to the rate of the PBX
row, 200 a second. Engine, PBX and measurement share one process.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.figure import Figure, percentile
from bench.servers import ROOT
from tests.servers import Missing, running

RATE = 200
DRAINED_WITHIN = 30_000.0
READY = 75.0
READY_EACH = 0.015
"""Seconds before the hour: the engine's start and a minute of nothing, and for each user it reads.

A house that has been at work for longer than a minute has read everybody shortly before the hour.
"""


def run() -> Iterator[Figure]:
    """5,000 and 10,000 users on SQLite; 5,000 on PostgreSQL where it is installed."""
    few = _play(5_000, "")
    many = _play(10_000, "")
    yield from _figures(5_000, few, "SQLite")
    yield from _figures(10_000, many, "SQLite")
    yield _queries(few, many)
    yield _cpu(5_000, few)
    yield _cpu(10_000, many)
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running("postgresql"))["postgresql"]
        except Missing as missing:
            print(missing, file=sys.stderr)
            return
        yield from _figures(5_000, _play(5_000, server.url), "PostgreSQL")


def _play(users: int, database: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="bluetel-bench-") as folder:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "bench.nine_oclock_program"),
                *(str(users), str(READY + READY_EACH * users)),
            ],
            cwd=ROOT,
            env={
                **os.environ,
                "DATABASE_URL": database or f"sqlite:///{Path(folder) / 'nine.sqlite3'}",
                "BLUETEL_DATA_DIR": folder,
                "BLUETEL_SECRET_KEY": secrets.token_urlsafe(64),
                "DJANGO_SETTINGS_MODULE": "bluetel.settings",
            },
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=1200,
        )
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _figures(users: int, found: dict[str, Any], database: str) -> Iterator[Figure]:
    for what, words, goal in (
        ("seen", "colleagues see it", 2_000.0),
        ("decided", "it is decided", users / RATE * 1000 * 1.2),
    ):
        late = found[what]
        early = sum(one < 0 for one in late)
        p50, p99 = (percentile(late, share) if late else 0.0 for share in (0.5, 0.99))
        yield Figure(
            id="S1",
            value=p99,
            unit=f"ms late at p99 until {words}, {users} meetings in one second, {database}",
            goal=f"<= {goal:.0f} ms, none early, none missing",
            met=p99 <= goal and not early and len(late) == users,
            against=f"the hour; p50 {p50:.0f} ms, {early} early, {users - len(late)} missing",
        )
    late = found["written"]
    last, early = max(late, default=0.0), sum(one < 0 for one in late)
    within = DRAINED_WITHIN * users / 5_000
    yield Figure(
        id="S3",
        value=round(last),
        unit=f"ms until the last of {users} writes is on the PBX, {database}",
        goal=f"<= {within:.0f} ms, none early, never above the PBX's {RATE} a second",
        met=last <= within and not early and len(late) == users and found["most_a_second"] <= RATE,
        against=(
            f"{users / RATE:.0f} s at that rate; {found['most_a_second']} in the fullest second, "
            f"{early} early, {users - len(late)} missing"
        ),
    )


def _queries(few: dict[str, Any], many: dict[str, Any]) -> Figure:
    each = [found["queries"] / max(1, len(found["decided"])) for found in (few, many)]
    ratio = each[1] / each[0] if each[0] else 0.0
    return Figure(
        id="S1",
        value=round(ratio, 2),
        unit="times the queries for a decision among 10,000 users of those among 5,000",
        goal="<= 1.2",
        met=0 < ratio <= 1.2,
        against=f"{each[0]:.2f} and {each[1]:.2f} queries for each, decided in batches",
    )


def _cpu(users: int, found: dict[str, Any]) -> Figure:
    each = found["cpu"] / users * 1000
    within = 1000 / RATE
    return Figure(
        id="S3",
        value=round(each, 2),
        unit=f"ms of CPU for each of {users} from the hour to the last write, SQLite",
        goal=f"<= {within:.0f} ms",
        met=each <= within,
        against=f"{within:.0f} ms, which is one core at {RATE} a second; PBX and bench among them",
    )
