"""``/ws/live/``: the browser's one WebSocket, a plain ASGI application.

It pushes; commands go by HTTP. Only ``watch`` and ``resync`` are understood. A missing or foreign
``Origin`` is refused before the handshake ends; somebody not signed in is accepted and closed with
4401, for a browser can't tell a refused handshake from a broken network and would try for ever.
Nothing here blocks: what reads the database runs in the hub's threads. The server pings.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import deque
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import validate_host

from presence import feed as feeds
from presence import metrics, selectors
from presence.messages import ErrorFrame
from presence.sessions import digest_of, still_holds

if TYPE_CHECKING:
    from asgiref.typing import ASGIReceiveCallable, ASGISendCallable

    from presence.feed import Feed

logger = logging.getLogger(__name__)

CHECK_SESSION_EVERY = 240.0
FRAME_LIMIT = 64 * 1024
WATCH_LIMIT = 500
SOCKETS_PER_USER = 20
BURST = 20
FRAMES_PER_SECOND = 2.0
BACKLOG_FRAMES = 100
RESYNC = '{"type":"resync"}'

NOT_SIGNED_IN = 4401
TOO_MUCH = 4429
TOO_BIG = 1009
TRY_LATER = 1013

ErrorCode = Literal["invalid_message", "unknown_message", "too_many_users"]


class Socket:
    """One page: what it is sent goes through a queue that its own task empties.

    While the queue is not empty the hub gives it no more states, so what a browser that doesn't
    read can pile up is bounded; calls that pile up all the same are cut, and the page is told to
    read again.
    """

    def __init__(
        self, *, user_id: str, pbx: int | None, session_key: str, send: ASGISendCallable, feed: Feed
    ) -> None:
        self.user_id = user_id
        self.pbx = pbx
        self.session = digest_of(session_key)
        self._session_key = session_key
        self._send = send
        self._feed = feed
        self._frames: deque[str] = deque()
        self._is_writing = False
        self._wake = asyncio.Event()
        self._look = asyncio.Event()
        self.closing: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def is_busy(self) -> bool:
        """Whether earlier frames wait for the browser."""
        return self._is_writing or bool(self._frames)

    def push(self, frame: str) -> None:
        """Queue a frame."""
        if len(self._frames) >= BACKLOG_FRAMES:
            metrics.CUT.inc()
            self._frames.clear()
            self._frames.append(RESYNC)
        self._frames.append(frame)
        self._wake.set()

    def check_session(self) -> None:
        """Have the session looked at soon."""
        self._look.set()

    def end(self, code: int = NOT_SIGNED_IN) -> None:
        """Close."""
        if not self.closing.done():
            self.closing.set_result(code)

    def lose(self, task: asyncio.Task[None]) -> None:
        """Close because one of the socket's own tasks ended: the server can't send any more."""
        if not task.cancelled() and task.exception() is not None:
            logger.info("a live socket broke: %r", task.exception())
            self.end(TRY_LATER)

    async def write(self) -> None:
        """Send what is queued, for ever."""
        while True:
            self._wake.clear()
            while self._frames:
                self._is_writing = True
                text = self._frames.popleft()
                await self._send({"type": "websocket.send", "text": text})  # type: ignore[arg-type]
                self._is_writing = False
            self._feed.hub.drained(self)
            if not self._frames:
                await self._wake.wait()

    async def watch_session(self) -> None:
        """End the socket when its session has ended; looked at in time, and when told to."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), CHECK_SESSION_EVERY)
            self._look.clear()
            try:
                holds = await self._feed.in_thread(
                    still_holds, self._session_key, user_id=self.user_id
                )
            except Exception:
                # The database or the cache is down: the next look decides.
                logger.exception("a session could not be checked")
                continue
            if not holds:
                self.end()
                return


async def live_socket(
    scope: dict[str, Any], receive: ASGIReceiveCallable, send: ASGISendCallable
) -> None:
    """Serve one socket; ``scope`` has the session and the user (Channels' AuthMiddlewareStack)."""
    event = await receive()
    if event["type"] != "websocket.connect":
        return
    if not _is_own_origin(scope):
        await send({"type": "websocket.close", "code": 1008, "reason": "origin"})
        return
    await send({"type": "websocket.accept", "subprotocol": None, "headers": ()})
    user = scope["user"]
    session_key = scope["session"].session_key
    if not user.is_authenticated or not session_key:
        await send({"type": "websocket.close", "code": NOT_SIGNED_IN, "reason": None})
        return
    feed = feeds.this_process()
    if feed.hub.page_count(str(user.pk)) >= SOCKETS_PER_USER:
        await send({"type": "websocket.close", "code": TOO_MUCH, "reason": None})
        return
    socket = Socket(
        user_id=str(user.pk), pbx=user.pbx_id, session_key=session_key, send=send, feed=feed
    )
    feed.hub.join(socket)
    try:
        code = await _run(socket, _Reader(user, socket, feed, receive))
    finally:
        feed.hub.leave(socket)
        socket.closing.cancel()
    if code is not None:
        await send({"type": "websocket.close", "code": code, "reason": None})


async def _run(socket: Socket, reader: _Reader) -> int | None:
    """Read, write and look at the session until one of them ends; gives the code to close with."""
    reading = asyncio.create_task(reader.run())
    others = [asyncio.create_task(socket.write()), asyncio.create_task(socket.watch_session())]
    for task in others:
        task.add_done_callback(socket.lose)
    ends: list[asyncio.Future[Any]] = [reading, socket.closing]
    try:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        return reading.result() if reading.done() else socket.closing.result()
    finally:
        reading.cancel()
        for task in others:
            task.cancel()
        await asyncio.gather(reading, *others, return_exceptions=True)


class _Reader:
    """What the browser says, as far as it may."""

    def __init__(self, user: Any, socket: Socket, feed: Feed, receive: ASGIReceiveCallable) -> None:
        self._user = user
        self._socket = socket
        self._feed = feed
        self._receive = receive
        self._tokens = float(BURST)
        self._filled_at = asyncio.get_running_loop().time()

    async def run(self) -> int | None:
        """Read until the browser goes (None), or until it must (the code)."""
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
                return TOO_MUCH
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
                ids = await self._feed.in_thread(selectors.team_ids, self._user)
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
        self._socket.push(json.dumps(ErrorFrame(type="error", code=code)))


def _seconds(value: object) -> float:
    """A time that a browser sent; none at all when it is no such thing."""
    return float(value) if isinstance(value, int | float) and value > 0 else 0.0


def _is_own_origin(scope: dict[str, Any]) -> bool:
    """Whether the page that asks is ours: no other site may read states with our cookie."""
    headers = dict(scope["headers"])
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
