"""SQLite: parts of numbers and words are found by FTS5, kept up by triggers on the rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from contacts.index.postings import cut_of
from contacts.index.statement import Put, Range, Select, ids_of, insert, portions, union

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

IN_ONE_TRIP: bool = False
"""A statement costs little: what may be needed is read when it is."""

SCANNED: Final = 150
"""Entries of one range in which further words are looked for, before the index of words is
asked: where many have both, they are among the first."""


_WORDS: Final = (
    "SELECT words, contact_id FROM contacts_word WHERE scope = {within} AND words >= {first}"
    " AND words < {past} ORDER BY words, contact_id LIMIT %s"
)
_ENTRIES: Final = _WORDS.replace("words, ", "", 1)
_NUMBERS: Final = (
    "SELECT contact_id FROM contacts_line WHERE book_id = {{within}}"
    # As the partial index on `national` says it, or SQLite reads the whole book.
    " AND {column} >= {{first}} AND {column} < {{past}} AND NOT ({column} = '')"
    " AND is_callable ORDER BY {column}, id LIMIT %s"
)


def entries(ranges: Sequence[Range], *, limit: int) -> Select:
    """The first contacts of each range, behind the place of the range among them."""
    return for_each(ranges, _ENTRIES, limit)


def by_words(
    ranges: Sequence[Range],
    wanted: Sequence[str],
    marks: Sequence[str],
    terms: Sequence[str],
    *,
    limit: int,
    enough: int,
) -> Iterator[list[int]]:
    """Contacts of which an entry is like all that are ``wanted``, then those by their words.

    See :func:`with_words` for the latter.
    """
    likes = " AND ".join(["words LIKE %s"] * len(wanted)) or "TRUE"
    inner = f"SELECT contact_id FROM ({_WORDS}) AS entry WHERE {likes} LIMIT %s"  # noqa: S608
    yield ids_of(union(for_each(some, inner, SCANNED, *wanted, limit) for some in portions(ranges)))
    if marks:
        yield ids_of(union(with_words(mark, terms, limit=limit) for mark in marks))


def by_number(
    ranges: Sequence[Range],
    digits: str,
    *,
    limit: int,
    enough: int,
) -> Iterator[list[int]]:
    """Contacts by the beginning of a number, then those with ``digits`` anywhere in one.

    The latter only if there are digits.
    """
    yield ids_of(
        union(
            for_each(some, _NUMBERS.format(column=column), limit)
            for some in portions(ranges)
            for column in ("digits", "national")
        )
    )
    if digits:
        books = list(dict.fromkeys(one.within for one in ranges))
        yield ids_of(part_of_number(books, digits, limit=limit))


def for_each(ranges: Sequence[Range], inner: str, *more: str | int) -> Select:
    """What ``inner`` finds in each range, behind the place of the range among them.

    ``inner`` has ``{within}``, ``{first}`` and ``{past}`` once each, then a ``%s`` for each of
    ``more``.
    """
    one = inner.format(within="%s", first="%s", past="%s")
    return Select(
        " UNION ALL ".join(
            f"SELECT {place} AS place, part.* FROM ({one}) AS part"  # noqa: S608
            for place in range(len(ranges))
        ),
        [value for each in ranges for value in (*each, *more)],
    )


def part_of_number(books: Sequence[int], digits: str, *, limit: int) -> Select:
    """Contacts with ``digits`` anywhere in a number."""
    places = ", ".join(["%s"] * len(books))
    # CROSS JOIN keeps the order of the tables: matches first, then their lines.
    return Select(
        "SELECT line.contact_id FROM contacts_digits CROSS JOIN contacts_line AS line"  # noqa: S608
        " ON line.id = contacts_digits.rowid WHERE contacts_digits MATCH %s"
        f" AND line.is_callable AND line.book_id IN ({places}) LIMIT %s",
        [f'"{digits}"', *books, limit],
    )


def with_words(mark: str, terms: Sequence[str], *, limit: int) -> Select:
    """The first contacts of one mark that have a word for each of ``terms``, by id."""
    wanted = " ".join(f"{mark}{cut_of(term)}*" for term in terms)
    whole = [term for term in terms if cut_of(term) != term]
    if not whole:
        return Select(
            "SELECT rowid AS contact_id FROM contacts_text WHERE contacts_text MATCH %s"
            " ORDER BY rowid LIMIT %s",
            [wanted, limit],
        )
    compared = " AND ".join(["contact.found_by LIKE %s"] * len(whole))
    return Select(
        "SELECT contact.id AS contact_id FROM contacts_text"  # noqa: S608
        " CROSS JOIN contacts_contact AS contact ON contact.id = contacts_text.rowid"
        f" WHERE contacts_text MATCH %s AND {compared} ORDER BY contacts_text.rowid LIMIT %s",
        [wanted, *(f"% {mark}{term}%" for term in whole), limit],
    )


def hold(_cursor: CursorWrapper, _book: int) -> None:
    """Who has begun to write has the whole database for himself."""


def change(cursor: CursorWrapper, _book: int, *, gone: Sequence[Put], new: Sequence[Put]) -> None:
    """Take entries out and put others in."""
    if gone:
        # One by one: for a list of keys with several columns the whole table would be read.
        cursor.executemany(
            "DELETE FROM contacts_word WHERE scope = %s AND words = %s AND contact_id = %s", gone
        )
    insert(cursor, "contacts_word", ("scope", "words", "contact_id"), sorted(new))


def forget(cursor: CursorWrapper, *, first: int, past: int) -> None:
    """Take out all entries of the scopes from ``first`` on, before ``past``."""
    cursor.execute("DELETE FROM contacts_word WHERE scope >= %s AND scope < %s", [first, past])
