from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
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


def test_installations_that_share_a_redis_keep_apart(tmp_path: Path) -> None:
    def prefix(key: str) -> str:
        environ = {
            "DJANGO_SETTINGS_MODULE": "bluetel.settings",
            "BLUETEL_SECRET_KEY": key * 60,
            "BLUETEL_DATA_DIR": str(tmp_path),
        }
        told = "from django.conf import settings; print(settings.REDIS_PREFIX)"
        return subprocess.run(
            [sys.executable, "-c", told],
            env={**os.environ, **environ},
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    assert prefix("a") == prefix("a") != prefix("b")
