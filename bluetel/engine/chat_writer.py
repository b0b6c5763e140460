"""Writing chat statuses to one PBX: in threads of their own, read back, tried again.

Those that wait go together: what is about to be written is one transaction, and what the PBX then
says of them one question and another transaction, however many statuses change in one second.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from django.db import Error as DatabaseTrouble
from django.db import transaction
from django.utils import timezone

from bluetel.engine.status_rows import save_written
from bluetel.engine.threads import PbxThreads
from bluetel.telephony.errors import NotFound, Rejected, TelephonyError
from bluetel.work.leases import LeaseLost
from bluetel.work.turns import turn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bluetel.engine.reign import Reign
    from bluetel.engine.statuses import Statuses
    from bluetel.engine.threads import Threads
    from bluetel.telephony.ports import PresenceBook
    from bluetel.telephony.types import ChatState, PbxUserId
    from presence.board import Board
    from presence.chat import Written

logger = logging.getLogger(__name__)

WRITERS = 4
AT_ONCE = 30
RETRY_FIRST, RETRY_MOST = 1.0, 30.0


class _Wanted(NamedTuple):
    """A status to be written, and what was last written before."""

    state: ChatState
    message: str
    written: Written


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
            taken = self._take([await self._waiting.get()])
            if not taken:
                continue
            to_retry: set[str] = set()
            try:
                to_retry = await self._write(taken)
            except LeaseLost:
                raise
            except Exception:
                logger.exception("PBX %s: %d statuses were not written", self._name, len(taken))
            finally:
                more = {user_id for user_id in taken if self._statuses.finish(user_id)}
            if to_retry:
                await asyncio.sleep(wait)
                wait = min(wait * 2, RETRY_MOST)
            else:
                wait = RETRY_FIRST
            for user_id in sorted(more | to_retry):
                self._waiting.put_nowait(user_id)

    def _take(self, users: list[str]) -> dict[str, _Wanted]:
        """What is to be written for these users and whoever else waits."""
        while len(users) < AT_ONCE and not self._waiting.empty():
            users.append(self._waiting.get_nowait())
        found = {user_id: self._statuses.take(user_id) for user_id in dict.fromkeys(users)}
        return {user_id: _Wanted(*taken) for user_id, taken in found.items() if taken}

    async def _write(self, taken: Mapping[str, _Wanted]) -> set[str]:
        """Gives those to be tried again later. Raises ``LeaseLost``."""
        standings = {user_id: self._board.standing(user_id, at=timezone.now()) for user_id in taken}
        places = {user_id: standing.pbx_user for user_id, standing in standings.items() if standing}
        if not places or not self._reign.holds:
            return set()  # what the PBX holds is looked at anew once it is heard
        failed: dict[str, Exception] = {}
        try:
            await self._save({user_id: taken[user_id].written for user_id in places})
            errors = await asyncio.gather(
                *(self._set(user_id, place, taken[user_id]) for user_id, place in places.items())
            )
            failed = {
                user_id: error for user_id, error in zip(places, errors, strict=True) if error
            }
            await self._read_back(
                {one: place for one, place in places.items() if one not in failed}
            )
        except (TelephonyError, DatabaseTrouble) as error:
            failed = {user_id: failed.get(user_id, error) for user_id in places}
        to_retry = {one for one, error in failed.items() if not _is_final(error)}
        for user_id in failed.keys() - to_retry:
            logger.warning(
                "PBX %s takes no status of user %s: %s", self._name, user_id, failed[user_id]
            )
        for user_id in to_retry:
            self._statuses.give_back(user_id, taken[user_id].state, taken[user_id].message)
        self._tell(next((failed[user_id] for user_id in to_retry), None))
        return to_retry

    async def _set(self, user_id: str, place: PbxUserId, wanted: _Wanted) -> TelephonyError | None:
        set_chat = partial(self._book.set_chat, place, wanted.state, message=wanted.message)
        try:
            await self._pbx_threads.run(set_chat)
        except TelephonyError as error:
            return error
        return None

    def _tell(self, error: Exception | None) -> None:
        """Log once that statuses can't be written, and once that they can again."""
        if error is not None and not self._has_failed:
            logger.error("PBX %s takes no chat statuses: %s", self._name, error)
        elif error is None and self._has_failed:
            logger.warning("PBX %s takes chat statuses again", self._name)
        self._has_failed = error is not None

    async def _read_back(self, places: Mapping[str, PbxUserId]) -> None:
        """Learn when our writes were, by the PBX's clock; a choice made meanwhile is his."""
        if not places:
            return
        users = {place: user_id for user_id, place in places.items()}
        kept: dict[str, Written] = {}
        for presence in await self._pbx_threads.run(self._book.presences, list(users)):
            user_id = users.get(presence.user)
            if user_id is None:
                continue
            self._statuses.hear(self._pbx, presence, is_event=True)
            written = self._statuses.written_for(user_id)
            if presence.chat is written.state and presence.chosen_at is not None:
                kept[user_id] = replace(written, seen_at=presence.chosen_at)
        await self._save(kept)

    async def _save(self, written: Mapping[str, Written]) -> None:
        async with turn():
            await self._threads.database(_save, self._reign, written)


def _is_final(error: Exception) -> bool:
    """Whether the PBX will say the same again."""
    return isinstance(error, NotFound | Rejected)


def _save(reign: Reign, written: Mapping[str, Written]) -> None:
    with transaction.atomic():
        save_written(reign.held, written, now=timezone.now())
