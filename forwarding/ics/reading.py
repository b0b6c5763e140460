"""Texts into instances, many at once: what runs in a process of its own."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from forwarding.ics.expansion import Instance, expand
from forwarding.ics.limits import OutOfTime
from forwarding.ics.lines import NotACalendar
from forwarding.ics.reduction import reduce

MOST_KEPT = 4 * 1024 * 1024
"""Bytes of reduced text; a calendar with more of a future is nobody's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One text as it will be kept; ``problem`` is the code of why nothing of it can be."""

    digest: str
    name: str = ""
    content: bytes = field(default=b"", repr=False)
    instances: Sequence[Instance] = ()
    warnings: Sequence[dict[str, str]] = ()
    problem: str = ""


def digest_of(data: bytes) -> str:
    """What tells one text from another."""
    return hashlib.sha256(data).hexdigest()


def read_texts(
    texts: Sequence[bytes],
    *,
    mine: Collection[str],
    zone: str,
    now: datetime,
    since: datetime,
    until: datetime,
) -> list[Read]:
    """Each text reduced and expanded; what can't be read says why."""
    return [_read(text, mine=mine, zone=zone, now=now, since=since, until=until) for text in texts]


def expand_contents(
    contents: Sequence[bytes], *, zone: str, since: datetime, until: datetime
) -> list[list[Instance]]:
    """The instances of texts kept earlier, in another window or zone."""
    return [_expand(content, zone=zone, since=since, until=until) for content in contents]


def _read(
    text: bytes,
    *,
    mine: Collection[str],
    zone: str,
    now: datetime,
    since: datetime,
    until: datetime,
) -> Read:
    digest = digest_of(text)
    try:
        reduced = reduce(text, mine=mine, now=now)
    except NotACalendar:
        return Read(digest=digest, problem="not_a_calendar")
    if len(reduced.text) > MOST_KEPT:
        return Read(digest=digest, problem="too_large")
    if "BEGIN:VEVENT" not in reduced.text:
        return Read(digest=digest, name=reduced.name, warnings=reduced.warnings)
    try:
        expansion = expand(reduced.text, zone=zone, since=since, until=until)
    except (OutOfTime, MemoryError):
        return Read(digest=digest, problem="too_large")
    except (ValueError, KeyError, TypeError, AttributeError):
        return Read(digest=digest, problem="not_a_calendar")
    return Read(
        digest=digest,
        name=reduced.name,
        content=zlib.compress(reduced.text.encode()),
        instances=expansion.instances,
        warnings=[*reduced.warnings, *({"code": code} for code in expansion.problems)],
    )


def _expand(content: bytes, *, zone: str, since: datetime, until: datetime) -> list[Instance]:
    if not content:
        return []
    try:
        text = zlib.decompress(content).decode()
        return expand(text, zone=zone, since=since, until=until).instances
    except (OutOfTime, MemoryError):
        return []
