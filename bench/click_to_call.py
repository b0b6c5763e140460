"""C1, C2, C3: what BlueTel adds to a click, how it uses its connections, and a PBX that hangs.

All three against a stub that answers in one millisecond, so that the PBX is not what is measured.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TypeVar

import requests

from bench.figure import Figure, percentile
from bench.servers import BlueTel, bluetel, empty_view, pbx_token, stub_pbx, tls_stub_pbx
from bluetel.telephony.ports import PbxConfig
from bluetel.telephony.types import PbxUser
from bluetel.telephony.wazo.backend import WazoBackend

ROUNDS = 5
CALLS_A_ROUND = 30
VIEW_WHERE_GOAL_WAS_SET = 6.7
"""What such a view took, in ms, on the machine for which C1 was set (reference/perf.md §2d)."""
_numbers = count(199_000_000)

T = TypeVar("T")


def _number() -> str:
    """A fresh outside number: asking for the same one again would be the same call."""
    return f"0{next(_numbers)}"


def run() -> Iterator[Figure]:
    """Measure all three."""
    with stub_pbx() as pbx_url, bluetel(pbx_url) as server:
        backend = _backend(pbx_url)
        people = list(backend.users())
        backend.close()
        with empty_view() as empty:
            yield from _overhead(server, people, empty)
        yield from _hung_pbx(server, people)
    yield from _reuse()


def _overhead(server: BlueTel, people: list[PbxUser], empty: str) -> Iterator[Figure]:
    """C1: a click through the whole REST stack, against the same command given to the PBX.

    An empty view of Django's, asked in turns with them, tells what machine measured.
    """
    bare = _bare_caller(server.pbx_url, people)
    through = _api_caller(server, people)
    nothing = _getter(empty)
    taken: dict[Callable[[], None], list[float]] = {bare: [], through: [], nothing: []}
    for call in taken:
        for _ in range(10):
            call()
    for _ in range(ROUNDS):
        for call in random.sample(list(taken), len(taken)):
            for _ in range(CALLS_A_ROUND):
                begin = time.perf_counter()
                call()
                taken[call].append((time.perf_counter() - begin) * 1000)
    p50, p99 = (
        percentile(taken[through], share) - percentile(taken[bare], share) for share in (0.5, 0.99)
    )
    view = percentile(taken[nothing], 0.5)
    yield Figure(
        id="C1",
        value=round(p50, 2),
        unit="ms added at p50",
        goal="<= 8",
        met=p50 <= 8,
        against=(
            f"the bare PBX command in the same run: p50 {percentile(taken[bare], 0.5):.1f} ms, "
            f"p99 {percentile(taken[bare], 0.99):.1f} ms; added at p99: {p99:.1f} ms"
        ),
    )
    yield Figure(
        id="C1-view",
        value=round(p50 / view, 2),
        unit="x an empty Django view on daphne",
        goal=f"<= {8 / VIEW_WHERE_GOAL_WAS_SET:.1f}",
        met=p50 / view <= 8 / VIEW_WHERE_GOAL_WAS_SET,
        against=f"that view behind Django's usual middleware in the same run: p50 {view:.1f} ms",
    )


def _reuse() -> Iterator[Figure]:
    """C2: connections that stay open, against a PBX that closes each after its answer."""
    with tls_stub_pbx() as (pbx_url, ca_file):
        backend = _backend(pbx_url, ca_file=ca_file)
        callers = _round_robin(list(backend.users()))

        def place() -> None:
            backend.place_call(next(callers).id, _number())

        for _ in range(40):  # everybody's line has been looked up once
            place()
        before = _traffic(pbx_url, ca_file)
        pooled = _calls_per_second(place)
        after = _traffic(pbx_url, ca_file)
        _tell(pbx_url, "close/on", ca_file)
        fresh = _calls_per_second(place)
        _tell(pbx_url, "close/off", ca_file)
        backend.close()
    commands = after["requests"] - before["requests"]
    # The second look at the counters came by a connection of its own.
    opened = after["connections"] - before["connections"] - 1
    reused = 1 - opened / commands
    yield Figure(
        id="C2",
        value=round(reused * 100, 2),
        unit="% of commands on a connection that was open",
        goal=">= 99",
        met=reused >= 0.99,
        against=f"{commands} commands, {opened} connections accepted by the PBX",
    )
    yield Figure(
        id="C2-throughput",
        value=round(pooled / fresh, 2),
        unit="x the calls per second",
        goal=">= 1.5",
        met=pooled >= 1.5 * fresh,
        against=f"the same client with a new TLS connection for each call: {fresh:.0f}/s",
    )


def _hung_pbx(server: BlueTel, people: list[PbxUser]) -> Iterator[Figure]:
    """C3: while the PBX never answers, calls fail in time and the other pages don't notice."""
    session = requests.Session()
    own, *tokens = server.tokens([_username(person) for person in people[:9]])
    session.headers["Authorization"] = f"Bearer {own}"

    def ask() -> float:
        begin = time.perf_counter()
        session.get(f"{server.url}/api/v1/presence", timeout=10).raise_for_status()
        return (time.perf_counter() - begin) * 1000

    calm = [ask() for _ in range(200)]
    _tell(server.pbx_url, "hang/on")
    try:
        callers = [_raw_caller(server, token) for token in tokens]
        with ThreadPoolExecutor(len(callers)) as pool:
            placing = [pool.submit(caller) for caller in callers]
            hung = [ask() for _ in range(200)]
            failures = [future.result() for future in placing]
    finally:
        _tell(server.pbx_url, "hang/off")
    slowest = max(seconds for seconds, _ in failures)
    statuses = {status for _, status in failures}
    yield Figure(
        id="C3",
        value=round(slowest, 2),
        unit="s until a call fails",
        goal="<= 5",
        met=slowest <= 5 and statuses == {503},
        against=f"{len(callers)} calls at a PBX that never answers; statuses {sorted(statuses)}",
    )
    ratio = percentile(hung, 0.99) / percentile(calm, 0.99)
    yield Figure(
        id="C3-others",
        value=round(ratio, 2),
        unit="x the p99 of another endpoint",
        goal="<= 2",
        met=ratio <= 2,
        against=f"the same endpoint before, p99 {percentile(calm, 0.99):.1f} ms",
    )


