"""``/ws/live/``: the browser's one WebSocket, a plain ASGI application.

It pushes; commands go by HTTP. Only ``watch`` and ``resync`` are understood. A missing or foreign
``Origin`` is refused before the handshake ends; somebody not signed in is accepted and closed with
4401, for a browser can't tell a refused handshake from a broken network and would try for ever.
Nothing here blocks: what reads the database runs in the hub's threads. The server pings.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.http import parse_cookie
from django.http.request import validate_host

from bluetel.accounts.models import User
from presence import feed as feeds
from presence import metrics, selectors
from presence.messages import ErrorCode, ErrorFrame
from presence.promptly import begin
from presence.recent import KEPT
from presence.sessions import digest_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from presence.feed import Feed
    from presence.sessions import Visitor

    Receive = Callable[[], Awaitable[Mapping[str, Any]]]
    Send = Callable[[Mapping[str, Any]], Awaitable[None]]

logger = logging.getLogger(__name__)

FRAME_LIMIT = 64 * 1024
WATCH_LIMIT = 500
SOCKETS_PER_USER = 20
BURST = 20
FRAMES_PER_SECOND = 2.0
BACKLOG_FRAMES = 100
RESYNC = '{"type":"resync"}'


class Closing(NamedTuple):
    """With which code a socket is closed, and with which error the browser is told before."""

    code: int
    error: ErrorCode | None = None


NOT_SIGNED_IN = Closing(4401)
TOO_MANY_SOCKETS = Closing(4429, "too_many_sockets")
TOO_MANY_FRAMES = Closing(4429, "too_many_frames")
TOO_BIG = Closing(1009, "frame_too_large")
TRY_LATER = Closing(1013)
FOREIGN = Closing(1008)


class Socket:
    """One page. A frame goes straight to the server; what the server doesn't take now waits here.

    While something waits the hub gives it no more states, so what a browser that doesn't read can
    pile up is bounded; calls that pile up all the same are cut, and the page is told to read again.
    """

    __slots__ = (
        "__weakref__",
        "_feed",
        "_frames",
        "_reading",
        "_send",
        "_writing",
        "closing",
        "pbx",
        "session_key",
        "user_id",
    )

    def __init__(self, visitor: Visitor, session_key: str, *, send: Send, feed: Feed) -> None:
        """Called in the task that is to read from the browser, which :meth:`end` cancels."""
        self.user_id = visitor.user_id
        self.pbx = visitor.pbx
        self.session_key = session_key
        self.closing: Closing | None = None
        self._send = send
        self._feed = feed
        self._frames: deque[str] | None = None
        self._writing: asyncio.Task[None] | None = None
        self._reading = asyncio.current_task()

    @property
    def session(self) -> str:
        """What names its session on the channel layer."""
        return digest_of(self.session_key)

    @property
    def is_busy(self) -> bool:
        """Whether earlier frames wait for the browser."""
        return self._writing is not None

    def push(self, frame: str) -> None:
        """Send a frame, or queue it behind those that wait."""
        if self._writing is None:
            self._write(frame)
            return
        if self._frames is None:
            self._frames = deque()
        if len(self._frames) >= BACKLOG_FRAMES:
            metrics.CUT.inc()
            self._frames.clear()
            self._frames.append(RESYNC)
        self._frames.append(frame)

    def check_session(self) -> None:
        """Have the session looked at soon."""
        self._feed.look_at(self)

    def end(self, closing: Closing = NOT_SIGNED_IN) -> None:
        """Close."""
        if self.closing is None:
            self.closing = closing
            if self._reading is not None:
                self._reading.cancel()

    def _write(self, frame: str) -> None:
        try:
            rest = begin(self._send({"type": "websocket.send", "text": frame}))
        except Exception as error:  # noqa: BLE001 — whatever the server raises
            self._break(error)
            return
        if rest is not None:
            self._writing = asyncio.create_task(self._write_on(rest))

    async def _write_on(self, rest: Coroutine[Any, Any, None]) -> None:
        """Wait until the server has taken a frame, then send those that came meanwhile."""
        try:
            await rest
            while self._frames:
                await self._send({"type": "websocket.send", "text": self._frames.popleft()})
        except Exception as error:  # noqa: BLE001 — whatever the server raises
            self._break(error)
            return
        self._frames = self._writing = None
        self._feed.hub.drained(self)

    def _break(self, error: Exception) -> None:
        logger.info("a live socket broke: %r", error)
        self.end(TRY_LATER)

    async def aclose(self) -> None:
        """Write no more."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)


async def live_socket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Serve one socket."""
    event = await receive()
    if event["type"] != "websocket.connect":
        return
    headers = dict(scope["headers"])
    if not _is_own_origin(headers):
        await _close(send, FOREIGN)
        return
    session_key = _session_key(headers)
    del scope, headers  # what stays for hours is what it costs
    closing = await _serve(session_key, receive, send)
    if closing is not None:
        await _close(send, closing)


async def no_socket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Refuse a handshake at any other address."""
    await receive()
    await _close(send, FOREIGN)


