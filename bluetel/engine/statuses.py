"""Chat statuses in the engine: the claims on them, their edges, and what the PBX holds of them.

Claims are rows; a message says whose changed, and a look at the rows each second finds what no
message told. An edge shows at its very moment, from memory; the rows and the PBX follow.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import Error as DatabaseTrouble
from django.db import transaction
from django.utils import timezone

from bluetel.engine.status_rows import (
    by_user,
    facts_of,
    read_all,
    read_claims,
    save_written,
    touched_since,
    written_of,
)
from bluetel.telephony.text import safe_text
from bluetel.telephony.types import ChatState
from bluetel.work.turns import turn
from presence import chat
from presence.chat import Whose, Written
from presence.models import Claim
from presence.rules import MESSAGE_LIMIT, ON_PBX, ImSource
from presence.services import choose_status, delete_claims, delete_expired, set_idle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from bluetel.engine.outbox import Outbox
    from bluetel.engine.reign import Reign
    from bluetel.engine.threads import Threads
    from bluetel.telephony.types import Presence
    from presence.board import Board

logger = logging.getLogger(__name__)

LOOK_EVERY = 1.0
LOOK_BACK = timedelta(seconds=5)
"""So rows of a long transaction, or of a host whose clock is behind, are seen all the same."""
RETRY_AFTER = 1.0
PASSED_AT_ONCE = 50
TOLD_WITHIN = 2.0
"""So long rows wait for what colleagues are told; then the layer is slow, or away."""


class Statuses:
    """The statuses of everybody on the board; ``run`` keeps them for as long as the lease holds."""

    def __init__(self, reign: Reign, threads: Threads, board: Board, outbox: Outbox) -> None:
        self._reign = reign
        self._threads = threads
        self._board = board
        self._outbox = outbox
        self._claims: dict[str, list[Claim]] = {}
        self._written: defaultdict[str, Written] = defaultdict(Written)
        self._edges: list[tuple[datetime, str]] = []
        self._changed: set[str] = set()
        self._to_store: list[Callable[[], object]] = []
        self._storing: defaultdict[str, int] = defaultdict(int)
        self._looked_at = timezone.now()
        self._wake = asyncio.Event()
        self._writers: dict[int, Callable[[str], None]] = {}
        self._to_write: dict[str, tuple[ChatState, str]] = {}
        self._under_way: dict[str, ChatState] = {}

    # --- Claims -----------------------------------------------------------------------------------

    async def load(self) -> None:
        """Read all claims, and what was written to the PBXs."""
        self._looked_at = timezone.now()
        claims, records = await self._threads.database(read_all)
        self._claims = by_user(claims)
        for record in records:
            self._written[str(record.user_id)] = written_of(record)
        for user_id in self._claims:
            self._note_edges(user_id)

    def enrol(self, user_ids: Iterable[str]) -> None:
        """Show the claims of people who are new on the board."""
        for user_id in user_ids:
            if user_id in self._claims:
                self._show(user_id)

    def reread(self, user_id: str) -> None:
        """The claims of somebody changed."""
        self._changed.add(user_id)
        self._wake.set()

    async def run(self) -> None:
        """Follow the claims for ever. Raises ``LeaseLost``."""
        has_failed = False
        while True:
            try:
                async with asyncio.timeout(self._pause()):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            over = await self._pass_edges()
            try:
                await self._store()
                if over:
                    await self._threads.database(delete_expired, now=timezone.now())
                await self._read_changed()
            except DatabaseTrouble as error:
                if not has_failed:
                    logger.error("chat statuses can't be read or written: %s", error)  # noqa: TRY400
                has_failed = True
                await asyncio.sleep(RETRY_AFTER)
            else:
                has_failed = False

    def _pause(self) -> float:
        """Seconds until the next edge or look, whichever comes first."""
        if not self._edges:
            return LOOK_EVERY
        left = (self._edges[0][0] - timezone.now()).total_seconds()
        return min(LOOK_EVERY, max(left, 0.0))

    async def _pass_edges(self) -> bool:
        """Show what begins or ends now; whether anything ended.

        Colleagues first, the PBXs after them, and others breathe between: it may be thousands.
        """
        now = timezone.now()
        passed: dict[str, None] = {}
        is_over = False
        with turn().hurry():
            while self._edges and self._edges[0][0] <= now:
                _, user_id = heapq.heappop(self._edges)
                is_over |= any(
                    claim.ends is not None and claim.ends <= now
                    for claim in self._claims.get(user_id, ())
                )
                self._outbox.put(self._board.pass_edge(user_id, at=now))
                passed[user_id] = None
                if len(passed) % PASSED_AT_ONCE == 0:
                    await asyncio.sleep(0)
            if passed:
                with suppress(TimeoutError):
                    async with asyncio.timeout(TOLD_WITHIN):
                        await self._outbox.told()
        for count, user_id in enumerate(passed, start=1):
            self.consider(user_id)
            if count % PASSED_AT_ONCE == 0:
                await asyncio.sleep(0)
        return is_over

    async def _read_changed(self) -> None:
        now = timezone.now()
        told, self._changed = self._changed, set()
        try:
            if now - self._looked_at >= timedelta(seconds=LOOK_EVERY):
                since = self._looked_at - LOOK_BACK
                told |= await self._threads.database(touched_since, since)
                self._looked_at = now
            if not told:
                return
            found = by_user(await self._threads.database(read_claims, told))
        except DatabaseTrouble:
            self._changed |= told
            raise
        for user_id in told:
            if self._storing[user_id]:
                continue  # it is read again once it is stored
            claims = found.get(user_id, [])
            if facts_of(claims) != facts_of(self._claims.get(user_id, [])):
                self._claims[user_id] = claims
                self._note_edges(user_id)
                self._show(user_id)

    def _note_edges(self, user_id: str) -> None:
        now = timezone.now()
        for claim in self._claims.get(user_id, ()):
            for edge in (claim.starts, claim.ends):
                if edge is not None and edge > now:
                    heapq.heappush(self._edges, (edge, user_id))

    def _show(self, user_id: str) -> None:
        claims = self._claims.get(user_id, [])
        self._outbox.put(self._board.claim(user_id, claims, at=timezone.now()))
        self.consider(user_id)

    # --- Pages ------------------------------------------------------------------------------------

    def see_page(self, user_id: str, *, is_open: bool) -> None:
        """Somebody opened his first page, or closed his last one: nobody idles without one."""
        if not is_open and any(claim.source == ImSource.IDLE for claim in self._claims_of(user_id)):
            self._later(user_id, lambda: set_idle(int(user_id), idle=False, now=timezone.now()))
        self.consider(user_id)

    def _claims_of(self, user_id: str) -> list[Claim]:
        return self._claims.get(user_id, [])

    # --- What the PBX says ------------------------------------------------------------------------

    def hear(self, pbx: int, presence: Presence, *, is_event: bool) -> Presence:
        """Judge whose choice a status on the PBX is; gives the presence as it is to be believed.

        What an event tells was chosen just now; of what is merely found the PBX says when.
        """
        user_id = self._board.user_id_of(pbx, presence.user)
        if user_id is None:
            return presence
        written = self._written[user_id]
        if not self._board.is_kept_on_pbx(user_id):
            # Somebody else's word counts. What was chosen here while the PBX's did is over.
            if any(claim.ref == ON_PBX for claim in self._claims_of(user_id)):
                self._let_go(user_id)
            return presence
        if presence.chat is self._under_way.get(user_id) and presence.chat is not written.state:
            # What we wrote a moment ago; something newer waits already.
            self._written[user_id] = replace(written, seen_at=presence.chosen_at)
            return self._as_shown(user_id, presence)
        match chat.whose(presence, written):
            case Whose.OLD:
                return self._as_shown(user_id, presence)
            case Whose.HIS:
                self._adopt(user_id, presence, chosen_at=None if is_event else presence.chosen_at)
            case Whose.OURS:
                is_new = presence.chosen_at is not None and presence.chosen_at != written.seen_at
                if is_new:
                    self._written[user_id] = replace(written, seen_at=presence.chosen_at)
                    if written.state is not None:
                        self._hand_back(user_id)
        return presence

    def _as_shown(self, user_id: str, presence: Presence) -> Presence:
        """What an event tells of the phone, with the status that is shown already."""
        standing = self._board.standing(user_id, at=timezone.now())
        if standing is None:
            return presence
        shown = standing.presence
        return replace(presence, chat=shown.chat, message=shown.message)

    def _adopt(self, user_id: str, presence: Presence, *, chosen_at: datetime | None) -> None:
        """Take a choice made in another program for one made by hand, without an end."""
        now = timezone.now()
        starts = min(chosen_at or now, now)
        value = chat.IM_OF[presence.chat]
        message = safe_text(presence.message, limit=MESSAGE_LIMIT)
        self._written[user_id] = written = replace(
            self._written[user_id], seen_at=presence.chosen_at or now
        )
        claims = [claim for claim in self._claims_of(user_id) if claim.source != ImSource.MANUAL]
        adopted = Claim(
            user_id=int(user_id),
            axis=Claim.Axis.IM,
            source=Claim.Source.MANUAL,
            value=value,
            message=message,
            starts=starts,
            ref=ON_PBX,
        )
        self._claims[user_id] = [*claims, adopted]
        self._board.claim(user_id, self._claims[user_id], at=now)

        def store() -> None:
            with transaction.atomic():
                save_written(self._reign.held, {user_id: written}, now=timezone.now())
                choose_status(int(user_id), value, message=message, now=starts, ref=ON_PBX)

        self._later(user_id, store)

    def _hand_back(self, user_id: str) -> None:
        """He chose anew what we had written: that is no choice of his own any more."""
        if any(claim.ref == ON_PBX for claim in self._claims_of(user_id)):
            self._let_go(user_id)

    def _let_go(self, user_id: str) -> None:
        """Forget what he chose on the PBX."""
        self._later(
            user_id,
            lambda: delete_claims(
                int(user_id), axis=Claim.Axis.IM, source=Claim.Source.MANUAL, ref=ON_PBX
            ),
        )

    def settle(self, user_ids: Iterable[str]) -> None:
        """These people's presence has been read: bring the PBX up to what holds."""
        for user_id in user_ids:
            self.consider(user_id)

    # --- What the PBX is told ---------------------------------------------------------------------

    def write_by(self, pbx: int, writer: Callable[[str], None] | None) -> None:
        """Have ``writer`` told whose status waits to be written to a PBX."""
        if writer is None:
            self._writers.pop(pbx, None)
        else:
            self._writers[pbx] = writer

    def consider(self, user_id: str) -> None:
        """Write somebody's status to his PBX if another stands there."""
        now = timezone.now()
        standing = self._board.standing(user_id, at=now)
        if standing is None:
            return
        written = self._written[user_id]
        wanted = chat.wanted(standing, written)
        if wanted is None:
            return
        state, message = wanted
        seen_at = max(
            (time for time in (written.seen_at, standing.presence.chosen_at) if time),
            default=None,
        )
        self._written[user_id] = Written(state, message, seen_at)
        self._outbox.put(self._board.write_chat(user_id, state, message, at=now))
        self._to_write[user_id] = wanted
        writer = self._writers.get(standing.pbx)
        if writer is not None:
            writer(user_id)

    def take(self, user_id: str) -> tuple[ChatState, str, Written] | None:
        """What is to be written for somebody: one write at a time, then :meth:`finish`."""
        if user_id in self._under_way:
            return None
        wanted = self._to_write.pop(user_id, None)
        if wanted is None:
            return None
        self._under_way[user_id] = wanted[0]
        return (*wanted, self._written[user_id])

    def finish(self, user_id: str) -> bool:
        """A write has ended, well or not; whether another waits."""
        self._under_way.pop(user_id, None)
        return user_id in self._to_write

    def written_for(self, user_id: str) -> Written:
        """What we last wrote for somebody."""
        return self._written[user_id]

    def give_back(self, user_id: str, state: ChatState, message: str) -> None:
        """It could not be written: try again, unless something newer waits."""
        self._to_write.setdefault(user_id, (state, message))

    # --- Rows -------------------------------------------------------------------------------------

    def _later(self, user_id: str, store: Callable[[], object]) -> None:
        """Write rows in order; until it is done those of this user are not read."""
        self._storing[user_id] += 1
        self._to_store.append(store)
        self._changed.add(user_id)
        self._wake.set()

    async def _store(self) -> None:
        while self._to_store:
            await self._threads.database(self._to_store[0])
            self._to_store.pop(0)
        self._storing.clear()
