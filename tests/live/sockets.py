"""A page's live socket to a started process, and what happens at the PBX meanwhile."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from tests.live.servers import Process, Site


@asynccontextmanager
async def page(process: Process, cookie: str = "", *, origin: str | None = None) -> Any:
    address = process.url.replace("http", "ws", 1) + "/ws/live/"
    headers = {"Cookie": cookie} if cookie else {}
    async with connect(
        address, additional_headers=headers, origin=Origin(origin or process.url)
    ) as opened:
        yield opened


async def frame(socket: ClientConnection, kind: str) -> dict[str, Any]:
    while True:
        found: dict[str, Any] = json.loads(await socket.recv())
        if found["type"] == kind:
            return found


async def watch(socket: ClientConnection, *users: str) -> dict[str, str]:
    await socket.send(json.dumps({"type": "watch", "users": users}))
    return phones(await frame(socket, "presence.snapshot"))


async def until_phone(socket: ClientConnection, user: str, state: str) -> None:
    """By a change, or by asking again, as a page does that was told to."""
    while phones(await frame(socket, "presence.changes")).get(user) != state:
        pass


def phones(presence: dict[str, Any]) -> dict[str, str]:
    return {person["user_id"]: person["phone"] for person in presence["people"]}


async def until_heard(socket: ClientConnection, user: str) -> None:
    if (await watch(socket, user))[user] != "available":
        await until_phone(socket, user, "available")


def ring(site: Site, extension: str) -> None:
    site.wazo.do(lambda model: model.call_in("0199004217", name="Hélène", to=extension))


def hang_up(site: Site, extension: str) -> None:
    site.wazo.do(lambda model: model.put_down(model.lines[extension][1].legs[0]))
