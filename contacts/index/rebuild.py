"""Writing the whole index anew from the contacts' rows, quicker than one contact at a time.

Entries go into a table of their own first and into the index in its order: a b-tree that grows at
its end is written once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Final

from django.db import connection, transaction

from bluetel.rows import rows_of
from contacts.folding import folded_words
from contacts.index.postings import NAME_WORDS, Texts, entries_of, spellings

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

BATCH: Final = 2_000
"""Contacts in memory at a time; of more, Python's own housekeeping takes its time."""
AT_ONCE: Final = 50
"""Rows of one statement on SQLite."""
HASHED: Final = 16 * 2**20
"""Bytes FTS5 gathers before it writes: what it has written in small pieces, it merges for long."""
USUAL: Final = 2**20
"""As many as it gathers by itself."""

Row = tuple[int | str, ...]


def rebuild() -> int:
    """Make the index what the rows say; how many contacts there are.

    All of it or nothing: until it is done, searches find what they found before.
    """
    contacts = 0
    with transaction.atomic(), connection.cursor() as cursor:
        _take_apart(cursor)
        last = 0
        named: dict[int, set[str]] = defaultdict(set)
        while batch := _batch(after=last):
            last = batch[-1][0]
            contacts += len(batch)
            words: list[Row] = []
            for pk, book, texts in batch:
                name = folded_words(texts.name)
                named[book].update(name[:NAME_WORDS])
                words += [(*entry, pk) for entry in entries_of(book, texts, name)]
            _write(cursor, "new_word", words)
        spelled = [(book, *spelling) for book in named for spelling in spellings(named[book])]
        _write(cursor, "new_spelling", spelled)
        _put_together(cursor)
    return contacts


def _batch(*, after: int) -> list[tuple[int, int, Texts]]:
    """The next contacts by id, with what they are found by."""
    return [
        (
            pk,
            book,
            Texts(
                name=name,
                others=(*others, *emails.split("\n")) if emails else others,
                note=note,
                is_callable=bool(is_callable),
            ),
        )
        for pk, book, name, note, is_callable, emails, *others in rows_of(
            _CONTACTS.format(joined=_JOINED[connection.vendor]), [after, BATCH]
        )
    ]


_JOINED: Final = {
    "sqlite": "group_concat(address, char(10))",
    "postgresql": "string_agg(address, chr(10))",
}
_CONTACTS: Final = """
SELECT id, book_id, name, note,
 EXISTS (SELECT 1 FROM contacts_line WHERE contact_id = contact.id AND is_callable),
 (SELECT {joined} FROM contacts_email WHERE contact_id = contact.id),
 company, assistant, department, title
FROM contacts_contact AS contact WHERE id > %s ORDER BY id LIMIT %s
"""


def _take_apart(cursor: CursorWrapper) -> None:
    if connection.vendor == "postgresql":
        # Who has begun to change it is waited for, and who comes then waits.
        cursor.execute("LOCK TABLE contacts_block IN SHARE ROW EXCLUSIVE MODE")
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
        return
    # So many in one statement, of which there is one text for all; what is left goes one by one.
    whole = len(rows) - len(rows) % AT_ONCE
    portions = [
        list(chain.from_iterable(rows[start : start + AT_ONCE]))
        for start in range(0, whole, AT_ONCE)
    ]
    places = ", ".join(["(%s, %s, %s)"] * AT_ONCE)
    cursor.executemany(f"INSERT INTO {table} VALUES {places}", portions)  # noqa: S608
    cursor.executemany(f"INSERT INTO {table} VALUES (%s, %s, %s)", rows[whole:])  # noqa: S608


def _put_together(cursor: CursorWrapper) -> None:
    for statement in _statements():
        cursor.execute(statement)


def _statements() -> Iterator[str]:
    if connection.vendor == "postgresql":
        yield "DELETE FROM contacts_block"
        yield "SELECT contacts_pack('new_word')"
    else:
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
        for table in ("contacts_digits", "contacts_text"):
            yield f"INSERT INTO {table} ({table}, rank) VALUES ('hashsize', {HASHED})"  # noqa: S608
            yield f"INSERT INTO {table} ({table}) VALUES ('rebuild')"  # noqa: S608
            yield f"INSERT INTO {table} ({table}, rank) VALUES ('hashsize', {USUAL})"  # noqa: S608
    else:
        yield "REINDEX INDEX line_by_parts"
        yield "REINDEX INDEX contact_by_cuts"
