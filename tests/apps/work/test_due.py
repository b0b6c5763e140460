from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from bluetel.work import due, leases
from bluetel.work.due import Edge
from bluetel.work.leases import Held, LeaseLost
from bluetel.work.models import Due

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


def held(owner: str = "one", *, now: datetime = NOON) -> Held:
    lease = leases.take(leases.ENGINE, owner=owner, now=now, ttl=timedelta(hours=1))
    assert lease is not None
    return lease


def claim(lease: Held, *, now: datetime = NOON, most: int = 100) -> list[Edge]:
    return due.claim("route", held=lease, now=now, most=most)


def subjects(edges: list[Edge]) -> list[str]:
    return [edge.subject for edge in edges]


def test_an_edge_is_taken_at_its_instant_and_not_a_moment_before() -> None:
    due.put("route", [("7", NOON)])
    lease = held()
    assert claim(lease, now=NOON - MOMENT) == []
    (edge,) = claim(lease, now=NOON)
    assert (edge.subject, edge.due_at) == ("7", NOON)


def test_a_taken_edge_is_nobodys_until_its_lease_runs_out() -> None:
    due.put("route", [("7", NOON)])
    lease = held()
    assert claim(lease)
    assert claim(lease, now=NOON + due.LEASE - MOMENT) == []
    assert subjects(claim(lease, now=NOON + due.LEASE)) == ["7"]


def test_what_has_happened_is_over() -> None:
    due.put("route", [("7", NOON)])
    lease = held()
    due.finish(claim(lease))
    assert claim(lease, now=NOON + due.LEASE) == []


def test_putting_a_subject_again_moves_its_edge() -> None:
    due.put("route", [("7", NOON)])
    due.put("route", [("7", NOON + MOMENT)])
    lease = held()
    assert claim(lease, now=NOON) == []
    assert len(claim(lease, now=NOON + MOMENT)) == 1


def test_an_edge_put_again_while_it_is_worked_on_stays() -> None:
    due.put("route", [("7", NOON)])
    lease = held()
    edges = claim(lease)
    due.put("route", [("7", NOON)])
    due.finish(edges)
    assert subjects(claim(lease)) == ["7"]


def test_no_later_keeps_an_earlier_edge() -> None:
    due.put_no_later("route", "7", NOON + MOMENT)
    due.put_no_later("route", "7", NOON)
    due.put_no_later("route", "7", NOON + MOMENT)
    assert Due.objects.get().due_at == NOON


def test_a_cancelled_edge_does_not_happen() -> None:
    due.put("route", [("7", NOON)])
    due.cancel("route", ["7"])
    assert claim(held()) == []


def test_kinds_are_apart() -> None:
    due.put("other", [("7", NOON)])
    assert claim(held()) == []


def test_the_earliest_come_first_and_no_more_than_wanted() -> None:
    due.put("route", [(str(n), NOON - timedelta(seconds=n)) for n in range(5)])
    lease = held()
    assert subjects(claim(lease, most=3)) == ["4", "3", "2"]
    assert subjects(claim(lease, most=3)) == ["1", "0"]


def test_an_engine_that_was_succeeded_gets_nothing_and_its_successor_all() -> None:
    due.put("route", [("7", NOON), ("8", NOON)])
    first = held()
    assert len(claim(first, most=1)) == 1
    later = NOON + timedelta(hours=1)
    second = held("two", now=later)
    with pytest.raises(LeaseLost):
        claim(first, now=later)
    assert due.free_earlier("route", held=second) == 1
    assert subjects(claim(second, now=later)) == ["7", "8"]


def test_the_clock_is_told_the_next_times_once_each() -> None:
    due.put("route", [("7", NOON), ("8", NOON), ("9", NOON + timedelta(hours=1))])
    assert due.upcoming("route", until=NOON + timedelta(minutes=1)) == [NOON]


@pytest.mark.django_db(transaction=True)
def test_of_four_who_take_at_once_none_gets_the_same() -> None:
    expected = {str(number) for number in range(400)}
    due.put("route", [(subject, NOON) for subject in expected])
    taken: list[str] = []
    ready = threading.Barrier(4)

    def work(epoch: int) -> None:
        ready.wait()
        while edges := due.take("route", epoch=epoch, now=NOON, most=25):
            taken.extend(subjects(edges))
        connection.close()

    threads = [threading.Thread(target=work, args=[epoch]) for epoch in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(expected)
