"""One XiVO, reached through its XUC: everything wired together.

Written by ``reference/xivo.md`` and the messages of ``contracts/xivo/xuc.json``; no XUC was at
hand. docs/pbx-backends.md lists what is not confirmed and the option that each thing has.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bluetel.telephony.http import HttpDoor, checked_url, tls_context
from bluetel.telephony.ports import PbxConfig
from bluetel.telephony.types import (
    Capability,
    PbxEvent,
    PbxUserId,
    PhoneFacts,
    StreamOpened,
)
from bluetel.telephony.xivo import pushes
from bluetel.telephony.xivo.broadcast import Broadcast, Subscriber
from bluetel.telephony.xivo.client import COMMAND_WITHIN, XivoClient
from bluetel.telephony.xivo.confd import Confd
from bluetel.telephony.xivo.exchange import Exchange, Surroundings
from bluetel.telephony.xivo.loop import CtiLoop
from bluetel.telephony.xivo.options import parse_options
from bluetel.telephony.xivo.phone_abilities import sends_tones, takes_orders
from bluetel.telephony.xivo.rest import XucRest
from bluetel.telephony.xivo.roster import Roster
from bluetel.telephony.xivo.sign_in import SignIn
from bluetel.telephony.xivo.times import CtiTimes

THREADS = 12
WITH_OWN_LOGIN = frozenset(
    {Capability.TRANSFER, Capability.READ_FORWARDS, Capability.HISTORY, Capability.FORWARDS}
)


def _real_time() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clockwork:
    """Time as the backend uses it; tests give their own."""

    now: Callable[[], datetime] = _real_time
    times: CtiTimes = field(default_factory=CtiTimes)


class XivoBackend(XivoClient):
    """The ``Backend`` for XiVO; thread-safe."""

    def __init__(self, config: PbxConfig, *, clockwork: Clockwork | None = None) -> None:
        """Nothing is sent before the first command.

        ``Rejected`` for an address not to be used, or an option that there is none of.
        """
        clocks = clockwork or Clockwork()
        url = checked_url(config.url)
        options = parse_options(config.options)
        context = tls_context(config.ca_file) if url.startswith("https") else None
        self._config = config
        self._door = HttpDoor(url, context=context)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"xivo-{config.name}")
        self._broadcast = Broadcast()
        around = Surroundings(
            url=url,
            rest=XucRest(self._door, api_key=config.api_key, domain=options.domain),
            context=context,
            executor=self._threads,
            times=clocks.times,
            options=options,
            roster=Roster(config.accounts),
            accounts=config.accounts,
            now=clocks.now,
        )
        service = SignIn(login=config.username, password=config.password, is_service=True)
        self._confd_door: HttpDoor | None = None
        confd: Confd | None = None
        if options.confd_url:
            self._confd_door = HttpDoor(
                options.confd_url,
                context=tls_context(config.ca_file)
                if options.confd_url.startswith("https")
                else None,
            )
            confd = Confd(
                self._confd_door, username=options.confd_username, password=config.confd_password
            )
        super().__init__(
            around,
            Exchange(around, service, self._broadcast),
            CtiLoop(config.name),
            confd=confd,
            voicemail_prefix=config.voicemail_prefix,
        )

    # --- What can be done -------------------------------------------------------------------------

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What some user may have; what one has is in :meth:`capabilities_of`."""
        found = {
            Capability.PRESENCE,
            Capability.DIRECTORY,
            Capability.HOLD,
            Capability.ANSWER,
            *WITH_OWN_LOGIN,
        }
        if self._options.desk_phone_dtmf:
            found.add(Capability.DTMF)
        return frozenset(found)

    def capabilities_of(self, user: PbxUserId) -> frozenset[Capability]:
        """What can be done for one person, by his login and his telephone."""
        found = {Capability.PRESENCE}
        if not self._is_pushed:
            found.add(Capability.DIRECTORY)
        if self._options.rest_commands:
            found.add(Capability.FORWARDS)
        accounts = self._config.accounts
        login = accounts.login_of(user) if accounts is not None else None
        if accounts is None or login is None or login.works is not True:
            return frozenset(found)
        found |= WITH_OWN_LOGIN | {Capability.DIRECTORY}
        phone = accounts.phone_of(user) or PhoneFacts()
        if phone.web_rtc and not phone.has_device:
            found.discard(Capability.TRANSFER)
        if takes_orders(phone, self._options):
            found |= {Capability.HOLD, Capability.ANSWER}
        if sends_tones(phone, self._options):
            found.add(Capability.DTMF)
        return frozenset(found)

    @property
    def uses_own_logins(self) -> bool:
        """XUC acts for nobody but who has signed in."""
        return True

    @property
    def people_source(self) -> str:
        """Where :meth:`users` takes people from; empty where there is no list of them."""
        return "confd" if self._confd is not None else ""

    # --- The whole --------------------------------------------------------------------------------

    def check(self) -> Mapping[str, str]:
        """Sign in with the service account, by which refusals are judged also with pushes."""
        self._rest.sign_in(self._config.username, self._config.password)
        return {}

    def version(self) -> str:
        """XUC tells none."""
        return ""

    def attend(self, users: Collection[PbxUserId]) -> None:
        """See ``Backend``: these people's own sessions are kept open."""
        wanted = frozenset(users)
        self._loop.post(lambda: self._exchange.attend(wanted))

    def refresh_login(self, user: PbxUserId) -> None:
        """Somebody gave another login, or took his away."""
        self._loop.post(lambda: self._exchange.pool.refresh(user))

    def take_pushes(self, bodies: Sequence[object]) -> Sequence[PbxEvent]:
        """See ``Backend``; both shapes, all others passed over."""
        read = [push for push in map(pushes.read, bodies) if push is not None]
        if not read:
            return ()
        self._roster.everybody()

        async def apply() -> Sequence[PbxEvent]:
            return self._exchange.take_pushes(read)

        return self._loop.run(apply, timeout=COMMAND_WITHIN)

    def ignored(self) -> Mapping[str, int]:
        """How many messages of each type came that BlueTel has no use for."""
        return Counter(self._exchange.ignored)

    async def events(self) -> AsyncGenerator[PbxEvent, None]:
        """Events for ever; see the port. After each ``StreamOpened`` the living calls are told."""
        subscriber = Subscriber()
        is_open = self._broadcast.join(subscriber)
        try:
            if is_open:
                subscriber.put(StreamOpened())
                self._loop.post(self._exchange.tell_calls)
            else:
                self._loop.post(self._exchange.begin_to_follow)
            while True:
                yield await subscriber.queue.get()
        finally:
            self._broadcast.leave(subscriber)

    def close(self) -> None:
        """Close the sockets and the connections; idempotent. XUC has no sign-out."""
        self._loop.close(self._exchange.close)
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._door.close()
        if self._confd_door is not None:
            self._confd_door.close()
