"""How a session signs in, and the token it opens its sockets with."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Protocol

from bluetel.telephony.errors import TelephonyError, TokenExpired
from bluetel.telephony.xivo.rest import Grant, XucRest
from bluetel.telephony.xivo.times import CtiTimes


class LoginWatcher(Protocol):
    """Who wants to know whether a login works; called on the loop."""

    def __call__(self, *, works: bool) -> None:
        """XUC took the login, or refused it."""


def _nobody(*, works: bool) -> None:
    del works


async def _well() -> bool:
    return True


@dataclass(slots=True)
class Doubts:
    """Refusals of one login that were not believed; they outlive its sessions.

    For what is refused again and again may be wrong all the same, and lock the person out.
    """

    count: int = 0
    until: float = 0.0
    """On the monotonic clock: the login is not tried before."""
    look_again: asyncio.Event = field(default_factory=asyncio.Event)
    """Set where XUC may be well again, or somebody waits for it."""

    def add(self, times: CtiTimes) -> None:
        """One more refusal."""
        self.count += 1
        if self.count >= times.most_doubted:
            self.until = time.monotonic() + times.rng.uniform(*times.doubted_wait)

    def clear(self) -> None:
        """The login works."""
        self.count, self.until = 0, 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """How a session signs in.

    One that is refused ends, for trying a person's password again and again may lock him out. But
    a login that ``has_worked`` is given up only when XUC refuses it again while ``is_pbx_well``
    says that it takes others: a directory behind XUC that is away has everybody refused.
    ``is_service`` goes on, as the account everything depends on may be mended any minute.
    """

    login: str
    password: str = field(repr=False)
    told: LoginWatcher = _nobody
    has_worked: bool = False
    is_pbx_well: Callable[[], Awaitable[bool]] = _well
    is_service: bool = False
    doubts: Doubts = field(default_factory=Doubts)


class Tokens:
    """The token of one session, renewed rather than asked for with the password again."""

    def __init__(self, rest: XucRest, sign_in: SignIn, executor: Executor, times: CtiTimes) -> None:
        """``executor`` has the threads in which XUC is asked."""
        self._rest = rest
        self._sign_in = sign_in
        self._executor = executor
        self._times = times
        self._grant: Grant | None = None
        self._renewed_at = 0.0

    async def fresh(self) -> str:
        """A token to open a socket with: a fresh one, renewed from the last where there is one."""
        loop = asyncio.get_running_loop()
        grant = self._grant
        if grant is not None:
            try:
                self._grant = await loop.run_in_executor(self._executor, self._rest.renew, grant)
            except TokenExpired:
                self._grant = None
        if self._grant is None:
            sign_in = self._sign_in
            self._grant = await loop.run_in_executor(
                self._executor, lambda: self._rest.sign_in(sign_in.login, sign_in.password)
            )
        self._renewed_at = time.monotonic()
        return self._grant.token

    async def renew_in_time(self) -> None:
        """Renew the token of an open socket now and then, for what comes after it."""
        grant = self._grant
        if grant is None or time.monotonic() - self._renewed_at < self._times.renew_every:
            return
        self._renewed_at = time.monotonic()
        loop = asyncio.get_running_loop()
        try:
            self._grant = await loop.run_in_executor(self._executor, self._rest.renew, grant)
        except TokenExpired:
            self._grant = None  # the next socket signs in with the password
        except TelephonyError:
            pass  # no answer: the token is kept
