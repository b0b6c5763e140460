from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bluetel import one_core
from bluetel.one_core import Ticks, better_core, cores_for_others, on_any_core, ticks_of

ROOT = Path(__file__).resolve().parents[2]

STAT = """\
cpu  1100 20 300 9000 500 10 40 30 0 0
cpu0 600 10 100 4000 400 5 30 20 0 0
cpu1 500 10 200 5000 100 5 10 10 0 0
intr 6951015 0 9
ctxt 123
"""

several_cores = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="needs Linux and two cores",
)


def test_times_of_cores_are_read_and_waiting_for_a_disk_is_no_work() -> None:
    assert ticks_of(STAT) == {0: Ticks(765, 5165), 1: Ticks(735, 5835)}


def shares(**busy: float) -> dict[int, Ticks]:
    return {
        int(core.removeprefix("core")): Ticks(round(share * 100), 100)
        for core, share in busy.items()
    }


IDLE = {0: Ticks(0, 0), 1: Ticks(0, 0), 2: Ticks(0, 0)}


@pytest.mark.parametrize(
    ("busy", "own", "best"),
    [
        pytest.param(shares(core0=0.9, core1=0.1, core2=0.2), 0.9, 0, id="its own work alone"),
        pytest.param(shares(core0=1.0, core1=0.1, core2=0.0), 0.5, 2, id="somebody else's too"),
        pytest.param(shares(core0=1.0, core1=0.6, core2=0.7), 0.5, 0, id="the others as full"),
        pytest.param(shares(core0=0.4, core1=0.2, core2=0.3), 0.0, 0, id="hardly worth it"),
        pytest.param(shares(core1=0.4, core2=0.2), 0.5, 2, id="this one taken away"),
    ],
)
def test_the_core_that_others_leave_most_of(busy: dict[int, Ticks], own: float, best: int) -> None:
    assert better_core(0, IDLE, busy, own=own) == best


def test_a_core_that_has_just_come_counts_as_free() -> None:
    before = {0: Ticks(0, 0)}
    after = {0: Ticks(100, 100), 1: Ticks(5, 50)}
    assert better_core(0, before, after, own=0.2) == 1


@several_cores
def test_nothing_changes_in_a_process_that_is_not_kept() -> None:
    before = os.sched_getaffinity(0)
    with on_any_core():
        assert os.sched_getaffinity(0) == before
    assert os.sched_getaffinity(0) == before
    assert cores_for_others() == []


@pytest.fixture
def cores(monkeypatch: pytest.MonkeyPatch) -> one_core._Cores:
    """Those of a process that is not kept yet, and is not really either."""
    cores = one_core._Cores()
    monkeypatch.setattr(one_core, "_cores", cores)
    monkeypatch.setattr(os, "sched_setaffinity", lambda thread, mask: None, raising=False)
    return cores


def test_where_the_system_counts_cores_otherwise_nothing_changes(
    cores: one_core._Cores, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda thread: {3, 7}, raising=False)
    (tmp_path / "stat").write_text(STAT)
    monkeypatch.setattr(one_core, "_STATES", tmp_path / "stat")
    assert not one_core.stay_on_one_core()
    assert cores.here is None


def test_a_process_that_has_one_core_is_on_one_core(
    cores: one_core._Cores, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda thread: {1}, raising=False)
    (tmp_path / "stat").write_text(STAT)
    monkeypatch.setattr(one_core, "_STATES", tmp_path / "stat")
    monkeypatch.setattr(one_core, "_TASKS", tmp_path / "tasks")
    (tmp_path / "tasks").mkdir()
    assert one_core.stay_on_one_core()
    assert cores.here == 1


def test_a_core_that_may_not_be_had_breaks_no_hash(
    cores: one_core._Cores, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: int, mask: set[int]) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    cores.allowed, cores.here = {0, 1}, 1
    monkeypatch.setattr(os, "sched_setaffinity", refuse, raising=False)
    with on_any_core():
        pass


@pytest.fixture(scope="module")
def said() -> Any:
    """What a process says of its cores (``one_core_program.py``)."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.one_core_program"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return json.loads(done.stdout)


@several_cores
def test_all_threads_are_kept_on_one_core_those_that_come_later_too(said: Any) -> None:
    assert said["kept"]
    assert said["at first"] == [said["here"]] * 4


@several_cores
def test_a_password_is_hashed_on_any_core(said: Any) -> None:
    assert said["hashing"] == said["allowed"]
    assert said["after hashing"] == said["here"]


@several_cores
def test_the_processes_that_compute_run_on_any_core(said: Any) -> None:
    assert said["computing"] == said["allowed"]


@several_cores
def test_all_threads_leave_a_core_that_somebody_else_fills(said: Any) -> None:
    assert said["moved to"] != said["here"]
    assert said["at last"] == [said["moved to"]] * 4


@several_cores
def test_a_process_that_the_system_took_its_core_from_finds_another(said: Any) -> None:
    assert said["taken away"] == [said["taken away"][0]] * 4
    assert len(said["taken away"][0]) == 1
