"""Writing the index: the entries of contacts that came, changed or went.

A contact's entries follow from its texts, so they are found again without a second index: what is
taken out must be said as it was put in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from django.db import connection

from bluetel.rows import rows_of
from contacts.index.database import Database, here
from contacts.index.postings import (
    SCOPES_PER_BOOK,
    Entry,
    Texts,
    Tier,
    entries_of,
    scope_of,
    spellings_of,
)
from contacts.index.statement import Put, Range, insert
from contacts.models import Spelling

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

Change = tuple[Texts | None, Texts | None]
"""A contact's texts before and after; None where there is no such contact."""


def change(book: int, contacts: Mapping[int, Change]) -> None:
    """Bring the entries of contacts of ``book``, by id, from what they were to what they are."""
    gone: list[Put] = []
    new: list[Put] = []
    spellings: set[tuple[str, str]] = set()
    dropped: set[tuple[str, str]] = set()
    for contact, (before, after) in contacts.items():
        old = entries_of(book, before) if before else set()
        now = entries_of(book, after) if after else set()
        gone += [Put(*entry, contact) for entry in old - now]
        new += [Put(*entry, contact) for entry in now - old]
        if after:
            spellings |= spellings_of(after)
        if before:
            dropped |= spellings_of(before)
    database = here()
    with connection.cursor() as cursor:
        database.change(cursor, book, gone=gone, new=new)
        wanted = sorted(spellings - dropped)
        rows = [(book, keys, word) for keys, word in wanted]
        insert(cursor, "contacts_spelling", ("book_id", "keys", "word"), rows)
        for keys, word in dropped - spellings:
            _forget(cursor, database, book, keys, word)


def hold(books: Iterable[int]) -> None:
    """Have the index of several books for oneself until the transaction ends.

    What changes more than one book says so first: all take them in one order, so that no two wait
    for each other.
    """
    with connection.cursor() as cursor:
        for book in sorted(set(books)):
            here().hold(cursor, book)


def forget_book(book: int) -> None:
    """Take out all entries of a book."""
    first = book * SCOPES_PER_BOOK
    with connection.cursor() as cursor:
        here().forget(cursor, first=first, past=first + SCOPES_PER_BOOK)
    Spelling.objects.filter(book_id=book).delete()


def _forget(cursor: CursorWrapper, database: Database, book: int, keys: str, word: str) -> None:
    """Take a spelling out unless another contact of the book has the word in its name."""
    anybody = database.entries(
        [Range(scope, word, f"{word}!") for scope in _name_scopes(book)], limit=1
    )
    if not rows_of(anybody.sql, anybody.params):
        cursor.execute(
            "DELETE FROM contacts_spelling WHERE book_id = %s AND keys = %s AND word = %s",
            [book, keys, word],
        )


def _name_scopes(book: int) -> Iterable[int]:
    for tier in (Tier.BEGINNING, Tier.NAME):
        for is_callable in (True, False):
            yield scope_of(book, tier, is_callable=is_callable)


__all__ = ["Change", "Entry", "change", "forget_book", "hold"]
