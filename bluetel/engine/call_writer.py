"""One PBX's calls as they change: written down, all that came meanwhile in one go, and told.

Changes and snapshots are written one after the other, never at once.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from django.utils import timezone

from bluetel.calls.tracking import apply_pbx_calls, apply_pbx_snapshot
from presence.live import call_message

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bluetel.accounts.models import Pbx
    from bluetel.calls.messages import CallRecord
    from bluetel.engine.reign import Reign
    from bluetel.engine.threads import Threads
    from bluetel.telephony.types import Call

logger = logging.getLogger(__name__)


class CallWriter:
    """Takes calls at any time; ``run`` writes them until it is cancelled."""

    def __init__(self, pbx: Pbx, *, threads: Threads, reign: Reign) -> None:
        """Nothing is written yet."""
        self._pbx = pbx
        self._threads = threads
        self._reign = reign
        self._calls: list[Call] = []
        self._came = asyncio.Event()
        self._writing = asyncio.Lock()

    def put(self, call: Call) -> None:
        """Have a call that is different now written soon."""
        self._calls.append(call)
        self._came.set()

    async def run(self) -> None:
        """Write for ever."""
        while True:
            await self._came.wait()
            self._came.clear()
            async with self._writing:
                await self._write()

    async def write_snapshot(
        self, calls: Sequence[Call], *, known: frozenset[str], began: datetime
    ) -> None:
        """Write all calls, after the changes that came before the reading of them ``began``."""
        async with self._writing:
            await self._write()
            changed = await self._threads.database(
                apply_pbx_snapshot, self._pbx, calls, known=known, now=began
            )
            await self._tell(changed)

    async def _write(self) -> None:
        calls, self._calls = self._calls, []
        try:
            changed = await self._threads.database(
                apply_pbx_calls, self._pbx, calls, now=timezone.now()
            )
        except Exception:
            logger.exception("PBX %s: calls can't be written", self._pbx.name)
        else:
            await self._tell(changed)

    async def _tell(self, changed: Sequence[tuple[int, CallRecord]]) -> None:
        for user_id, record in changed:
            await self._reign.publish(call_message(user_id, record))
