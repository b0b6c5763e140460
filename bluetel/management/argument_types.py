"""What arguments of commands must be, in argparse's way."""

from __future__ import annotations

from argparse import ArgumentTypeError


def port(text: str) -> int:
    """A TCP port; 0 is any free one."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise ArgumentTypeError(f"a port is a number from 0 to 65535, not {text}")
    return number


def count(text: str) -> int:
    """How many there are, one at least."""
    number = int(text)
    if number < 1:
        raise ArgumentTypeError(f"it must be 1 or more, not {text}")
    return number
