"""All of a request happens in one thread, and what is streamed ends when the browser goes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextvars import Context
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.cache import caches
from django.core.signals import request_finished, request_started
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path
from pytest_django import Settings

from bluetel.one_thread import OneThreadHandler
from presence.live import publish_from_sync
from presence.messages import LinkMessage

pytestmark = pytest.mark.django_db


def where(request: HttpRequest) -> HttpResponse:
    del request
    return HttpResponse(threading.current_thread().name)


def without_end(request: HttpRequest) -> StreamingHttpResponse:
    del request

    async def parts() -> AsyncIterator[bytes]:
        while True:
            yield b"more"
            await asyncio.sleep(0)

    return StreamingHttpResponse(parts())


def telling(request: HttpRequest) -> HttpResponse:
    del request
    publish_from_sync(
        LinkMessage(type="link", pbx=1, is_up=True, revision=1, since="2026-11-26T09:00:00Z")
    )
    return HttpResponse("said")


KEPT: list[object] = []


def keeping(request: HttpRequest) -> HttpResponse:
    del request
    KEPT.append(caches["default"])
    return HttpResponse("kept")


urlpatterns = [
    path("where", where),
    path("keeping", keeping),
    path("without-end", without_end),
    path("telling", telling),
]

Heard = list[tuple[str, str]]


@pytest.fixture
def heard() -> Iterator[Heard]:
    """The signals of requests, each with the thread it came in."""
    found: Heard = []

    def began(**_: Any) -> None:
        found.append(("began", threading.current_thread().name))

    def finished(**_: Any) -> None:
        found.append(("finished", threading.current_thread().name))

    request_started.connect(began)
    request_finished.connect(finished)
    yield found
    request_started.disconnect(began)
    request_finished.disconnect(finished)


def visit(address: str, settings: Settings) -> Any:
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = []
    scope = {"type": "http", "method": "GET", "path": address, "headers": [], "query_string": b""}
    return ApplicationCommunicator(OneThreadHandler(), scope)  # type: ignore[no-untyped-call]


async def answer(visitor: Any) -> bytes:
    await visitor.send_input({"type": "http.request"})
    assert (await visitor.receive_output(10))["status"] == 200
    body: bytes = (await visitor.receive_output(10))["body"]
    return body


async def test_signals_and_view_are_in_one_thread(heard: Heard, settings: Settings) -> None:
    visitor = visit("/where", settings)
    thread = (await answer(visitor)).decode()
    await visitor.wait(10)

    assert thread.startswith("request")
    assert heard == [("began", thread), ("finished", thread)]


async def test_who_asks_has_his_answer_before_others_are_told(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = asyncio.Event()

    async def send(_group: str, _message: object) -> None:
        told.set()

    monkeypatch.setattr("presence.live._send", send)
    visitor = visit("/telling", settings)
    assert await answer(visitor) == b"said"
    assert not told.is_set()
    await asyncio.wait_for(told.wait(), 10)
    await visitor.wait(10)


async def test_what_is_streamed_ends_when_the_browser_goes(
    heard: Heard, settings: Settings
) -> None:
    visitor = visit("/without-end", settings)
    assert await answer(visitor) == b"more"
    assert [name for name, _ in heard] == ["began"]
    await visitor.send_input({"type": "http.disconnect"})
    await visitor.wait(10)

    assert [name for name, _ in heard] == ["began", "finished"]


async def test_a_browser_that_goes_before_it_has_asked_is_no_error(settings: Settings) -> None:
    visitor = visit("/where", settings)
    await visitor.send_input({"type": "http.disconnect"})
    await visitor.wait(10)

    assert visitor.output_queue.empty()


async def test_requests_share_the_connections_to_the_cache(settings: Settings) -> None:
    settings.ROOT_URLCONF, settings.MIDDLEWARE = __name__, []
    KEPT.clear()
    handler = OneThreadHandler()
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/keeping",
        "headers": [],
        "query_string": b"",
    }

    async def receive() -> dict[str, object]:
        return {"type": "http.request"}

    async def send(_message: object) -> None:
        pass

    for _ in range(2):
        # As in a server, each request is in a context of its own.
        await asyncio.create_task(handler(scope, receive, send), context=Context())

    assert len(KEPT) == 2
    assert KEPT[0] is KEPT[1]
