"""Keeps the features' duties at work for as long as the engine reigns."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar, cast

from django.utils.module_loading import import_string

from bluetel import tasks
from bluetel.engine.threads import Threads
from bluetel.work.leases import ENGINE, LeaseLost

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bluetel.engine.reign import Reign
    from bluetel.telephony.types import PbxEvent
    from bluetel.work.duties import Duty
    from bluetel.work.leases import Held
    from presence.messages import HubMessage

logger = logging.getLogger(__name__)

THREADS_EACH = 4
RETRY_FIRST, RETRY_MOST = 1.0, 60.0
WELL_AFTER = 60.0
SLOW_HOOK = 0.05

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Duties:
    """Some of them; what the PBXs' links hear is handed on to each."""

    def __init__(self, paths: Sequence[str], reign: Reign | None = None) -> None:
        """Without a ``reign`` they are what every engine does, on duty or standing by."""
        self._database = Threads("duties-db")
        self._keepers = [DutyKeeper(path, reign, self._database, self._heard_now) for path in paths]
        self._heard: set[int] = set()

    async def run(self) -> None:
        """Keep them at work for ever."""
        async with asyncio.TaskGroup() as group:
            for keeper in self._keepers:
                group.create_task(keeper.run(), name=keeper.path)
            await asyncio.Event().wait()

    def close(self) -> None:
        """Let their threads end."""
        for keeper in self._keepers:
            keeper.close()
        self._database.close()

    def tell_event(self, pbx_id: int, event: PbxEvent) -> None:
        """A stream said this."""
        for keeper in self._keepers:
            keeper.tell("on_pbx_event", pbx_id, event)

    def tell_heard(self, pbx_id: int) -> None:
        """A stream is open and its snapshot loaded; a later snapshot of it is no news."""
        if pbx_id not in self._heard:
            self._heard.add(pbx_id)
            for keeper in self._keepers:
                keeper.tell("on_pbx_heard", pbx_id)

    def tell_lost(self, pbx_id: int) -> None:
        """A PBX that was heard no longer is."""
        if pbx_id in self._heard:
            self._heard.discard(pbx_id)
            for keeper in self._keepers:
                keeper.tell("on_pbx_lost", pbx_id)

    def _heard_now(self) -> list[int]:
        return sorted(self._heard)


class DutyKeeper:
    """One duty: made, run, and after a failure made anew, later each time."""

    def __init__(
        self, path: str, reign: Reign | None, database: Threads, heard_now: Callable[[], list[int]]
    ) -> None:
        self.path = path
        self._loop = asyncio.get_running_loop()
        self._own = Threads(path.rpartition(".")[2], size=THREADS_EACH)
        self._post = EnginePost(reign, database, self._own)
        self._heard_now = heard_now
        self._duty: Duty | None = None
        self._hook_failed: asyncio.Future[None] | None = None
        self._has_failed = False
        self._was_slow = False

    async def run(self) -> None:
        """Work until cancelled."""
        wait = RETRY_FIRST
        while True:
            well = self._loop.call_later(WELL_AFTER, self._tell_well)
            try:
                await self._live()
            except LeaseLost:
                pass  # the reign is about to end
            except Exception:
                if not self._has_failed:
                    logger.exception("the engine's duty %s failed", self.path)
                if well.when() <= self._loop.time():
                    wait = RETRY_FIRST
                self._has_failed = True
            finally:
                well.cancel()
                self._duty = None
            await asyncio.sleep(wait)
            wait = min(wait * 2, RETRY_MOST)

    async def _live(self) -> None:
        """One life of the duty, which ends by what it or one of its hooks raises."""
        self._hook_failed = failed = self._loop.create_future()
        self._duty = cast("Duty", import_string(self.path)())
        for pbx_id in self._heard_now():
            self.tell("on_pbx_heard", pbx_id)
        running = asyncio.create_task(self._duty.run(self._post), name=self.path)
        try:
            await asyncio.wait([running, failed], return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
            await failed  # who returned is done, but his hooks go on
        finally:
            await tasks.end(running)

    def _tell_well(self) -> None:
        if self._has_failed:
            logger.warning("the engine's duty %s works again", self.path)
            self._has_failed = False

    def close(self) -> None:
        """Let its threads end."""
        self._own.close()

    def tell(self, hook: str, *said: object) -> None:
        """Call a hook of the duty, if it has it; one that raises counts as a failed duty."""
        call = getattr(self._duty, hook, None)
        if call is None or self._hook_failed is None or self._hook_failed.done():
            return
        began = self._loop.time()
        try:
            call(*said)
        except Exception as error:  # noqa: BLE001 — whatever a feature raises, the engine goes on
            self._hook_failed.set_exception(error)
        took = self._loop.time() - began
        if took > SLOW_HOOK and not self._was_slow:
            self._was_slow = True
            logger.warning("%s.%s held the engine up for %.0f ms", self.path, hook, took * 1000)


class EnginePost:
    """The ``Post`` of one duty."""

    def __init__(self, reign: Reign | None, database: Threads, own: Threads) -> None:
        self._reign = reign
        self._database = database
        self._own = own

    @property
    def held(self) -> Held:
        """The engine's lease; ``LeaseLost`` where the duty isn't bound to it."""
        if self._reign is None:
            raise LeaseLost(ENGINE)
        return self._reign.held

    async def database(
        self, function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> _T:
        """Run what reads or writes the database."""
        return await self._database.database(partial(function, *args, **kwargs))

    async def run(self, function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run what may block for long."""
        return await self._own.database(partial(function, *args, **kwargs))

    async def publish(self, message: Mapping[str, object]) -> None:
        """Tell the web processes."""
        if self._reign is not None:
            await self._reign.publish(cast("HubMessage", message))
