"""E1: from a phone's event at the PBX to the socket of a colleague's page."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator

import requests
from websockets.asyncio.client import connect

from bench.figure import Figure, percentile
from bench.servers import BlueTel, bluetel, pbx_token, simulated_pbx

EVENTS = 100


def run() -> Iterator[Figure]:
    """Plug a phone out and in, and see when a colleague's page knows."""
    with simulated_pbx(users=20) as pbx_url, bluetel(pbx_url) as server:
        yield from asyncio.run(_measure(server))


async def _measure(server: BlueTel) -> list[Figure]:
    bare, through = await _at_the_pbx(server), await _at_the_browser(server)
    p50, p99 = percentile(through, 0.5), percentile(through, 0.99)
    return [
        Figure(
            id="E1",
            value=round(p50, 1),
            unit="ms from the handset to the browser at p50",
            goal="<= the PBX's own event + 25 ms",
            met=p50 <= percentile(bare, 0.5) + 25,
            against=(
                f"the PBX's event on a bare socket: p50 {percentile(bare, 0.5):.1f} ms, "
                f"p99 {percentile(bare, 0.99):.1f} ms; here p99 {p99:.1f} ms"
            ),
        )
    ]


def _signed_in(server: BlueTel) -> requests.Session:
    """A browser's session; the simulated PBX checks the password, for nothing was seeded."""
    session = requests.Session()
    page = session.get(f"{server.url}/accounts/login/", timeout=5)
    token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    session.post(
        f"{server.url}/accounts/login/",
        {"csrfmiddlewaretoken": token, "username": "demo1", "password": "demo"},
        timeout=10,
    ).raise_for_status()
    return session


async def _at_the_browser(server: BlueTel) -> list[float]:
    """Through BlueTel: PBX, engine, hub, socket."""
    session = await asyncio.to_thread(_signed_in, server)
    cookie = "; ".join(f"{one.name}={one.value}" for one in session.cookies)
    answer = await asyncio.to_thread(session.get, f"{server.url}/api/v1/presence", timeout=5)
    people = answer.json()["people"]
    watched = next(person["user_id"] for person in people if person["name"] == "Nadia Belkacem")
    async with connect(
        server.url.replace("http", "ws") + "/ws/live/",
        additional_headers={"Cookie": cookie},
        origin=server.url,  # type: ignore[arg-type]
    ) as socket:
        await socket.send(json.dumps({"type": "watch", "users": [watched]}))

        async def tells(phone: str) -> None:
            while True:
                frame = json.loads(await socket.recv())
                if any(person["phone"] == phone for person in frame.get("people", [])):
                    return

        await tells("available")
        return [await _one(server, tells, index) for index in range(EVENTS)]


async def _at_the_pbx(server: BlueTel) -> list[float]:
    """The limit: the PBX's own event on a bare socket."""
    token = await asyncio.to_thread(pbx_token, server.pbx_url)
    async with connect(
        server.pbx_url.replace("http", "ws") + "/api/websocketd/?version=2",
        additional_headers={"X-Auth-Token": token},
    ) as socket:
        await socket.recv()
        for command in (
            {"op": "subscribe", "data": {"event_name": "chatd_presence_updated"}},
            {"op": "start"},
        ):
            await socket.send(json.dumps(command))
            await socket.recv()

        async def tells(phone: str) -> None:
            wanted = "available" if phone == "available" else "unavailable"
            while True:
                frame = json.loads(await socket.recv())
                if frame["op"] == "event" and frame["data"]["data"]["line_state"] == wanted:
                    return

        return [await _one(server, tells, index) for index in range(EVENTS)]


async def _one(server: BlueTel, tells: Callable[[str], Awaitable[None]], index: int) -> float:
    action, phone = ("unplug", "offline") if index % 2 == 0 else ("plug", "available")
    # Ten a second: each comes to a quiet page, and none waits for the window of the one before.
    await asyncio.sleep(0.1)
    begin = time.perf_counter()
    told = asyncio.create_task(asyncio.wait_for(tells(phone), 10))
    await asyncio.to_thread(
        requests.post, f"{server.pbx_url}/_simulator/phones/1002/{action}", timeout=5
    )
    await told
    return (time.perf_counter() - begin) * 1000
