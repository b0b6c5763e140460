"""PostgreSQL: a part of a number is found by pg_trgm; what is read in ranges has the C order."""

from __future__ import annotations

from collections.abc import Sequence

from contacts.index.statement import Select


def part_of_number(books: Sequence[int], digits: str, *, limit: int) -> Select:
    """Contacts with ``digits`` anywhere in a number."""
    places = ", ".join(["%s"] * len(books))
    return Select(
        "SELECT contact_id FROM contacts_line WHERE keypad LIKE %s AND is_callable"  # noqa: S608
        f" AND book_id IN ({places}) LIMIT %s",
        [f"%{digits}%", *books, limit],
    )
