from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from bluetel.work import leases
from bluetel.work.leases import RENEW_EVERY, TTL, Held, LeaseLost
from bluetel.work.owners import is_gone, own_name

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MOMENT = timedelta(milliseconds=1)


def take(owner: str = "one", *, name: str = "engine", now: datetime = NOON) -> Held | None:
    return leases.take(name, owner=owner, now=now)


def held(owner: str = "one", *, now: datetime = NOON) -> Held:
    lease = take(owner, now=now)
    assert lease is not None
    return lease


def test_a_free_lease_is_taken() -> None:
    assert held().epoch > 0
    found = leases.holder_of("engine", now=NOON)
    assert found is not None
    assert found.owner == "one"


def test_nobody_else_gets_a_held_lease() -> None:
    held()
    assert take("two", now=NOON + TTL - MOMENT) is None


def test_a_lease_that_ran_out_is_taken_over_with_a_greater_epoch() -> None:
    first = held()
    second = held("two", now=NOON + TTL)
    assert second.epoch > first.epoch
    assert second.previously_renewed_at == NOON


def test_a_renewed_lease_lasts() -> None:
    lease = held()
    assert leases.renew(lease, now=NOON + RENEW_EVERY)
    assert take("two", now=NOON + TTL) is None


def test_a_lease_that_ran_out_is_not_revived_though_nobody_took_it() -> None:
    lease = held()
    assert not leases.renew(lease, now=NOON + TTL)


def test_who_was_succeeded_can_neither_renew_nor_release_nor_write() -> None:
    first = held()
    second = held("two", now=NOON + TTL)
    later = NOON + TTL + MOMENT
    assert not leases.renew(first, now=later)
    leases.release(first, now=later)
    with pytest.raises(LeaseLost):
        leases.check(first, now=later)
    leases.check(second, now=later)


def test_the_same_owner_with_an_older_epoch_is_somebody_else() -> None:
    first = held()
    held("one", now=NOON + TTL)
    with pytest.raises(LeaseLost):
        leases.check(first, now=NOON + TTL)


def test_a_released_lease_is_free_at_once_and_says_when_it_was_last_renewed() -> None:
    lease = held()
    leases.renew(lease, now=NOON + RENEW_EVERY)
    leases.release(lease, now=NOON + RENEW_EVERY + MOMENT)
    assert leases.holder_of("engine", now=NOON + RENEW_EVERY + MOMENT) is None
    second = held("two", now=NOON + RENEW_EVERY + MOMENT)
    assert second.previously_renewed_at == NOON + RENEW_EVERY


def test_leases_are_apart_but_their_epochs_are_one_sequence() -> None:
    engine = held()
    mailbox = take("two", name="mailbox")
    assert mailbox is not None
    assert mailbox.epoch == engine.epoch + 1


def test_a_lease_of_a_process_that_was_killed_is_free_at_once() -> None:
    script = (
        "from bluetel.work.owners import own_name; print(own_name(), flush=True);"
        "import time; time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        owner = process.stdout.readline().strip()
        held(owner)
        assert take("two", now=NOON + MOMENT) is None
        process.kill()
        process.wait()
    assert held("two", now=NOON + MOMENT).owner == "two"


def test_this_process_lives_and_other_machines_are_never_known_to_be_gone() -> None:
    owner = own_name()
    assert not is_gone(owner)
    machine, *rest = owner.split("/")
    assert not is_gone("/".join(["another", *rest]))
    assert not is_gone("")
    assert machine


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "is_first", [pytest.param(True, id="never held"), pytest.param(False, id="run out")]
)
def test_of_many_who_try_at_once_one_gets_it(is_first: bool) -> None:
    now = NOON
    if not is_first:
        held("nobody")
        now += TTL
    winners: list[str] = []
    ready = threading.Barrier(6)

    def contend(owner: str) -> None:
        ready.wait()
        if leases.take("engine", owner=owner, now=now) is not None:
            winners.append(owner)
        connection.close()

    threads = [threading.Thread(target=contend, args=[f"owner {n}"]) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(winners) == 1
