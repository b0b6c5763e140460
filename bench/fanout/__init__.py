"""F1 to F11: what it costs to tell many pages, beside the limit, a tutorial's way and a peer in C.

All servers of a figure run in the same minutes, in turns and in shuffled order; the median of the
rounds counts. The processor's time is the gate, for the clock measures the machine's other work,
too. Each event is 200 bytes and is followed from where a web process hears of it to the sockets of
signed-in pages; on the way through the hub it comes out as a whole record of some 380 bytes.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.fanout import servers
from bench.fanout.servers import Load, Server
from bench.figure import Figure

ROUNDS = 5
SOCKETS = 1000
MANY = 2000
WINDOW_MS = 50
Options = tuple[str, ...]
Part = Callable[[Path], Iterator[Figure]]
EVERYTHING: Options = ("--users", "50", "--watch", "50", "--at-once", "20")
PACED: Options = ("--sockets", str(SOCKETS), *EVERYTHING, "--rate", "10", "--seconds", "2")
FLOOD: Options = ("--sockets", str(SOCKETS), *EVERYTHING, "--inflight", "32", "--seconds", "2")
STORM: Options = ("--sockets", str(SOCKETS), *EVERYTHING, "--rate", "100", "--seconds", "3")
NAIVE_FLOOD: Options = ("--sockets", str(SOCKETS), *EVERYTHING, "--inflight", "2", "--seconds", "2")


@dataclass(frozen=True, slots=True)
class Goals:
    """What is asked of the hub on one kind of server."""

    kind: str
    cost: float
    throughput: float
    against_naive: float
    kept_up: float
    storm_p99: float
    reconnect: float


DAPHNE = Goals("daphne", 5, 0.2, 10, 0.90, 350, 15)
UVICORN = Goals("uvicorn", 1.5, 0.6, 15, 0.95, 150, 8)


BOTH = (DAPHNE, UVICORN)


def run() -> Iterator[Figure]:
    """Storm and growth first: they are what people feel."""
    for one in singles().values():
        yield from one()


def singles() -> Mapping[str, Callable[[], Iterator[Figure]]]:
    """Each part by its name, which says what is measured."""
    parts: dict[str, Part] = {
        "storm": _storm,
        **{f"slow-{goals.kind}": partial(_slow_reader, goals) for goals in BOTH},
        "growth": _growth,
        "groups": _groups,
        **{f"arriving-{goals.kind}": partial(_arriving, goals) for goals in BOTH},
        "deliveries": _fan_out,
    }
    return {f"fanout-{name}": partial(_with_client, part) for name, part in parts.items()}


def _with_client(part: Part) -> Iterator[Figure]:
    with servers.compiled_client() as client:
        yield from part(client)


def _rounds(
    client: Path,
    contenders: dict[str, tuple[Server, Options]],
    rounds: int = ROUNDS,
) -> dict[str, list[Load]]:
    """Let them take turns."""
    found: dict[str, list[Load]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name in random.sample(list(contenders), len(contenders)):
            server, options = contenders[name]
            found[name].append(servers.load(client, server, *options))
    return found


def _median(loads: list[Load], of: Callable[[Load], float]) -> float:
    return statistics.median(map(of, loads))


def _p50(load: Load) -> float:
    return float(load.result["p50"])


def _p99(load: Load) -> float:
    return float(load.result["p99"])


def _stale(loads: list[Load]) -> int:
    return sum(int(load.result["stale"]) for load in loads)


def _kept_up(load: Load) -> float:
    return float(load.result["delivered"]) / float(load.result["expected"])


Contenders = dict[str, tuple[Server, Options]]


def _fan_out(client: Path) -> Iterator[Figure]:
    """All servers stand side by side: both of ours, the limit, a tutorial's way and the peer."""
    with ExitStack() as stack:
        hubs = {goals.kind: stack.enter_context(servers.hub(goals.kind)) for goals in BOTH}
        raw, naive = stack.enter_context(servers.raw()), stack.enter_context(servers.naive())
        slow: Contenders = {name: (one, PACED) for name, one in {**hubs, "raw": raw}.items()}
        fast: Contenders = {name: (one, FLOOD) for name, one in {**hubs, "raw": raw}.items()}
        fast["naive"] = naive, NAIVE_FLOOD
        if servers.has_nchan():
            nchan = stack.enter_context(servers.nchan())
            slow["nchan"], fast["nchan"] = (nchan, _all(PACED)), (nchan, _all(FLOOD))
        paced, flood = _rounds(client, slow), _rounds(client, fast)
    for goals in BOTH:
        yield from _fan_out_figures(goals, paced, flood)


