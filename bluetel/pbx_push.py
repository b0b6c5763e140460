"""``POST /pbx/<name>/xivo/events/<secret>/``: what a PBX tells by itself.

XUC posts without any authentication, so the address is the secret (reference/xivo.md §11). It posts
each state and each step of a call on its own, thousands at once when a site wakes up: so this door
stands before Django, whose way from request to answer costs some ten times more
(``python -m bench pushes``). What comes is checked, gathered for a moment and handed to the engine
in one message. The answer is 200 for whatever is JSON: XUC must not be told what BlueTel has a use
for.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from hmac import compare_digest
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from channels.db import database_sync_to_async
from django.db import Error as DatabaseTrouble
from prometheus_client import Counter

from bluetel.accounts.models import Pbx
from bluetel.telephony.waiting_pushes import WaitingPushes
from presence.live import publish_to_engine
from presence.messages import PushesMessage

logger = logging.getLogger(__name__)

MOST_BYTES: Final = 16 * 1024
GATHERED_FOR: Final = 0.05
MOST_AT_ONCE: Final = 2000
MOST_DEPTH: Final = 32
KNOWN_FOR: Final = 5.0
"""Seconds for which the PBXs' rows are believed: a new secret opens this much later at most."""

TAKEN = Counter("bluetel_pushes_total", "Bodies that PBXs posted and that were taken")
DROPPED = Counter("bluetel_pushes_dropped_total", "Bodies that were too many to wait")

# ASGI's own types, which are open by definition.
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
HandOver = Callable[[int, list[object]], Awaitable[None]]

_PATH = re.compile(r"/pbx/([-\w]+)/xivo/events/([^/]+)/")


def path_of(pbx: Pbx) -> str:
    """Where this PBX posts to; a secret."""
    return f"/pbx/{pbx.name}/xivo/events/{pbx.push_secret}/"


def read_push(data: bytes) -> Mapping[str, object] | None:
    """The body of a push, None where it is neither shape; ``ValueError`` where it can't be read."""
    if len(data) > MOST_BYTES:
        raise ValueError("too long")
    try:
        body: object = json.loads(data)
    except RecursionError as error:
        raise ValueError("too deep") from error
    if not isinstance(body, dict) or not isinstance(body.get("username"), str):
        return None
    try:
        clean: dict[str, object] = _packable(body, MOST_DEPTH)
    except ValueError:
        return None
    is_state = isinstance(clean.get("status"), int | str)
    return clean if is_state or isinstance(clean.get("message"), dict) else None


def _packable(value: Any, depth: int) -> Any:
    """``value`` as the channel layer can pack it (msgpack); ``ValueError`` where it can't.

    Half a surrogate pair, which JSON may hold and UTF-8 may not, becomes a question mark.
    """
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case dict() | list() if depth == 0:
            raise ValueError("too deep")
        case dict():
            return {_packable(key, 0): _packable(one, depth - 1) for key, one in value.items()}
        case list():
            return [_packable(one, depth - 1) for one in value]
        case int() if not -(2**63) <= value < 2**63:
            raise ValueError("too large a number")
        case _:
            return value


class Gathering:
    """What came in since the last hand-over, by PBX; for one event loop."""

    def __init__(self, hand_over: HandOver, *, gathered_for: float = GATHERED_FOR) -> None:
        """``hand_over`` is never awaited twice at once; it takes :data:`MOST_AT_ONCE` at most."""
        self._hand_over = hand_over
        self._gathered_for = gathered_for
        self._waiting: dict[int, WaitingPushes] = {}
        self._handing: asyncio.Task[None] | None = None

    def add(self, pbx_id: int, body: Mapping[str, object]) -> None:
        """Take one push."""
        if self._waiting.setdefault(pbx_id, WaitingPushes()).add(body):
            TAKEN.inc()
        else:
            DROPPED.inc()
        if self._handing is None:
            self._handing = asyncio.get_running_loop().create_task(self._hand_all())

    async def _hand_all(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(self._gathered_for)
                waiting, self._waiting = self._waiting, {}
                for pbx_id, pushes in waiting.items():
                    bodies = pushes.take()
                    for start in range(0, len(bodies), MOST_AT_ONCE):
                        await self._hand_some(pbx_id, bodies[start : start + MOST_AT_ONCE])
        finally:
            self._handing = None

    async def _hand_some(self, pbx_id: int, bodies: list[object]) -> None:
        """What fails for some costs the others nothing."""
        try:
            await self._hand_over(pbx_id, bodies)
        except Exception:
            logger.exception("%d bodies that a PBX posted were lost", len(bodies))


async def _to_engine(pbx_id: int, bodies: list[object]) -> None:
    await publish_to_engine(PushesMessage(type="pushes", pbx=pbx_id, bodies=bodies))


class _Known(NamedTuple):
    pk: int
    secret: str


class PushDoor:
    """The ASGI application in front of another: takes pushes, and lets all else through."""

    def __init__(self, inner: Application, *, gathering: Gathering | None = None) -> None:
        self._inner = inner
        self._gathering = gathering or Gathering(_to_engine)
        self._known: dict[str, _Known] | None = None
        self._is_stale = False
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        found = _PATH.fullmatch(scope["path"])
        if found is None:
            await self._inner(scope, receive, send)
            return
        if scope["method"] != "POST":
            status = HTTPStatus.METHOD_NOT_ALLOWED
        else:
            status = await self._take(found[1], found[2], receive)
        headers = [(b"content-length", b"0"), (b"allow", b"POST")]
        await send({"type": "http.response.start", "status": status.value, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def _take(self, name: str, secret: str, receive: Receive) -> HTTPStatus:
        """A wrong secret and an unknown PBX look alike."""
        known = await self._read()
        if known is None:
            return HTTPStatus.SERVICE_UNAVAILABLE
        pbx = known.get(name)
        expected = pbx.secret if pbx is not None else ""
        # Compared also where there is nothing to compare with: the time must not tell.
        is_right = compare_digest((expected or "-" * 43).encode(), secret.encode())
        if pbx is None or not expected or not is_right:
            return HTTPStatus.NOT_FOUND
        try:
            body = read_push(await _body(receive))
        except ValueError:
            return HTTPStatus.BAD_REQUEST
        if body is not None:
            self._gathering.add(pbx.pk, body)
        return HTTPStatus.OK

    async def _read(self) -> dict[str, _Known] | None:
        """The PBXs as last read; None where the database never gave them.

        While they are read, and while the database is away, those read before are good enough.
        """
        loop = asyncio.get_running_loop()
        if self._known is not None and self._reading.locked():
            return self._known
        async with self._reading:
            if loop.time() - self._read_at >= KNOWN_FOR:
                try:
                    self._known = await database_sync_to_async(_known)()
                except DatabaseTrouble as error:
                    if not self._is_stale:
                        logger.error("the PBXs that post can't be read: %s", error)  # noqa: TRY400
                    self._is_stale = True
                else:
                    if self._is_stale:
                        logger.warning("the PBXs that post are read again")
                    self._is_stale = False
                finally:
                    self._read_at = loop.time()
        return self._known


def _known() -> dict[str, _Known]:
    rows = Pbx.objects.values_list("pk", "name", "push_secret")
    return {name: _Known(pk, secret) for pk, name, secret in rows}


async def _body(receive: Receive) -> bytes:
    """The body, or as much of it as makes it too long."""
    data = b""
    while len(data) <= MOST_BYTES:
        message = await receive()
        data += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return data
