"""Writing the index: the entries of contacts that came, changed or went.

A contact's entries follow from its texts, so they are found again without a second index: what is
taken out must be said as it was put in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from django.db import connection

from contacts.index.postings import (
    SCOPES_PER_BOOK,
    Entry,
    Texts,
    Tier,
    entries_of,
    scope_of,
    spellings_of,
)
from contacts.models import Spelling, Word

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

BATCH: Final = 300
"""Rows of one statement: three parameters each, and SQLite's older limit is 999."""

Change = tuple[Texts | None, Texts | None]
"""A contact's texts before and after; None where there is no such contact."""


def change(book: int, contacts: Mapping[int, Change]) -> None:
    """Bring the entries of contacts of ``book``, by id, from what they were to what they are."""
    gone: list[tuple[int, str, int]] = []
    new: list[tuple[int, str, int]] = []
    spellings: set[tuple[str, str]] = set()
    dropped: set[tuple[str, str]] = set()
    for contact, (before, after) in contacts.items():
        old = entries_of(book, before) if before else set()
        now = entries_of(book, after) if after else set()
        gone += [(*entry, contact) for entry in old - now]
        new += [(*entry, contact) for entry in now - old]
        if after:
            spellings |= spellings_of(after)
        if before:
            dropped |= spellings_of(before)
    with connection.cursor() as cursor:
        _delete(cursor, gone)
        _insert(cursor, "contacts_word", ("scope", "words", "contact_id"), sorted(new))
        wanted = sorted(spellings - dropped)
        rows = [(book, keys, word) for keys, word in wanted]
        _insert(cursor, "contacts_spelling", ("book_id", "keys", "word"), rows)
        for keys, word in dropped - spellings:
            _forget(cursor, book, keys, word)


def forget_book(book: int) -> None:
    """Take out all entries of a book."""
    first = book * SCOPES_PER_BOOK
    Word.objects.filter(scope__gte=first, scope__lt=first + SCOPES_PER_BOOK).delete()
    Spelling.objects.filter(book_id=book).delete()


def _delete(cursor: CursorWrapper, rows: Sequence[tuple[int, str, int]]) -> None:
    """One by one: SQLite reads the whole table for a list of keys with several columns."""
    if rows:
        cursor.executemany(
            "DELETE FROM contacts_word WHERE scope = %s AND words = %s AND contact_id = %s",
            rows,
        )


def _insert(
    cursor: CursorWrapper, table: str, columns: Sequence[str], rows: Sequence[tuple[str | int, ...]]
) -> None:
    one = f"({', '.join(['%s'] * len(columns))})"
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([one] * len(batch))}"  # noqa: S608
            " ON CONFLICT DO NOTHING",
            [value for row in batch for value in row],
        )


def _forget(cursor: CursorWrapper, book: int, keys: str, word: str) -> None:
    """Take a spelling out unless another contact of the book has the word in its name."""
    for scope in _name_scopes(book):
        cursor.execute(
            "SELECT 1 FROM contacts_word WHERE scope = %s AND words >= %s AND words < %s LIMIT 1",
            [scope, word, f"{word}!"],
        )
        if cursor.fetchone():
            return
    cursor.execute(
        "DELETE FROM contacts_spelling WHERE book_id = %s AND keys = %s AND word = %s",
        [book, keys, word],
    )


def _name_scopes(book: int) -> Iterable[int]:
    for tier in (Tier.BEGINNING, Tier.NAME):
        for is_callable in (True, False):
            yield scope_of(book, tier, is_callable=is_callable)


__all__ = ["Change", "Entry", "change", "forget_book"]