def _all(options: Options) -> Options:
    """The same for a server where everybody hears everything."""
    return (*options, "--watch", "0")


def _fan_out_figures(
    goals: Goals, paced: dict[str, list[Load]], flood: dict[str, list[Load]]
) -> Iterator[Figure]:
    costs = {name: _median(loads, lambda load: load.per_delivery) for name, loads in paced.items()}
    cost = costs[goals.kind] / costs["raw"]
    yield Figure(
        id="F1",
        value=round(cost, 2),
        unit="times the processor's time of websockets.broadcast for one delivery",
        goal=f"<= {goals.cost:g} on {goals.kind}",
        met=cost <= goals.cost,
        against=f"{_listed(costs, 'us a delivery')}, {SOCKETS} pages",
    )
    speeds = {
        name: _median(loads, lambda load: load.deliveries_per_second)
        for name, loads in flood.items()
    }
    speed = speeds[goals.kind] / speeds["raw"]
    yield Figure(
        id="F2",
        value=round(speed, 2),
        unit="times the deliveries a second of websockets.broadcast",
        goal=f">= {goals.throughput:g} on {goals.kind}",
        met=speed >= goals.throughput,
        against=", ".join(f"{name} {round(one):,}/s" for name, one in speeds.items()),
    )
    flood_costs = {
        name: _median(loads, lambda load: load.per_delivery) for name, loads in flood.items()
    }
    times = flood_costs["naive"] / flood_costs[goals.kind]
    yield Figure(
        id="F3",
        value=round(times, 1),
        unit="times cheaper a delivery than one Channels group on daphne",
        goal=f">= {goals.against_naive:g} on {goals.kind}",
        met=times >= goals.against_naive,
        against=_listed(flood_costs, "us a delivery"),
    )
    late = {name: _median(loads, _p99) for name, loads in paced.items()}
    yield Figure(
        id="F4",
        value=round(late[goals.kind], 1),
        unit="ms at p99 from the event to the page, 10 events a second to 1000 pages",
        goal=f"<= the window + 1.5 times websockets.broadcast on {goals.kind}",
        met=late[goals.kind] <= WINDOW_MS + 1.5 * late["raw"],
        against=_listed(late, "ms"),
    )


def _listed(values: dict[str, float], unit: str) -> str:
    return ", ".join(f"{name} {value:.1f} {unit}" for name, value in values.items())


def _storm(client: Path) -> Iterator[Figure]:
    with ExitStack() as stack:
        contenders: Contenders = {
            goals.kind: (stack.enter_context(servers.hub(goals.kind)), STORM) for goals in BOTH
        }
        contenders["raw"] = stack.enter_context(servers.raw()), PACED
        if servers.has_nchan():
            contenders["nchan"] = stack.enter_context(servers.nchan()), _all(STORM)
        found = _rounds(client, contenders, rounds=3)
    costs = {name: _median(loads, lambda load: load.per_delivery) for name, loads in found.items()}
    peer = f"; nchan's p99 {_median(found['nchan'], _p99):.1f} ms" if "nchan" in found else ""
    for goals in BOTH:
        loads = found[goals.kind]
        kept_up, p99, stale = _median(loads, _kept_up), _median(loads, _p99), _stale(loads)
        yield Figure(
            id="F5",
            value=round(p99, 1),
            unit="ms at p99 under 100 events a second to 1000 pages",
            goal=(
                f"<= {goals.storm_p99:g} ms, {goals.kept_up:.0%} shown, no last state lost, "
                f"on {goals.kind}"
            ),
            met=p99 <= goals.storm_p99 and kept_up >= goals.kept_up and not stale,
            against=(
                f"{kept_up:.1%} shown, {stale} last states lost; "
                f"{_listed(costs, 'us a delivery')}, raw at 10 events a second{peer}"
            ),
        )


def _slow_reader(goals: Goals, client: Path) -> Iterator[Figure]:
    paused = SOCKETS // 100
    with servers.hub(goals.kind) as hub:
        contenders = {"all": (hub, STORM), "slow": (hub, (*STORM, "--paused", str(paused)))}
        found = _rounds(client, contenders, rounds=3)
    without, beside = (_median(found[name], _p99) for name in ("all", "slow"))
    kept = _median(found["slow"], lambda load: load.memory) / paused / 1024
    yield Figure(
        id="F11",
        value=round(beside / without, 2),
        unit="times the others' p99 while 1 in 100 pages doesn't read",
        goal=f"<= 1.3 times, and <= 256 KiB kept for each, on {goals.kind}",
        met=beside <= 1.3 * without and kept <= 256,
        against=f"p99 {without:.1f} and {beside:.1f} ms; {max(0, kept):.0f} KiB kept for each",
    )


