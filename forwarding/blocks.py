"""Busy blocks: when somebody is in meetings, whatever their number; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

BRIDGED = timedelta(seconds=60)
"""A gap shorter than this between two meetings is none."""


class OccurrenceKey(NamedTuple):
    """What names an instance of an event; with another start it is another one."""

    uid: str
    recurrence_id: str
    starts: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """An occurrence that makes its owner busy from ``starts`` up to but not at ``ends``."""

    uid: str
    starts: datetime
    ends: datetime
    recurrence_id: str = ""

    @property
    def key(self) -> OccurrenceKey:
        """What names it."""
        return OccurrenceKey(self.uid, self.recurrence_id, self.starts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """Not for this meeting; without a start, never for this series."""

    uid: str
    recurrence_id: str = ""
    starts: datetime | None = None

    def covers(self, meeting: Meeting) -> bool:
        """Whether it speaks of this meeting."""
        if self.starts is None:
            return self.uid == meeting.uid
        return (self.uid, self.recurrence_id, self.starts) == meeting.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A stretch of meetings that overlap, touch, or leave a gap that is bridged."""

    starts: datetime
    ends: datetime
    keys: frozenset[OccurrenceKey]

    def holds(self, at: datetime) -> bool:
        """Whether somebody is in it."""
        return self.starts <= at < self.ends


def unite(meetings: Iterable[Meeting]) -> tuple[Block, ...]:
    """The busy blocks of these meetings, in order; a meeting without length makes none."""
    blocks: list[Block] = []
    for meeting in sorted(meetings, key=lambda one: one.starts):
        if meeting.ends <= meeting.starts:
            continue
        last = blocks[-1] if blocks else None
        if last is not None and meeting.starts - last.ends < BRIDGED:
            blocks[-1] = Block(
                starts=last.starts,
                ends=max(last.ends, meeting.ends),
                keys=last.keys | {meeting.key},
            )
        else:
            blocks.append(
                Block(starts=meeting.starts, ends=meeting.ends, keys=frozenset({meeting.key}))
            )
    return tuple(blocks)


def part(
    meetings: Sequence[Meeting], suppressions: Sequence[Suppression]
) -> tuple[list[Meeting], list[Meeting]]:
    """The meetings that count, and those that somebody said shall not."""
    counting: list[Meeting] = []
    suppressed: list[Meeting] = []
    for meeting in meetings:
        is_suppressed = any(one.covers(meeting) for one in suppressions)
        (suppressed if is_suppressed else counting).append(meeting)
    return counting, suppressed


def block_at(blocks: Iterable[Block], at: datetime) -> Block | None:
    """The block somebody is in at an instant."""
    return next((block for block in blocks if block.holds(at)), None)
