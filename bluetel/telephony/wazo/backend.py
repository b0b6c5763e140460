"""One Wazo, reached with one service account: everything wired together.

Written against Wazo 26.08 by ``reference/wazo.md`` and recordings of the real services
(tests/recordings/wazo). What each port does is in the module of that name beside this one; here
they are given one HTTP door, one token and one look-up of people to share.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass

from bluetel.telephony.errors import NotFound, PbxUnavailable, ProtocolError, TelephonyError
from bluetel.telephony.http import Deadline, HttpDoor, checked_url, tls_context
from bluetel.telephony.ports import ActsForEverybody, PbxConfig
from bluetel.telephony.stream import EventStream
from bluetel.telephony.types import (
    Call,
    CallChanged,
    PbxEvent,
    StreamLost,
    StreamOpened,
    UserChanged,
)
from bluetel.telephony.wazo import decode
from bluetel.telephony.wazo.auth import WazoAuth
from bluetel.telephony.wazo.call_control import WazoCallControl
from bluetel.telephony.wazo.calls import CallBook
from bluetel.telephony.wazo.client import WazoClient
from bluetel.telephony.wazo.directory import WazoDirectory
from bluetel.telephony.wazo.events import TRANSFER_EVENTS, interpret
from bluetel.telephony.wazo.forward_control import WazoForwardControl
from bluetel.telephony.wazo.link import WazoLink, in_thread
from bluetel.telephony.wazo.people import WazoPeople
from bluetel.telephony.wazo.presences import WazoPresences
from bluetel.telephony.wazo.protocol import BusMessage, TokenAccepted, WazoMessage
from bluetel.telephony.wazo.rest import Service, WazoRest
from bluetel.telephony.wazo.rights import NEEDED, NEEDED_FOR_TENANT, probes
from bluetel.telephony.wazo.tokens import TokenKeeper
from bluetel.telephony.wazo.voicemail import WazoVoicemail

logger = logging.getLogger(__name__)

TOKEN_LIFE = 7200
SNAPSHOT_TIMEOUT = 3.0
RESYNC_AFTER = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clockwork:
    """Time and chance as the backend uses them; tests give their own."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    async_sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    rng: random.Random | None = None
    token_life: int = TOKEN_LIFE


