"""SQLite: parts of numbers and words are found by FTS5, kept up by triggers on the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from contacts.index.postings import cut_of
from contacts.index.statement import Range, Select

IN_ONE_TRIP: Final = False
"""A statement costs little: what may be needed is read when it is."""

SCANNED: Final = 150
"""Entries of one range in which further words are looked for, before the index of words is
asked: where many have both, they are among the first."""


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
