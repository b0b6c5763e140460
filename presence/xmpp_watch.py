"""The engine's duty for XMPP: what people's clients say becomes claims, and claims are published.

One account of the deployment reads everybody (``BLUETEL_XMPP_URL``). To publish a user's status a
session as that user is needed, with his password; without it XMPP is read-only for him.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from bluetel.accounts.models import User
from bluetel.telephony.text import safe_text
from bluetel.work.duties import Duty, Post
from presence import services
from presence.models import Claim, StatusRecord, XmppAccount
from presence.rules import MESSAGE_LIMIT, ImSource, ImState, resolve_im
from presence.xmpp_rules import Resource, Said, XmppAddress, read_address, said_by, show_of
from presence.xmpp_session import XmppSession

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

REF = "xmpp"
LOOK_EVERY = 1.0
COUNT_EVERY = 30.0
SOURCES = (ImSource.MANUAL, ImSource.IDLE, ImSource.SESSION)


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody whose status XMPP keeps; without a password it is only read."""

    user_id: int
    jid: str
    password: str


class XmppWatch(Duty):
    """Reads everybody, and publishes those who let it."""

    def __init__(self) -> None:
        self._address = read_address(settings.ENV.xmpp_url.get_secret_value())
        self._people: dict[str, Reader] = {}
        self._said: dict[str, Said | None] = {}
        self._is_up = False
        self._changed: set[str] = set()
        self._wake = asyncio.Event()
        self._publishers: dict[str, tuple[Reader, XmppSession, asyncio.Task[None]]] = {}

    async def run(self, post: Post) -> None:
        """Read and publish for ever; at once done where no XMPP is configured."""
        if self._address is None:
            return
        reader = XmppSession(
            self._address,
            jid=self._address.jid,
            password=self._address.password,
            ca_file=settings.ENV.ca_file,
            on_up=self._rise,
            on_down=self._fall,
            on_presence=self._hear,
        )
        reading = asyncio.create_task(reader.run(), name="XMPP")
        try:
            await self._follow(post, reader, self._address)
        finally:
            tasks = [reading, *(task for _, _, task in self._publishers.values())]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # --- What the session says --------------------------------------------------------------------

    def _rise(self) -> None:
        self._is_up = True
        self._look_at(self._people)

    def _fall(self) -> None:
        self._is_up = False
        self._said.clear()
        self._look_at(self._people)

    def _hear(self, jid: str, resources: list[Resource]) -> None:
        self._said[jid] = said_by(resources)
        self._look_at([jid])

    def _look_at(self, jids: Iterable[str]) -> None:
        self._changed.update(jids)
        self._wake.set()

    # --- The rows ---------------------------------------------------------------------------------

    async def _follow(self, post: Post, reader: XmppSession, address: XmppAddress) -> None:
        loop = asyncio.get_running_loop()
        counted_at, looked_at = 0.0, timezone.now()
        while True:
            if loop.time() >= counted_at:
                counted_at = loop.time() + COUNT_EVERY
                await self._count(post, reader, address)
            changed, self._changed = self._changed, set()
            if changed:
                states = [
                    (person.user_id, self._state_of(jid))
                    for jid in changed
                    if (person := self._people.get(jid))
                ]
                await post.database(take_states, states)
            now = timezone.now()
            touched = await post.database(touched_since, looked_at - timedelta(seconds=2))
            looked_at = now
            for jid, (person, session, _task) in self._publishers.items():
                if person.user_id in touched or jid in changed:
                    await self._publish(post, person, session)
            try:
                async with asyncio.timeout(LOOK_EVERY):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()

    async def _count(self, post: Post, reader: XmppSession, address: XmppAddress) -> None:
        """Who there is to read, and who lets his status be published."""
        people = {one.jid: one for one in await post.database(readers, address)}
        self._look_at(people.keys() - self._people.keys())
        self._people = people
        reader.watch(set(people))
        for jid, (person, _session, task) in list(self._publishers.items()):
            if people.get(jid) != person or task.done():
                task.cancel()
                del self._publishers[jid]
        for jid, person in people.items():
            if person.password and jid not in self._publishers:
                session = XmppSession(
                    address,
                    jid=jid,
                    password=person.password,
                    ca_file=settings.ENV.ca_file,
                )
                await self._publish(post, person, session)
                task = asyncio.create_task(session.run(), name="XMPP of a user")
                self._publishers[jid] = person, session, task

    async def _publish(self, post: Post, person: Reader, session: XmppSession) -> None:
        status, message = await post.database(own_status, person.user_id)
        session.show(show_of(status), message)

    def _state_of(self, jid: str) -> Said | None:
        if not self._is_up:
            return Said(ImSource.SESSION, ImState.UNKNOWN)
        return self._said.get(jid)


def readers(address: XmppAddress) -> list[Reader]:
    """The users XMPP keeps: who named a JID, and by default who has an e-mail in its domain."""
    accounts = {one.user_id: one for one in XmppAccount.objects.all()}
    found = []
    for user in User.objects.filter(is_active=True).only("pk", "email"):
        account = accounts.get(user.pk)
        jid = (account.jid if account else "") or user.email
        if jid.rpartition("@")[2].lower() == address.domain.lower():
            password = account.password if account else ""
            found.append(Reader(user.pk, jid.lower(), password))
    return found


def configured_readers() -> list[Reader]:
    """The same for this deployment's server; nobody without one."""
    address = read_address(settings.ENV.xmpp_url.get_secret_value())
    return [] if address is None else readers(address)


def take_states(states: Iterable[tuple[int, Said | None]]) -> None:
    """Turn what is said by people's clients into claims; unchanged ones are left alone.

    Who says anything is there, and somebody away is there, too.
    """
    for user_id, said in states:
        wanted = {} if said is None else {said.source: said}
        if said is not None:
            wanted.setdefault(ImSource.SESSION, Said(ImSource.SESSION, ImState.AVAILABLE))
        with transaction.atomic():  # nobody sees the old claim gone before the new one stands
            for source in SOURCES:
                one = wanted.get(source)
                if one is None:
                    services.delete_claims(user_id, axis=Claim.Axis.IM, source=source, ref=REF)
                    continue
                services.put_claim(
                    user_id,
                    axis=Claim.Axis.IM,
                    source=source,
                    value=one.value,
                    message=safe_text(one.message, limit=MESSAGE_LIMIT),
                    ref=REF,
                    now=timezone.now(),
                )


def touched_since(time: datetime) -> set[int]:
    """Users whose claims changed after a time."""
    rows = StatusRecord.objects.filter(touched_at__gte=time)
    return set(rows.values_list("user_id", flat=True))


def own_status(user_id: int) -> tuple[ImState, str]:
    """What BlueTel itself says of somebody; available where it says nothing."""
    claims = Claim.objects.filter(user=user_id, axis=Claim.Axis.IM).exclude(ref=REF)
    decision = resolve_im(list(claims), timezone.now(), is_there=True)
    return decision.status, decision.message
