"""What BlueTel keeps of the PBX's people, asked and told from the sockets' loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any

from bluetel.telephony.ports import AccountBook, OwnLogin
from bluetel.telephony.types import PbxUserId, PhoneFacts

logger = logging.getLogger(__name__)


class Accounts:
    """The account book without waiting for it; ``book`` is None where nobody has an own login."""

    def __init__(self, book: AccountBook | None, executor: Executor) -> None:
        """The book is opened in the threads of ``executor``."""
        self._book = book
        self._executor = executor
        self._works: dict[tuple[PbxUserId, str, str], bool] = {}
        self._writing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def login_of(self, user: PbxUserId) -> OwnLogin | None:
        """Somebody's own login, where he gave it."""
        book = self._book
        if book is None:
            return None
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, lambda: book.login_of(user))

    def note_login(self, user: PbxUserId, tried: OwnLogin, *, works: bool) -> None:
        """Have it written whether the PBX takes somebody's login."""
        if self._book is not None:
            self._works[user, tried.login, tried.password] = works
            self._start(self._write_login(self._book, user, tried))

    def note_phone(self, user: PbxUserId, phone: PhoneFacts) -> None:
        """Have it written what somebody's telephone is."""
        book = self._book
        if book is not None:
            self._start(self._write(lambda: book.note_phone(user, phone)))

    async def finish(self) -> None:
        """Wait for what is being written."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _write_login(self, book: AccountBook, user: PbxUserId, tried: OwnLogin) -> None:
        """One after the other, so that what was told last is what is written last."""
        async with self._writing:
            works = self._works.pop((user, tried.login, tried.password), None)
            if works is not None:
                await self._write(lambda: book.note_login(user, tried, works=works))

    async def _write(self, blocking: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._executor, blocking)
        except Exception:
            # The book is not ours: whatever fails there must not cost a session.
            logger.exception("BlueTel's account book can't be written")

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
