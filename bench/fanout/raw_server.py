"""The limit of Python: ``websockets.broadcast``, which encodes once and writes to each socket."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosedError

subscribers: set[ServerConnection] = set()


async def handle(socket: ServerConnection) -> None:
    """``/pub`` publishes what it says; all others are told. The client goes without a word."""
    with suppress(ConnectionClosedError):
        await serve_one(socket)


async def serve_one(socket: ServerConnection) -> None:
    """Publish or subscribe, until the socket ends."""
    request = socket.request
    if request is not None and request.path == "/pub":
        async for text in socket:
            broadcast(subscribers, text)
        return
    subscribers.add(socket)
    try:
        async for _ in socket:
            await socket.send("{}")  # the answer to the hello
    finally:
        subscribers.discard(socket)


async def main(port: int) -> None:
    """Serve for ever."""
    async with serve(handle, "127.0.0.1", port, compression=None, ping_interval=None) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
