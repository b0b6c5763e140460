from __future__ import annotations

import itertools
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from bluetel.accounts.models import User
from bluetel.work import queue
from bluetel.work.in_process import carry_out
from bluetel.work.models import Job
from bluetel.work.queue import LEASE, MOST_RUNS, Claim
from tests.apps.work import errands

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MOMENT = timedelta(milliseconds=1)
NOTE = errands.note.path


@pytest.fixture(autouse=True)
def nothing_done() -> None:
    errands.done.clear()
    errands.on_run.clear()


def put(word: str = "one", *, key: str = "", due_at: datetime = NOON) -> int:
    return queue.put(NOTE, arguments={"word": word}, key=key, due_at=due_at)


def claim(*, owner: str = "worker", now: datetime = NOON, most: int = 10) -> list[Claim]:
    return queue.claim(owner=owner, now=now, most=most)


def test_a_function_called_directly_just_runs() -> None:
    errands.note(word="now")
    assert errands.done == [("note", "now")]


def test_a_job_runs_with_its_arguments_and_leaves_nothing() -> None:
    errands.note.enqueue(word="later")
    assert errands.done == []
    for one in claim(now=timezone.now()):
        carry_out(one)
    assert errands.done == [("note", "later")]
    assert not Job.objects.exists()


def test_a_job_waits_for_its_time() -> None:
    errands.note.enqueue(word="later", delay=60.0)
    assert claim(now=timezone.now()) == []
    assert claim(now=timezone.now() + timedelta(seconds=61))


def test_a_job_of_a_transaction_that_is_rolled_back_never_was() -> None:
    with transaction.atomic():
        errands.note.enqueue(word="never")
        transaction.set_rollback(True)
    assert not Job.objects.exists()


def test_of_one_key_one_job_waits_with_the_newest_arguments_and_the_earlier_time() -> None:
    put("old", key="same", due_at=NOON)
    put("new", key="same", due_at=NOON + LEASE)
    (one,) = claim()
    assert one.arguments == {"word": "new"}


def test_without_a_key_each_is_a_job_of_its_own() -> None:
    put("one")
    put("two")
    assert len(claim()) == 2


def test_a_claimed_job_is_nobody_elses() -> None:
    put()
    assert claim()
    assert claim(owner="another") == []


def test_while_one_runs_the_next_of_its_key_waits_for_its_end() -> None:
    put("first", key="same")
    (first,) = claim()
    put("second", key="same")
    assert claim(owner="another") == []
    queue.finish(first)
    (second,) = claim(owner="another")
    assert second.arguments == {"word": "second"}


def test_a_job_whose_lease_ran_out_runs_again_and_its_first_runner_changes_nothing() -> None:
    put()
    (first,) = claim()
    (second,) = claim(owner="another", now=NOON + LEASE)
    assert second.runs == 2
    queue.finish(first)
    queue.fail(first, ValueError("late"), now=NOON + LEASE)
    queue.renew([first], now=NOON + LEASE * 5)
    row = Job.objects.get()
    assert (row.owner, row.lease_until) == ("another", NOON + LEASE * 2)


def test_a_renewed_job_stays_its_runners() -> None:
    put()
    claims = claim()
    queue.renew(claims, now=NOON + LEASE - MOMENT)
    assert claim(owner="another", now=NOON + LEASE) == []


def test_a_failed_job_is_tried_again_later_each_time() -> None:
    queue.put(errands.fail.path, arguments={"word": "no"}, key="", due_at=NOON)
    waits = []
    now = NOON
    for _ in range(4):
        (one,) = claim(now=now)
        queue.fail(one, ValueError("no"), now=now)
        due = queue.next_due()
        assert due is not None
        waits.append(due - now)
        now = due
    assert all(earlier < later for earlier, later in itertools.pairwise(waits))
    assert timedelta(seconds=1) < waits[0] < timedelta(seconds=3)


