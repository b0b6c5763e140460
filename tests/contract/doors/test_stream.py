"""The event stream: opens, notices every way of being lost, and opens again, for ever."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve

from bluetel.telephony import stream as module
from bluetel.telephony.errors import PbxUnavailable, ProtocolError
from bluetel.telephony.stream import EventStream, Step, Target
from bluetel.telephony.types import StreamLost, StreamOpened
from tests.contract.doors.virtual_time import VirtualTime, until

SECRET = "6f9d-very-secret"


class Parrot:
    """Says hello; ``open`` opens it, anything else is a message, ``bad`` a protocol error."""

    def start(self) -> Sequence[str]:
        return ["hello"]

    def receive(self, frame: str | bytes) -> Step[str]:
        text = str(frame)
        if text == "bad":
            raise ProtocolError("not understood")
        if text == "open":
            return Step(send=["thanks"], opened=True)
        return Step(messages=[] if text == "pong" else [text])

    def ping(self) -> str:
        return "ping"


class OneWay:
    """A link to one address; keeps what it is told."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.dials = 0
        self.codes: list[int | None] = []
        self.error: PbxUnavailable | None = None
        self.least = 0.0
        self.send: Callable[[str], Awaitable[None]] | None = None
        self.tending = asyncio.Event()

    async def dial(self) -> Target:
        self.dials += 1
        if self.error is not None:
            raise self.error
        return Target(url=self.url, headers={"X-Auth-Token": SECRET})

    def converse(self) -> Parrot:
        return Parrot()

    async def tend(self, send: Callable[[str], Awaitable[None]]) -> None:
        self.send = send
        self.tending.set()

    async def hung_up(self, code: int | None) -> float:
        self.codes.append(code)
        self.send = None
        self.tending.clear()
        return self.least


class Pbx:
    """A socket server that does what the test says."""

    def __init__(self) -> None:
        self.clients: list[ServerConnection] = []
        self.heard: list[str] = []
        self.tokens: list[str | None] = []
        self.answers = True
        self.url = ""

    async def handle(self, client: ServerConnection) -> None:
        assert client.request is not None
        self.clients.append(client)
        self.tokens.append(client.request.headers.get("X-Auth-Token"))
        async for frame in client:
            self.heard.append(str(frame))
            if not self.answers:
                continue
            if frame == "hello":
                await client.send("open")
            elif frame == "ping":
                await client.send("pong")

    @property
    def client(self) -> ServerConnection:
        return self.clients[-1]


@pytest.fixture
async def pbx() -> AsyncIterator[Pbx]:
    made = Pbx()
    async with serve(made.handle, "127.0.0.1", 0, ping_interval=None, close_timeout=0.2) as server:
        made.url = f"ws://127.0.0.1:{port_of(server)}/events"
        yield made


def port_of(server: Server) -> int:
    port: int = next(iter(server.sockets)).getsockname()[1]
    return port


@pytest.fixture
def time() -> VirtualTime:
    return VirtualTime()


@asynccontextmanager
async def reading(
    link: OneWay, time: VirtualTime, *, rng: random.Random | None = None
) -> AsyncIterator[list[StreamOpened | StreamLost | str]]:
    """Everything the stream has said so far, read in the background."""
    stream: EventStream[str] = EventStream(link, clock=time.clock, sleep=time.sleep, rng=rng)
    heard: list[StreamOpened | StreamLost | str] = []

    async def read() -> None:
        async with contextlib.aclosing(stream.items()) as items:
            async for item in items:
                heard.append(item)  # noqa: PERF401 — seen while it grows

    task = asyncio.create_task(read())
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Longest(random.Random):
    """Always draws the upper bound, and keeps the bounds."""

    def __init__(self) -> None:
        super().__init__(1)
        self.bounds: list[tuple[float, float]] = []

    def uniform(self, a: float, b: float) -> float:
        self.bounds.append((a, b))
        return b


async def test_it_opens_and_brings_messages_in_order(pbx: Pbx, time: VirtualTime) -> None:
    async with reading(OneWay(pbx.url), time) as heard:
        await until(lambda: heard == [StreamOpened()])
        await pbx.client.send("one")
        await pbx.client.send("two")
        await until(lambda: len(heard) == 3)
    assert heard == [StreamOpened(), "one", "two"]
    assert pbx.heard[:2] == ["hello", "thanks"]


async def test_the_token_goes_in_a_header_never_in_the_address(pbx: Pbx, time: VirtualTime) -> None:
    async with reading(OneWay(pbx.url), time) as heard:
        await until(lambda: heard)
    assert pbx.tokens == [SECRET]
    assert SECRET not in repr(Target(url=pbx.url, headers={"X-Auth-Token": SECRET}))


