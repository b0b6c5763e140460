"""Membership in one group of the channel layer, kept up through everything that ends it.

Memory layers forget a member a day after it joined without a word, so it joins again hourly. A
message that can't be read costs itself and nothing else. A layer that fails is logged once, and
joined anew on a fresh channel when it is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

from channels.layers import get_channel_layer
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)

REJOIN_EVERY = 3600.0
RETRY_AFTER = 1.0


class Subscription:
    """One process's membership in ``group``; ``run`` lasts until it is cancelled."""

    def __init__(
        self,
        group: str,
        *,
        on_message: Callable[[Any], Awaitable[None]],
        on_joined: Callable[[], Awaitable[None]] | None = None,
        rejoin_every: float = REJOIN_EVERY,
    ) -> None:
        """``on_joined`` is called each time messages can have been missed before."""
        self._group = group
        self._on_message = on_message
        self._on_joined = on_joined
        self._rejoin_every = rejoin_every
        self.is_alive = False

    async def run(self) -> None:
        """Take messages for ever."""
        has_failed = False
        while True:
            try:
                await self._take_all(has_failed=has_failed)
            except Exception as error:  # noqa: BLE001 — supervised: whatever the layer raises
                if self.is_alive or not has_failed:
                    logger.error("lost the group %s of the layer: %r", self._group, error)  # noqa: TRY400
                has_failed = True
                await asyncio.sleep(RETRY_AFTER)
            finally:
                self.is_alive = False

    async def _take_all(self, *, has_failed: bool) -> None:
        layer = get_channel_layer()
        if layer is None:
            raise RuntimeError("CHANNEL_LAYERS names no default layer")
        channel = await layer.new_channel()
        await layer.group_add(self._group, channel)
        rejoining = asyncio.create_task(self._rejoin(layer, channel))
        self.is_alive = True
        if has_failed:
            logger.warning("joined the group %s of the channel layer again", self._group)
        try:
            if self._on_joined is not None:
                await self._on_joined()
            while True:
                await self._take(await layer.receive(channel))
        finally:
            rejoining.cancel()
            with contextlib.suppress(OSError, RedisError):  # a layer that is down forgets by itself
                await layer.group_discard(self._group, channel)

    async def _take(self, message: Any) -> None:
        try:
            await self._on_message(message)
        except Exception:
            logger.exception("a message in the group %s can't be read", self._group)

    async def _rejoin(self, layer: Any, channel: str) -> None:
        while True:
            await asyncio.sleep(self._rejoin_every)
            await layer.group_add(self._group, channel)
