"""One XMPP session, kept up: of the account that reads, or of a user who gave his password."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from slixmpp import ClientXMPP
from slixmpp.exceptions import IqTimeout

from bluetel import tasks
from presence.xmpp_rules import OWN_RESOURCE, Resource, XmppAddress

logger = logging.getLogger(__name__)

FIRST_PRESENCES = 1.0
RETRY_FIRST, RETRY_MOST = 1.0, 30.0
SIGN_IN_WITHIN = 30.0
PING_EVERY, ANSWER_WITHIN = 10.0, 15.0
"""A server that falls silent, as behind a cut line, is given up within half a minute (XEP-0199)."""


class XmppSession:
    """Signs in, and in again after each loss; ``run`` lasts until it is cancelled."""

    def __init__(
        self,
        address: XmppAddress,
        *,
        jid: str,
        password: str,
        ca_file: str = "",
        on_up: Callable[[], None] = lambda: None,
        on_down: Callable[[], None] = lambda: None,
        on_presence: Callable[[str, list[Resource]], None] = lambda jid, resources: None,
    ) -> None:
        """``on_presence`` gets a bare JID and all its resources, ``on_down`` the loss of all."""
        self._address = address
        self._jid = jid
        self._password = password
        self._ca_file = ca_file
        self._on_up, self._on_down, self._on_presence = on_up, on_down, on_presence
        self._client: ClientXMPP | None = None
        self._resources: dict[str, dict[str, Resource]] = {}
        self._has_failed = False
        self._wait = RETRY_FIRST
        self._shown: tuple[str | None, str] = ("", "")
        self._watched: set[str] = set()

    async def run(self) -> None:
        """Stay signed in for ever."""
        while True:
            try:
                await self._live()
            finally:
                self._resources.clear()
                self._on_down()
            if not self._has_failed:
                logger.error("XMPP: %s is not signed in at %s", self._jid, self._address.host)
                self._has_failed = True
            await asyncio.sleep(self._wait)
            self._wait = min(self._wait * 2, RETRY_MOST)

    def watch(self, jids: set[str]) -> None:
        """Ask to see these people; who was asked already isn't asked again."""
        self._watched = jids
        self._subscribe()

    def show(self, show: str | None, status: str) -> None:
        """Publish this for the account itself; ``None`` is off line."""
        self._shown = show, status
        self._send_shown()

    async def _live(self) -> None:
        """One connection, from the sign-in to its end."""
        client: Any = ClientXMPP(f"{self._jid}/{OWN_RESOURCE}-{uuid4().hex[:8]}", self._password)
        client.enable_direct_tls = self._address.is_direct_tls
        client.enable_starttls = True
        client.enable_plaintext = self._address.is_loopback
        client.plugin["feature_mechanisms"].unencrypted_plain = self._address.is_loopback
        client.plugin["feature_mechanisms"].unencrypted_scram = self._address.is_loopback
        context = ssl.create_default_context(cafile=self._ca_file or None)
        if self._address.is_loopback and not self._ca_file:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        client.ssl_context = context
        client.auto_authorize = client.auto_subscribe = True
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def end(_event: object) -> None:
            if not ended.done():
                ended.set_result(None)

        for name in ("disconnected", "connection_failed", "failed_auth"):
            client.add_event_handler(name, end)
        begun = asyncio.Event()
        client.add_event_handler("session_start", lambda _event: begun.set())
        client.add_event_handler("session_start", self._begin)
        client.register_plugin("xep_0199")
        for kind in ("available", "chat", "away", "xa", "dnd", "unavailable"):
            client.add_event_handler(f"presence_{kind}", self._hear)
        self._client = client
        connecting = client.connect(self._address.host, self._address.port)
        asking = asyncio.create_task(_until_silent(client, begun))
        try:
            await asyncio.wait({ended, asking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._client = None
            await tasks.end(asking)
            connecting.cancel()
            client.abort()

    async def _begin(self, _event: object) -> None:
        client: Any = self._client
        if client is None:
            return
        await client.get_roster()
        self._send_shown()
        self._subscribe()
        if self._has_failed:
            logger.warning("XMPP: %s is signed in again", self._jid)
        self._has_failed, self._wait = False, RETRY_FIRST
        await asyncio.sleep(FIRST_PRESENCES)
        if self._client is client:
            self._on_up()

    def _subscribe(self) -> None:
        client: Any = self._client
        if client is None or not client.is_connected():
            return
        roster = client.client_roster
        for jid in self._watched:
            if jid not in roster or roster[jid]["subscription"] not in {"to", "both"}:
                client.send_presence_subscription(pto=jid, ptype="subscribe")

    def _send_shown(self) -> None:
        client: Any = self._client
        if client is None or not client.is_connected():
            return
        show, status = self._shown
        if show is None:
            client.send_presence(ptype="unavailable")
        else:
            client.send_presence(pshow=show or None, pstatus=status or None)

    def _hear(self, presence: Any) -> None:
        sender = presence["from"]
        found = self._resources.setdefault(sender.bare, {})
        if presence["type"] == "unavailable":
            found.pop(sender.resource, None)
        else:
            found[sender.resource] = Resource(
                name=sender.resource,
                show=presence["show"] or "",
                status=presence["status"] or "",
                priority=int(presence["priority"] or 0),
            )
        self._on_presence(sender.bare, list(found.values()))


async def _until_silent(client: Any, begun: asyncio.Event) -> None:
    """Return when the server doesn't let one in, or doesn't answer any more."""
    try:
        async with asyncio.timeout(SIGN_IN_WITHIN):
            await begun.wait()
        while True:
            await asyncio.sleep(PING_EVERY)
            await client.plugin["xep_0199"].ping(timeout=ANSWER_WITHIN)
    except (TimeoutError, IqTimeout):
        return
