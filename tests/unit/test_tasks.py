from __future__ import annotations

import asyncio

import pytest

from bluetel import tasks


async def test_a_task_that_lost_its_cancellation_is_cancelled_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "CANCEL_AGAIN", 0.01)
    lost = 0

    async def lose_one() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if lost:
                    raise
                lost += 1

    task = asyncio.create_task(lose_one())
    await asyncio.sleep(0)
    await tasks.end(task)
    assert (task.cancelled(), lost) == (True, 1)


async def test_what_a_task_raises_at_its_end_is_nobodys_news() -> None:
    async def break_at_the_end() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError

    task = asyncio.create_task(break_at_the_end())
    await asyncio.sleep(0)
    await tasks.end(task)
    assert isinstance(task.exception(), OSError)
