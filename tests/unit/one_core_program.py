"""A process that stays on one core, and says as JSON where it and its threads may run meanwhile."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from bluetel import one_core
from bluetel.work import processes

waits = threading.Event()
said: dict[str, Any] = {}


def main() -> None:
    settings.configure()
    from bluetel.accounts.hashers import Argon2PasswordHasher  # noqa: PLC0415 — needs settings

    class Hasher(Argon2PasswordHasher):
        time_cost, memory_cost = 1, 1024

        def params(self) -> Any:
            said["hashing"] = _mine()
            return super().params()

    one_core._keep_looking = waits.wait  # type: ignore[assignment]  # looks only when it is told to
    _start_waiting()
    allowed = said["allowed"] = _mine()
    said["kept"] = one_core.stay_on_one_core()
    _start_waiting()
    said["here"], said["at first"] = _mine(), _of_all_threads()

    Hasher().encode("a password", "and its salt")
    said["after hashing"] = _mine()
    said["computing"] = sorted(processes.compute(os.sched_getaffinity, 0))
    processes.close()

    _look({core: one_core.Ticks(100 if [core] == _mine() else 10, 100) for core in allowed})
    said["moved to"], said["at last"] = _mine(), _of_all_threads()

    os.sched_setaffinity(os.getpid(), allowed)  # as the system does
    _look({core: one_core.Ticks(10, 100) for core in allowed})
    said["taken away"] = _of_all_threads()


def _start_waiting() -> None:
    threading.Thread(target=waits.wait, daemon=True).start()


def _mine() -> list[int]:
    return sorted(os.sched_getaffinity(0))


def _of_all_threads() -> list[list[int]]:
    return [sorted(os.sched_getaffinity(one.native_id or 0)) for one in threading.enumerate()]


def _look(busy: Mapping[int, one_core.Ticks]) -> None:
    ticks = iter([{core: one_core.Ticks(0, 0) for core in busy}, dict(busy)])
    one_core._allowed_ticks = lambda: next(ticks)
    one_core.LOOKS = 0.01  # type: ignore[misc]
    one_core._look()


if __name__ == "__main__":
    main()
    sys.stdout.write(json.dumps(said))
