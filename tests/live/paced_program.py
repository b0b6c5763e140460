"""An application on BlueTel's daphne that says more than a page reads.

``/`` answers, once it had to wait half a second for a page, how many frames were taken till then;
-1 if it never had to.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from bluetel.paced_server import PacedServer

FRAMES = 1000
SIZE = 50_000

held: asyncio.Future[int] | None = None


async def application(scope: Any, receive: Any, send: Any) -> None:
    global held  # noqa: PLW0603 — a program's one state
    if held is None:
        held = asyncio.get_running_loop().create_future()
    await receive()
    if scope["type"] == "http":
        answer = str(await held).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": answer})
        return
    await send({"type": "websocket.accept"})
    for number in range(FRAMES):
        text = f"{number} ".ljust(SIZE, ".")
        sending = asyncio.ensure_future(send({"type": "websocket.send", "text": text}))
        await asyncio.wait({sending}, timeout=0.5)
        if not sending.done() and not held.done():
            held.set_result(number)
        await sending
    if not held.done():
        held.set_result(-1)
    await send({"type": "websocket.close", "code": 1000})


if __name__ == "__main__":
    PacedServer(application, endpoints=[f"tcp:port={sys.argv[1]}:interface=127.0.0.1"]).run()
