"""The engine's part in voicemail: rows that follow the PBX, and deletions that are due."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from django.db import Error as DatabaseTrouble
from django.utils import timezone

from bluetel.accounts.models import User
from bluetel.telephony.types import PbxUserId, VoicemailChanged
from presence.live import Teller, teller
from voicemail import delivery, services
from voicemail.errors import BoxUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from bluetel.telephony.types import PbxEvent
    from bluetel.work.duties import Post

logger = logging.getLogger(__name__)

LOOK_EVERY = 2.0
"""Seconds between two looks at the deletions that are due."""
REVIVE_EVERY = 600.0
PATIENCE = 15.0


class VoicemailDuty:
    """A ``Duty``: reads a box again when it changed, and every known one on connecting."""

    def __init__(self) -> None:
        self._changed: dict[tuple[int, PbxUserId], None] = {}
        self._heard: dict[int, None] = {}
        self._news = asyncio.Event()
        self._connected = asyncio.Event()
        self._has_failed = False

    def on_pbx_event(self, pbx_id: int, event: PbxEvent) -> None:
        """Note whose box changed."""
        if isinstance(event, VoicemailChanged):
            self._changed[pbx_id, event.user] = None
            self._news.set()

    def on_pbx_heard(self, pbx_id: int) -> None:
        """Note that messages may have come unheard."""
        self._heard[pbx_id] = None
        self._connected.set()

    async def run(self, post: Post) -> None:
        """Read and delete for ever."""
        teller.set(Teller(asyncio.get_running_loop()))
        await asyncio.gather(
            self._keep_reading(post),
            self._keep_catching_up(post),
            self._keep_deleting(post),
            self._keep_reviving(post),
        )

    async def _keep_reading(self, post: Post) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            changed, self._changed = list(self._changed), {}
            for pbx_id, pbx_user in changed:
                for user in await post.database(_owners, pbx_id, pbx_user):
                    await self._try(post, partial(_read, user))

    async def _keep_catching_up(self, post: Post) -> None:
        """Read all known boxes of a PBX that is heard again; news don't wait for their end."""
        while True:
            await self._connected.wait()
            self._connected.clear()
            heard, self._heard = list(self._heard), {}
            for pbx_id in heard:
                for user in await post.database(_owners, pbx_id, None):
                    await self._try(post, partial(_read, user))

    async def _keep_deleting(self, post: Post) -> None:
        while True:
            await self._try(post, lambda: services.delete_due(now=timezone.now()))
            await asyncio.sleep(LOOK_EVERY)

    async def _keep_reviving(self, post: Post) -> None:
        while True:
            await self._try(post, lambda: delivery.revive(now=timezone.now()))
            await asyncio.sleep(REVIVE_EVERY)

    async def _try(self, post: Post, work: Callable[[], None]) -> None:
        """Do it; a database that is down is said once, and what was to be done comes again."""
        try:
            await post.run(work)
        except DatabaseTrouble as error:
            if not self._has_failed:
                logger.error("voicemail can't reach the database: %s", error)  # noqa: TRY400
            self._has_failed = True
        else:
            self._has_failed = False


def _owners(pbx_id: int, pbx_user: PbxUserId | None) -> list[User]:
    """The user of a box, or everybody on the PBX whose voicemail was ever looked at."""
    users = User.objects.select_related("pbx").filter(pbx=pbx_id, is_active=True)
    if pbx_user is None:
        return list(users.filter(voicemail__isnull=False).exclude(pbx_user_id=""))
    return list(users.filter(pbx_user_id=pbx_user))


def _read(user: User) -> None:
    # A failure is logged where it happens; the PBX being heard again reads all boxes.
    with suppress(BoxUnavailable):
        services.read_box(user, now=timezone.now(), patience=PATIENCE)
