"""PostgreSQL: parts of numbers are found by pg_trgm, words by a text search without a language.

pg_trgm holds no order and reads all that match before it gives the first: a part that many numbers
have is looked for in some numbers out of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from contacts.index.statement import Select

TELLING: Final = 3
"""Letters of a beginning that not very many words have."""
SAMPLED: Final = 3_000
"""Numbers of whole pages spread over the table, in which a part is looked for first."""
COMMON: Final = 60
"""So many of them have a common part, which the index is not asked for."""


def part_of_number(books: Sequence[int], digits: str, *, limit: int) -> Select:
    """Contacts with ``digits`` anywhere in a number; of a common part, those of a sample."""
    places = ", ".join(["%s"] * len(books))
    wanted = f"keypad LIKE %s AND is_callable AND book_id IN ({places})"
    values: list[str | int] = [f"%{digits}%", *books]
    enough = min(limit, COMMON)
    return Select(
        # "told" is without a limit, which would tempt the planner to read the table until it has
        # enough; it is not carried out where the sample has.
        "WITH sampled AS MATERIALIZED"  # noqa: S608
        f" (SELECT contact_id FROM {_SAMPLE} WHERE {wanted} LIMIT %s),"
        " told AS MATERIALIZED (SELECT contact_id FROM contacts_line"
        f" WHERE {wanted} AND (SELECT count(*) FROM sampled) < %s)"
        " SELECT contact_id FROM sampled WHERE (SELECT count(*) FROM sampled) >= %s"
        " UNION ALL (SELECT contact_id FROM told LIMIT %s)",
        [*values, limit, *values, enough, enough, limit],
    )


_ALL: Final = "(SELECT reltuples FROM pg_class WHERE oid = 'contacts_line'::regclass)"
_SAMPLE: Final = (
    "contacts_line TABLESAMPLE SYSTEM"
    f" (least(100, 100.0 * {SAMPLED} / greatest(1, {_ALL}))) REPEATABLE (1)"
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
