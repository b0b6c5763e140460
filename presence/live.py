"""Telling the live pages: the only place that speaks on the channel layer.

There are two groups: :data:`LIVE`, which each web process joins once, and :data:`ENGINE`, which the
engine on duty joins. Never a group per user: that costs with everybody, not with who looks
(docs/presence.md). Nobody may count on a message: layers drop them when full, so readers repair
themselves from the rows.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import Future
from contextvars import ContextVar
from typing import TYPE_CHECKING

from asgiref.sync import async_to_sync
from channels.exceptions import ChannelFull
from channels.layers import get_channel_layer
from django.db import transaction
from redis.exceptions import RedisError

from presence.messages import AskMessage, CallFrame, EngineMessage, HubMessage, UserMessage

if TYPE_CHECKING:
    from bluetel.calls.messages import CallRecord

logger = logging.getLogger(__name__)

LIVE = "bluetel.live"
ENGINE = "bluetel.engine"

teller: ContextVar[Teller | None] = ContextVar("teller", default=None)
"""Who tells for the threads of a request or a duty; unset in commands and tests."""

_broken: set[str] = set()


async def publish(message: HubMessage) -> None:
    """Tell all web processes; a layer that is down is logged once and loses the message."""
    await _send(LIVE, message)


async def publish_to_engine(message: EngineMessage) -> None:
    """Tell the engine on duty, if there is one."""
    await _send(ENGINE, message)


def publish_from_sync(message: HubMessage) -> None:
    """The same from views and services, once the rows it speaks of are committed.

    Inside a request nobody waits for the layer: the loop that serves it does the telling, once the
    answer has gone.
    """
    _send_from_sync(LIVE, message)


def publish_to_engine_from_sync(message: EngineMessage) -> None:
    """Tell the engine from views and services, in the same way."""
    _send_from_sync(ENGINE, message)


def follow_calls(user_id: int) -> None:
    """Have somebody's calls followed for some minutes, though he has no page open."""
    publish_to_engine_from_sync(AskMessage(type="ask", user=str(user_id)))


def publish_call(user_id: int, call: CallRecord) -> None:
    """Show a call in all pages of its user."""
    publish_from_sync(call_message(user_id, call))


def call_message(user_id: int, call: CallRecord) -> UserMessage:
    """The message that shows a call in all pages of its user."""
    return UserMessage(type="user", user=str(user_id), frame=CallFrame(type="call", call=call))


def _send_from_sync(group: str, message: HubMessage | EngineMessage) -> None:
    by = teller.get()
    if by is None:
        transaction.on_commit(lambda: async_to_sync(_send)(group, message))
    else:
        transaction.on_commit(lambda: by.tell(group, message))


class Teller:
    """Tells on an event loop what threads have to say; they never wait for the layer.

    While it is held it keeps what there is to say: who asked gets his answer first.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, is_held: bool = False) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._kept: list[tuple[str, HubMessage | EngineMessage]] = []
        self._is_held = is_held

    def tell(self, group: str, message: HubMessage | EngineMessage) -> None:
        """Tell a group, from any thread."""
        with self._lock:
            if self._is_held:
                self._kept.append((group, message))
                return
        self._send(group, message)

    def release(self) -> None:
        """Say what was kept, in order, and hold nothing more."""
        with self._lock:
            kept, self._kept, self._is_held = self._kept, [], False
        for group, message in kept:
            self._send(group, message)

    def _send(self, group: str, message: HubMessage | EngineMessage) -> None:
        sending = asyncio.run_coroutine_threadsafe(_send(group, message), self._loop)
        sending.add_done_callback(_log_failure)


def _log_failure(telling: Future[None]) -> None:
    if not telling.cancelled() and (error := telling.exception()) is not None:
        logger.error("a live message was lost", exc_info=error)


async def _send(group: str, message: HubMessage | EngineMessage) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        await layer.group_send(group, dict(message))
    except (OSError, RedisError, ChannelFull) as error:
        if group not in _broken:
            _broken.add(group)
            logger.error("the channel layer takes no messages for %s: %s", group, error)  # noqa: TRY400 — the address is all a trace would add
    else:
        if group in _broken:
            _broken.discard(group)
            logger.warning("the channel layer takes messages for %s again", group)
