from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.layers import InMemoryChannelLayer

from presence.subscription import Subscription
from tests.live.stage import until


async def test_a_member_whom_the_layer_forgot_joins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = InMemoryChannelLayer()
    monkeypatch.setattr("presence.subscription.get_channel_layer", lambda: layer)
    heard: list[Any] = []

    async def hear(message: Any) -> None:
        heard.append(message)

    subscription = Subscription("house", on_message=hear, rejoin_every=0.02)
    running = asyncio.create_task(subscription.run())
    await until(lambda: subscription.is_alive, what="the subscription")
    layer.groups.clear()  # as the memory layer does a day after somebody joined, without a word

    async def is_heard() -> bool:
        await layer.group_send("house", {"type": "news"})
        return bool(heard)

    await until(is_heard, what="the news")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
