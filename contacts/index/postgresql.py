"""PostgreSQL: parts of numbers are found by pg_trgm, several words by the table of words.

An index that holds no order reads all that match before it gives the first. So what very many have
is not asked of one: of words, the rarest leads, and a part that many numbers have is looked for in
some numbers out of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bluetel.rows import rows_of
from contacts.index.postings import NAME_LENGTH, OTHER_LENGTH, Tier, mark_of, scope_of
from contacts.index.statement import Select

LOOKED_AT: Final = 1_000
"""Entries of one range."""
COUNTED: Final = 300
"""Entries of one range that are counted to see which word is rarer."""
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


def with_words(book: int, terms: Sequence[str], *, is_callable: bool, limit: int) -> Select:
    """Contacts of ``book`` that have a word for each of ``terms``.

    Those who have the rarest are read and the others looked for in their texts. Where thousands
    have each of the words, the first thousand of each place are looked at.
    """
    leader = _rarest(book, terms, is_callable=is_callable)
    told = _entries(book, leader, is_callable=is_callable, most=LOOKED_AT)
    mark = mark_of(book, is_callable=is_callable)
    # Of a very long word the entry has no more than the beginning.
    others = [term for term in terms if term != leader or len(term) > OTHER_LENGTH]
    compared = " AND ".join(["contact.found_by LIKE %s"] * len(others)) or "TRUE"
    return Select(
        f"SELECT contact.id AS contact_id FROM ({told.sql}) AS told CROSS JOIN LATERAL"  # noqa: S608
        " (SELECT id, found_by FROM contacts_contact WHERE id = told.contact_id OFFSET 0)"
        f" AS contact WHERE {compared} LIMIT %s",
        [*told.params, *(f"% {mark}{term}%" for term in others), limit],
    )


def _rarest(book: int, terms: Sequence[str], *, is_callable: bool) -> str:
    if len(terms) == 1:
        return terms[0]
    parts = [_entries(book, term, is_callable=is_callable, most=COUNTED) for term in terms]
    counts = " UNION ALL ".join(
        f"SELECT {place}, count(*) FROM ({part.sql}) AS part"  # noqa: S608
        for place, part in enumerate(parts)
    )
    rows = rows_of(counts, [value for part in parts for value in part.params])
    place: int = min(rows, key=lambda row: (row[1], -len(terms[row[0]])))[0]
    return terms[place]


def _entries(book: int, term: str, *, is_callable: bool, most: int) -> Select:
    """Who has a word that begins with ``term``, wherever: at most so many of each place."""
    one = (
        "(SELECT contact_id FROM contacts_word WHERE scope = %s AND words >= %s AND words < %s"  # noqa: S608
        f" ORDER BY words, contact_id LIMIT {most})"
    )
    params: list[str | int] = []
    for tier in Tier:
        first = term[: NAME_LENGTH if tier <= Tier.NAME else OTHER_LENGTH]
        params += [scope_of(book, tier, is_callable=is_callable), first, f"{first}~"]
    return Select(" UNION ALL ".join([one] * len(Tier)), params)
