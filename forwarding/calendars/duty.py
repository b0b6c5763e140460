"""The engine's duty to keep all calendars read."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from django.utils import timezone

from forwarding.calendars.polling import (
    Agenda,
    Watched,
    ask,
    newer_calendars,
    note_unchanged,
)

if TYPE_CHECKING:
    from bluetel.work.duties import Post

logger = logging.getLogger(__name__)

TICK = 1.0
NOTED_EVERY = 30
"""Ticks between two notes of what was read and is unchanged."""

AT_ONCE = 4


class CalendarWatch:
    """Reads every calendar when the engine starts, then asks each address in its turn."""

    def __init__(self) -> None:
        self._agenda = Agenda()
        self._unchanged: list[int] = []
        self._free = asyncio.Semaphore(AT_ONCE)

    async def run(self, post: Post) -> None:
        """Until the engine's reign ends."""
        async with asyncio.TaskGroup() as asking:
            ticks = 0
            while True:
                now = timezone.now()
                newest = self._agenda.newest_id
                for calendar in await post.database(newer_calendars, newest):
                    # What was added meanwhile has just been read by whoever added it.
                    self._agenda.add([calendar], at=now)
                for watched in self._agenda.take_due(now):
                    asking.create_task(self._ask(post, watched))
                ticks += 1
                if ticks % NOTED_EVERY == 0 and self._unchanged:
                    ids, self._unchanged = self._unchanged, []
                    self._agenda.forget(await post.database(note_unchanged, ids, now=now))
                await asyncio.sleep(TICK)

    async def _ask(self, post: Post, watched: Watched) -> None:
        """One address; whatever goes wrong with it is its own affair."""
        async with self._free:
            try:
                is_unchanged = await post.run(ask, watched, now=timezone.now())
            except Exception:
                logger.exception("calendars %s could not be read", watched.ids)
                is_unchanged = False
        if is_unchanged:
            self._unchanged += watched.ids
        self._agenda.ask_again(watched, at=watched.next_question(timezone.now()))
