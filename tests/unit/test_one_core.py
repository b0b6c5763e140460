from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from bluetel.one_core import Ticks, better_core, on_any_core, ticks_of

STAT = """\
cpu  1100 20 300 9000 500 10 40 30 0 0
cpu0 600 10 100 4000 400 5 30 20 0 0
cpu1 500 10 200 5000 100 5 10 10 0 0
intr 6951015 0 9
ctxt 123
"""

PROGRAM = """
import json, os, threading
from bluetel import one_core

said, waits = {}, threading.Event()
before = threading.Thread(target=waits.wait)
before.start()

def cores():
    return {
        thread.name: sorted(os.sched_getaffinity(thread.native_id))
        for thread in threading.enumerate()
    }

one_core._keep_looking = lambda here: waits.wait()  # looks only when it is told to, below
allowed = sorted(os.sched_getaffinity(0))
said["allowed"], said["kept"] = allowed, one_core.stay_on_one_core()
after = threading.Thread(target=waits.wait)
after.start()
said["at first"] = cores()
here = one_core._cores.here
with one_core.on_any_core():
    said["let off"] = sorted(os.sched_getaffinity(0))
said["back"] = sorted(os.sched_getaffinity(0))

idle = {core: one_core.Ticks(0, 0) for core in allowed}
full = {core: one_core.Ticks(100 if core == here else 10, 100) for core in allowed}
ticks = iter([idle, full])
one_core._allowed_ticks, one_core.LOOKS = lambda: next(ticks), 0.01
said["here"], said["moved to"] = here, one_core._look(here)
said["at last"] = cores()
waits.set()
print(json.dumps(said))
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
        pytest.param(shares(core1=0.0, core2=0.0), 0.5, 0, id="nothing known of this one"),
    ],
)
def test_the_core_that_others_leave_most_of(busy: dict[int, Ticks], own: float, best: int) -> None:
    assert better_core(0, IDLE, busy, own=own) == best


def test_a_core_that_has_just_come_counts_as_free() -> None:
    before = {0: Ticks(0, 0)}
    after = {0: Ticks(100, 100), 1: Ticks(5, 50)}
    assert better_core(0, before, after, own=0.2) == 1


def test_nothing_changes_in_a_process_that_is_not_kept() -> None:
    before = os.sched_getaffinity(0)
    with on_any_core():
        assert os.sched_getaffinity(0) == before
    assert os.sched_getaffinity(0) == before


@pytest.fixture(scope="module")
def said() -> Any:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=30
    )
    return json.loads(done.stdout)


@several_cores
def test_all_threads_are_kept_on_one_core_those_that_come_later_too(said: Any) -> None:
    assert said["kept"]
    assert len(said["at first"]) == 4
    assert set(map(tuple, said["at first"].values())) == {(said["here"],)}


@several_cores
def test_who_computes_without_the_lock_may_run_anywhere_meanwhile(said: Any) -> None:
    assert said["let off"] == said["allowed"]
    assert said["back"] == [said["here"]]


@several_cores
def test_all_threads_leave_a_core_that_somebody_else_fills(said: Any) -> None:
    assert said["moved to"] != said["here"]
    assert set(map(tuple, said["at last"].values())) == {(said["moved to"],)}
