"""Keeps one event socket to a PBX open for ever, and says when it isn't.

What is said on the socket is a :class:`Conversation`: a state machine without I/O. Where to
connect, with which token, and what a close code means is a :class:`Link`. This module is the part
that has a socket, a clock and patience.

A reader task takes frames off the socket as they come, for a slow reader makes the PBX's own
memory grow (``reference/wazo.md`` §3); who reads :meth:`EventStream.items` may be slower, up to
``BACKLOG`` messages, after which the connection is dropped and begun again with a fresh snapshot.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import ssl
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, NoReturn, Protocol, TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from bluetel.telephony.errors import ProtocolError, TelephonyError
from bluetel.telephony.types import StreamLost, StreamOpened

logger = logging.getLogger(__name__)

# websockets writes every header of its handshake at DEBUG, the token's too: this logger of its
# own, without parents or handlers, keeps them out of any log.
_MUTE = logging.Logger("muted", level=logging.CRITICAL + 1)  # noqa: LOG001 — outside the tree

M = TypeVar("M")
M_co = TypeVar("M_co", covariant=True)

FIRST_DELAY = 0.5
LONGEST_DELAY = 15.0
PING_EVERY = 10.0
SILENT_AFTER = 20.0
"""Seconds without any frame after which the stream counts as lost; looked at every 5 s."""

STABLE_AFTER = 15.0
"""Seconds a stream must have lived for the next reconnect to be quick again."""

OPEN_TIMEOUT = 10.0
BACKLOG = 50_000
_TICK = 5.0
_SEND_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Generic[M_co]):
    """What a frame leads to: frames to send, messages for the reader, and whether it is open."""

    send: Sequence[str] = ()
    messages: Sequence[M_co] = ()
    opened: bool = False


class Conversation(Protocol[M_co]):
    """What is said on one socket, from its opening on; raises ``ProtocolError``."""

    def start(self) -> Sequence[str]:
        """Frames to send as soon as the socket is open."""

    def receive(self, frame: str | bytes) -> Step[M_co]:
        """Take one frame."""

    def ping(self) -> str:
        """A frame that the other side must answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to connect; the headers hold the token and stay out of any repr."""

    url: str
    headers: Mapping[str, str] = field(repr=False)


class Link(Protocol[M_co]):
    """What a PBX's kind knows about its event socket."""

    async def dial(self) -> Target:
        """Sign in where needed and say where to connect; ``TelephonyError`` when it can't."""

    def converse(self) -> Conversation[M_co]:
        """Begin the conversation for a socket just opened."""

    async def tend(self, send: Callable[[str], Awaitable[None]]) -> None:
        """Look after an open socket (renew its token) until cancelled."""

    async def hung_up(self, code: int | None) -> float:
        """Take in that the socket is gone, and give the least pause before the next, in seconds.

        ``code`` is the other side's close code, None when it closed without one.
        """


