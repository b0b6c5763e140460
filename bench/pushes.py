"""W1 to W3: XUC posts every phone's state to BlueTel, one request each, as fast as it can.

A storm is :data:`PUSHES` states of :data:`PEOPLE` people over connections that are kept, as XUC's
own client keeps them. The client is on the same machine and takes its part of it, so the seconds
of a core that BlueTel spends stand beside what the clock says.
"""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests

from bench.figure import Figure
from bench.processes import cpu_seconds, memory
from bench.servers import BlueTel, migrated, serving, simulated_pbx
from bluetel.telephony.simulator.xivo_server.serve import API_KEY

PEOPLE = 2000
PUSHES = 10_000
STORMS = 5
BARE = 2000
CONNECTIONS = 16
PHONES = {0: "available", 8: "ringing", 1: "busy"}
"""XUC's code of a phone's state, and what BlueTel calls it."""
SHOWN_WITHIN = 60.0
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Storm:
    """One storm: seconds by the clock and of a core until the last answer, and until all is shown.

    ``wrong`` people were shown otherwise than their last push said; ``memory`` is in bytes.
    """

    answered: float
    shown: float
    cpu: float
    wrong: int
    memory: int


def run() -> Iterator[Figure]:
    """Post storms, and see after each what the API shows."""
    with simulated_pbx(users=PEOPLE, dialect="xivo") as pbx_url, _site(pbx_url) as (server, path):
        (token,) = server.tokens(["demo1"])
        storms = [_post(server, path, token, seed) for seed in range(STORMS)]
        bare = asyncio.run(_answers(server, ["GET /healthz"] * BARE))
    yield from _figures(storms, bare)


@contextmanager
def _site(pbx_url: str) -> Iterator[tuple[BlueTel, str]]:
    """BlueTel in front of a XiVO that pushes, and the path XUC posts to."""
    with migrated(pbx_url, BENCH_KEY=API_KEY) as ready, tempfile.TemporaryDirectory() as folder:
        connect = ["connect_pbx", "bench", "--kind", "xivo", "--url", pbx_url]
        account = ["--username", "bluetel", "--password-env", "BENCH_PASSWORD"]
        key = ["--api-key-env", "BENCH_KEY"]
        said = ready.manage_all(*connect, *account, *key, "--option", "presence=push")
        people = Path(folder) / "people.csv"
        people.write_text("".join(f"demo{n},{1000 + n},Person {n}\n" for n in range(1, PEOPLE + 1)))
        ready.manage("sync_users", "bench", "--csv", str(people))
        path = next(urlsplit(line).path for line in said if "/xivo/events/" in line)
        with serving(ready) as server:
            yield server, path


def _post(server: BlueTel, path: str, token: str, seed: int) -> Storm:
    chance = random.Random(seed)  # noqa: S311 — a repeatable storm
    last: dict[str, str] = {}
    lines = []
    for _ in range(PUSHES):
        login, code = f"demo{chance.randint(1, PEOPLE)}", chance.choice([*PHONES])
        last[login.replace("demo", "Person ")] = PHONES[code]
        lines.append(f"POST {path} " + json.dumps({"username": login, "status": code}))
    began, spent = time.monotonic(), cpu_seconds(server.pid)
    answered = asyncio.run(_answers(server, lines))
    used = cpu_seconds(server.pid) - spent
    wrong = _wrong(server, token, last)
    while wrong and time.monotonic() - began < SHOWN_WITHIN:
        wrong = _wrong(server, token, last)
    return Storm(
        answered=answered,
        shown=time.monotonic() - began,
        cpu=used,
        wrong=wrong,
        memory=memory(server.pid),
    )


def _wrong(server: BlueTel, token: str, last: Mapping[str, str]) -> int:
    """How many people the API shows in another state than they were last said to be in."""
    answer = requests.get(
        f"{server.url}/api/v1/presence", headers={"Authorization": f"Bearer {token}"}, timeout=30
    )
    shown = {one["name"]: one["phone"] for one in answer.json()["people"]}
    return sum(shown.get(name) != phone for name, phone in last.items())


async def _answers(server: BlueTel, lines: Sequence[str]) -> float:
    """Send requests over kept connections, each line on the one of its user; seconds it took.

    Of one user's states the later must come later, so they go over one connection.
    """
    queues: list[list[bytes]] = [[] for _ in range(CONNECTIONS)]
    host = urlsplit(server.url).netloc
    for number, line in enumerate(lines):
        method, path, *rest = line.split(" ", 2)
        body = rest[0].encode() if rest else b""
        head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n"
        which = hash(json.loads(body)["username"]) if body else number
        queues[which % CONNECTIONS].append(head.encode() + b"\r\n" + body)
    began = time.monotonic()
    await asyncio.gather(*(_send(server, queue) for queue in queues))
    return time.monotonic() - began


async def _send(server: BlueTel, messages: Sequence[bytes]) -> None:
    parts = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    for message in messages:
        writer.write(message)
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.partition(b"\r\n")[0]:
            raise RuntimeError(head.decode())
        length = next(
            (
                int(line[15:])
                for line in head.split(b"\r\n")
                if line.lower()[:15] == b"content-length:"
            ),
            0,
        )
        await reader.readexactly(length)
    writer.close()


def _figures(storms: Sequence[Storm], bare: float) -> Iterator[Figure]:
    fastest = min(storms, key=lambda storm: storm.answered)
    rate = PUSHES / fastest.answered
    cpu = min(storm.cpu for storm in storms) / PUSHES
    yield Figure(
        id="W1",
        value=round(rate),
        unit="pushes a second taken by one process",
        goal="10,000 a second",
        met=rate >= 10_000,
        against=(
            f"{BARE / bare:.0f} a second of /healthz by the same process; "
            f"{cpu * 1000:.2f} ms of a core for a push, so {1 / cpu:.0f} a second of one core"
        ),
    )
    wrong = sum(storm.wrong for storm in storms)
    slowest = max(storm.shown - storm.answered for storm in storms)
    yield Figure(
        id="W2",
        value=wrong,
        unit=f"people of {PEOPLE} shown wrong after {STORMS} storms of {PUSHES} pushes",
        goal="0",
        met=wrong == 0,
        against=f"all shown at most {slowest:.1f} s after the last answer",
    )
    grown = (storms[-1].memory - storms[1].memory) / MEGABYTE
    yield Figure(
        id="W3",
        value=round(grown, 1),
        unit=f"MB that {STORMS - 2} more storms took",
        goal="<= 5 MB",
        met=grown <= 5,
        against=f"{storms[1].memory / MEGABYTE:.0f} MB after two storms",
    )
