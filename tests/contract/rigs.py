"""The backends the contract is held against, each over a simulated PBX whose time stands still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from bluetel.telephony.ports import Backend, PbxConfig
from bluetel.telephony.simulator.memory import MemoryBackend
from bluetel.telephony.simulator.model import SimulatedPbx
from bluetel.telephony.simulator.people import DeskLine, Person
from bluetel.telephony.simulator.scenario import build, user_id
from bluetel.telephony.simulator.wazo_server.serve import PASSWORD, USERNAME, LoopbackWazo
from bluetel.telephony.types import Call, CallChanged, PbxEvent, PbxUserId
from bluetel.telephony.wazo.backend import WazoBackend

T = TypeVar("T")
PATIENCE = 10.0


class Doing(Protocol):
    """Runs something at the PBX itself."""

    def __call__(self, action: Callable[[SimulatedPbx], T], /) -> T:
        """Give what ``action`` gives."""


@dataclass
class Rig:
    """A backend, and hands at the PBX behind it."""

    backend: Backend
    do: Doing
    lose_stream: Callable[[], None]
    restore_stream: Callable[[], None]

    def user(self, extension: str) -> PbxUserId:
        return PbxUserId(user_id(extension))

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
            )
        finally:
            backend.close()


RIGS = {"memory": memory_rig, "wazo": wazo_rig}
