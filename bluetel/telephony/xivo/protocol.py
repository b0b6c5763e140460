"""The CTI WebSocket as a state machine without I/O and without a clock of its own.

::

    server  LoggedOn                         nothing may be sent before it
    client  command, command, …              no request ids and no acknowledgements
    server  message, message, …              whatever it likes, whenever it likes
    client  {"claz": "ping"}  every 5 s      any frame counts as an answer; 3 misses end it

A command that should lead to something is *asked*: an :class:`Ask` says which message would be
its outcome and which its failure, and until when it is waited for. Times are seconds of a clock
that only grows (``reference/xivo.md`` §1.5, §1.6, §12).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from bluetel.telephony.xivo import decode
from bluetel.telephony.xivo.commands import PING, frame
from bluetel.telephony.xivo.messages import (
    CommandError,
    CtiMessage,
    Ignored,
    LinkClosed,
    LoggedOn,
    LoggedOnError,
)

PING_EVERY = 5.0
MOST_MISSES = 3
LOGGED_ON_WITHIN = 12.0


class Stage(Enum):
    """How far a socket is."""

    WAITING = "waiting"
    OPEN = "open"
    LOST = "lost"


class NotLoggedOn(Exception):
    """A command was given before ``LoggedOn``, or after the end."""


class Outcome(Enum):
    """What became of an ask without the message it waited for."""

    FAILED = "failed"
    """The server said ``Error``, or what the ask itself takes for a failure."""
    LATE = "late"
    """Nothing came in time."""
    LOST = "lost"
    """The socket ended first."""


@dataclass(eq=False, slots=True, kw_only=True)
class Ask:
    """A command that waits: ``done`` is called once, with the message or with what went wrong."""

    accepts: Callable[[CtiMessage], bool]
    done: Callable[[CtiMessage | Outcome], None]
    until: float
    refuses: Callable[[CtiMessage], bool] = lambda _: False
    fails_on_error: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What a frame or the time leads to."""

    send: Sequence[str] = ()
    message: CtiMessage | None = None
    opened: bool = False
    lost: str = ""


@dataclass(slots=True, kw_only=True)
class CtiMachine:
    """One socket, from its opening on; ``ignored`` counts what nobody here reads, by type."""

    now: float
    ping_every: float = PING_EVERY
    most_misses: int = MOST_MISSES
    logged_on_within: float = LOGGED_ON_WITHIN
    stage: Stage = Stage.WAITING
    ignored: Counter[str] = field(default_factory=Counter)
    _opened_at: float = 0.0
    _ping_at: float = 0.0
    _misses: int = 0
    _asks: list[Ask] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._opened_at = self.now
        self._ping_at = self.now + self.ping_every

    # --- What comes ---------------------------------------------------------------------------

    def receive(self, text: str | bytes, *, now: float) -> Turn:
        """Take one frame."""
        self.now = now
        self._misses = 0
        if self.stage is Stage.LOST:
            return Turn()
        message = decode.message(text)
        match message:
            case Ignored(name=name):
                self.ignored[name] += 1
                return Turn()
            case LoggedOn() if self.stage is Stage.WAITING:
                self.stage = Stage.OPEN
                return Turn(opened=True, message=message)
            case LoggedOn():
                return Turn()
            case LoggedOnError(reason=reason):
                return self._end(f"XUC refused the session ({reason or 'no reason'})")
            case LinkClosed():
                return self._end("XUC lost its PBX")
        self._settle(message)
        return Turn(message=message)

    def tick(self, *, now: float) -> Turn:
        """Let time pass: pings, and what didn't come in time."""
        self.now = now
        if self.stage is Stage.LOST:
            return Turn()
        if self.stage is Stage.WAITING and now - self._opened_at >= self.logged_on_within:
            return self._end("no LoggedOn came")
        for ask in [ask for ask in self._asks if now >= ask.until]:
            self._asks.remove(ask)
            ask.done(Outcome.LATE)
        if now < self._ping_at:
            return Turn()
        if self._misses >= self.most_misses:
            return self._end("silent")
        self._misses += 1
        self._ping_at = now + self.ping_every
        return Turn(send=(PING,))

    @property
    def next_tick(self) -> float:
        """When :meth:`tick` has something to do next."""
        times = [self._ping_at, *(ask.until for ask in self._asks)]
        if self.stage is Stage.WAITING:
            times.append(self._opened_at + self.logged_on_within)
        return min(times)

    # --- What goes ----------------------------------------------------------------------------

    def command(self, name: str, **arguments: object) -> str:
        """The frame of a command; ``NotLoggedOn`` unless the server said LoggedOn."""
        if self.stage is not Stage.OPEN:
            raise NotLoggedOn
        return frame(name, arguments)

    def expect(self, ask: Ask) -> None:
        """Wait for an outcome; ``NotLoggedOn`` as above."""
        if self.stage is not Stage.OPEN:
            raise NotLoggedOn
        self._asks.append(ask)

    def close(self) -> None:
        """The socket has ended: nothing that was asked will be answered."""
        self._end("closed")

    def _settle(self, message: CtiMessage) -> None:
        """Give a message to who waits for it.

        Nothing says which command an ``Error`` is about: it is taken for that of the one that has
        waited longest. Every ask that a message fits takes it, for all of them wait for a state.
        """
        if isinstance(message, CommandError):
            ask = next((ask for ask in self._asks if ask.fails_on_error), None)
            if ask is not None:
                self._asks.remove(ask)
                ask.done(Outcome.FAILED)
            return
        for ask in tuple(self._asks):
            if ask.accepts(message):
                self._asks.remove(ask)
                ask.done(message)
            elif ask.refuses(message):
                self._asks.remove(ask)
                ask.done(Outcome.FAILED)

    def _end(self, why: str) -> Turn:
        if self.stage is Stage.LOST:
            return Turn()
        self.stage = Stage.LOST
        asks, self._asks = self._asks, []
        for ask in asks:
            ask.done(Outcome.LOST)
        return Turn(lost=why)
