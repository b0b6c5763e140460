"""A house with engines and the hub of this process, and what was said on the channel layer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from asgiref.sync import sync_to_async

from bluetel import tasks
from bluetel.accounts.models import User
from bluetel.engine.engine import Engine
from bluetel.telephony.simulator.model import SimulatedPbx
from presence import feed, selectors
from presence.live import LIVE
from presence.messages import PersonRecord
from presence.subscription import Subscription
from tests.apps.house import House

T = TypeVar("T")
PATIENCE = 15.0


async def until(
    condition: Callable[[], bool | Awaitable[bool]], *, what: str, within: float = PATIENCE
) -> None:
    """Wait until a condition of a running part holds."""
    try:
        async with asyncio.timeout(within):
            while True:
                found = condition()
                if found if isinstance(found, bool) else await found:
                    return
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"never came: {what}") from None


class Stage:
    """An async context manager: what it started it ends."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.said: list[Any] = []
        self._engines: list[tuple[Engine, asyncio.Task[None]]] = []
        self._subscription = Subscription(LIVE, on_message=self._hear)
        self._hearing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Stage:
        self._hearing = asyncio.create_task(self._subscription.run())
        await until(lambda: self._subscription.is_alive, what="the subscription")
        return self

    async def __aexit__(self, *error: object) -> None:
        for engine, _ in list(self._engines):
            await self.stop_engine(engine)
        assert self._hearing is not None
        await tasks.end(self._hearing)

    async def _hear(self, message: Any) -> None:
        self.said.append(message)

    # --- Engines ----------------------------------------------------------------------------------

    async def start_engine(self) -> Engine:
        """One more engine, on duty or standing by."""
        engine = Engine()
        self._engines.append((engine, asyncio.create_task(engine.run())))
        await asyncio.sleep(0)
        return engine

    async def stop_engine(self, engine: Engine) -> None:
        """End one as a signal does."""
        await engine.stop()
        for entry in list(self._engines):
            if entry[0] is engine:
                await entry[1]
                self._engines.remove(entry)

    # --- The PBX and what is seen -----------------------------------------------------------------

    async def do(self, action: Callable[[SimulatedPbx], T]) -> T:
        """Do something at the PBX, from another thread as a PBX would."""
        return await asyncio.to_thread(self.house.do, action)

    async def user(self, extension: str) -> User:
        """BlueTel's user of that extension."""
        return await sync_to_async(self.house.user)(extension)

    async def record(self, extension: str) -> PersonRecord:
        """How colleagues see the user of that extension, by the rows."""
        return await sync_to_async(lambda: selectors.my_record(self.house.user(extension)))()

    async def until_phone(self, extension: str, state: str) -> None:
        """Wait until the rows show a phone so."""

        async def is_so() -> bool:
            return (await self.record(extension))["phone"] == state

        await until(is_so, what=f"phone {extension} {state}")

    async def until_heard(self) -> None:
        """Wait until an engine hears the PBX, and until that has been said to the end."""
        await self.until_phone("1001", "available")

        async def is_told() -> bool:
            links = self.of_type("link")
            return bool(links) and links[-1]["is_up"]

        await until(is_told, what="the news that the PBX is heard")

    def of_type(self, kind: str) -> list[Any]:
        """What was said of one kind."""
        return [message for message in self.said if message["type"] == kind]


async def hub_is_ready() -> feed.Feed:
    """The hub of this process, once it knows the states."""
    found = feed.this_process()
    await found.ready.wait()
    return found
