"""PostgreSQL: parts of numbers are found by pg_trgm, words by a text search without a language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from contacts.index.statement import Select

TELLING: Final = 3
"""Letters of a beginning that not very many words have."""


def part_of_number(books: Sequence[int], digits: str, *, limit: int) -> Select:
    """Contacts with ``digits`` anywhere in a number."""
    places = ", ".join(["%s"] * len(books))
    return Select(
        "SELECT contact_id FROM contacts_line WHERE keypad LIKE %s AND is_callable"  # noqa: S608
        f" AND book_id IN ({places}) LIMIT %s",
        [f"%{digits}%", *books, limit],
    )


def with_words(mark: str, terms: Sequence[str], *, limit: int) -> Select:
    """The first contacts of one mark that have a word for each of ``terms``, by id.

    The index is asked for the words that tell most, for it reads all that have one before it knows
    who has both; the others are compared in the text. The inner question is for all of them, or
    the limit would tempt the planner to read the table until it has enough.
    """
    telling = [term for term in terms if len(term) >= TELLING] or terms
    others = [term for term in terms if term not in telling]
    compared = " AND ".join(["found_by LIKE %s"] * len(others)) or "TRUE"
    return Select(
        "WITH told AS MATERIALIZED (SELECT id, found_by FROM contacts_contact"  # noqa: S608
        " WHERE array_to_tsvector(string_to_array(ltrim(found_by), ' ')) @@ %s::tsquery)"
        f" SELECT id AS contact_id FROM told WHERE {compared} ORDER BY id LIMIT %s",
        [
            " & ".join(f"{mark}{term}:*" for term in telling),
            *(f"% {mark}{term}%" for term in others),
            limit,
        ],
    )
