"""Rows by a statement of one's own, where the same is read at every key that somebody presses.

Django makes the statement of a query anew each time, which takes ten times as long as its answer.
"""

from __future__ import annotations

from collections.abc import Sequence, Sized
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model

M = TypeVar("M", bound=Model)
Value = str | int | datetime | None


def rows_of(statement: str, values: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
    """All rows; ``statement`` has a ``%s`` for each of ``values``, whatever the database."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def objects_of(model: type[M], statement: str, values: Sequence[Value] = ()) -> list[M]:
    """Objects of ``model``; ``statement`` selects :func:`columns_of` it, and nothing else."""
    names, converters = _reading(model, connection.vendor)
    found = []
    for row in rows_of(statement, values):
        read = list(row)
        for place, convert, column in converters:
            read[place] = convert(read[place], column, connection)
        found.append(model.from_db(connection.alias, names, read))
    return found


@cache
def columns_of(model: type[Model], table: str) -> str:
    """The columns of a model's fields, in their order, of what the statement calls ``table``."""
    return ", ".join(f"{table}.{field.column}" for field in model._meta.concrete_fields)  # noqa: SLF001 — Django's documented way


@cache
def _reading(model: type[Model], vendor: str) -> tuple[list[str], list[tuple[int, Any, Any]]]:
    """The names of a model's fields, and what makes its values of the database's, by place."""
    fields = model._meta.concrete_fields  # noqa: SLF001
    columns = [(place, field.get_col(str(field.column))) for place, field in enumerate(fields)]
    converters = [
        (place, convert, column)
        for place, column in columns
        for convert in (
            *connection.ops.get_db_converters(column),
            *column.get_db_converters(connection),
        )
    ]
    return [field.attname for field in fields], converters


def places(values: Sized) -> str:
    """A ``%s`` for each of ``values``, for what stands behind ``IN``; there must be one."""
    return ", ".join(["%s"] * len(values))


def moment(value: datetime) -> datetime:
    """A time out of a row: SQLite leaves out that it is UTC."""
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


def stored(value: datetime) -> Value:
    """A time as a statement of this database takes it."""
    return connection.ops.adapt_datetimefield_value(value)
