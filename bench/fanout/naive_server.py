"""What a tutorial gives: a consumer per page on daphne, in one group, or in a group per user."""

from __future__ import annotations

import json
import sys
from typing import Any

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="bench",  # noqa: S106 — nothing is signed here
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": "channels.layers.InMemoryChannelLayer",
            "CONFIG": {"capacity": 100_000},
        }
    },
)
django.setup()

from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from daphne.server import Server  # noqa: E402
from django.urls import path  # noqa: E402

EVERYBODY = "everybody"
per_user = False


class Subscriber(AsyncJsonWebsocketConsumer):
    """A page."""

    async def receive_json(self, content: dict[str, Any], **rest: Any) -> None:
        """Join."""
        groups = [f"user.{user}" for user in content["users"]] if per_user else [EVERYBODY]
        for group in groups:
            await self.channel_layer.group_add(group, self.channel_name)
        await self.send_json({})

    async def event(self, message: dict[str, Any]) -> None:
        """Tell the page."""
        await self.send_json(message["content"])


class Publisher(AsyncJsonWebsocketConsumer):
    """Whoever has news."""

    async def receive_json(self, content: dict[str, Any], **rest: Any) -> None:
        """Tell the group."""
        group = f"user.{content['user']}" if per_user else EVERYBODY
        await self.channel_layer.group_send(group, {"type": "event", "content": content})


application = ProtocolTypeRouter(
    {
        "websocket": URLRouter(
            [path("sub", Subscriber.as_asgi()), path("pub", Publisher.as_asgi())]  # type: ignore[arg-type,list-item]
        )
    }
)

if __name__ == "__main__":
    per_user = json.loads(sys.argv[2])
    Server(
        application, endpoints=[f"tcp:port={sys.argv[1]}:interface=127.0.0.1"], signal_handlers=True
    ).run()
