"""BlueTel's own application on daphne or uvicorn, with a door through which a bench has events.

An event takes the whole way that a PBX's takes in a web process: the channel layer, the hub, the
sockets of signed-in pages.
"""

from __future__ import annotations

import json
import sys
from itertools import count
from typing import Any

from bluetel.asgi import application as bluetel
from presence.live import publish
from presence.messages import Known, PersonRecord, PresenceMessage

revisions = count(1 << 50)
"""Of all rounds: the hub passes over what is older than what it knows."""


async def application(scope: Any, receive: Any, send: Any) -> None:
    """``/pub`` has events; the rest is BlueTel."""
    if scope["type"] == "websocket" and scope["path"] == "/pub":
        await take_events(receive, send)
    else:
        await bluetel(scope, receive, send)


async def take_events(receive: Any, send: Any) -> None:
    """Publish each as the engine does."""
    while True:
        event = await receive()
        match event["type"]:
            case "websocket.connect":
                await send({"type": "websocket.accept"})
            case "websocket.receive":
                said = json.loads(event["text"])
                await publish(
                    PresenceMessage(
                        type="presence",
                        people=[known(said["user"], said["message"], next(revisions))],
                    )
                )
            case _:
                return


def known(user: str, message: str, revision: int) -> Known:
    """Somebody whose status message has changed."""
    return Known(
        revision=revision,
        pbx=None,
        im_by="bluetel",
        person=PersonRecord(
            user_id=user,
            name=f"Person {user}",
            phone="available",
            im="busy",
            message=message,
            since=None,
            phone_since=None,
            im_since=None,
        ),
    )


def main(server: str, port: int) -> None:
    """Serve for ever."""
    if server == "uvicorn":
        import uvicorn  # noqa: PLC0415 — one server or the other

        uvicorn.run(
            application,
            port=port,
            log_level="warning",
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            lifespan="off",
        )
    else:
        from bluetel.paced_server import PacedServer  # noqa: PLC0415 — one server or the other

        PacedServer(
            application, endpoints=[f"tcp:port={port}:interface=127.0.0.1:backlog=1024"]
        ).run()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