async def _close(send: Send, closing: Closing) -> None:
    if closing.error is not None:
        await send({"type": "websocket.send", "text": _error(closing.error)})
    await send({"type": "websocket.close", "code": closing.code, "reason": closing.error})


async def _serve(session_key: str, receive: Receive, send: Send) -> Closing | None:
    """Serve who is signed in until his page goes (None), or until it must.

    What happens after a page was accepted, it is told: so it is known first who he is.
    """
    feed = feeds.this_process()
    visitor, refusal = await _visitor(session_key, feed)
    await send({"type": "websocket.accept", "subprotocol": None, "headers": ()})
    if visitor is None:
        return refusal
    socket = Socket(visitor, session_key, send=send, feed=feed)
    feed.hub.join(socket)
    try:
        return await _Reader(socket, feed, receive).run()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if socket.closing is None or task is None or task.uncancel():
            raise  # the server ends it, not the socket
        return socket.closing
    finally:
        feed.hub.leave(socket)
        await socket.aclose()


async def _visitor(session_key: str, feed: Feed) -> tuple[Visitor | None, Closing]:
    """Who comes, or None and why he is turned away."""
    try:
        visitor = await feed.doorkeeper.visitor(session_key) if session_key else None
    except Exception:
        logger.exception("a session could not be looked up")
        return None, TRY_LATER
    if visitor is not None and feed.hub.page_count(visitor.user_id) >= SOCKETS_PER_USER:
        return None, TOO_MANY_SOCKETS
    return visitor, NOT_SIGNED_IN


class _Reader:
    """What the browser says, as far as it may."""

    __slots__ = ("_feed", "_filled_at", "_receive", "_socket", "_tokens")

    def __init__(self, socket: Socket, feed: Feed, receive: Receive) -> None:
        self._socket = socket
        self._feed = feed
        self._receive = receive
        self._tokens = float(BURST)
        self._filled_at = asyncio.get_running_loop().time()

    async def run(self) -> Closing | None:
        """Read until the browser goes (None), or until it must."""
        while True:
            event = await self._receive()
            if event["type"] == "websocket.disconnect":
                return None
            if event["type"] != "websocket.receive":
                continue
            text = event.get("text")
            if len(text or event.get("bytes") or "") > FRAME_LIMIT:
                return TOO_BIG
            if not self._may_speak():
                return TOO_MANY_FRAMES
            await self._understand(text)

    def _may_speak(self) -> bool:
        """Take a token from the bucket."""
        now = asyncio.get_running_loop().time()
        self._tokens = min(float(BURST), self._tokens + (now - self._filled_at) * FRAMES_PER_SECOND)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    async def _understand(self, text: str | None) -> None:
        try:
            frame = json.loads(text) if text is not None else None
        except (ValueError, RecursionError):
            frame = None
        if not isinstance(frame, dict):
            self._complain("invalid_message")
            return
        match frame.get("type"):
            case "watch":
                await self._watch(frame.get("users"), age=_seconds(frame.get("age")))
            case "resync":
                await self._feed.ready.wait()
                self._feed.hub.resync(self._socket)
            case _:
                self._complain("unknown_message")

    async def _watch(self, users: object, *, age: float) -> None:
        """Begin to watch; the first snapshot waits until this process knows the states."""
        match users:
            case "all":
                ids = None
            case "team":
                viewer = User(pk=int(self._socket.user_id))
                ids = await self._feed.in_thread(selectors.team_ids, viewer)
            case list() if all(isinstance(one, str) for one in users):
                ids = cast("list[str]", users)
                if len(ids) > WATCH_LIMIT:
                    self._complain("too_many_users")
                    return
            case _:
                self._complain("invalid_message")
                return
        await self._feed.ready.wait()
        self._feed.hub.watch(self._socket, ids, age=age)

    def _complain(self, code: ErrorCode) -> None:
        self._socket.push(_error(code))


def _error(code: ErrorCode) -> str:
    return json.dumps(ErrorFrame(type="error", code=code))


def _seconds(value: object) -> float:
    """A time that a browser sent; none at all when it is no such thing."""
    return float(min(value, KEPT)) if isinstance(value, int | float) and value > 0 else 0.0


def _session_key(headers: Mapping[bytes, bytes]) -> str:
    """The key of the session that the page's cookie names; empty without one."""
    cookies = parse_cookie(headers.get(b"cookie", b"").decode("latin-1"))
    return cookies.get(settings.SESSION_COOKIE_NAME, "")


def _is_own_origin(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the page that asks is ours: no other site may read states with our cookie."""
    origin = headers.get(b"origin", b"").decode("latin-1")
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    try:
        parts = urlsplit(origin)
        hostname = parts.hostname
    except ValueError:  # brackets that are no IPv6 address
        parts, hostname = urlsplit(""), None
    if (
        hostname
        and parts.netloc == headers.get(b"host", b"").decode("latin-1")
        and parts.scheme == ("https" if settings.ENV.is_https else "http")
        and validate_host(hostname, settings.ALLOWED_HOSTS)
    ):
        return True
    logger.warning("refused a live socket for the origin %.100r", origin)
    return False
