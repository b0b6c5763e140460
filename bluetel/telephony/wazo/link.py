"""What the event stream must know of Wazo: where, with which token, and what a close code means."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from typing import TypeVar

from bluetel.telephony.errors import PbxUnavailable, TelephonyError
from bluetel.telephony.stream import Target
from bluetel.telephony.wazo.events import EVENT_NAMES
from bluetel.telephony.wazo.protocol import (
    Remedy,
    WazoConversation,
    after_close,
    renewal,
)
from bluetel.telephony.wazo.tokens import Token, TokenKeeper

logger = logging.getLogger(__name__)

T = TypeVar("T")

NOT_AGAIN_BEFORE: Mapping[Remedy, float] = {
    Remedy.RECONNECT: 0.0,
    Remedy.SIGN_IN: 0.0,
    Remedy.ASK_AUTH: 0.5,
    Remedy.OUR_FAULT: 60.0,
}
"""Least seconds before the next connection; only a newer version of one side helps after 4004."""

RETRY_RENEWAL = 5.0


def in_thread(executor: Executor, function: Callable[[], T]) -> asyncio.Future[T]:
    """Begin something blocking in a thread; ``PbxUnavailable`` once the threads are shut down."""
    try:
        return asyncio.get_running_loop().run_in_executor(executor, function)
    except RuntimeError:
        raise PbxUnavailable("this backend is closed") from None


class WazoLink:
    """The ``Link`` of websocketd; lives on the event loop, asks wazo-auth in other threads.

    The socket holds a loan of its token, so that no token is deleted under it. A renewed token is
    put on the open socket with ``op token``; the old one is given back when websocketd has taken
    the new one.
    """

    def __init__(
        self,
        url: str,
        tokens: TokenKeeper,
        is_alive: Callable[[str], bool],
        *,
        tenant: str,
        executor: Executor,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``url`` is the PBX's address, ``is_alive`` asks wazo-auth about a token.

        ``tenant`` is the configured one, empty where it is the account's own.
        """
        self.tenant = tenant
        # http becomes ws, https becomes wss.
        self._url = f"ws{url.removeprefix('http')}/api/websocketd/?version=2"
        self._tokens = tokens
        self._is_alive = is_alive
        self._executor = executor
        self._sleep = sleep
        self._token: Token | None = None
        self._replaced: list[Token] = []
        self._told_of_refusal = False

    async def dial(self) -> Target:
        """Borrow a valid token; the header keeps it out of the PBX's access logs."""
        self.release()
        self._token = token = await self._borrow()
        self.tenant = self.tenant or token.tenant
        return Target(url=self._url, headers={"X-Auth-Token": token.id})

    def converse(self) -> WazoConversation:
        """A conversation about everything BlueTel wants to hear of."""
        return WazoConversation(EVENT_NAMES)

    async def tend(self, send: Callable[[str], Awaitable[None]]) -> None:
        """Put the socket on a new token at 75 % of the old one's life, again and again.

        A renewal that fails is tried again: the old token is good for a while yet.
        """
        while (token := self._token) is not None:
            await self._sleep(self._tokens.seconds_to_renewal(token))
            try:
                new = await self._borrow()
            except TelephonyError:
                await self._sleep(RETRY_RENEWAL)
                continue
            if new is token:
                self._tokens.give_back(new)
                await self._sleep(RETRY_RENEWAL)
                continue
            self._replaced.append(token)
            self._token = new
            await send(renewal(new.id))

    async def hung_up(self, code: int | None) -> float:
        """Have a new token made where this one is dead, and say how long to wait at least."""
        remedy = after_close(code)
        token = self._token
        if token is not None and remedy is Remedy.SIGN_IN:
            self._tokens.refused(token)
        elif token is not None and remedy is Remedy.ASK_AUTH:
            await self._ask_about(token)
        elif remedy is Remedy.OUR_FAULT:
            logger.error("The PBX's event service does not understand BlueTel (close code 4004)")
        self.release()
        return NOT_AGAIN_BEFORE[remedy]

    def token_accepted(self) -> None:
        """Websocketd lives on the newest token now."""
        while self._replaced:
            self._tokens.give_back(self._replaced.pop())

    def release(self) -> None:
        """Give back every loan."""
        self.token_accepted()
        if self._token is not None:
            self._tokens.give_back(self._token)
            self._token = None

    async def _ask_about(self, token: Token) -> None:
        """Find out why websocketd refused a token: it says the same when wazo-auth is down."""
        try:
            is_alive = await in_thread(self._executor, lambda: self._is_alive(token.id))
        except TelephonyError:
            return
        if not is_alive:
            self._tokens.refused(token)
        elif not self._told_of_refusal:
            self._told_of_refusal = True
            logger.error(
                "The PBX's event service refuses a valid token: "
                "the service account may lack the right 'websocketd'"
            )

    async def _borrow(self) -> Token:
        borrowing = in_thread(self._executor, self._tokens.borrow)
        try:
            return await asyncio.shield(borrowing)
        except asyncio.CancelledError:
            # The thread can't be stopped: what it still brings must be given back.
            borrowing.add_done_callback(self._give_back_late)
            raise

    def _give_back_late(self, borrowing: asyncio.Future[Token]) -> None:
        if not borrowing.cancelled() and borrowing.exception() is None:
            self._tokens.give_back(borrowing.result())
