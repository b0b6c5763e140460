"""Plays recorded websocketd sessions on the same port as a player's HTTP answers.

As dumb as the player: it subscribes nobody, checks nothing, and says what it was told to.
"""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.server import ServerConnection, serve

from tests.contract.wazo.player import Player, playing, recording


def events_of(name: str) -> list[Any]:
    """The event frames of a recorded session."""
    return [
        entry["frame"]
        for entry in recording(f"wazo-websocketd/{name}")["frames"]
        if entry["dir"] == "recv" and isinstance(entry["frame"], dict)
        if entry["frame"].get("op") == "event"
    ]


class SocketPlayer:
    """Speaks websocketd's version 2 to whoever connects."""

    def __init__(self, player: Player) -> None:
        self.http = player
        self.url = ""
        self.clients: list[ServerConnection] = []
        self.tokens: list[str | None] = []
        self.paths: list[str] = []
        self.heard: list[Any] = []
        self.close_at_once: list[int] = []
        self.answers_tokens = True

    @property
    def client(self) -> ServerConnection:
        return self.clients[-1]

    def sent(self, op: str) -> list[Any]:
        """What clients sent of one kind."""
        return [frame for frame in self.heard if frame["op"] == op]

    async def play(self, frames: Sequence[Any]) -> None:
        """Send these frames to the newest client."""
        for frame in frames:
            await self.client.send(frame if isinstance(frame, str) else json.dumps(frame))

    async def handle(self, client: ServerConnection) -> None:
        assert client.request is not None
        self.tokens.append(client.request.headers.get("X-Auth-Token"))
        self.paths.append(client.request.path)
        if self.close_at_once:
            await client.close(self.close_at_once.pop(0))
            return
        self.clients.append(client)
        await client.send(json.dumps({"op": "init", "code": 0, "data": {"version": 2}}))
        async for text in client:
            frame = json.loads(text)
            self.heard.append(frame)
            if frame["op"] == "ping":
                answer = {"op": "pong", "code": 0, "data": frame["data"]}
            elif frame["op"] == "token" and not self.answers_tokens:
                continue
            else:
                answer = {"op": frame["op"], "code": 0, "data": None}
            await client.send(json.dumps(answer))


class _Switch(socketserver.BaseRequestHandler):
    """Leads one connection to the socket's port or to the other, by its first line."""

    ports: tuple[int, int]

    def handle(self) -> None:
        with suppress(OSError):
            first = b""
            while b"\n" not in first:
                first = self.request.recv(4096, socket.MSG_PEEK)
                if not first:
                    return
            port = self.ports["/websocketd/" not in first.split(b"\n")[0].decode()]
            with socket.create_connection(("127.0.0.1", port)) as behind:
                behind.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                back = threading.Thread(target=_pour, args=(behind, self.request), daemon=True)
                back.start()
                _pour(self.request, behind)
                back.join()


def _pour(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def one_port(socket_port: int, http_port: int) -> Iterator[str]:
    """One address for sockets and plain requests; in threads, so that no loop waits for itself."""
    ports = {"ports": (socket_port, http_port)}
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), type("Switch", (_Switch,), ports))
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@asynccontextmanager
async def sockets_playing() -> AsyncIterator[SocketPlayer]:
    """Both players on one port."""
    with playing() as http:
        player = SocketPlayer(http)
        async with serve(
            player.handle, "127.0.0.1", 0, ping_interval=None, close_timeout=0.2
        ) as sockets:
            socket_port = next(iter(sockets.sockets)).getsockname()[1]
            http_port = urlsplit(http.url).port
            assert http_port is not None
            with one_port(socket_port, http_port) as player.url:
                yield player
