from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import ClassVar

import pytest
from django.utils import timezone
from pytest_django import Settings

from bluetel.work import due
from bluetel.work.clock import EdgeClock
from bluetel.work.duties import Duty, Post
from bluetel.work.models import Due
from tests.live.stage import Stage, until

pytestmark = pytest.mark.django_db(transaction=True)


class Bells(Duty):
    """Notes each edge of its kind and when it came."""

    rung: ClassVar[list[tuple[str, datetime, datetime]]] = []

    async def run(self, post: Post) -> None:
        async def fire(edges: Sequence[due.Edge]) -> None:
            at = timezone.now()
            Bells.rung += [(edge.subject, edge.due_at, at) for edge in edges]
            await post.database(due.finish, edges)

        await EdgeClock("bell", fire).run(post)


@pytest.fixture
async def bells(stage: Stage, settings: Settings) -> Stage:
    settings.ENGINE_DUTIES = [f"{__name__}.Bells"]
    Bells.rung.clear()
    return stage


async def until_rung(count: int) -> None:
    await until(lambda: len(Bells.rung) >= count, what=f"{count} edges")


async def test_edges_come_in_their_order_and_never_early(bells: Stage) -> None:
    await bells.start_engine()
    await bells.until_heard()
    now = timezone.now()
    times = [(str(n), now + timedelta(milliseconds=40 * n)) for n in (9, 3, 6)]
    await asyncio.to_thread(due.put, "bell", times)
    await until_rung(3)
    assert [subject for subject, _, _ in Bells.rung] == ["3", "6", "9"]
    assert all(at >= due_at for _, due_at, at in Bells.rung)

    async def is_finished() -> bool:
        return not await Due.objects.filter(kind="bell").aexists()

    await until(is_finished, what="the end of the due rows")


async def test_an_edge_missed_while_nobody_was_on_duty_comes_at_once(bells: Stage) -> None:
    await asyncio.to_thread(due.put, "bell", [("7", timezone.now() - timedelta(hours=1))])
    await bells.start_engine()
    await until_rung(1)


async def test_an_edge_of_another_process_is_seen_within_a_second(bells: Stage) -> None:
    await bells.start_engine()
    await bells.until_heard()
    now = timezone.now()
    await Due.objects.acreate(kind="bell", subject="7", due_at=now, next_at=now, version=1)
    await until(lambda: bool(Bells.rung), what="the edge", within=5.0)


async def test_two_engines_ring_each_bell_once(bells: Stage) -> None:
    first = await bells.start_engine()
    await bells.until_heard()
    await bells.start_engine()
    soon = timezone.now() + timedelta(milliseconds=200)
    await asyncio.to_thread(due.put, "bell", [(str(n), soon) for n in range(50)])
    await bells.stop_engine(first)
    await until_rung(50)
    assert sorted(subject for subject, _, _ in Bells.rung) == sorted(str(n) for n in range(50))
