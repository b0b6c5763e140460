from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from websockets.asyncio.client import connect

from tests.live.paced_program import FRAMES, SIZE
from tests.live.servers import free_port

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def port() -> Iterator[int]:
    """Where a talkative application listens."""
    port = free_port()
    program = [sys.executable, "-m", "tests.live.paced_program", str(port)]
    with subprocess.Popen(program, cwd=ROOT) as process:
        try:
            yield port
        finally:
            process.terminate()


async def opened(port: int) -> socket.socket:
    """A connection that has little room of its own, as soon as somebody listens."""
    loop = asyncio.get_running_loop()
    while True:
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
        try:
            await loop.sock_connect(connection, ("127.0.0.1", port))
        except ConnectionRefusedError:
            connection.close()
            await asyncio.sleep(0.05)
        else:
            return connection


HELLO = (
    "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
CLOSES = b"\x88\x02\x03\xe8"
"""The frame that closes with 1000."""


async def test_a_page_that_is_slow_to_close_is_not_cut_off(port: int) -> None:
    (await opened(port)).close()
    async with asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2 * FRAMES * SIZE)
        writer.write(HELLO.encode())
        await reader.readuntil(CLOSES)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(reader.read(), 1.5)
        writer.close()


async def test_a_page_that_does_not_read_holds_up_its_application_and_loses_nothing(
    port: int,
) -> None:
    async with (
        asyncio.timeout(60),
        connect(
            f"ws://127.0.0.1:{port}/", sock=await opened(port), max_queue=1, compression=None
        ) as page,
    ):
        taken = await asyncio.to_thread(requests.get, f"http://127.0.0.1:{port}/", timeout=50)
        assert 0 < int(taken.text) * SIZE < FRAMES * SIZE / 2
        texts = [str(text) async for text in page]
    assert [int(text.split(" ")[0]) for text in texts] == list(range(FRAMES))
    assert {len(text) for text in texts} == {SIZE}
