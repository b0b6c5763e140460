"""Django's ASGI handler, with all of a synchronous request in one thread.

Everything here is synchronous: middleware, views, the ORM. Django's own handler hops between the
event loop and the request's thread for each change of colour; this one goes there once and comes
back with the response: a third less time per request (``python -m bench``, C1).
"""

from __future__ import annotations

import asyncio

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from presence.live import serving_loop


class OneThreadHandler(ASGIHandler):
    """Runs the middleware chain and the view as under WSGI."""

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: FBT001, FBT002 — Django's
        """Build the synchronous chain, whatever the server is."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """The response, made in the request's own thread, which knows the loop it came from."""
        serving_loop.set(asyncio.get_running_loop())
        return await sync_to_async(self.get_response, thread_sensitive=True)(request)
