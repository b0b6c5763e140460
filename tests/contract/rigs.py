"""The backends the contract is held against, each over a simulated PBX whose time stands still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

from bluetel.telephony.ports import Backend, OwnLogin, PbxConfig
from bluetel.telephony.simulator.loopback import PASSWORD, USERNAME
from bluetel.telephony.simulator.memory import MemoryBackend
from bluetel.telephony.simulator.model import SimulatedPbx
from bluetel.telephony.simulator.people import DeskLine, Person
from bluetel.telephony.simulator.scenario import build
from bluetel.telephony.simulator.wazo_server.serve import LoopbackWazo
from bluetel.telephony.simulator.wazo_server.site import VERSION as WAZO_VERSION
from bluetel.telephony.simulator.xivo_server.serve import API_KEY, LoopbackXuc
from bluetel.telephony.simulator.xivo_server.site import Readings
from bluetel.telephony.types import (
    Call,
    CallChanged,
    Line,
    PbxEvent,
    PbxUser,
    PbxUserId,
    PhoneFacts,
)
from bluetel.telephony.wazo.backend import WazoBackend
from bluetel.telephony.xivo.backend import Clockwork, XivoBackend
from bluetel.telephony.xivo.times import CtiTimes
from tests.contract.lacks import Lack, Untold

T = TypeVar("T")
PATIENCE = 10.0


class Doing(Protocol):
    """Runs something at the PBX itself."""

    def __call__(self, action: Callable[[SimulatedPbx], T], /) -> T:
        """Give what ``action`` gives."""


def by_uuid(person: Person) -> PbxUserId:
    """How Wazo names people."""
    return person.id


@dataclass
class Rig:
    """A backend, and hands at the PBX behind it; ``lacks`` is what its kind of PBX can't do.

    ``untold`` is what it doesn't tell, ``version`` what it says of itself.
    """

    backend: Backend
    do: Doing
    lose_stream: Callable[[], None]
    restore_stream: Callable[[], None]
    id_of: Callable[[Person], PbxUserId] = by_uuid
    lacks: frozenset[Lack] = frozenset()
    version: str = ""
    untold: frozenset[Untold] = frozenset()

    def user(self, extension: str) -> PbxUserId:
        return self.do(lambda pbx: self.id_of(pbx.lines[extension][0]))

    def person(self, extension: str) -> Person:
        return self.do(lambda pbx: pbx.lines[extension][0])

    def line(self, extension: str) -> DeskLine:
        return self.do(lambda pbx: pbx.lines[extension][1])

    def advance(self, seconds: float) -> None:
        self.do(lambda pbx: pbx.advance(seconds))

    def pick_up(self, extension: str) -> None:
        self.do(lambda pbx: pbx.answer(pbx.lines[extension][1].legs[0]))

    def put_down(self, extension: str) -> None:
        self.do(lambda pbx: pbx.put_down(pbx.lines[extension][1].legs[0]))

    def dial(self, extension: str, number: str) -> None:
        self.do(lambda pbx: pbx.dial(pbx.lines[extension][1], number))

    def call(self, extension: str) -> Call:
        """The one live call of somebody, as the backend tells it."""
        (call,) = self.backend.calls(self.user(extension))
        return call

    def talk(self, caller: str, callee: str) -> Call:
        """Let two talk; the caller's call."""
        self.dial(caller, callee)
        self.pick_up(callee)
        return self.call(caller)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Listener]:
        """Follow the backend's events for the length of the block."""
        listener = Listener()
        task = asyncio.create_task(listener.follow(self.backend))
        try:
            yield listener
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


class Listener:
    """All events so far, in order."""

    def __init__(self) -> None:
        self.events: list[PbxEvent] = []
        self._news = asyncio.Condition()

    async def follow(self, backend: Backend) -> None:
        async with aclosing(backend.events()) as events:
            async for event in events:
                async with self._news:
                    self.events.append(event)
                    self._news.notify_all()

    async def until(self, condition: Callable[[list[PbxEvent]], bool]) -> list[PbxEvent]:
        """Wait until the events so far fulfil ``condition``."""
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: condition(self.events))
        return self.events

    async def saw(self, kind: type[T], condition: Callable[[T], bool] = lambda _: True) -> T:
        """Wait for an event of that kind; gives the last that fits."""

        def fitting() -> list[T]:
            return [one for one in self.events if isinstance(one, kind) and condition(one)]

        await self.until(lambda _: bool(fitting()))
        return fitting()[-1]

    async def call(self, user: PbxUserId, condition: Callable[[Call], bool]) -> Call:
        """Wait until somebody's call is as wanted."""
        event = await self.saw(
            CallChanged, lambda one: one.call.user == user and condition(one.call)
        )
        return event.call


@contextmanager
def memory_rig() -> Iterator[Rig]:
    """The memory backend."""
    backend = MemoryBackend(build(now=datetime.now(UTC)))
    yield Rig(
        backend=backend,
        do=backend.do,
        lose_stream=backend.lose_stream,
        restore_stream=backend.restore_stream,
        version="simulated",
    )


