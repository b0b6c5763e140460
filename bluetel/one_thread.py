"""Django's ASGI handler, with all of a request in one thread of a few that stay.

Everything here is synchronous: middleware, views, the ORM. Django's own handler makes a thread for
each request, with a database connection of its own, and hops between it and the event loop for each
change of colour. This one goes there once, from the signal that a request has begun to the one that
it is finished, and comes back with the response; threads and their connections are used again. A
request takes half the time (``python -m bench``, C1 and A4). Of those that compute few do so at
once (:mod:`bluetel.turns`).
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from asgiref.sync import ThreadSensitiveContext
from django.core import signals
from django.core.cache import caches
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.urls import set_script_prefix

from bluetel.one_core import is_on_one_core
from bluetel.turns import Turns
from presence.live import Teller, teller

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from typing import IO

    from django.http.response import HttpResponseBase

    Receive = Callable[[], Awaitable[Mapping[str, Any]]]
    Send = Callable[[Mapping[str, Any]], Awaitable[None]]

AT_ONCE = 64
"""More than may wait for a slow PBX (``bluetel.calls.services.PLACED_AT_ONCE``)."""

AT_WORK = 2
"""So many requests compute at once: more would only fight for the interpreter."""
AT_WORK_ON_ONE_CORE = 4
"""There the next one goes on as soon as one waits for the database, and they don't fight."""
QUICK = 0.05
"""Seconds after which a request is taken to wait for a PBX, and another one may begin."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


class OneThreadHandler(ASGIHandler):
    """Runs the middleware chain and the view as under WSGI."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="request")
        self._turns = Turns(AT_WORK_ON_ONE_CORE if is_on_one_core() else AT_WORK, seconds=QUICK)
        # Django keeps them by context, of which each request has its own: it would connect anew.
        self._caches = {alias: caches[alias] for alias in caches}
        super().__init__()

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: FBT001, FBT002 — Django's
        """Build the synchronous chain, whatever the server is."""
        super().load_middleware(is_async=False)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request, without the thread of its own that Django sets aside for it."""
        await self.handle(scope, receive, send)

    async def handle(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request; nothing is sent to who has gone meanwhile."""
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        telling = Teller(asyncio.get_running_loop(), is_held=True)
        teller.set(telling)
        try:
            async with self._turns.turn():
                response = await self._in_thread(self._answer, scope, body)
            if response.streaming:
                telling.release()
                async with ThreadSensitiveContext():  # of what is made while it is sent
                    await self._stream(response, receive, send)
            else:
                await self.send_response(response, send)
        finally:
            telling.release()
            body.close()

    def _answer(self, scope: dict[str, Any], body: IO[bytes]) -> HttpResponseBase:
        """The response; one that is made while it is sent is not yet finished."""
        for alias, cache in self._caches.items():
            caches[alias] = cache
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        request, refusal = self.create_request(scope, body)
        response: Any = refusal if request is None else self.get_response(request)
        response._handler_class = self.__class__  # noqa: SLF001 — as Django sets it
        if not response.streaming:
            response.close()
        answer: HttpResponseBase = response
        return answer

    async def _stream(self, response: HttpResponseBase, receive: Receive, send: Send) -> None:
        """Send a response as it is made, until it ends or the browser goes."""
        sending = asyncio.ensure_future(self.send_response(response, send))
        leaving = asyncio.ensure_future(receive())
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            is_sent = sending.done()
            sending.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            await self._in_thread(response.close)
        if is_sent:
            sending.result()

    async def _in_thread(
        self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs
    ) -> _T:
        call = partial(copy_context().run, function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)
