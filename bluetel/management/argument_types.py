"""What arguments of commands must be, in argparse's way."""

from __future__ import annotations

from argparse import ArgumentTypeError
from math import inf, nan


def port(text: str) -> int:
    """A TCP port."""
    return _port(text, least=1)


def port_or_any(text: str) -> int:
    """A TCP port; 0 is any free one."""
    return _port(text, least=0)


def _port(text: str, *, least: int) -> int:
    if not text.isdecimal() or not least <= int(text) <= 65535:
        raise ArgumentTypeError(f"a port is a number from {least} to 65535, not {text}")
    return int(text)


def count(text: str) -> int:
    """How many there are, one at least."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"it must be a number from 1, not {text}")
    return int(text)


def seconds_or_never(text: str) -> float | None:
    """How long something takes; None for ``never``."""
    if text in {"never", "none"}:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = nan
    if not 0 <= seconds < inf:
        raise ArgumentTypeError(f"it must be a number of seconds or 'never', not {text}")
    return seconds
