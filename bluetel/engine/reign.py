"""The time during which an engine is the one on duty, by its own clock."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from django.db import Error as DatabaseTrouble
from django.utils import timezone

from bluetel.work import leases
from presence.live import publish

if TYPE_CHECKING:
    from bluetel.engine.threads import Threads
    from presence.messages import HubMessage

logger = logging.getLogger(__name__)


class Reign:
    """A held lease and how long it lasts without renewal.

    An engine that was frozen, or that can't reach the database, finds its reign over before
    another's begins: it then says nothing more, and what it would write the rows refuse.
    """

    def __init__(self, held: leases.Held, threads: Threads) -> None:
        self.held = held
        self._threads = threads
        self._loop = asyncio.get_running_loop()
        self._ends = self._loop.time() + leases.TTL.total_seconds()

    @property
    def holds(self) -> bool:
        """Whether nobody else can be on duty."""
        return self._loop.time() < self._ends

    async def publish(self, message: HubMessage) -> None:
        """Tell the web processes, unless the reign is over."""
        if self.holds:
            await publish(message)

    async def keep(self) -> None:
        """Renew until the reign is over."""
        while self.holds:
            await asyncio.sleep(leases.RENEW_EVERY.total_seconds())
            began = self._loop.time()
            try:
                renewed = await self._threads.database(leases.renew, self.held, now=timezone.now())
            except DatabaseTrouble as error:
                logger.error("the engine's lease can't be renewed: %s", error)  # noqa: TRY400
                continue
            if not renewed:
                return
            self._ends = began + leases.TTL.total_seconds()
