"""Rows by a statement of one's own, where the same is read at every key that somebody presses.

Django makes the statement of a query anew each time, which takes ten times as long as its answer.
"""

from __future__ import annotations

from collections.abc import Sequence, Sized
from datetime import UTC, datetime
from typing import Any

from django.db import connection


def rows_of(statement: str, values: Sequence[str | int | None] = ()) -> list[tuple[Any, ...]]:
    """All rows; ``statement`` has a ``%s`` for each of ``values``, whatever the database."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def places(values: Sized) -> str:
    """A ``%s`` for each of ``values``, for what stands behind ``IN``; there must be one."""
    return ", ".join(["%s"] * len(values))


def moment(value: datetime) -> datetime:
    """A time out of a row: SQLite leaves out that it is UTC."""
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
