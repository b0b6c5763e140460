from __future__ import annotations

import asyncio
from collections.abc import Generator

import pytest

from presence.promptly import begin


async def after(event: asyncio.Event, said: list[str]) -> str:
    said.append("begun")
    try:
        await event.wait()
        await asyncio.sleep(0)
    except asyncio.CancelledError:
        said.append("cancelled")
        raise
    said.append("done")
    return "answer"


async def test_what_needs_not_wait_is_done_at_once() -> None:
    said: list[str] = []
    event = asyncio.Event()

    async def say() -> None:
        said.append("done")

    assert begin(say()) is None
    assert said == ["done"]
    assert not event.is_set()


async def test_what_it_raises_is_raised_at_once() -> None:
    async def fail() -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        begin(fail())


async def test_what_has_to_wait_is_begun_and_goes_on_when_the_rest_is_awaited() -> None:
    said: list[str] = []
    event = asyncio.Event()
    rest = begin(after(event, said))
    assert said == ["begun"]
    assert rest is not None
    going_on = asyncio.create_task(rest)
    await asyncio.sleep(0)
    assert said == ["begun"]
    event.set()
    assert await going_on == "answer"
    assert said == ["begun", "done"]


async def test_a_rest_that_is_cancelled_tells_the_work() -> None:
    said: list[str] = []
    rest = begin(after(asyncio.Event(), said))
    assert rest is not None
    going_on = asyncio.create_task(rest)
    await asyncio.sleep(0)
    going_on.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going_on
    assert said == ["begun", "cancelled"]


async def test_what_fails_later_fails_where_the_rest_is_awaited() -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise OSError("gone")

    rest = begin(fail())
    assert rest is not None
    with pytest.raises(OSError, match="gone"):
        await rest


async def test_what_is_no_coroutine_is_awaited_whole() -> None:
    class Answer:
        def __await__(self) -> Generator[None, None, str]:
            yield
            return "answer"

    rest = begin(Answer())
    assert rest is not None
    assert await rest == "answer"