def test_a_job_that_fails_too_often_is_given_up_and_says_why() -> None:
    errands.fail.enqueue(word="impossible")
    now = timezone.now()
    for _ in range(MOST_RUNS):
        (one,) = claim(now=now)
        carry_out(one)
        now += timedelta(days=1)
    assert claim(now=now) == []
    row = Job.objects.get()
    assert (row.state, row.error) == ("dead", "ValueError: impossible")
    assert queue.count_given_up() == 1


def test_a_job_that_fails_makes_way_for_a_newer_one_of_its_key() -> None:
    put("old", key="same")
    (old,) = claim()
    put("new", key="same")
    queue.fail(old, ValueError("no"), now=NOON)
    (new,) = claim()
    assert new.arguments == {"word": "new"}
    assert Job.objects.count() == 1


def test_success_forgets_what_was_given_up_of_the_same_key() -> None:
    Job.objects.create(function=NOTE, key="same", state=Job.State.DEAD, due_at=NOON)
    put(key="same")
    (one,) = claim()
    queue.finish(one)
    assert not Job.objects.exists()


def test_the_health_page_tells_of_given_up_jobs_and_an_administrator_tries_again() -> None:
    row = Job.objects.create(
        function=NOTE, arguments={"word": "again"}, state=Job.State.DEAD, due_at=NOON
    )
    assert Client().get("/readyz").json()["parts"]["jobs"] == "some given up"
    browser = Client()
    browser.force_login(
        User.objects.create_superuser("root"), backend="bluetel.accounts.backends.AccountBackend"
    )
    assert b"given up" in browser.get("/admin/work/job/").content
    browser.post("/admin/work/job/", {"action": "try_again", "_selected_action": [row.pk]})
    (one,) = claim(now=timezone.now())
    assert one.arguments == {"word": "again"}
    assert Client().get("/readyz").json()["parts"]["jobs"] == "ok"


@pytest.mark.django_db(transaction=True)
def test_a_killed_process_leaves_its_job_to_the_next_at_once(tmp_path: Path) -> None:
    errands.write.enqueue(path=str(tmp_path / "words"), word="done")
    with subprocess.Popen(
        [sys.executable, "-m", "tests.apps.work.hanging"],
        env=errands.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        now = timezone.now()
        assert queue.free_orphans(now=now) == 0
        process.kill()
        process.wait()
    assert queue.free_orphans(now=now) == 1
    (one,) = claim(now=now)
    carry_out(one)
    assert (tmp_path / "words").read_text() == "done\n"


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(90)
def test_processes_share_jobs_and_one_that_is_killed_costs_none(tmp_path: Path) -> None:
    words = [f"word {number}" for number in range(40)]
    for word in words:
        errands.write.enqueue(path=str(tmp_path / "words"), word=word)

    def start(program: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", f"tests.apps.work.{program}"],
            env=errands.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    with start("hanging") as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == "10\n"
        workers = [start("working") for _ in range(2)]
        victim.kill()
    for worker in workers:
        with worker:
            assert worker.wait(60) == 0
    assert sorted((tmp_path / "words").read_text().splitlines()) == sorted(words)
    assert not Job.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_who_claim_at_once_never_get_the_same() -> None:
    expected = {put(str(number)) for number in range(40)}
    taken: list[int] = []
    ready = threading.Barrier(4)

    def work(owner: str) -> None:
        ready.wait()
        while claims := claim(owner=owner, most=3):
            taken.extend(one.id for one in claims)
        connection.close()

    threads = [threading.Thread(target=work, args=[f"worker {n}"]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(expected)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_put_the_same_key_at_once_one_row_comes() -> None:
    ready = threading.Barrier(4)

    def work(word: str) -> None:
        ready.wait()
        put(word, key="same")
        connection.close()

    threads = [threading.Thread(target=work, args=[str(n)]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Job.objects.count() == 1