async def test_a_stream_that_closes_is_lost_at_once_and_opened_again(
    pbx: Pbx, time: VirtualTime
) -> None:
    link = OneWay(pbx.url)
    async with reading(link, time) as heard:
        await until(lambda: heard)
        await pbx.client.close(1011, "bus lost")
        await until(lambda: len(heard) == 2)
        assert heard[1] == StreamLost(reason="closed by the PBX (code 1011)")
        await until(lambda: link.codes == [1011])
        await time.advance(15)
        await until(lambda: len(heard) == 3)
    assert heard[2] == StreamOpened()
    assert link.dials == 2


async def test_a_connection_cut_without_a_word_has_no_code(pbx: Pbx, time: VirtualTime) -> None:
    link = OneWay(pbx.url)
    async with reading(link, time) as heard:
        await until(lambda: heard)
        pbx.client.transport.abort()
        await until(lambda: link.codes and len(heard) > 1)
    assert link.codes == [None]
    assert isinstance(heard[1], StreamLost)


async def test_a_silent_stream_is_lost_within_thirty_seconds(pbx: Pbx, time: VirtualTime) -> None:
    async with reading(OneWay(pbx.url), time) as heard:
        await until(lambda: heard)
        pbx.answers = False
        await time.advance(19)
        assert heard == [StreamOpened()]
        await time.advance(6)
        await until(lambda: len(heard) == 2)
    assert heard[1] == StreamLost(reason="silent")


async def test_a_stream_that_answers_its_pings_lives_for_ever(pbx: Pbx, time: VirtualTime) -> None:
    async with reading(OneWay(pbx.url), time) as heard:
        await until(lambda: heard)
        for number in range(1, 31):
            await time.advance(10)
            await until(lambda number=number: pbx.heard.count("ping") >= number)  # type: ignore[misc]
            await asyncio.sleep(0.005)
        assert heard == [StreamOpened()]


async def test_a_stream_that_never_opens_is_lost_too(pbx: Pbx, time: VirtualTime) -> None:
    pbx.answers = False
    async with reading(OneWay(pbx.url), time) as heard:
        await until(lambda: pbx.heard == ["hello"])
        await time.advance(25)
        await until(lambda: heard)
    assert heard == [StreamLost(reason="silent")]
    assert "ping" not in pbx.heard


async def test_what_is_not_understood_ends_the_connection(pbx: Pbx, time: VirtualTime) -> None:
    async with reading(OneWay(pbx.url), time) as heard:
        await until(lambda: heard)
        await pbx.client.send("bad")
        await until(lambda: len(heard) == 2)
    assert heard[1] == StreamLost(reason="not understood")


async def test_a_pbx_that_cannot_be_reached_is_one_loss_however_often_it_is_tried(
    time: VirtualTime,
) -> None:
    link = OneWay("ws://127.0.0.1:9/nothing-listens")
    async with reading(link, time) as heard:
        for tries in range(1, 6):
            await until(lambda tries=tries: len(link.codes) >= tries)  # type: ignore[misc]
            await until(lambda: time.sleepers)
            await time.advance(15)
    assert [type(item) for item in heard] == [StreamLost]


async def test_a_sign_in_that_fails_is_told_by_its_kind(pbx: Pbx, time: VirtualTime) -> None:
    link = OneWay(pbx.url)
    link.error = PbxUnavailable("sign-in: no connection")
    async with reading(link, time) as heard:
        await until(lambda: heard)
        assert heard == [StreamLost(reason="PbxUnavailable: sign-in: no connection")]
        link.error = None
        await until(lambda: time.sleepers)
        await time.advance(15)
        await until(lambda: len(heard) == 2)
    assert heard[1] == StreamOpened()


async def test_a_server_that_refuses_the_upgrade_gives_nothing_away(time: VirtualTime) -> None:
    def refuse(connection: ServerConnection, _request: object) -> object:
        return connection.respond(403, SECRET)

    async with serve(lambda _: asyncio.sleep(0), "127.0.0.1", 0, process_request=refuse) as server:  # type: ignore[arg-type]
        link = OneWay(f"ws://127.0.0.1:{port_of(server)}")
        async with reading(link, time) as heard:
            await until(lambda: heard)
    assert heard == [StreamLost(reason="no connection (InvalidStatus)")]


