"""What the engine has to say: published at once, and written as rows in batches.

Both keep the newest state per person only, so a burst costs no more than its people. Rows are
written in the order of their revisions by one task, and only while the lease holds: the check is
in the same transaction.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from django.db import Error as DatabaseTrouble
from django.db import transaction
from django.utils import timezone

from bluetel.accounts.models import User
from bluetel.work import leases
from bluetel.work.turns import turn
from presence.messages import PresenceMessage, known_of
from presence.models import STATE_COLUMNS, PbxLink, PersonState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from bluetel.engine.reign import Reign
    from bluetel.engine.threads import Threads
    from presence.person import Person

logger = logging.getLogger(__name__)

WRITE_EVERY = 0.05
RETRY_AFTER = 1.0
PUBLISHED_AT_ONCE = 200
WRITTEN_AT_ONCE = 500


class Outbox:
    """Changed people on their way out; ``run`` carries them for as long as the lease holds."""

    def __init__(self, reign: Reign, threads: Threads) -> None:
        self._reign = reign
        self._threads = threads
        self._to_publish: dict[str, Person] = {}
        self._to_write: dict[str, Person] = {}
        self._wake_publisher = asyncio.Event()
        self._wake_writer = asyncio.Event()
        self._published = asyncio.Event()
        self._published.set()
        self._written = asyncio.Event()
        self._written.set()

    def put(self, people: Iterable[Person]) -> None:
        """Send these people's states out."""
        for person in people:
            self._to_publish[person.user_id] = person
            self._to_write[person.user_id] = person
        if self._to_write:
            self._wake_publisher.set()
            self._wake_writer.set()
            self._published.clear()
            self._written.clear()

    async def told(self) -> None:
        """Wait until all that was put is published."""
        await self._published.wait()

    async def drain(self) -> None:
        """Wait until all that was put is published and written."""
        await self._published.wait()
        await self._written.wait()

    async def publish(self) -> None:
        """Publish what is put, for ever; what comes while a message goes out goes together."""
        while True:
            await self._wake_publisher.wait()
            self._wake_publisher.clear()
            while self._to_publish:
                people = _take(self._to_publish, PUBLISHED_AT_ONCE)
                await self._reign.publish(
                    PresenceMessage(type="presence", people=[known_of(one) for one in people])
                )
                await asyncio.sleep(0)  # a hub on this loop reads between two messages
            self._published.set()

    async def write(self) -> None:
        """Write what is put, for ever. Raises ``LeaseLost``.

        A database that is down holds everything back, the newest states only, until it is up.
        """
        has_failed = False
        while True:
            await self._wake_writer.wait()
            self._wake_writer.clear()
            await asyncio.sleep(WRITE_EVERY)
            while self._to_write:
                batch = _take(self._to_write, WRITTEN_AT_ONCE)
                try:
                    async with turn():
                        await self._threads.database(
                            write_people, self._reign.held, batch, now=timezone.now()
                        )
                except DatabaseTrouble as error:
                    if not has_failed:
                        logger.error("states can't be written: %s", error)  # noqa: TRY400
                    has_failed = True
                    self._to_write = {person.user_id: person for person in batch} | self._to_write
                    await asyncio.sleep(RETRY_AFTER)
                else:
                    if has_failed:
                        logger.warning("states are written again")
                    has_failed = False
            self._written.set()


def write_people(held: leases.Held, people: Sequence[Person], *, now: datetime) -> None:
    """Write these states; who is no longer a user is left out. Raises ``LeaseLost``."""
    with transaction.atomic():
        leases.check(held, now=now)
        there = set(
            User.objects.filter(pk__in=[person.user_id for person in people]).values_list(
                "pk", flat=True
            )
        )
        PersonState.objects.bulk_create(
            [
                PersonState(
                    user_id=int(person.user_id),
                    phone=person.phone,
                    im=person.im,
                    message=person.message,
                    keeper=person.keeper,
                    is_there=person.is_there,
                    phone_since=person.phone_since,
                    im_since=person.im_since,
                    revision=person.revision,
                )
                for person in sorted(people, key=lambda person: person.revision)
                if int(person.user_id) in there
            ],
            update_conflicts=True,
            unique_fields=["user"],
            update_fields=STATE_COLUMNS,
        )


def write_link(
    held: leases.Held, pbx: int, *, is_up: bool, since: datetime, revision: int, now: datetime
) -> None:
    """Write a PBX's link. Raises ``LeaseLost``."""
    with transaction.atomic():
        leases.check(held, now=now)
        PbxLink.objects.update_or_create(
            pbx_id=pbx, defaults={"is_up": is_up, "since": since, "revision": revision}
        )


def _take(people: dict[str, Person], count: int) -> list[Person]:
    """Remove up to ``count`` people, those with the oldest revisions first."""
    taken = list(people)[:count]
    return [people.pop(user_id) for user_id in taken]
