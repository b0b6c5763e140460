"""The lines' rows for many users at once: locked, read with all that decides, and written back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import connection

from bluetel.accounts.models import User
from forwarding.keeping import keep_up
from forwarding.models import Line
from forwarding.situation import Known, read_situations

if TYPE_CHECKING:
    from django.db.models import Field


def lock(user_ids: Iterable[int], *, now: datetime) -> list[Known]:
    """Read these users' situations with their lines locked, everything kept up to them."""
    ids = list(dict.fromkeys(user_ids))
    locked = _lock_rows(ids)
    if len(locked) < len(ids):
        there = User.objects.filter(pk__in=set(ids) - locked).values_list("pk", flat=True)
        new = [Line(user_id=pk) for pk in there]
        if new:
            Line.objects.bulk_create(new, ignore_conflicts=True)
            _lock_rows(ids)
    known = read_situations(ids, now=now)
    changed = keep_up(known, now=now)
    if changed:
        anew = {one.user.pk: one for one in read_situations(changed, now=now)}
        keep_up(list(anew.values()), now=now)
        known = [anew.get(one.user.pk, one) for one in known]
    return known


def save(known: Sequence[Known]) -> None:
    """Write what has changed of these users' lines; their rows are there and locked."""
    by_columns: dict[tuple[str, ...], list[Known]] = {}
    for one in known:
        if columns := tuple(one.unsaved()):
            by_columns.setdefault(columns, []).append(one)
    for columns, some in by_columns.items():
        _update(columns, [one.line for one in some])


def _lock_rows(ids: Sequence[int]) -> set[int]:
    rows = Line.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    return set(rows.values_list("pk", flat=True))


def _update(columns: Sequence[str], lines: Sequence[Line]) -> None:
    """One statement for each row: the ORM's for many has a case for each row and column."""
    meta = Line._meta  # noqa: SLF001 — Django's documented name for it
    fields = [field for field in meta.concrete_fields if field.attname in columns]
    quote = connection.ops.quote_name
    places = ", ".join(f"{quote(str(field.column))} = %s" for field in fields)
    values = [(*(_adapted(field, line) for field in fields), line.pk) for line in lines]
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {quote(meta.db_table)} SET {places} WHERE {quote(str(meta.pk.column))} = %s",  # noqa: S608 — no value of anybody's
            values,
        )


def _adapted(field: Field[Any, Any], line: Line) -> object:
    return field.get_db_prep_save(getattr(line, field.attname), connection)
