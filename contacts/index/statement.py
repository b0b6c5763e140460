"""Statements on their way to the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from bluetel.rows import Value, many_of, places

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

BATCH: Final = 300
"""Rows of one statement: three parameters each, and SQLite's older limit is 999."""

MOST_PARTS: Final = 60
"""Ranges of one statement; SQLite takes 500, but a plan of so many takes its time."""


@dataclass(frozen=True, slots=True)
class Select:
    """A statement, mostly one that gives ids of contacts, and its parameters."""

    sql: str
    params: list[Value] = field(default_factory=list)


class Range(NamedTuple):
    """A range of an index: in one scope or book, from ``first`` on, before ``past``."""

    within: int
    first: str
    past: str


class Put(NamedTuple):
    """An entry of one contact."""

    scope: int
    words: str
    contact: int


def union(selects: Iterable[Select]) -> Select:
    """The ids that any of these finds, in their order."""
    parts = list(selects)
    return Select(
        " UNION ALL ".join(f"SELECT contact_id FROM ({one.sql}) AS part" for one in parts),  # noqa: S608
        [value for one in parts for value in one.params],
    )


def portions(ranges: Sequence[Range]) -> Iterable[Sequence[Range]]:
    """As many ranges as one statement is made for."""
    return [ranges[start : start + MOST_PARTS] for start in range(0, len(ranges), MOST_PARTS)]


def ids_of(select: Select) -> list[int]:
    """What a statement finds that gives ids alone."""
    return [contact for (contact,) in many_of(select.sql, select.params, width=1)]


def insert(
    cursor: CursorWrapper, table: str, columns: Sequence[str], rows: Sequence[tuple[str | int, ...]]
) -> None:
    """Write rows, but for those that are there."""
    one = f"({places(columns)})"
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([one] * len(batch))}"  # noqa: S608
            " ON CONFLICT DO NOTHING",
            [value for row in batch for value in row],
        )
