"""What a voice message's headers and times mean. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")

LONGEST_PART = 4 * 1024 * 1024
"""Bytes given for a range without an end: players ask for the next part when they need it."""


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes ``first`` to ``last``, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """How many they are."""
        return self.last - self.first + 1


class OutOfRange(Exception):
    """None of the bytes that were asked for exist."""


def part_of(header: str, size: int, *, longest: int = LONGEST_PART) -> Part | None:
    """The part of a thing of ``size`` bytes that a ``Range`` header asks for (RFC 9110 §14.1).

    None for the whole: without a header, and for one that may be ignored because it is malformed
    or asks for several parts. Raises :class:`OutOfRange`.
    """
    found = _RANGE.fullmatch(header.strip())
    if found is None or found[0] == "bytes=-":
        return None
    first, last = found[1], found[2]
    if not first:
        count = min(int(last), size)
        if count == 0:
            raise OutOfRange
        return Part(size - count, size - 1)
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise OutOfRange
    if last:
        return Part(int(first), min(int(last), size - 1))
    return Part(int(first), min(int(first) + longest, size) - 1)
