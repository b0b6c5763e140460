from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from bluetel.telephony.errors import NotFound, PbxUnavailable
from bluetel.telephony.ports import Backend
from bluetel.telephony.simulator.memory import MemoryBackend
from bluetel.telephony.simulator.scenario import build, start_of_tests, user_id
from bluetel.telephony.types import (
    CallChanged,
    CallState,
    PbxEvent,
    PbxUserId,
    StreamLost,
    StreamOpened,
)

CAMILLE = PbxUserId(user_id("1001"))


@pytest.fixture
def backend() -> MemoryBackend:
    return MemoryBackend(build(now=start_of_tests()))


def test_it_is_a_backend(backend: MemoryBackend) -> None:
    as_port: Backend = backend

    assert as_port.user(CAMILLE).extension == "1001"


def test_a_named_command_fails_until_it_is_healed(backend: MemoryBackend) -> None:
    backend.fail(PbxUnavailable("down", maybe_done=True), on="place_call")

    with pytest.raises(PbxUnavailable):
        backend.place_call(CAMILLE, "1002")
    assert list(backend.calls()) == []
    backend.heal()
    assert backend.place_call(CAMILLE, "1002").state is CallState.RINGING_SELF


def test_all_commands_fail_together(backend: MemoryBackend) -> None:
    backend.fail(PbxUnavailable("down"))

    with pytest.raises(PbxUnavailable):
        backend.users()
    with pytest.raises(PbxUnavailable):
        backend.check()


def test_closing_is_noted(backend: MemoryBackend) -> None:
    backend.close()

    assert backend.is_closed


def test_a_command_for_nobody_is_not_found(backend: MemoryBackend) -> None:
    with pytest.raises(NotFound):
        backend.messages(PbxUserId("nobody"))
    assert list(backend.calls(PbxUserId("nobody"))) == []


async def _next(events: AsyncGenerator[PbxEvent, None]) -> PbxEvent:
    async with asyncio.timeout(5):
        return await anext(events)


async def test_a_stream_that_opens_late_tells_the_living_calls(backend: MemoryBackend) -> None:
    call = backend.place_call(CAMILLE, "1002")
    async with aclosing(backend.events()) as events:
        assert await _next(events) == StreamOpened()
        told = await _next(events)

    assert isinstance(told, CallChanged)
    assert told.call == call


async def test_nothing_is_told_while_the_stream_is_lost(backend: MemoryBackend) -> None:
    async with aclosing(backend.events()) as events:
        await _next(events)
        backend.lose_stream("cable")
        assert await _next(events) == StreamLost(reason="cable")
        backend.place_call(CAMILLE, "1002")
        backend.do(lambda pbx: pbx.advance(31))
        backend.restore_stream()
        assert await _next(events) == StreamOpened()
        backend.place_call(CAMILLE, "1003")
        told = await _next(events)

    assert isinstance(told, CallChanged)
    assert told.call.number == "1003"


async def test_commands_of_other_threads_are_heard_in_the_loop(backend: MemoryBackend) -> None:
    async with aclosing(backend.events()) as events:
        await _next(events)
        thread = threading.Thread(target=backend.place_call, args=(CAMILLE, "1002"))
        thread.start()
        told = await _next(events)
        thread.join()

    assert isinstance(told, CallChanged)


async def test_an_unchanged_call_is_not_told_twice(backend: MemoryBackend) -> None:
    heard: list[PbxEvent] = []
    async with aclosing(backend.events()) as events:
        await _next(events)
        call = backend.place_call(CAMILLE, "1002")
        backend.do(lambda pbx: pbx.hang_up(pbx.legs[call.id]))
        while not (heard and isinstance(heard[-1], CallChanged) and not heard[-1].call.is_live):
            heard.append(await _next(events))

    told = [event.call for event in heard if isinstance(event, CallChanged)]
    assert [one.state for one in told] == [CallState.RINGING_SELF, CallState.ENDED]
