"""The ASGI application: pages and API by HTTP, live states by one WebSocket."""

from __future__ import annotations

import os

import django
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path, re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluetel.settings")
django.setup(set_prefix=False)

from bluetel.one_thread import OneThreadHandler
from bluetel.pbx_push import PushDoor
from presence.socket import live_socket, no_socket

application = ProtocolTypeRouter(
    {
        "http": PushDoor(OneThreadHandler()),
        # types-channels knows consumers only; any ASGI callable will do.
        "websocket": URLRouter([path("ws/live/", live_socket), re_path("", no_socket)]),  # type: ignore[arg-type,list-item]
    }
)
