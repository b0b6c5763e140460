"""One CTI socket kept open: sign-in, connection, heartbeat, reconnection, and asking.

Lives on the loop of :class:`.loop.CtiLoop`; what blocks (HTTP) runs in the threads it is given.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from bluetel.telephony.errors import (
    AuthenticationFailed,
    PbxUnavailable,
    Rejected,
    RejectReason,
    TelephonyError,
)
from bluetel.telephony.xivo.messages import CtiMessage
from bluetel.telephony.xivo.protocol import (
    Ask,
    CtiMachine,
    Outcome,
    Stage,
    Turn,
)
from bluetel.telephony.xivo.rest import SOCKET, XucRest
from bluetel.telephony.xivo.sign_in import SignIn, Tokens
from bluetel.telephony.xivo.times import CtiTimes

logger = logging.getLogger(__name__)

# websockets writes its handshake's address at DEBUG, and here that holds the token: this logger of
# its own, without parents or handlers, keeps it out of any log.
_MUTE = logging.Logger("muted", level=logging.CRITICAL + 1)  # noqa: LOG001 — outside the tree


READY_WITHIN = 5.0
"""Seconds a command waits for its session."""


class Listener(Protocol):
    """Who uses a socket; all three are called on the loop."""

    def opened(self) -> None:
        """LoggedOn came."""

    def heard(self, message: CtiMessage) -> None:
        """A message came."""

    def lost(self, reason: str) -> None:
        """The socket has ended, or could not be opened; it is tried again by itself."""


class CtiSession:
    """A socket of one CTI user, opened again whenever it is lost, until closed.

    A wrong login ends it: :attr:`refusal` then holds the error, and nothing is tried again.
    """

    def __init__(
        self,
        rest: XucRest,
        url: str,
        sign_in: SignIn,
        listener: Listener,
        *,
        context: ssl.SSLContext | None,
        executor: Executor,
        times: CtiTimes,
        ignored: Counter[str],
    ) -> None:
        """``url`` is XUC's address; nothing is sent before :meth:`start`."""
        # http becomes ws, https becomes wss.
        self._url = f"ws{url.removeprefix('http')}{SOCKET}"
        self._sign_in = sign_in
        self._listener = listener
        self._context = context
        self._times = times
        self._ignored = ignored
        self._tokens = Tokens(rest, sign_in, executor, times)
        self._machine: CtiMachine | None = None
        self._socket: ClientConnection | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_open = asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()
        self._beat_now = asyncio.Event()
        self._at_once = False
        self._is_wanted = asyncio.Event()
        self._last_loss = ""
        self._has_worked = sign_in.has_worked
        self._is_doubted = False
        self.refusal: AuthenticationFailed | None = None

    # --- Life -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to keep the socket open."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._keep_open())

    async def close(self) -> None:
        """End; idempotent."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def reopen(self) -> None:
        """Drop the socket and open it anew at once: XUC then tells everything from the start."""
        machine, socket = self._machine, self._socket
        if machine is not None and socket is not None:
            self._at_once = True
            # What the old socket still holds is what was doubted.
            self._is_open.clear()
            machine.close()
            await _let_go(socket)

    @property
    def is_open(self) -> bool:
        """Whether commands may be sent."""
        return self._is_open.is_set()

    async def ready(self, within: float) -> None:
        """Wait for LoggedOn: the login's own error, or ``PbxUnavailable`` after these seconds."""
        if self._is_open.is_set():
            return
        self._sign_in.doubts.look_again.set()
        self._is_wanted.set()
        waiting = {
            asyncio.ensure_future(self._is_open.wait()),
            asyncio.ensure_future(self._ended()),
        }
        try:
            await asyncio.wait(waiting, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waiting:
                one.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        if self.refusal is not None:
            raise self.refusal
        if not self._is_open.is_set():
            raise PbxUnavailable(f"no CTI session: {self._last_loss or 'it takes too long'}")

    async def _ended(self) -> None:
        if self._task is not None:
            await asyncio.wait({self._task})

    # --- Talking --------------------------------------------------------------------------------

    def say(self, name: str, **arguments: object) -> None:
        """Send a command of which nothing is expected; ``PbxUnavailable`` without a session."""
        machine, socket = self._live()
        self._send(socket, machine.command(name, **arguments))

    async def ask(
        self,
        name: str,
        accepts: Callable[[CtiMessage], bool],
        *,
        refuses: Callable[[CtiMessage], bool] = lambda _: False,
        within: float | None = None,
        what: str = "",
        changes: bool = False,
        fails_on_error: bool = True,
        **arguments: object,
    ) -> CtiMessage:
        """Send a command and give the message that ``accepts`` takes for its outcome.

        ``Rejected`` where XUC says ``Error`` or ``refuses`` takes a message for a no;
        ``PbxUnavailable`` when nothing came in time, with ``maybe_done`` for what ``changes``
        something.
        """
        what = what or name
        machine, socket = self._live()
        outcome: asyncio.Future[CtiMessage | Outcome] = asyncio.get_running_loop().create_future()

        def settle(result: CtiMessage | Outcome) -> None:
            if not outcome.done():
                outcome.set_result(result)

        limit = self._times.answer_within if within is None else within
        machine.expect(
            Ask(
                accepts=accepts,
                refuses=refuses,
                done=settle,
                until=time.monotonic() + limit,
                fails_on_error=fails_on_error,
            )
        )
        self._send(socket, machine.command(name, **arguments))
        self._beat_now.set()
        result = await outcome
        match result:
            case Outcome.FAILED:
                raise Rejected(f"{what}: XUC says no", reason=RejectReason.OTHER)
            case Outcome.LATE:
                raise PbxUnavailable(f"{what}: nothing confirmed it", maybe_done=changes)
            case Outcome.LOST:
                raise PbxUnavailable(f"{what}: the session ended", maybe_done=changes)
            case _:
                return result

    def _live(self) -> tuple[CtiMachine, ClientConnection]:
        machine, socket = self._machine, self._socket
        if machine is None or socket is None or machine.stage is not Stage.OPEN:
            raise PbxUnavailable(f"no CTI session: {self._last_loss or 'not yet open'}")
        return machine, socket

    def _send(self, socket: ClientConnection, frame: str) -> None:
        task = asyncio.get_running_loop().create_task(_send(socket, frame))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    # --- Keeping it open ------------------------------------------------------------------------

    async def _keep_open(self) -> None:
        failures = 0
        while True:
            await self._wait_doubted()
            began = time.monotonic()
            try:
                reason = await self._one_socket()
            except AuthenticationFailed as error:
                reason = f"AuthenticationFailed: {error}"
                if await self._is_believed():
                    self.refusal = error
                    self._sign_in.told(works=False)
                    if not self._sign_in.is_service:
                        self._listener.lost(reason)
                        return
            except TelephonyError as error:
                reason = str(error)
            self._last_loss = reason
            self._listener.lost(reason)
            is_stable = time.monotonic() - began >= self._times.stable_after
            failures = 1 if is_stable else failures + 1
            if self._at_once:
                self._at_once = False
                continue
            await self._pause(self._delay(failures))

    async def _pause(self, seconds: float) -> None:
        """Wait so long, or shortly where a command waits for the socket."""
        await asyncio.sleep(min(seconds, self._times.wanted_delay))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds - self._times.wanted_delay):
                await self._is_wanted.wait()
        self._is_wanted.clear()

    async def _is_believed(self) -> bool:
        """Whether a refusal that just came is about this login, and not about the PBX."""
        if not self._has_worked or self._sign_in.is_service:
            return True
        is_second, self._is_doubted = self._is_doubted, await self._sign_in.is_pbx_well()
        # The PBX may have been mended between the refusal and the question: so once more.
        self._at_once = self._is_doubted
        if not self._is_doubted:
            self._sign_in.doubts.add(self._times)
        return is_second and self._is_doubted

    async def _wait_doubted(self) -> None:
        """Where the login was refused too often: wait long, or until the PBX takes others.

        It is asked in time, and at once when the service account's socket opens or a command waits.
        """
        doubts = self._sign_in.doubts
        pause = self._times.ask_again_every
        while (rest := doubts.until - time.monotonic()) > 0:
            self._last_loss = "XUC refuses the login, and nobody else's is taken"
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(rest, pause)):
                    await doubts.look_again.wait()
            # An answer lasts: one that is older than the wish for it will not do.
            is_wished, pause = doubts.look_again.is_set(), self._times.ask_again_every
            doubts.look_again.clear()
            if await self._sign_in.is_pbx_well():
                doubts.until = 0.0
            elif is_wished:
                pause = self._times.answer_lasts

    def _delay(self, failures: int) -> float:
        """Full jitter under a bound that doubles."""
        bound = self._times.first_delay * 2 ** min(failures - 1, 10)
        return self._times.rng.uniform(0.0, min(self._times.longest_delay, bound))

    async def _one_socket(self) -> str:
        """Sign in, connect, talk until the end; says of what it ended."""
        token = await self._tokens.fresh()
        try:
            socket = await connect(
                f"{self._url}?token={token}",
                ssl=self._context,
                proxy=None,
                compression=None,
                ping_interval=None,
                open_timeout=self._times.open_timeout,
                close_timeout=1.0,
                max_size=2**24,
                user_agent_header="BlueTel",
                logger=_MUTE,
            )
        except (OSError, TimeoutError, WebSocketException) as error:
            # The library's text may quote the address, token included.
            return f"no connection ({type(error).__name__})"
        machine = CtiMachine(
            now=time.monotonic(),
            ping_every=self._times.ping_every,
            most_misses=self._times.most_misses,
            logged_on_within=self._times.logged_on_within,
            ignored=self._ignored,
        )
        self._machine, self._socket = machine, socket
        beating = asyncio.get_running_loop().create_task(self._beat(machine, socket))
        try:
            return await self._read(machine, socket, beating)
        finally:
            beating.cancel()
            self._is_open.clear()
            machine.close()
            self._machine = self._socket = None
            await asyncio.gather(beating, return_exceptions=True)
            await _let_go(socket)

    async def _read(
        self, machine: CtiMachine, socket: ClientConnection, beating: asyncio.Task[str]
    ) -> str:
        reading: asyncio.Task[str] = asyncio.get_running_loop().create_task(
            self._take_frames(machine, socket)
        )
        try:
            done, _ = await asyncio.wait({reading, beating}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        # Who drops a silent socket also ends its reader, and knows better why.
        return beating.result() if beating in done else reading.result()

    async def _take_frames(self, machine: CtiMachine, socket: ClientConnection) -> str:
        try:
            while True:
                turn = machine.receive(await socket.recv(), now=time.monotonic())
                if turn.lost:
                    return turn.lost
                self._follow(turn)
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd is not None else None
            return f"closed by XUC (code {code})"

    def _follow(self, turn: Turn) -> None:
        if turn.opened:
            self._last_loss = ""
            self.refusal = None
            self._has_worked, self._is_doubted = True, False
            self._sign_in.doubts.clear()
            self._sign_in.told(works=True)
            self._is_open.set()
            self._listener.opened()
        elif turn.message is not None:
            self._listener.heard(turn.message)

    async def _beat(self, machine: CtiMachine, socket: ClientConnection) -> str:
        """Ping, and end asks that are late; gives why the socket is dead."""
        while True:
            turn = machine.tick(now=time.monotonic())
            if turn.lost:
                socket.transport.abort()
                return turn.lost
            for frame in turn.send:
                await _send(socket, frame)
            await self._tokens.renew_in_time()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.01, machine.next_tick - time.monotonic())):
                    await self._beat_now.wait()
            self._beat_now.clear()


async def _send(socket: ClientConnection, frame: str) -> None:
    with contextlib.suppress(ConnectionClosed):
        await socket.send(frame)


async def _let_go(socket: ClientConnection) -> None:
    """Close a socket within a second, whatever the other side does."""
    with contextlib.suppress(OSError, WebSocketException):
        await socket.close()
