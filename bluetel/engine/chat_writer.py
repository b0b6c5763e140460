"""Writing chat statuses to one PBX: in threads of their own, read back, tried again."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from django.db import DatabaseError, transaction
from django.utils import timezone

from bluetel.engine.statuses import save_written
from bluetel.engine.threads import PbxThreads
from bluetel.telephony.errors import NotFound, Rejected, TelephonyError
from bluetel.work.leases import LeaseLost

if TYPE_CHECKING:
    from bluetel.engine.reign import Reign
    from bluetel.engine.statuses import Statuses
    from bluetel.engine.threads import Threads
    from bluetel.telephony.ports import PresenceBook
    from bluetel.telephony.types import ChatState, PbxUserId
    from presence.board import Board
    from presence.chat import Written

logger = logging.getLogger(__name__)

WRITERS = 4
RETRY_FIRST, RETRY_MOST = 1.0, 30.0


class ChatWriter:
    """The statuses that wait to be written to one PBX; ``run`` writes them for ever."""

    def __init__(
        self,
        pbx: int,
        name: str,
        book: PresenceBook,
        *,
        statuses: Statuses,
        board: Board,
        reign: Reign,
        threads: Threads,
    ) -> None:
        self._pbx = pbx
        self._name = name
        self._book = book
        self._statuses = statuses
        self._board = board
        self._reign = reign
        self._threads = threads
        self._pbx_threads = PbxThreads(f"{name}-chat", size=WRITERS)
        self._waiting: asyncio.Queue[str] = asyncio.Queue()
        self._has_failed = False

    async def run(self) -> None:
        """Write for ever, several at once."""
        self._statuses.write_by(self._pbx, self._waiting.put_nowait)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(WRITERS):
                    group.create_task(self._work())
        finally:
            self._statuses.write_by(self._pbx, None)
            self._pbx_threads.close()

    async def _work(self) -> None:
        wait = RETRY_FIRST
        while True:
            user_id = await self._waiting.get()
            taken = self._statuses.take(user_id)
            if taken is None:
                continue
            is_done = True
            try:
                is_done = await self._write(user_id, *taken)
            except LeaseLost:
                raise
            except Exception:
                logger.exception("PBX %s: user %s's status was not written", self._name, user_id)
            finally:
                is_more = self._statuses.finish(user_id)
            if is_done:
                wait = RETRY_FIRST
            else:
                await asyncio.sleep(wait)
                wait = min(wait * 2, RETRY_MOST)
            if is_more or not is_done:
                self._waiting.put_nowait(user_id)

    async def _write(self, user_id: str, state: ChatState, message: str, written: Written) -> bool:
        """False when it is to be tried again later. Raises ``LeaseLost``."""
        standing = self._board.standing(user_id, at=timezone.now())
        if standing is None or not self._reign.holds:
            return True  # what the PBX holds is looked at anew once it is heard
        try:
            await self._threads.database(_save, self._reign, user_id, written)
            set_chat = partial(self._book.set_chat, standing.pbx_user, state, message=message)
            await self._pbx_threads.run(set_chat)
            await self._read_back(user_id, standing.pbx_user)
        except (NotFound, Rejected) as error:
            logger.warning("PBX %s takes no status of user %s: %s", self._name, user_id, error)
            return True
        except (TelephonyError, DatabaseError) as error:
            if not self._has_failed:
                logger.error("PBX %s takes no chat statuses: %s", self._name, error)  # noqa: TRY400
            self._has_failed = True
            self._statuses.give_back(user_id, state, message)
            return False
        if self._has_failed:
            logger.warning("PBX %s takes chat statuses again", self._name)
        self._has_failed = False
        return True

    async def _read_back(self, user_id: str, pbx_user: PbxUserId) -> None:
        """Learn when our write was, by the PBX's clock; a choice made meanwhile is his."""
        for presence in await self._pbx_threads.run(self._book.presences, [pbx_user]):
            self._statuses.hear(self._pbx, presence, is_event=True)
            written = self._statuses.written_for(user_id)
            if presence.chat is written.state and presence.chosen_at is not None:
                kept = replace(written, seen_at=presence.chosen_at)
                await self._threads.database(_save, self._reign, user_id, kept)


def _save(reign: Reign, user_id: str, written: Written) -> None:
    with transaction.atomic():
        save_written(reign.held, user_id, written, now=timezone.now())
