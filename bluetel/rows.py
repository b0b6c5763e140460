"""Rows by a statement of one's own, where the same is read or written at every key or click.

Django makes the statement of a query anew each time, which takes ten times as long as its answer.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence, Sized
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Model

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

M = TypeVar("M", bound=Model)
N = TypeVar("N", bound=Model)
Value = str | int | datetime | None


def rows_of(statement: str, values: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
    """All rows; ``statement`` has a ``%s`` for each of ``values``, whatever the database."""
    with _carried_out(statement, values) as cursor:
        return list(cursor.fetchall())


def many_of(statement: str, values: Sequence[Value] = (), *, width: int) -> list[list[Any]]:
    """The same of whole numbers and texts, ``width`` in a row, where there are dozens of rows.

    SQLite gives them in one text: Python's module lets others have the interpreter at each row, and
    with two requests at once waiting for it again takes longer than the rows.
    """
    if connection.vendor != "sqlite":
        return [list(row) for row in rows_of(statement, values)]
    ((text,),) = rows_of(_in_one_text(statement, width), values)
    rows: list[list[Any]] = json.loads(text)
    return rows


def objects_of(model: type[M], statement: str, values: Sequence[Value] = ()) -> list[M]:
    """Objects of ``model``; ``statement`` selects :func:`columns_of` it, and nothing else."""
    return [_object(model, row) for row in rows_of(statement, values)]


def pairs_of(
    model: type[M], joined: type[N], statement: str, values: Sequence[Value] = ()
) -> list[tuple[M, N | None]]:
    """Objects of two models; ``statement`` selects both's columns, the second's by a left join."""
    width = len(model._meta.concrete_fields)  # noqa: SLF001
    return [
        (_object(model, row[:width]), _object(joined, row[width:]) if row[width] else None)
        for row in rows_of(statement, values)
    ]


def _carried_out(statement: str, values: Sequence[Value]) -> CursorWrapper:
    """A cursor with the answer; on PostgreSQL one whose statement the server plans once.

    Django writes the values into each statement, so that the server plans it anew: of those asked
    at every key or click that takes half the time.
    """
    database = connections[DEFAULT_DB_ALIAS]  # what the proxy of it asks for each attribute
    if database.vendor != "postgresql":
        cursor = database.cursor()
    else:
        from bluetel.planned import cursor_of  # noqa: PLC0415 — psycopg is for PostgreSQL alone

        database.ensure_connection()
        database.validate_thread_sharing()
        planned, statement = cursor_of(database.connection, statement)
        wrap = database.make_debug_cursor if database.queries_logged else database.make_cursor
        cursor = wrap(planned)  # type: ignore[arg-type]  # as Django wraps its own
    cursor.execute(statement, values)
    return cursor


def _object(model: type[M], row: Sequence[Any]) -> M:
    names, converters = _reading(model, connection.vendor)
    read = list(row)
    for place, convert, column in converters:
        read[place] = convert(read[place], column, connection)
    return model.from_db(connection.alias, names, read)


def insert(row: Model) -> None:
    """Write a new row and give it its key; without Django's signals, which nobody hears here."""
    fields, statement = _insertion(type(row))
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    ((row.pk,),) = rows_of(statement, values)
    row._state.adding, row._state.db = False, connection.alias  # noqa: SLF001


def update(row: Model, names: tuple[str, ...], *, where: str = "") -> bool:
    """Write these fields of a row, if it is there and the condition ``where`` holds of it."""
    fields, statement = _change(type(row), names)
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    statement = f"{statement} AND {where}" if where else statement
    with _carried_out(statement, [*values, row.pk]) as cursor:
        return bool(cursor.rowcount > 0)


@lru_cache
def _in_one_text(statement: str, width: int) -> str:
    names = ", ".join(f"column_{place}" for place in range(width))
    return (
        f"WITH part ({names}) AS ({statement})"  # noqa: S608
        f" SELECT json_group_array(json_array({names})) FROM part"
    )


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


@cache
def _insertion(model: type[Model]) -> tuple[list[Any], str]:
    """The fields of a new row, and the statement that writes them and gives the key."""
    meta = model._meta  # noqa: SLF001
    fields: list[Any] = [field for field in meta.concrete_fields if not field.primary_key]
    columns = ", ".join(field.column for field in fields)
    values = places(fields)
    return fields, f"INSERT INTO {meta.db_table} ({columns}) VALUES ({values}) RETURNING id"  # noqa: S608 — names of the model


@cache
def _change(model: type[Model], names: tuple[str, ...]) -> tuple[list[Any], str]:
    """These fields, and the statement that writes them into the row of a key."""
    meta = model._meta  # noqa: SLF001
    fields: list[Any] = [meta.get_field(name) for name in names]
    settings = ", ".join(f"{field.column} = %s" for field in fields)
    return fields, f"UPDATE {meta.db_table} SET {settings} WHERE id = %s"  # noqa: S608 — names of the model


def places(values: Sized) -> str:
    """A ``%s`` for each of ``values``, for what stands behind ``IN``; there must be one."""
    return ", ".join(["%s"] * len(values))


def one_of(ids: Collection[int]) -> tuple[str, list[Value]]:
    """What stands behind a column that must be one of ``ids``, and the values; there must be one.

    PostgreSQL takes an array: its driver takes longer to write sixty numbers than it to find them.
    """
    if connection.vendor == "sqlite":
        return f"IN ({places(ids)})", [*ids]
    return "= ANY(%s::bigint[])", [f"{{{','.join(map(str, ids))}}}"]


def one_of_texts(texts: Collection[str]) -> tuple[str, list[Value]]:
    """The same for a column of texts."""
    if connection.vendor == "sqlite":
        return f"IN ({places(texts)})", [*texts]
    quoted = (text.replace("\\", r"\\").replace('"', r"\"") for text in texts)
    return "= ANY(%s::text[])", ['{"' + '","'.join(quoted) + '"}']


def moment(value: datetime | str) -> datetime:
    """A time out of a row: SQLite leaves out that it is UTC, and keeps it as text."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


def stored(value: datetime) -> Value:
    """A time as a statement of this database takes it."""
    return connection.ops.adapt_datetimefield_value(value)
