"""A dumb player: answers HTTP requests on loopback with what it was told to, and keeps a log.

It knows nothing of Wazo and shares nothing with the simulator, so that a mistake of the simulator
can't hide one of the adapter. ``recording()`` reads one exchange of tests/recordings/wazo.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import IPPROTO_TCP, TCP_NODELAY
from typing import Any
from urllib.parse import parse_qsl, urlsplit

RECORDINGS = Path(__file__).resolve().parents[2] / "recordings" / "wazo"


@dataclass(frozen=True)
class Reply:
    """One answer: a body that is no JSON comes as bytes.

    ``hang`` never answers, ``drop`` closes without an answer, ``stall`` sends the body and then
    nothing more; a header ``X-Length`` promises more bytes than there are. ``after`` holds the
    answer back until that event is set.
    """

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    hang: bool = False
    drop: bool = False
    stall: bool = False
    after: threading.Event | None = None

    def content(self) -> bytes:
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        if isinstance(self.body, dict) and set(self.body) == {"_text"}:
            return str(self.body["_text"]).encode()
        return json.dumps(self.body).encode()


@dataclass(frozen=True)
class Request:
    """One request as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


def recording(name: str) -> dict[str, Any]:
    """One recorded exchange, by ``service/case``."""
    exchange: dict[str, Any] = json.loads((RECORDINGS / f"{name}.json").read_text())
    return exchange


def reply(name: str) -> Reply:
    """The answer of a recorded exchange."""
    response = recording(name)["response"]
    return Reply(response["status"], response["body"], _kept(response["headers"]))


def body_of(name: str) -> Any:
    """The decoded body of a recorded answer."""
    return recording(name)["response"]["body"]


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() == "content-type"}


class Player:
    """The answers by method and path; each plays in turn, the last for ever."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.released = threading.Event()
        self.refused_tokens: dict[str, Reply] = {}
        self._replies: dict[tuple[str, str], deque[Reply]] = {}
        self._lock = threading.Lock()
        self.url = ""

    def answer(self, method: str, path: str, *replies: Reply) -> None:
        """Answer requests of this method and path, from now on."""
        with self._lock:
            self._replies[method, path] = deque(replies)

    def asked(self, method: str, path: str = "") -> list[Request]:
        """The requests of a method whose path begins so."""
        with self._lock:
            return [r for r in self.requests if r.method == method and r.path.startswith(path)]

    def take(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            refusal = self.refused_tokens.get(request.headers.get("X-Auth-Token", ""))
            if refusal is not None:
                return refusal
            found = self._replies.get((request.method, request.path))
            if not found:
                return Reply(404, {"_text": "<h1>Not Found</h1>"}, {"Content-Type": "text/html"})
            return found.popleft() if len(found) > 1 else found[0]


def _handler(player: Player) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 20

        def setup(self) -> None:
            player.connections += 1
            # Else each answer waits for a delayed acknowledgement.
            self.request.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
            super().setup()

        def _any(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            played = player.take(
                Request(
                    method=self.command,
                    path=parts.path,
                    query=dict(parse_qsl(parts.query, keep_blank_values=True)),
                    headers=dict(self.headers.items()),
                    body=json.loads(raw) if raw else None,
                )
            )
            if played.after is not None:
                played.after.wait(15)
            if played.hang:
                player.released.wait(15)
                self.close_connection = True
                return
            if played.drop:
                self.close_connection = True
                return
            content = b"" if self.command == "HEAD" else played.content()
            self.send_response(played.status)
            for name, value in played.headers.items():
                self.send_header(name, value)
            length = int(played.headers.get("X-Length", len(content)))
            if played.status != 204:
                self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(content)
            self.close_connection = length != len(content)
            if played.stall:
                player.released.wait(15)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _any  # noqa: N815 — the library's names

        def log_message(self, *_args: object) -> None:
            """Keep quiet."""

    return Handler


@contextmanager
def playing(certificate: Path | None = None) -> Iterator[Player]:
    """A player on a free loopback port; over TLS where it is given a certificate with its key."""
    player = Player()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(player))
    # A client that refuses the certificate is no error of the server's.
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    scheme = "http" if certificate is None else "https"
    player.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
    try:
        yield player
    finally:
        player.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