@contextmanager
def wazo_rig() -> Iterator[Rig]:
    """The Wazo adapter against the simulated Wazo, over real HTTP and WebSocket."""
    with LoopbackWazo(build(now=datetime.now(UTC)), stands_still=True) as wazo:
        backend = WazoBackend(
            PbxConfig(name="contract", url=wazo.url, username=USERNAME, password=PASSWORD)
        )
        try:
            yield Rig(
                backend=backend,
                do=wazo.do,
                lose_stream=lambda: wazo.do(lambda _: wazo.application.sockets.drop_all()),
                restore_stream=lambda: None,
                version=WAZO_VERSION,
            )
        finally:
            backend.close()


class KnownPeople:
    """The account book of a site where everybody has given his login; phones are noted.

    ``given`` are the passwords that BlueTel keeps, where they aren't those that are right.
    """

    def __init__(self, pbx: SimulatedPbx, *, without_login: frozenset[str] = frozenset()) -> None:
        self._pbx = pbx
        self.without_login = set(without_login)
        self.works: dict[str, bool | None] = {}
        self.given: dict[str, str] = {}
        self.phones: dict[str, PhoneFacts] = {}

    def people(self) -> list[PbxUser]:
        return [
            PbxUser(
                id=by_login(one),
                login=one.login,
                first_name=one.first_name,
                last_name=one.last_name,
                email=one.email,
                mobile=one.mobile,
                lines=tuple(Line(id=own.extension, extension=own.extension) for own in one.lines),
            )
            for one in self._pbx.everybody()
        ]

    def login_of(self, user: PbxUserId) -> OwnLogin | None:
        if user in self.without_login or user not in self._pbx.logins:
            return None
        person = self._pbx.logins[user]
        return OwnLogin(
            login=person.login,
            password=self.given.get(user, person.password),
            works=self.works.get(user, True),
        )

    def note_login(self, user: PbxUserId, tried: OwnLogin, *, works: bool) -> None:
        now = self.login_of(user)
        if now is not None and (now.login, now.password) == (tried.login, tried.password):
            self.works[user] = works

    def phone_of(self, user: PbxUserId) -> PhoneFacts | None:
        return self.phones.get(user)

    def note_phone(self, user: PbxUserId, phone: PhoneFacts) -> None:
        self.phones[user] = phone


def by_login(person: Person) -> PbxUserId:
    """How XiVO names people."""
    return PbxUserId(person.login or person.id)


FAST = CtiTimes(
    first_delay=0.05,
    longest_delay=0.2,
    linger=0.2,
    seed_after=0.1,
    ask_again_every=0.1,
    answer_lasts=0.1,
)


@dataclass
class XivoRig(Rig):
    """With the simulated XUC itself, and the people's logins as BlueTel keeps them."""

    backend: XivoBackend
    xuc: LoopbackXuc = field(kw_only=True)
    accounts: KnownPeople = field(kw_only=True)

    def sent(self, name: str) -> list[dict[str, Any]]:
        """The commands of that name that came over sockets, and requests by path."""
        requests: list[Any] = self.do(lambda _: list(self.xuc.site.requests))
        return [one for one in requests if one["path"] == name]

    def fault(self, **faults: object) -> None:
        def act(_: SimulatedPbx) -> None:
            for name, value in faults.items():
                self.xuc.site.faults.set(name, value)

        self.do(act)

    def sockets(self, extension: str) -> int:
        """How many sockets somebody has open."""
        login = self.user(extension)
        return self.do(lambda _: self.xuc.application.sockets.count(login))


@contextmanager
def xivo_rig(
    readings: Readings | None = None,
    *,
    times: CtiTimes | None = None,
    without_login: frozenset[str] = frozenset(),
    is_attending: bool = True,
    **options: object,
) -> Iterator[XivoRig]:
    """The XiVO adapter against the simulated XUC; everybody is looked after unless said not to."""
    pbx = build(now=datetime.now(UTC))
    accounts = KnownPeople(pbx, without_login=without_login)
    with LoopbackXuc(pbx, stands_still=True, readings=readings) as xuc:
        config = PbxConfig(
            name="contract",
            url=xuc.url,
            username=USERNAME,
            password=PASSWORD,
            api_key=API_KEY,
            options={"remote_makes": ["Yealink", "Fanvil"], **options},
            accounts=accounts,
        )
        clockwork = Clockwork(now=lambda: pbx.now, times=times or FAST)
        backend = XivoBackend(config, clockwork=clockwork)
        try:
            if is_attending:
                backend.attend([by_login(one) for one in xuc.do(lambda _: [*pbx.everybody()])])
            yield XivoRig(
                backend=backend,
                do=xuc.do,
                lose_stream=lambda: xuc.do(lambda _: xuc.application.sockets.drop_all()),
                restore_stream=lambda: None,
                id_of=by_login,
                xuc=xuc,
                accounts=accounts,
            )
        finally:
            backend.close()


def other_xivo_rig() -> AbstractContextManager[Rig]:
    """The same against the other reading of each thing that no document settles."""
    readings = Readings(
        hint_subscription="replaces",
        initial_hints=False,
        click_begins="ringing",
        dial_failure="error",
        unique_ids=False,
        second_socket="replaces",
        phone_status="name",
        settings_told="partial",
        headers=("Nom", "Numéro", "Portable", "Email", "Favoris"),
    )
    return xivo_rig(readings, initial_hints=False, unique_ids=False)


RIGS: dict[str, Callable[[], AbstractContextManager[Rig]]] = {
    "memory": memory_rig,
    "wazo": wazo_rig,
    "xivo": xivo_rig,
    "xivo-read-otherwise": other_xivo_rig,
}