def _bare_caller(pbx_url: str, people: list[PbxUser]) -> Callable[[], None]:
    """Places calls by the PBX's own route, on one open connection."""
    session = requests.Session()
    session.headers["X-Auth-Token"] = pbx_token(pbx_url)
    callers = _round_robin(people[20:])

    def call() -> None:
        person = next(callers)
        body = {
            "source": {"user": person.id},
            "destination": {
                "context": person.lines[0].context,
                "extension": _number(),
                "priority": 1,
            },
        }
        session.post(f"{pbx_url}/api/calld/1.0/calls", json=body, timeout=5).raise_for_status()

    return call


def _getter(url: str) -> Callable[[], None]:
    session = requests.Session()

    def get() -> None:
        session.get(url, timeout=5).raise_for_status()

    return get


def _api_caller(server: BlueTel, people: list[PbxUser]) -> Callable[[], None]:
    session = requests.Session()
    tokens = _round_robin(server.tokens([_username(person) for person in people[10:]]))

    def call() -> None:
        session.post(
            f"{server.url}/api/v1/calls",
            json={"number": _number()},
            headers={"Authorization": f"Bearer {next(tokens)}"},
            timeout=10,
        ).raise_for_status()

    return call


def _raw_caller(server: BlueTel, token: str) -> Callable[[], tuple[float, int]]:
    def call() -> tuple[float, int]:
        begin = time.perf_counter()
        answer = requests.post(
            f"{server.url}/api/v1/calls",
            json={"number": _number()},
            headers={"Authorization": f"Bearer {token}"},
            timeout=20,
        )
        return time.perf_counter() - begin, answer.status_code

    return call


def _calls_per_second(place: Callable[[], object]) -> float:
    calls = 200
    place()
    begin = time.perf_counter()
    for _ in range(calls):
        place()
    return calls / (time.perf_counter() - begin)


def _traffic(pbx_url: str, ca_file: str) -> dict[str, int]:
    found: dict[str, int] = requests.get(f"{pbx_url}/_stub", timeout=5, verify=ca_file).json()
    return found


def _tell(pbx_url: str, command: str, ca_file: str = "") -> None:
    requests.post(f"{pbx_url}/_stub/{command}", timeout=5, verify=ca_file or True)


def _backend(pbx_url: str, *, ca_file: str = "") -> WazoBackend:
    return WazoBackend(
        PbxConfig(
            name="bench",
            url=pbx_url,
            ca_file=ca_file,
            username="bluetel",
            password="bluetel",  # noqa: S106 — the simulator's own
        )
    )


def _username(person: PbxUser) -> str:
    return person.login or person.email


def _round_robin(things: list[T]) -> Iterator[T]:
    while True:
        yield from things
