"""Writing the whole index anew from the contacts' rows, quicker than one contact at a time.

Entries go into a table of their own first and into the index in its order: a b-tree that grows at
its end is written once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from django.db import connection, transaction

from contacts.folding import keys_of
from contacts.index.postings import Texts, entries_of, spelled_words_of
from contacts.models import Contact, Email, Line

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

BATCH: Final = 2_000
"""Contacts in memory at a time; of more, Python's own housekeeping takes its time."""
_TEXTS: Final = ("company", "assistant", "department", "title")

Row = tuple[int | str, ...]


def rebuild() -> int:
    """Make the index what the rows say; how many contacts there are.

    All of it or nothing: until it is done, searches find what they found before.
    """
    contacts = 0
    with transaction.atomic(), connection.cursor() as cursor:
        _take_apart(cursor)
        last = 0
        spelled: set[tuple[int, str]] = set()
        while batch := _batch(after=last):
            last = batch[-1][0]
            contacts += len(batch)
            words: list[Row] = []
            for pk, book, texts in batch:
                spelled.update([(book, word) for word in spelled_words_of(texts)])
                words += [(scope, entry, pk) for scope, entry in entries_of(book, texts)]
            _write(cursor, "new_word", words)
        spellings = [(book, keys_of(word), word) for book, word in spelled]
        _write(cursor, "new_spelling", spellings)
        _put_together(cursor)
    return contacts


def _batch(*, after: int) -> list[tuple[int, int, Texts]]:
    """The next contacts by id, with what they are found by."""
    columns = ("pk", "book", "name", "note", *_TEXTS)
    rows = Contact.objects.filter(pk__gt=after).order_by("pk").values_list(*columns)[:BATCH]
    found = list(rows)
    if not found:
        return []
    within = {"contact__gte": found[0][0], "contact__lte": found[-1][0]}
    emails = _grouped(Email.objects.filter(**within).values_list("contact", "address"))
    callable_ids = set(
        Line.objects.filter(**within, is_callable=True).values_list("contact", flat=True)
    )
    return [
        (
            pk,
            book,
            Texts(
                name=name,
                others=(others[0], *emails.get(pk, ()), *others[1:]),
                note=note,
                is_callable=pk in callable_ids,
            ),
        )
        for pk, book, name, note, *others in found
    ]


def _grouped(pairs: Iterable[tuple[int, str]]) -> dict[int, list[str]]:
    grouped: dict[int, list[str]] = defaultdict(list)
    for key, value in pairs:
        grouped[key].append(value)
    return grouped


def _take_apart(cursor: CursorWrapper) -> None:
    collation = ' COLLATE "C"' if connection.vendor == "postgresql" else ""
    cursor.execute(
        f"CREATE TEMPORARY TABLE new_word (scope bigint, words varchar(40){collation},"
        " contact_id bigint)"
    )
    cursor.execute(
        f"CREATE TEMPORARY TABLE new_spelling (book_id bigint, keys varchar(40){collation},"
        f" word varchar(40){collation})"
    )


def _write(cursor: CursorWrapper, table: str, rows: Sequence[Row]) -> None:
    if connection.vendor == "postgresql":
        with cursor.copy(f"COPY {table} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    else:
        # Past Django's wrapper, which builds a text of each statement when it debugs.
        cursor.executemany(f"INSERT INTO {table} VALUES (%s, %s, %s)", rows)  # noqa: S608


def _put_together(cursor: CursorWrapper) -> None:
    for statement in _statements():
        cursor.execute(statement)


def _statements() -> Iterator[str]:
    yield "DELETE FROM contacts_word"
    yield (
        "INSERT INTO contacts_word (scope, words, contact_id)"
        " SELECT scope, words, contact_id FROM new_word ORDER BY scope, words, contact_id"
    )
    yield "DELETE FROM contacts_spelling"
    yield (
        "INSERT INTO contacts_spelling (book_id, keys, word)"
        " SELECT DISTINCT book_id, keys, word FROM new_spelling ORDER BY book_id, keys, word"
    )
    yield "DROP TABLE new_word"
    yield "DROP TABLE new_spelling"
    if connection.vendor == "sqlite":
        yield "INSERT INTO contacts_digits (contacts_digits) VALUES ('rebuild')"
        yield "INSERT INTO contacts_text (contacts_text) VALUES ('rebuild')"
    else:
        yield "REINDEX INDEX line_by_keypad"
        yield "REINDEX INDEX contact_by_words"
