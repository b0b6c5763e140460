"""What a process has used, as Linux counts it."""

from __future__ import annotations

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """The seconds of a core so far; none for a process that is gone."""
    return sum(map(int, _stat(pid)[11:13])) / TICKS


def memory(pid: int) -> int:
    """The bytes of memory it holds now; none for a process that is gone."""
    found = _stat(pid)
    return int(found[21]) * PAGE if found else 0


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return []
