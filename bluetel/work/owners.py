"""Names for processes that hold leases, from which others on the machine can tell that one died."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

_PROC = Path("/proc")
_DEAD = {"Z", "X"}


def own_name() -> str:
    """A new name for a holder in this process: machine, process, and something of its own."""
    return "/".join((*_machine(), str(os.getpid()), _started(os.getpid()), uuid.uuid4().hex[:8]))


def is_gone(owner: str) -> bool:
    """Whether the holder's process certainly ended; False for one on another machine."""
    boot, space, pid, started, _ = [*owner.split("/"), "", "", "", ""][:5]
    if not started or (boot, space) != _machine():
        return False
    return _started(int(pid)) != started


def _machine() -> tuple[str, str]:
    """This start of this kernel, and the space in which its process numbers count."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        space = (_PROC / "self/ns/pid").readlink().name
    except OSError:
        return uuid.uuid4().hex, ""  # not Linux: nobody is ever known to be gone
    return boot, space


def _started(pid: int) -> str:
    """When a process began, in ticks since boot; empty when it has ended."""
    try:
        status = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    state, *fields = status.rpartition(")")[2].split()
    return "" if state in _DEAD else fields[18]
