"""S1, S2, S5: timed edges are fired in time, by one only, and cost what changed."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.figure import Figure, percentile
from bench.servers import ROOT
from tests.servers import Missing, running

PROGRAM = [sys.executable, "-m", "bench.edges_program"]
EDGES = 20_000
WORKERS = 4


class Database:
    """A database of its own, and programs that use it."""

    def __init__(self, name: str, url: str, folder: str) -> None:
        self.name = name
        self._environ = {
            **os.environ,
            "DATABASE_URL": url,
            "BLUETEL_DATA_DIR": folder,
            "BLUETEL_SECRET_KEY": secrets.token_urlsafe(64),
            "DJANGO_SETTINGS_MODULE": "bluetel.settings",
        }

    def run(self, what: str, *given: object) -> dict[str, Any]:
        """What a program says in the end."""
        return self.result(self.start(what, *given))

    def start(self, what: str, *given: object) -> subprocess.Popen[str]:
        """A program under way."""
        return subprocess.Popen(
            [*PROGRAM, what, *(json.dumps(one) for one in given)],
            cwd=ROOT,
            env=self._environ,
            stdout=subprocess.PIPE,
            text=True,
        )

    @staticmethod
    def result(process: subprocess.Popen[str]) -> dict[str, Any]:
        """What it said."""
        out, _ = process.communicate(timeout=300)
        found: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
        return found


def run() -> Iterator[Figure]:
    """On SQLite, and on PostgreSQL where it is installed."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bluetel-bench-"))
        sqlite = Path(folder) / "edges.sqlite3"
        databases = [Database("SQLite", f"sqlite:///{sqlite}", folder)]
        try:
            server = stack.enter_context(running("postgresql"))["postgresql"]
            databases.append(Database("PostgreSQL", server.url, folder))
        except Missing as missing:
            print(missing, file=sys.stderr)
        for database in databases:
            database.run("prepare")
            yield from _lateness(database)
            yield from _claims(database)
        yield from _deciding(databases[0])


def _lateness(database: Database) -> Iterator[Figure]:
    for count, seconds, what in (
        (1_000, 5.0, "200 a second among 100,000 pending"),
        (10_000, 0.0, "10,000 in one second"),
    ):
        late = database.run("lateness", count, seconds)["late"]
        p50, p99 = percentile(late, 0.5), percentile(late, 0.99)
        early = sum(one < 0 for one in late)
        goal = 250.0 if seconds else 2_000.0
        yield Figure(
            id="S1",
            value=round(p99, 1),
            unit=f"ms late at p99, {what}, {database.name}",
            goal=f"<= {goal:.0f} ms and none early",
            met=p99 <= goal and not early,
            against=f"their own time; p50 {p50:.1f} ms, {early} early",
        )


def _claims(database: Database) -> Iterator[Figure]:
    database.run("fill", EDGES)
    victim = database.start("take", 0, True)  # noqa: FBT003 — a program's argument
    assert victim.stdout is not None
    held = set(json.loads(victim.stdout.readline())["held"])
    victim.kill()
    victim.wait()
    began = time.perf_counter()
    workers = [database.start("take", epoch, False) for epoch in range(1, WORKERS + 1)]  # noqa: FBT003
    results = [database.result(one) for one in workers]
    took = max(result["seconds"] for result in results)
    wall = time.perf_counter() - began
    taken = [subject for result in results for subject in result["taken"]]
    freed = database.run("free")["freed"]
    lost = EDGES - len(set(taken) | held)
    twice = len(taken) - len(set(taken))
    found_again = freed + len(held & set(taken))  # the lease on them may have run out meanwhile
    yield Figure(
        id="S2",
        value=twice + lost,
        unit=f"edges taken twice or lost by {WORKERS} workers and one killed -9, {database.name}",
        goal="0, and what the killed one had is found again",
        met=twice == lost == 0 and found_again >= len(held),
        against=f"{EDGES} edges, {len(held)} of them in the hands of the killed one",
    )
    rate = len(taken) / took
    yield Figure(
        id="S2",
        value=round(rate),
        unit=f"claims a second in batches of 100, {WORKERS} workers, {database.name}",
        goal=">= 10,000",
        met=rate >= 10_000,
        against=f"{len(taken)} claims, {wall:.1f} s with the starts of the processes",
    )
    database.run("fill", 0)
    look = database.run("idle", 500)["ms"]
    yield Figure(
        id="S2",
        value=round(look, 3),
        unit=f"ms for a look that finds nothing, {database.name}",
        goal="<= 1 ms",
        met=look <= 1.0,
        against="500 looks at a table with nothing due",
    )


def _deciding(database: Database) -> Iterator[Figure]:
    costs = []
    for people in (1_000, 10_000):
        database.run("people", people)
        costs.append(database.run("decide", 100, 15))
    ratio = costs[1]["ms"] / costs[0]["ms"]
    yield Figure(
        id="S5",
        value=round(ratio, 2),
        unit="times the CPU for 100 changed of 10,000 users, of that for 100 of 1,000",
        goal="<= 1.3, and not one query more",
        met=ratio <= 1.3 and costs[0]["queries"] == costs[1]["queries"],
        against=(
            f"{costs[0]['ms']:.1f} ms and {costs[0]['queries']:.0f} queries for 100 of 1,000; "
            f"{costs[1]['ms']:.1f} ms and {costs[1]['queries']:.0f} for 100 of 10,000"
        ),
    )
