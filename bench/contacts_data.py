"""A hundred thousand or a million invented people, made by the database itself.

Runs inside Django, on whatever database the environment names. The same people each time: some
fourteen thousand different words, so that even a long beginning finds many.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from django.db import connection, models, transaction
from django.utils import timezone

from bluetel.accounts.models import User
from bluetel.calls.models import Call
from contacts.folding import fold
from contacts.index.postings import mark_of
from contacts.models import Book, Contact, DirectoryState, Email, Line
from tests.servers.slapd import FAMILY_NAMES, GIVEN_NAMES

SYLLABLES: Final = (
    "ba be bi bo ca ce do du fa fe ga go ha ja ka ki la le lo ma me mi na ne no pa".split()
)
CALLED: Final = 30
CALLED_BY_ALL: Final = 200
COMPANIES: Final = ("Ateliers", "Bureau", "Cabinet", "Fonderie", "Garage", "Imprimerie")


def load(count: int) -> None:
    """Write ``count`` people with their numbers and addresses into the company directory."""
    book = Book.objects.get_or_create(kind=Book.Kind.DIRECTORY)[0]
    # No engine compares them with a real directory, which has none of them.
    far = timezone.now() + timedelta(days=30)
    DirectoryState.objects.update_or_create(book=book, defaults={"due_at": far})
    families, givens, towns = (_texts(*kind) for kind in _KINDS)
    with transaction.atomic(), connection.cursor() as cursor:
        kept = _take_apart()
        lists = {"family": families, "given": givens, "town": towns, "company": COMPANIES}
        for name, texts in lists.items():
            cursor.execute(
                f"CREATE TEMPORARY TABLE {name} (id integer PRIMARY KEY, text varchar(40),"
                " folded varchar(40))"
            )
            cursor.executemany(
                f"INSERT INTO {name} VALUES (%s, %s, %s)",  # noqa: S608
                [(place, text, fold(text).replace(" ", "")) for place, text in enumerate(texts)],
            )
        # Steps that share no factor with the lists' lengths, so that all pairs come.
        cursor.execute(
            "CREATE TEMPORARY TABLE person AS WITH RECURSIVE n(i) AS ("  # noqa: S608
            f" SELECT CAST(1 AS bigint) UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
            f" SELECT i, (i * 7919 + i / 12007) % {len(families)} AS f,"
            f" (i * 104729) % {len(givens)} AS g, (i * 1299709) % {len(towns)} AS t,"
            f" i % {len(COMPANIES)} AS c FROM n"
        )
        mark = f"'{mark_of(book.pk, is_callable=True)}'"
        contact = {**_CONTACT, "found_by": _CONTACT["found_by"].format(mark=mark)}
        _insert(Contact, contact, {"book_id": book.pk, "updated_at": timezone.now()})
        _insert(Line, _line(0, "work", "1", "i"), {"book_id": book.pk})
        _insert(Line, _line(1, "mobile", "6", "(i * 15485863) %% 100000000"), {"book_id": book.pk})
        _insert(Email, _EMAIL, {})
        for table in (*lists, "person"):
            cursor.execute(f"DROP TABLE {table}")
        if connection.vendor == "postgresql":
            # What is checked at the end otherwise; no index is made before it.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for statement in kept:
            cursor.execute(statement)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for model in (Contact, Line, Email):
                table = _table(model)
                cursor.execute(
                    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"  # noqa: S608
                )
        cursor.execute("ANALYZE")


def have_called(count: int, chance: random.Random) -> None:
    """Let each user have called some of the ``count`` people in the last weeks."""
    now = timezone.now()
    numbers = dict(
        Line.objects.filter(
            contact__in=chance.sample(range(1, count + 1), CALLED_BY_ALL), position=0
        ).values_list("contact", "number")
    )
    Call.objects.bulk_create(
        Call(
            user=user,
            pbx=user.pbx,
            number=number,
            state=Call.State.ENDED,
            created_at=now - timedelta(hours=chance.randrange(24 * 30)),
        )
        for user in User.objects.exclude(pbx=None).select_related("pbx")
        for number in chance.sample(list(numbers.values()), CALLED)
    )


_KINDS: Final = ((FAMILY_NAMES, 12_000), (GIVEN_NAMES, 2_000), ((), 2_000))

_JOINED: Final = (
    "FROM person JOIN family ON family.id = f JOIN given ON given.id = g"
    " JOIN town ON town.id = t JOIN company ON company.id = c"
)
_ADDRESS: Final = "given.folded || '.' || family.folded || '@' || town.folded || '.test'"
_CONTACT: Final = {
    "id": "i",
    "source_id": "CAST(i AS varchar(20))",
    "digest": "CAST(i AS varchar(20))",
    "name": "given.text || ' ' || family.text",
    "sort_name": "family.folded || ' ' || given.folded",
    "given_name": "given.text",
    "family_name": "family.text",
    "company": "company.text || ' ' || town.text",
    "found_by": " || ".join(
        f"' ' || {{mark}} || {word}"
        for word in ("given.folded", "family.folded", "company.folded", "town.folded", "'test'")
    ),
    "": _JOINED,
}
_EMAIL: Final = {
    "id": "i",
    "contact_id": "i",
    "position": "0",
    "address": _ADDRESS,
    "key": _ADDRESS,
    "": _JOINED,
}


def _line(position: int, label: str, first: str, rest: str) -> Mapping[str, str]:
    """Numbers of nine digits that begin with ``first``: one for all, the second for every other."""
    digits = f"'{first}' || {_padded(rest)}"
    return {
        "id": f"i * 2 + {position}",
        "contact_id": "i",
        "position": str(position),
        "label": f"'{label}'",
        "number": f"'+33 ' || {digits}",
        "is_callable": "TRUE",
        "digits": f"'33' || {digits}",
        "national": f"'0' || {digits}",
        "keypad": f"'33' || {digits}",
        "": "FROM person WHERE i %% 2 = 1" if position else "FROM person",
    }


def _padded(number: str) -> str:
    text = f"('00000000' || CAST({number} AS varchar(20)))"
    return f"right({text}, 8)" if connection.vendor == "postgresql" else f"substr({text}, -8)"


def _texts(real: Sequence[str], invented: int) -> list[str]:
    chance = random.Random(invented)  # noqa: S311 — invented people, not secrets
    words = ("".join(chance.choices(SYLLABLES, k=chance.randint(2, 4))) for _ in range(invented))
    return [*real, *(word.capitalize() for word in words)]


def _insert(
    model: type[models.Model], given: Mapping[str, str], more: Mapping[str, object]
) -> None:
    """Rows of ``given`` expressions; the other columns are ``more``, or the model's defaults."""
    blank = model()
    columns: list[str] = []
    expressions: list[str] = []
    values: list[Any] = []
    for field in model._meta.concrete_fields:  # noqa: SLF001 — Django's documented way
        column = str(field.column)
        columns.append(column)
        if column in given:
            expressions.append(given[column])
        else:
            value = more.get(column, field.pre_save(blank, add=False))
            expressions.append("%s")
            values.append(field.get_db_prep_save(value, connection))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {_table(model)} ({', '.join(columns)})"
            f" SELECT {', '.join(expressions)} {given['']}",
            values,
        )


def _take_apart() -> list[str]:
    """Drop what would be kept up row by row; the statements that make it again."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            indexes = ("line_by_parts", "contact_by_cuts")
            cursor.execute(
                "SELECT indexdef FROM pg_indexes WHERE indexname = ANY(%s)", [list(indexes)]
            )
            kept = [row[0] for row in cursor.fetchall()]
            for index in indexes:
                cursor.execute(f"DROP INDEX {index}")
            return kept
        cursor.execute(
            "SELECT name, sql FROM sqlite_master"
            " WHERE type = 'trigger'"
            " AND tbl_name IN ('contacts_line', 'contacts_contact')"
        )
        triggers = cursor.fetchall()
        for name, _sql in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
        return [sql for _name, sql in triggers]


def _table(model: type[models.Model]) -> str:
    return model._meta.db_table  # noqa: SLF001 — Django's documented way
