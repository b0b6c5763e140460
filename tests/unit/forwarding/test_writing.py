from __future__ import annotations

import asyncio
from itertools import pairwise

from bluetel.telephony.types import Forward, PbxUserId
from forwarding.echoes import FORGOTTEN_AFTER, Echoes
from forwarding.rate import BURST, TokenBucket
from tests.unit.virtual_loop import VirtualTimeLoop, run_in_virtual_time

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


# --- The rate, in a loop of which the test moves the time ----------------------------------------


async def _take(bucket: TokenBucket, many: int) -> list[float]:
    """When each of so many went, who all came at once."""
    loop = asyncio.get_running_loop()

    async def go() -> float:
        await bucket.take()
        return loop.time()

    return await asyncio.gather(*(go() for _ in range(many)))


def test_no_more_go_than_the_rate_allows() -> None:
    async def run() -> list[float]:
        return await _take(TokenBucket(200, clock=asyncio.get_running_loop().time), 60)

    went = run_in_virtual_time(run)
    assert went[-1] - went[0] >= 60 / 200 - BURST
    assert went == sorted(went)


def test_what_was_late_is_not_made_up_for_beyond_the_rate() -> None:
    async def run() -> list[float]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        group = asyncio.create_task(_take(TokenBucket(40, clock=loop.time), 100))
        loop.call_later(0.4, loop.stand_still, 0.7)
        return await group

    went = run_in_virtual_time(run)
    assert max(later - earlier for earlier, later in pairwise(went)) >= 0.7
    fullest = max(sum(1 for at in went if begin <= at < begin + 1.0) for begin in went)
    assert fullest <= 40


def test_who_stops_waiting_costs_nobody_his_turn() -> None:
    async def run() -> list[asyncio.Task[None]]:
        bucket = TokenBucket(200, clock=asyncio.get_running_loop().time)
        turns = [asyncio.create_task(bucket.take()) for _ in range(30)]
        await asyncio.sleep(0)
        turns[-2].cancel()
        await asyncio.gather(*turns, return_exceptions=True)
        return turns

    turns = run_in_virtual_time(run)
    assert turns[-2].cancelled()
    assert [turn.cancelled() for turn in turns].count(True) == 1
