from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
import requests
import websockets
from websockets.asyncio.client import connect
from websockets.typing import Origin

from tests.live.servers import Process, Site, free_port, running_site
from tests.live.sockets import hang_up, page, ring, until_heard, until_phone

pytestmark = pytest.mark.timeout(120)

DOWN_WITHIN = 10.0


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


DISABLE = """
from bluetel.accounts.models import User
user = User.objects.get(extension="1009")
user.is_active = False
user.save()
"""


async def test_a_command_that_disables_an_account_ends_its_live_sockets(
    site: Site, served: Process
) -> None:
    async with asyncio.timeout(60), page(served, site.cookie("1009")) as socket:
        await asyncio.to_thread(site.run, "manage.py", "shell", "--command", DISABLE)
        await socket.wait_closed()
    assert socket.close_code == 4401


def _fault(site: Site, **faults: object) -> None:
    requests.post(f"{site.wazo.url}/_simulator/faults", json=faults, timeout=5).raise_for_status()


def test_a_taken_port_is_said_in_one_line(site: Site) -> None:
    port = free_port()
    with closing(socket.create_server(("127.0.0.1", port))):
        said = site.run("manage.py", "serve", "--port", str(port))
    (line,) = said.splitlines()
    assert f"can't listen on 127.0.0.1:{port}: Address already in use" in line


def cores_of(process: Process) -> set[int]:
    """Where its threads may run, all together."""
    cores: set[int] = set()
    for task in Path(f"/proc/{process.process.pid}/task").iterdir():
        with suppress(ProcessLookupError):  # it has ended
            cores |= os.sched_getaffinity(int(task.name))
    return cores


def test_a_server_is_on_one_core_and_uvicorn_as_the_system_has_it(
    served: Process, scaled_out: Process
) -> None:
    assert len(cores_of(served)) == 1
    assert cores_of(scaled_out) == os.sched_getaffinity(0)


def test_a_server_may_be_left_to_the_system(site: Site) -> None:
    assert cores_of(site.serve(BLUETEL_ONE_CORE="false")) == os.sched_getaffinity(0)