class TestPauses:
    async def test_they_double_from_half_a_second_to_fifteen(self, time: VirtualTime) -> None:
        link, rng = OneWay("ws://127.0.0.1:9/x"), Longest()
        async with reading(link, time, rng=rng):
            for tries in range(1, 9):
                await until(lambda tries=tries: len(rng.bounds) >= tries)  # type: ignore[misc]
                await until(lambda: time.sleepers)
                await time.advance(rng.bounds[-1][1])
        assert [high for _, high in rng.bounds][:8] == [0.5, 1, 2, 4, 8, 15, 15, 15]
        assert {low for low, _ in rng.bounds} == {0.0}

    async def test_a_stream_that_lived_is_opened_again_quickly(
        self, pbx: Pbx, time: VirtualTime
    ) -> None:
        link, rng = OneWay(pbx.url), Longest()
        async with reading(link, time, rng=rng) as heard:
            for lived in (0, 0, 16, 0):
                await until(lambda: heard and heard[-1] == StreamOpened())
                await time.advance(lived)
                await pbx.client.close(1011)
                await until(lambda: isinstance(heard[-1], StreamLost) and time.sleepers)
                await time.advance(15)
        assert [high for _, high in rng.bounds] == [0.5, 1, 0.5, 1]

    async def test_the_link_may_ask_for_a_longer_one(self, pbx: Pbx, time: VirtualTime) -> None:
        link = OneWay(pbx.url)
        link.least = 60.0
        async with reading(link, time) as heard:
            await until(lambda: heard)
            await pbx.client.close(4004)
            await until(lambda: 60.0 in time.slept)
            await time.advance(59)
            assert link.dials == 1
            await time.advance(1)
            await until(lambda: link.dials == 2)


class TestTending:
    async def test_the_link_may_send_on_the_open_socket(self, pbx: Pbx, time: VirtualTime) -> None:
        link = OneWay(pbx.url)
        async with reading(link, time) as heard:
            await until(lambda: heard)
            assert link.send is not None
            await link.send("new token")
            await until(lambda: "new token" in pbx.heard)
            assert heard == [StreamOpened()]

    async def test_a_socket_that_closes_while_it_sends_is_lost_by_its_code(
        self, pbx: Pbx, time: VirtualTime
    ) -> None:
        link = OneWay(pbx.url)
        async with reading(link, time) as heard:
            await until(lambda: heard)
            send = link.send
            assert send is not None
            await pbx.client.close(4003)
            late = asyncio.ensure_future(send("too late"))
            await until(lambda: link.codes)
            assert not late.done()
            late.cancel()
        assert link.codes == [4003]

    async def test_a_socket_that_takes_nothing_more_is_lost(
        self, pbx: Pbx, time: VirtualTime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "_SEND_TIMEOUT", 0.05)
        link = OneWay(pbx.url)
        async with reading(link, time) as heard:
            await until(lambda: heard)
            send = link.send
            assert send is not None
            pbx.client.transport.pause_reading()

            async def send_for_ever() -> None:
                while True:
                    await send("x" * 1_000_000)

            with pytest.raises(Exception, match="takes nothing"):
                await send_for_ever()
            await until(lambda: len(heard) == 2)


async def test_a_reader_too_far_behind_gets_a_fresh_start(
    pbx: Pbx, time: VirtualTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BACKLOG", 50)
    link = OneWay(pbx.url)
    stream: EventStream[str] = EventStream(link, clock=time.clock, sleep=time.sleep)
    async with contextlib.aclosing(stream.items()) as items:
        assert await anext(items) == StreamOpened()
        for number in range(200):
            with contextlib.suppress(Exception):
                await pbx.client.send(str(number))
        await until(lambda: link.codes)
        assert await anext(items) == StreamLost(reason="its reader fell too far behind")


async def test_a_bug_of_ours_goes_up_instead_of_being_retried(pbx: Pbx, time: VirtualTime) -> None:
    class Broken(OneWay):
        def converse(self) -> Parrot:
            raise ZeroDivisionError

    stream: EventStream[str] = EventStream(Broken(pbx.url), clock=time.clock, sleep=time.sleep)
    async with contextlib.aclosing(stream.items()) as items:
        with pytest.raises(ZeroDivisionError):
            await anext(items)


async def test_closing_closes_the_socket(pbx: Pbx, time: VirtualTime) -> None:
    async with reading(OneWay(pbx.url), time) as heard:
        await until(lambda: heard)
    async with asyncio.timeout(3):
        await pbx.client.wait_closed()


async def test_no_token_is_logged_even_at_debug(
    pbx: Pbx, time: VirtualTime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("websockets.client").setLevel(logging.DEBUG)
    async with reading(OneWay(pbx.url), time) as heard:
        await until(lambda: heard)
        await pbx.client.send(json.dumps({"token": SECRET}))
        await until(lambda: len(heard) == 2)
    ours = [r for r in caplog.records if not r.name.startswith("websockets.server")]
    assert SECRET not in "".join(record.getMessage() for record in ours)


async def test_a_loss_and_an_opening_are_each_logged_once(
    pbx: Pbx, time: VirtualTime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="bluetel.telephony.stream")
    link = OneWay(pbx.url)
    link.error = PbxUnavailable("away")
    async with reading(link, time) as heard:
        for tries in range(1, 4):
            await until(lambda tries=tries: len(link.codes) >= tries)  # type: ignore[misc]
            await until(lambda: time.sleepers)
            await time.advance(15)
        link.error = None
        await until(lambda: time.sleepers)
        await time.advance(15)
        await until(lambda: StreamOpened() in heard)
    ours = [r.levelname for r in caplog.records if r.name == "bluetel.telephony.stream"]
    assert ours == ["WARNING", "INFO"]
