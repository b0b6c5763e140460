"""SQLite: a part of a number is found by FTS5's trigrams, kept up by triggers on the lines."""

from __future__ import annotations

from collections.abc import Sequence

from contacts.index.statement import Select


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
