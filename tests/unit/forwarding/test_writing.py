from __future__ import annotations

import asyncio

from bluetel.telephony.types import Forward, PbxUserId
from forwarding.echoes import FORGOTTEN_AFTER, Echoes
from forwarding.rate import BURST, TokenBucket

USER = PbxUserId("camille")
VOICEMAIL = Forward(enabled=True, destination="*971001")
MINE = Forward(enabled=True, destination="1042")


def hear(echoes: Echoes, value: Forward, *, at: float = 0.0, user: PbxUserId = USER) -> bool:
    return echoes.hear(1, user, "unconditional", value, at=at)


def test_what_we_wrote_comes_back_once() -> None:
    echoes = Echoes()
    came = echoes.expect(1, USER, "unconditional", VOICEMAIL, at=0.0)
    assert hear(echoes, VOICEMAIL)
    assert came.is_set()
    assert not hear(echoes, VOICEMAIL)


def test_what_others_write_is_news() -> None:
    echoes = Echoes()
    came = echoes.expect(1, USER, "unconditional", VOICEMAIL, at=0.0)
    assert not hear(echoes, MINE)
    assert not hear(echoes, VOICEMAIL, user=PbxUserId("nadia"))
    assert not came.is_set()
    assert hear(echoes, VOICEMAIL)


def test_an_echo_that_never_came_is_forgotten() -> None:
    echoes = Echoes()
    echoes.expect(1, USER, "unconditional", VOICEMAIL, at=0.0)
    assert not hear(echoes, VOICEMAIL, at=FORGOTTEN_AFTER)


async def test_no_more_go_than_the_rate_allows() -> None:
    loop = asyncio.get_running_loop()
    bucket = TokenBucket(200, clock=loop.time)
    began = loop.time()
    await asyncio.gather(*(bucket.take() for _ in range(60)))
    assert loop.time() - began >= 60 / 200 - BURST


class LateLoop:
    """A clock that stands still while the loop is held up, and then jumps."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.ahead = 0.0

    def __call__(self) -> float:
        return self._loop.time() + self.ahead


async def test_what_was_late_is_not_made_up_for_beyond_the_rate() -> None:
    clock = LateLoop(asyncio.get_running_loop())
    bucket = TokenBucket(40, clock=clock)
    went: list[float] = []
    many = asyncio.Event()

    async def go() -> None:
        await bucket.take()
        went.append(clock())
        if len(went) == 20:
            many.set()

    group = asyncio.gather(*(go() for _ in range(100)))
    await many.wait()
    clock.ahead += 0.7
    await group
    fullest = max(sum(1 for at in went if begin <= at < begin + 1.0) for begin in went)
    assert fullest <= 40


async def test_who_stops_waiting_costs_nobody_his_turn() -> None:
    bucket = TokenBucket(200, clock=asyncio.get_running_loop().time)
    turns = [asyncio.create_task(bucket.take()) for _ in range(30)]
    await asyncio.sleep(0)
    turns[-2].cancel()
    await asyncio.gather(*turns, return_exceptions=True)
    assert turns[-2].cancelled()
    assert [turn.cancelled() for turn in turns].count(True) == 1
