"""A browser page's live socket, spoken straight to the ASGI application."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from bluetel.accounts.models import User
from bluetel.asgi import application

HOST = "127.0.0.1:8000"
ORIGIN = f"http://{HOST}"


async def sign_in(user: User) -> Client:
    """A browser with a session of this user."""
    client = Client()
    backend = "bluetel.accounts.backends.AccountBackend"
    await sync_to_async(client.force_login)(user, backend=backend)
    return client


def cookie_of(client: Client) -> str:
    """The session cookie as a header's value; empty when signed out."""
    morsel = client.cookies.get(settings.SESSION_COOKIE_NAME)
    return f"{settings.SESSION_COOKIE_NAME}={morsel.value}" if morsel else ""


class _Socket(WebsocketCommunicator):
    """One that lets go of database connections while it waits.

    Channels' own has nobody close them meanwhile, for tests in one transaction: here all other
    threads use the database too, and those of a test or two would be all that the pool has.
    """

    send_input = ApplicationCommunicator.send_input
    receive_output = ApplicationCommunicator.receive_output


class Page:
    """One socket."""

    def __init__(
        self, client: Client | None, *, origin: str | None = ORIGIN, host: str = HOST
    ) -> None:
        headers = [(b"host", host.encode())]
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        if client is not None:
            headers.append((b"cookie", cookie_of(client).encode()))
        self._socket = _Socket(application, "/ws/live/", headers)

    async def connect(self) -> bool:
        """Whether the handshake was accepted."""
        accepted, _ = await self._socket.connect(timeout=5)
        return bool(accepted)

    async def send(self, **frame: object) -> None:
        """Say something."""
        await self.send_text(json.dumps(frame))

    async def send_text(self, text: str) -> None:
        """Say anything."""
        await self._socket.send_to(text_data=text)

    async def frame(self, kind: str | None = None) -> dict[str, Any]:
        """The next frame, or the next of a kind."""
        while True:
            frame: dict[str, Any] = json.loads(await self._socket.receive_from(timeout=8))
            if kind is None or frame["type"] == kind:
                return frame

    async def watch(self, users: object) -> dict[str, Any]:
        """Watch, and read the answer."""
        await self.send(type="watch", users=users)
        return await self.frame("presence.snapshot")

    async def phone(self, user_id: str, state: str) -> None:
        """Wait for changes that show a phone so."""
        while True:
            for person in (await self.frame("presence.changes"))["people"]:
                if (person["user_id"], person["phone"]) == (user_id, state):
                    return

    async def closed(self, *, within: float = 15) -> int:
        """The code the server closes with, whatever it says before."""
        async with asyncio.timeout(within):
            while True:
                event = await self._socket.receive_output(timeout=within)  # type: ignore[no-untyped-call]
                if event["type"] == "websocket.close":
                    return int(event["code"])

    async def is_quiet(self) -> bool:
        """Whether nothing has come by now."""
        return await self._socket.receive_nothing(timeout=0.2)

    async def leave(self) -> None:
        """Close the page."""
        await self._socket.disconnect(timeout=5)