def _growth(client: Path) -> Iterator[Figure]:
    """Each event has five watchers, however many people there are."""
    options: Options = ("--sockets", "100", "--users", "1000", "--watch", "50", "--at-once", "20")
    options = (*options, "--rate", "200", "--seconds", "3")
    costs = {}
    for population in (1_000, 10_000, 100_000):
        with servers.hub("daphne", population=population) as hub:
            loads = _rounds(client, {"hub": (hub, options)}, rounds=3)["hub"]
        costs[population] = _median(loads, lambda load: load.per_event)
    growth = costs[100_000] / costs[1_000]
    yield Figure(
        id="F6",
        value=round(growth, 2),
        unit="times the cost of an event with 5 watchers among 100,000 people as among 1,000",
        goal="<= 1.5",
        met=growth <= 1.5,
        against=", ".join(f"{count:,}: {cost:.0f} us" for count, cost in costs.items()),
    )


def _groups(client: Path) -> Iterator[Figure]:
    options = ("--sockets", str(SOCKETS), "--users", "1000", "--watch", "50", "--at-once", "20")
    with servers.hub("uvicorn") as hub, servers.naive(per_user=True) as naive:
        found = _rounds(
            client,
            {
                "hub": (hub, (*options, "--rate", "100", "--seconds", "3")),
                "naive": (naive, (*options, "--rate", "5", "--seconds", "3")),
            },
            rounds=3,
        )
    costs = {name: _median(loads, lambda load: load.per_event) for name, loads in found.items()}
    times = costs["naive"] / costs["hub"]
    yield Figure(
        id="F7",
        value=round(times, 1),
        unit="times cheaper an event than a Channels group for each user, 1000 pages of 50 people",
        goal=">= 20 on uvicorn",
        met=times >= 20,
        against=f"{costs['naive']:.0f} us against {costs['hub']:.0f} us an event",
    )


def _arriving(goals: Goals, client: Path) -> Iterator[Figure]:
    """Everybody at once after a restart."""
    options = ("--sockets", str(MANY), *EVERYTHING, "--seconds", "0")
    hub = _first(client, lambda: servers.hub(goals.kind), options)
    raw = _first(client, servers.raw, options)
    yield Figure(
        id="F8",
        value=round(hub.memory_connecting / MANY / 1024, 1),
        unit="KiB of memory for a page that watches 50 people",
        goal=f"<= 45 on {goals.kind}, sessions apart",
        met=hub.memory_connecting / MANY / 1024 <= 45,
        against=f"websockets: {raw.memory_connecting / MANY / 1024:.1f} KiB",
    )
    with servers.hub(goals.kind) as server:
        watching = ("--sockets", "500", *EVERYTHING, "--again", "1", "--seconds", "0")
        again = servers.load(client, server, *watching)
    p99, cpu_ms = float(again.result["subscribe_p99"]), again.cpu / 500 * 1000
    yield Figure(
        id="F9",
        value=round(p99, 2),
        unit="ms at p99 from watching 50 people to their states",
        goal=f"<= 20 ms and 1 ms of a core on {goals.kind}",
        met=p99 <= 20 and cpu_ms <= 1,
        against=f"p50 {float(again.result['subscribe_p50']):.2f} ms, {cpu_ms:.2f} ms of a core",
    )
    costs = [one.cpu_connecting / MANY * 1000 for one in (hub, raw)]
    yield Figure(
        id="F10",
        value=round(costs[0] / costs[1], 1),
        unit="times the cost of a bare socket to come back: session, watch and states of 50 people",
        goal=f"<= {goals.reconnect:g} times and all {MANY} within 10 s on {goals.kind}",
        met=costs[0] / costs[1] <= goals.reconnect and float(hub.result["up_in"]) <= 10,
        against=f"{costs[0]:.2f} and {costs[1]:.2f} ms; all back in {hub.result['up_in']:.1f} s",
    )


def _first(
    client: Path,
    open_server: Callable[[], AbstractContextManager[Server]],
    options: Options,
) -> Load:
    """The first load on a fresh server."""
    with open_server() as server:
        return servers.load(client, server, *options)
