"""A1 to A5: finding people among very many, on both databases, beside the plain ``LIKE``.

The engine is measured inside one process (:mod:`bench.contacts_engine`), the whole answer through
HTTP with fifty typists on one ``serve`` process, while the company directory takes half a second.
What happens inside one process is judged by its CPU time, which another program on the machine
changes little; what a database server does, by the clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

from bench.figure import Figure, percentile
from bench.servers import ROOT, BlueTel, free_port, prepared, serving, simulated_pbx
from tests.servers import running

SIZES = (100_000, 1_000_000)
DATABASES = ("sqlite", "postgresql")
TYPISTS = 50
RATE = 100
SECONDS = 10
P99 = 60.0
STEPS = (25, 50, 75, 100, 150, 200, 250, 300, 400)
SLOW_DIRECTORY = 0.5


def run() -> Iterator[Figure]:
    """Each database with each number of contacts."""
    for name, one in singles().items():
        if not name.endswith("-http"):
            yield from one()


def singles() -> Mapping[str, Callable[[], Iterator[Figure]]]:
    """One database with one number of contacts each, by name; with ``-http`` its A4 alone."""
    return {
        f"contacts-{database}-{count}{part}": partial(_single, database, count, is_whole=not part)
        for database in DATABASES
        for count in SIZES
        for part in ("", "-http")
    }


def _single(database: str, count: int, *, is_whole: bool = True) -> Iterator[Figure]:
    with _database(database) as environ:
        yield from _figures(f"{database}, {count:,} contacts", count, environ, is_whole=is_whole)


@contextlib.contextmanager
def _database(name: str) -> Iterator[Mapping[str, str]]:
    if name == "sqlite":
        yield {}
        return
    with running("postgresql", "redis") as servers:
        yield {
            key: value for server in servers.values() for key, value in server.environment().items()
        }


def _figures(
    where: str, count: int, environ: Mapping[str, str], *, is_whole: bool
) -> Iterator[Figure]:
    with (
        simulated_pbx(users=TYPISTS) as pbx_url,
        slow_directory(SLOW_DIRECTORY) as ldap,
        prepared(pbx_url, **environ) as ready,
    ):
        engine = _engine(ready, count, is_whole=is_whole)
        if is_whole:
            yield from _engine_figures(where, count, engine)
        tokens = ready.tokens([f"demo{place + 1}" for place in range(TYPISTS)])
        typing = Typing(ready.url, tokens, engine["texts"])
        with serving(ready):
            typing.begin()
            quiet = typing.mostly(RATE)
        with_directory = ready.with_settings(**ldap)
        with serving(with_directory):
            typing.begin()
            unread = typing.at(RATE)
        _program(with_directory, "bench.contacts_directory")
        with serving(with_directory):
            typing.begin()
            slow = typing.mostly(RATE)
        # A process that was asked for too much has questions to the directory left for a while.
        with serving(with_directory):
            typing.begin()
            highest = typing.highest()
        yield _through_http(where, quiet, unread, slow, highest)


def _engine(ready: BlueTel, count: int, *, is_whole: bool) -> dict[str, Any]:
    what = [] if is_whole else ["texts"]
    found: dict[str, Any] = json.loads(_program(ready, "bench.contacts_engine", str(count), *what))
    return found


def _program(ready: BlueTel, name: str, *arguments: str) -> str:
    """What a program says that runs with BlueTel's settings."""
    return subprocess.run(
        [sys.executable, "-m", name, *arguments],
        cwd=ROOT,
        env=ready.environ,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def _engine_figures(where: str, count: int, engine: Mapping[str, Any]) -> Iterator[Figure]:
    is_large = count > 100_000
    words, misses, digits = engine["words"], engine["misses"], engine["digits"]
    kind = "cpu_p99" if where.startswith("sqlite") else "p99"
    worst = max(words[kind], misses[kind])
    goal = 5 if is_large else 2
    yield Figure(
        id="A1",
        value=round(worst, 2),
        unit="ms at p99 to propose people for a word, misses included",
        goal=f"<= {goal} ms",
        met=worst <= goal,
        against=(
            f"{where}: p50 {words['p50']:.2f} ms, of misses {misses['p50']:.2f} ms, "
            f"p99 by the clock {words['p99']:.2f} ms"
        ),
    )
    times = 200 if is_large else 50
    missed = engine["like_missed"]["p50"] / misses["p50"]
    ranked = engine["like_ranked"]["p50"] / words["p50"]
    yield Figure(
        id="A2",
        value=round(min(missed, ranked)),
        unit="times as quick as the plain LIKE '%…%' in name order",
        goal=f">= {times}",
        met=min(missed, ranked) >= times,
        against=(
            f"{where}: LIKE p50 {engine['like_ranked']['p50']:.1f} ms, of misses "
            f"{engine['like_missed']['p50']:.1f} ms; {ranked:.0f} and {missed:.0f} times"
        ),
    )
    goal = 25 if is_large else 5
    yield Figure(
        id="A3",
        value=round(digits[kind], 2),
        unit="ms at p99 for three to six digits out of a number",
        goal=f"<= {goal} ms",
        met=digits[kind] <= goal,
        against=f"{where}: p50 {digits['p50']:.2f} ms, p99 by the clock {digits['p99']:.2f} ms",
    )
    cpu = engine["built"]["cpu"]
    built = cpu * 1_000_000 / count
    size = engine["megabytes"] * 1_000_000 / count
    one = engine["one"]["cpu"]
    yield Figure(
        id="A5",
        value=round(built, 1),
        unit="s of CPU to make the index of a million",
        goal="<= 60 s; one contact <= 5 ms; <= 250 MB per million",
        met=built <= 60 and one <= 5 and size <= 250,
        against=(
            f"{where}: {engine['built']['wall']:.1f} s by the clock for these; one contact with "
            f"its rows p50 {engine['one']['p50']:.1f} ms, CPU {one:.1f} ms; "
            f"{size:.0f} MB per million"
        ),
    )


@dataclass(frozen=True, slots=True)
class Answers:
    """What came of typing at one rate, in ms from the moment a key was due."""

    rate: int
    p50: float
    p99: float
    failed: int

    @property
    def are_good(self) -> bool:
        """Quick enough, and all of them."""
        return not self.failed and self.p99 <= P99


def _through_http(
    where: str, quiet: Answers, unread: Answers, slow: Answers, highest: int
) -> Figure:
    return Figure(
        id="A4",
        value=round(slow.p99, 1),
        unit=f"ms at p99 of the whole answer, {TYPISTS} typists, {RATE} queries/s, one process",
        goal=f"<= {P99:g} ms with a directory of {SLOW_DIRECTORY * 1000:.0f} ms as without",
        met=slow.are_good,
        against=(
            f"{where}: p50 {slow.p50:.1f} ms; without the directory p50 {quiet.p50:.1f}, "
            f"p99 {quiet.p99:.1f} ms; before anybody is read in from it p50 {unread.p50:.1f}, "
            f"p99 {unread.p99:.1f} ms; highest rate that still meets it: {highest} queries/s"
        ),
    )


class Typing:
    """Fifty people who type, each on a connection of his own."""

    def __init__(self, url: str, tokens: Sequence[str], texts: Sequence[str]) -> None:
        parts = urlsplit(url)
        self._host, self._port = str(parts.hostname), int(parts.port or 80)
        self._tokens = tokens
        self._texts = texts
        self._typed = 0

    def at(self, rate: int, *, seconds: int = SECONDS) -> Answers:
        """So many queries a second together, sent when they are due whatever came back so far.

        Each typist types what he has not typed before, or his PBX's answers would be kept ones.
        """
        turns = rate * seconds // len(self._tokens)
        answers = asyncio.run(self._answers(rate, range(self._typed, self._typed + turns)))
        self._typed += turns
        return answers

    def mostly(self, rate: int) -> Answers:
        """The middle one of three times, by p99: the machine is slow for seconds at a time."""
        return sorted((self.at(rate) for _ in range(3)), key=lambda one: (one.failed, one.p99))[1]

    def begin(self) -> None:
        """Have a process that has just started answer for a while, as one that serves has.

        It opens its connections, and keeps how the numbers that it finds are written.
        """
        self.at(RATE // 2, seconds=2 * SECONDS)

    def highest(self) -> int:
        """The highest of the steps at which the answers are good; 0 for none.

        A step is tried twice, for what else the machine does for half a second spoils one.
        """
        best = 0
        for rate in STEPS:
            if not any(self.at(rate, seconds=SECONDS // 2).are_good for _ in range(2)):
                break
            best = rate
        return best

    async def _answers(self, rate: int, turns: range) -> Answers:
        begin = time.perf_counter() + 0.5
        took = await asyncio.gather(
            *(
                self._typist(place, token, begin, rate, turns)
                for place, token in enumerate(self._tokens)
            )
        )
        times = [one for times in took for one in times]
        good = [one for one in times if one >= 0]
        return Answers(
            rate, percentile(good, 0.5), percentile(good, 0.99), failed=len(times) - len(good)
        )

    async def _typist(
        self, place: int, token: str, begin: float, rate: int, turns: range
    ) -> list[float]:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        pause = len(self._tokens) / rate
        times: list[float] = []
        for turn in turns:
            due = begin + (turn - turns.start) * pause + place / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            text = self._texts[(place * 31 + turn) % len(self._texts)]
            writer.write(
                (
                    f"GET /api/v1/search?q={quote(text)} HTTP/1.1\r\nHost: {self._host}\r\n"
                    f"Authorization: Bearer {token}\r\n\r\n"
                ).encode()
            )
            status = await _answered(reader)
            times.append((time.perf_counter() - due) * 1000 if status == 200 else -1.0)
        writer.close()
        return times


async def _answered(reader: asyncio.StreamReader) -> int:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    length = next(
        int(line.partition(":")[2])
        for line in head.lower().split("\r\n")
        if line.startswith("content-length:")
    )
    await reader.readexactly(length)
    return int(head.split(" ", 2)[1])


@contextlib.contextmanager
def slow_directory(seconds: float) -> Iterator[Mapping[str, str]]:
    """A real OpenLDAP whose every answer comes so much later; the settings that lead to it."""
    with running("slapd") as servers:
        slapd: Any = servers["slapd"]
        with _delayed(slapd.port, seconds) as port:
            config = slapd.config()
            yield {
                "BLUETEL_LDAP_URL": f"ldap://127.0.0.1:{port}",
                "BLUETEL_LDAP_BASE": config.base,
                "BLUETEL_LDAP_BIND_DN": config.bind_dn,
                "BLUETEL_LDAP_BIND_PASSWORD": config.bind_password,
            }


@contextlib.contextmanager
def _delayed(target: int, seconds: float) -> Iterator[int]:
    port = free_port()
    loop = asyncio.new_event_loop()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wait: float) -> None:
        def pass_on(data: bytes) -> None:
            if not writer.is_closing():
                writer.write(data)

        while data := await reader.read(65536):
            # What follows at once comes as much later, not twice.
            loop.call_later(wait, pass_on, data)
        loop.call_later(wait, writer.close)

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, here = await asyncio.open_connection("127.0.0.1", target)
        with contextlib.suppress(OSError):
            await asyncio.gather(pump(reader, here, 0), pump(there, writer, seconds))

    server = loop.run_until_complete(asyncio.start_server(relay, "127.0.0.1", port))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
