from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest
import requests
import websockets
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from tests.live.servers import Process, Site, free_port, running_site
from tests.servers import ServerOf

pytestmark = pytest.mark.timeout(120)

DOWN_WITHIN = 10.0
STOPPED_WITHIN = 10.0
SUCCEEDED_WITHIN = 40.0
"""The lease's ten seconds or PostgreSQL's fifteen, the start of a process, and a busy machine."""

FREEZE = """
import django, os, signal
django.setup()
from django.db import transaction
from django.utils import timezone
from bluetel.work import leases
from bluetel.work.owners import own_name
held = leases.take(leases.ENGINE, owner=own_name(), now=timezone.now())
with transaction.atomic():
    leases.check(held, now=timezone.now())
    print("about to freeze", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
"""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with running_site() as site:
        yield site


@pytest.fixture(scope="module")
def served(site: Site) -> Process:
    """Daphne and an engine in one process."""
    return site.serve()


@pytest.fixture(scope="module")
def scaled_out(site: Site, served: Process) -> Process:
    """One more web process, on uvicorn."""
    return site.uvicorn()


@pytest.fixture
def process(request: pytest.FixtureRequest) -> Process:
    found: Process = request.getfixturevalue(request.param)
    return found


either = pytest.mark.parametrize(
    "process",
    [pytest.param("served", id="daphne"), pytest.param("scaled_out", id="uvicorn")],
    indirect=True,
)


@asynccontextmanager
async def page(process: Process, cookie: str = "", *, origin: str | None = None) -> Any:
    address = process.url.replace("http", "ws", 1) + "/ws/live/"
    headers = {"Cookie": cookie} if cookie else {}
    async with connect(
        address, additional_headers=headers, origin=Origin(origin or process.url)
    ) as opened:
        yield opened


async def frame(socket: ClientConnection, kind: str) -> dict[str, Any]:
    while True:
        found: dict[str, Any] = json.loads(await socket.recv())
        if found["type"] == kind:
            return found


async def watch(socket: ClientConnection, *users: str) -> dict[str, str]:
    await socket.send(json.dumps({"type": "watch", "users": users}))
    return phones(await frame(socket, "presence.snapshot"))


async def until_phone(socket: ClientConnection, user: str, state: str) -> None:
    """By a change, or by asking again, as a page does that was told to."""
    while phones(await frame(socket, "presence.changes")).get(user) != state:
        pass


def phones(presence: dict[str, Any]) -> dict[str, str]:
    return {person["user_id"]: person["phone"] for person in presence["people"]}


async def until_heard(socket: ClientConnection, user: str) -> None:
    if (await watch(socket, user))[user] != "available":
        await until_phone(socket, user, "available")


def ring(site: Site, extension: str) -> None:
    site.wazo.do(lambda model: model.call_in("0199004217", name="Hélène", to=extension))


def hang_up(site: Site, extension: str) -> None:
    site.wazo.do(lambda model: model.put_down(model.lines[extension][1].legs[0]))


@either
async def test_a_call_shows_live_on_a_colleagues_page(site: Site, process: Process) -> None:
    nadia = site.user_id("1002")
    async with asyncio.timeout(30), page(process, site.cookie("1001")) as socket:
        await until_heard(socket, nadia)
        await asyncio.to_thread(ring, site, "1002")
        await until_phone(socket, nadia, "ringing")
        await asyncio.to_thread(hang_up, site, "1002")
        await until_phone(socket, nadia, "available")


@either
async def test_a_socket_at_another_address_is_refused_in_the_handshake(process: Process) -> None:
    address = process.url.replace("http", "ws", 1) + "/ws/elsewhere/"
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with connect(address, origin=Origin(process.url)):
            pass
    assert refused.value.response.status_code == 403


@either
async def test_a_foreign_origin_is_refused_in_the_handshake(site: Site, process: Process) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with page(process, site.cookie("1001"), origin="https://evil.test"):
            pass
    assert refused.value.response.status_code == 403


@either
async def test_a_stranger_is_closed_with_4401(process: Process) -> None:
    async with page(process) as socket:
        with pytest.raises(websockets.ConnectionClosed):
            await socket.recv()
    assert socket.close_code == 4401