class _Lost(Exception):
    """Ends one connection, with the reason to tell."""

    def __init__(self, reason: str, *, code: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class _End:
    """Put into the queue when nothing more can come."""


class EventStream(Generic[M]):
    """Yields ``StreamOpened``, messages and ``StreamLost``, for ever."""

    def __init__(
        self,
        link: Link[M],
        *,
        context: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: random.Random | None = None,
    ) -> None:
        """``clock`` and ``sleep`` are given so that tests can drive time."""
        self._link = link
        self._context = context
        self._clock = clock
        self._sleep = sleep
        self._rng = rng or random.Random()  # noqa: S311 — jitter, not a secret
        self._heard_at = 0.0
        self._opened_at: float | None = None

    async def items(self) -> AsyncGenerator[StreamOpened | StreamLost | M, None]:
        """Connect, read, reconnect; stops only when closed or cancelled.

        ``StreamLost`` comes once per outage, also when the very first connection fails.
        """
        queue: asyncio.Queue[StreamOpened | StreamLost | M | _End] = asyncio.Queue()
        keeper = asyncio.create_task(self._keep_open(queue))
        keeper.add_done_callback(lambda _: queue.put_nowait(_End()))
        try:
            while not isinstance(item := await queue.get(), _End):
                yield item
            keeper.result()
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)

    async def _keep_open(self, queue: asyncio.Queue[StreamOpened | StreamLost | M | _End]) -> None:
        failures = 0
        is_lost = False
        while True:
            lost = await self._one_connection(queue)
            if self._opened_at is not None or not is_lost:
                is_lost = True
                logger.warning("The PBX's event stream is lost: %s", lost.reason)
                queue.put_nowait(StreamLost(reason=lost.reason))
            lived = 0.0 if self._opened_at is None else self._clock() - self._opened_at
            failures = 1 if lived >= STABLE_AFTER else failures + 1
            least = await self._link.hung_up(lost.code)
            await self._sleep(max(least, self._delay(failures)))

    def _delay(self, failures: int) -> float:
        """Full jitter under a bound that doubles from 0.5 to 15 s."""
        bound = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(failures - 1, 10))
        return self._rng.uniform(0.0, bound)

    async def _one_connection(
        self, queue: asyncio.Queue[StreamOpened | StreamLost | M | _End]
    ) -> _Lost:
        """Connect, live and die once; says of what."""
        self._opened_at = None
        try:
            target = await self._link.dial()
        except TelephonyError as exc:
            return _Lost(f"{type(exc).__name__}: {exc}")
        try:
            socket = await connect(
                target.url,
                additional_headers=dict(target.headers),
                ssl=self._context,
                # The environment's proxies aren't meant for the PBX; deflating each event would
                # cost the PBX more than the bytes are worth; liveness is pinged by the
                # conversation, which also proves that the service behind nginx still answers.
                proxy=None,
                compression=None,
                ping_interval=None,
                open_timeout=OPEN_TIMEOUT,
                close_timeout=1.0,
                max_size=2**22,
                max_queue=1024,
                user_agent_header="BlueTel",
                logger=_MUTE,
            )
        except (OSError, TimeoutError, WebSocketException) as exc:
            # The library's text may quote the answer's headers.
            return _Lost(f"no connection ({type(exc).__name__})")
        try:
            await self._run(socket, queue)
        except _Lost as exc:
            return exc
        finally:
            await _let_go(socket)

    async def _run(
        self,
        socket: ClientConnection,
        queue: asyncio.Queue[StreamOpened | StreamLost | M | _End],
    ) -> NoReturn:
        """Read, watch and tend one socket; whichever ends first ends it, by ``_Lost``."""
        conversation = self._link.converse()
        self._heard_at = self._clock()
        duties: list[Coroutine[None, None, NoReturn]] = [
            self._watch(socket, conversation),
            self._tend(socket),
            self._read(socket, conversation, queue),
        ]
        tasks = [asyncio.create_task(duty) for duty in duties]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        # Who aborts a socket also ends its reader, and knows better why.
        next(task for task in tasks if task in done).result()

    async def _read(
        self,
        socket: ClientConnection,
        conversation: Conversation[M],
        queue: asyncio.Queue[StreamOpened | StreamLost | M | _End],
    ) -> NoReturn:
        try:
            for frame in conversation.start():
                await socket.send(frame)
            while True:
                step = conversation.receive(await socket.recv())
                self._heard_at = self._clock()
                for frame in step.send:
                    await socket.send(frame)
                if step.opened:
                    self._opened_at = self._clock()
                    logger.info("The PBX's event stream is open")
                    queue.put_nowait(StreamOpened())
                for message in step.messages:
                    queue.put_nowait(message)
                if queue.qsize() > BACKLOG:
                    # A snapshot follows, so what waits is worth nothing any more.
                    while not queue.empty():
                        queue.get_nowait()
                    raise _Lost("its reader fell too far behind")
        except ConnectionClosed as exc:
            code = exc.rcvd.code if exc.rcvd is not None else None
            raise _Lost(f"closed by the PBX (code {code})", code=code) from None
        except ProtocolError as exc:
            raise _Lost(str(exc)) from None

    async def _watch(self, socket: ClientConnection, conversation: Conversation[M]) -> NoReturn:
        pinged_at = self._clock()
        while True:
            await self._sleep(_TICK)
            now = self._clock()
            if now - self._heard_at >= SILENT_AFTER:
                # A closing handshake would wait for the silent side.
                socket.transport.abort()
                raise _Lost("silent")
            if self._opened_at is not None and now - pinged_at >= PING_EVERY:
                pinged_at = now
                await self._send(socket, conversation.ping())

    async def _tend(self, socket: ClientConnection) -> NoReturn:
        await self._link.tend(lambda frame: self._send(socket, frame))
        await _for_ever()

    async def _send(self, socket: ClientConnection, frame: str) -> None:
        try:
            async with asyncio.timeout(_SEND_TIMEOUT):
                await socket.send(frame)
        except TimeoutError:
            socket.transport.abort()
            raise _Lost("it takes nothing any more") from None
        except ConnectionClosed:
            # The reader sees the same end, with the close code; leave it to him.
            await _for_ever()


async def _for_ever() -> NoReturn:
    """Wait until cancelled."""
    while True:
        await asyncio.Event().wait()


async def _let_go(socket: ClientConnection) -> None:
    """Close a socket within a second, whatever the other side does."""
    with contextlib.suppress(OSError, WebSocketException):
        await socket.close()