class WazoBackend(ActsForEverybody, WazoClient):
    """The ``Backend`` for Wazo; thread-safe but for each generator of :meth:`events`."""

    def __init__(self, config: PbxConfig, *, clockwork: Clockwork | None = None) -> None:
        """Nothing is sent before the first command. ``Rejected`` for an address not to be used."""
        times = clockwork or Clockwork()
        self._times = times
        self._url = checked_url(config.url)
        self._context = tls_context(config.ca_file) if self._url.startswith("https") else None
        self._door = HttpDoor(
            self._url,
            context=self._context,
            sleep=times.sleep,
            rng=times.rng,
        )
        self._auth = WazoAuth(self._door)
        # Sign-outs of replaced tokens, and what the event loop needs of the blocking side.
        self._threads = ThreadPoolExecutor(4, thread_name_prefix=f"wazo-{config.name}")
        self._is_closed = False
        self._unreadable: set[str] = set()
        self._config = config
        self._tokens = TokenKeeper(self._sign_in, self._revoke_later, clock=times.clock)
        self._rest = WazoRest(self._door, self._auth, self._tokens, tenant=config.tenant)
        people = WazoPeople(self._rest, self._auth, clock=times.clock)
        super().__init__(
            people=people,
            calls=WazoCallControl(self._rest, people),
            presences=WazoPresences(self._rest, sleep=times.sleep),
            forwards=WazoForwardControl(
                self._rest, people, voicemail_prefix=config.voicemail_prefix
            ),
            voicemail=WazoVoicemail(self._rest, people),
            directory=WazoDirectory(self._rest, people),
        )

    def check(self) -> Mapping[str, str]:
        """Which rights the service account lacks, and what stops working without each."""
        needed = dict(NEEDED)
        if self._config.tenant:
            needed |= NEEDED_FOR_TENANT
        lacking = self._rest.missing_rights(probes(needed))
        return {right: effect for right, effect in needed.items() if right in lacking}

    def version(self) -> str:
        """Wazo's version, such as ``26.08``; empty where it doesn't tell."""
        try:
            return decode.version(self._rest.get(Service.CONFD, "/infos", what="version"))
        except (NotFound, ProtocolError):
            return ""

    def close(self) -> None:
        """Sign out and close the connections; idempotent."""
        if self._is_closed:
            return
        self._is_closed = True
        # What the threads still do, such as deleting a replaced token, comes first.
        self._threads.shutdown(wait=True)
        token = self._tokens.retire()
        if token is not None:
            self._auth.revoke(token)
        self._door.close()

    def _sign_in(self, deadline: Deadline | None) -> tuple[str, str, float]:
        if self._is_closed:
            raise PbxUnavailable("this backend is closed")
        grant = self._auth.sign_in(
            self._config.username,
            self._config.password,
            life=self._times.token_life,
            deadline=deadline,
        )
        return grant.token, grant.tenant, grant.life

    def _revoke_later(self, token: str) -> None:
        """Delete a token without making the command that gave it back wait."""
        try:
            self._threads.submit(self._auth.revoke, token)
        except RuntimeError:
            # Closed meanwhile. This may be an event loop, which must not wait either.
            threading.Thread(target=self._auth.revoke, args=(token,), daemon=True).start()

    async def events(self) -> AsyncGenerator[PbxEvent, None]:
        """Events for ever; see the port.

        After each ``StreamOpened`` the living calls are read and told, so that calls that began
        or ended while nobody listened come out right; and every five minutes against drift, for
        Wazo repeats no event that was lost on its bus.
        """
        link = WazoLink(
            self._url,
            self._tokens,
            self._auth.is_alive,
            tenant=self._config.tenant,
            executor=self._threads,
            sleep=self._times.async_sleep,
        )
        stream: EventStream[WazoMessage] = EventStream(
            link,
            context=self._context,
            clock=self._times.clock,
            sleep=self._times.async_sleep,
            rng=self._times.rng,
        )
        book = CallBook()
        read_at = 0.0
        try:
            async with aclosing(stream.items()) as items:
                async for item in items:
                    match item:
                        case StreamOpened():
                            yield item
                            read_at = self._times.clock()
                            for call in await self._snapshot(book):
                                yield CallChanged(call=call)
                        case StreamLost():
                            yield item
                        case TokenAccepted():
                            link.token_accepted()
                        case BusMessage():
                            if self._times.clock() - read_at >= RESYNC_AFTER:
                                read_at = self._times.clock()
                                for call in await self._snapshot(book):
                                    yield CallChanged(call=call)
                            for event in self._read(item, book, link.tenant):
                                yield event
        finally:
            link.release()

    def _read(self, message: BusMessage, book: CallBook, tenant: str) -> list[PbxEvent]:
        """Our events of one message; one that can't be read is logged and passed over."""
        if tenant and message.tenant and message.tenant != tenant:
            # An account of the master tenant hears every tenant.
            return []
        try:
            if message.name in TRANSFER_EVENTS:
                self._calls.learn(decode.transfer(message.data))
                return []
            events = interpret(message, book)
        except ProtocolError as exc:
            if message.name not in self._unreadable:
                self._unreadable.add(message.name)
                logger.warning("Events %s can't be read: %s", message.name[:60], exc)
            return []
        if message.name in self._unreadable:
            self._unreadable.discard(message.name)
            logger.info("Events %s can be read again", message.name[:60])
        for event in events:
            if isinstance(event, UserChanged):
                self._people.forget(event.user)
        return events

    async def _snapshot(self, book: CallBook) -> Sequence[Call]:
        try:
            legs = await in_thread(
                self._threads, lambda: self._calls.legs(deadline=Deadline(SNAPSHOT_TIMEOUT))
            )
        except TelephonyError as exc:
            logger.warning("The living calls can't be read: %s", exc)
            return ()
        return book.reconcile(legs)