@either
async def test_a_cut_stream_shows_on_the_page_and_so_does_its_return(
    site: Site, process: Process
) -> None:
    nadia = site.user_id("1002")
    async with asyncio.timeout(60), page(process, site.cookie("1001")) as socket:
        await until_heard(socket, nadia)
        await asyncio.to_thread(
            _fault, site, refuse_logins=True, expire_tokens=True, drop_stream=True
        )
        began = time.monotonic()
        await until_phone(socket, nadia, "unknown")
        assert time.monotonic() - began < DOWN_WITHIN
        await asyncio.to_thread(_fault, site, refuse_logins=False)
        await until_phone(socket, nadia, "available")


def _fault(site: Site, **faults: object) -> None:
    requests.post(f"{site.wazo.url}/_simulator/faults", json=faults, timeout=5).raise_for_status()


def test_a_taken_port_is_said_in_one_line(site: Site) -> None:
    port = free_port()
    with closing(socket.create_server(("127.0.0.1", port))):
        said = site.run("manage.py", "serve", "--port", str(port))
    (line,) = said.splitlines()
    assert f"can't listen on 127.0.0.1:{port}: Address already in use" in line


# --- Processes that end: these need a site of their own -------------------------------------------


async def test_when_a_server_is_killed_another_takes_over_and_pages_stay_right() -> None:
    with running_site() as site:
        first, second = site.serve(), site.serve()
        nadia = site.user_id("1002")
        async with asyncio.timeout(90), page(second, site.cookie("1001")) as socket:
            await until_heard(socket, nadia)
            first.process.kill()
            began = time.monotonic()
            await asyncio.to_thread(ring, site, "1002")
            await until_phone(socket, nadia, "ringing")
            assert time.monotonic() - began < 15


async def test_a_frozen_engine_is_succeeded_and_says_nothing_when_it_wakes() -> None:
    with running_site() as site:
        first, second = site.serve(), site.serve()
        nadia = site.user_id("1002")
        async with asyncio.timeout(100), page(second, site.cookie("1001")) as socket:
            await until_heard(socket, nadia)
            first.process.send_signal(signal.SIGSTOP)
            await asyncio.to_thread(ring, site, "1002")
            await until_phone(socket, nadia, "ringing")
            first.process.send_signal(signal.SIGCONT)
            await asyncio.to_thread(first.wait_until_said, "off duty")
            async with page(first, site.cookie("1003")) as awake:
                if (await watch(awake, nadia))[nadia] != "ringing":
                    await until_phone(awake, nadia, "ringing")
            assert (await watch(socket, nadia))[nadia] == "ringing"
            await asyncio.to_thread(hang_up, site, "1002")
            await until_phone(socket, nadia, "available")


def test_an_engine_frozen_within_a_transaction_is_succeeded_too(server: ServerOf) -> None:
    with running_site(DATABASE_URL=server("postgresql").url, REDIS_URL=server("redis").url) as site:
        site.start("-c", FREEZE).wait_until_said("about to freeze")
        began = time.monotonic()
        site.engine()
        assert time.monotonic() - began < SUCCEEDED_WITHIN


async def test_an_engine_alone_is_heard_by_web_processes_through_redis(server: ServerOf) -> None:
    redis = os.environ.get("REDIS_URL") or server("redis").url
    with running_site(REDIS_URL=redis) as site:
        engine, web = site.engine(), site.uvicorn()
        nadia = site.user_id("1002")
        async with asyncio.timeout(60), page(web, site.cookie("1001")) as socket:
            await until_heard(socket, nadia)
            await asyncio.to_thread(ring, site, "1002")
            await until_phone(socket, nadia, "ringing")
            engine.process.terminate()
            assert await asyncio.to_thread(engine.process.wait, 10) == 0
            await until_phone(socket, nadia, "unknown")


def test_a_server_that_is_told_to_stop_does_so_at_once_and_can_start_again() -> None:
    with running_site() as site:
        for number in (signal.SIGTERM, signal.SIGINT):
            process = site.serve()
            began = time.monotonic()
            process.process.send_signal(number)
            assert process.process.wait(30) == 0
            assert time.monotonic() - began < STOPPED_WITHIN
