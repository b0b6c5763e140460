"""PostgreSQL: what of words and numbers is asked for is written down in an index of parts.

Such an index holds no order and reads all that have a part before it gives the first: parts that
very many have are looked for in some rows out of all. Each trip to the server and each plan takes
longer than what it finds, so as much as possible is one statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from contacts.index.postings import cut_of
from contacts.index.statement import Range, Select

IN_ONE_TRIP: Final = True
"""What may be needed is read with what is, for a trip takes longer."""
SAMPLED: Final = 1_000
"""Rows of whole pages spread over a table, in which something common is looked for first."""
COMMON: Final = 60
"""So many of them have what is common, which the index is then not asked for."""
PART: Final = 4
"""Digits that have an entry of their own."""
TELLING: Final = 3
"""Letters of a beginning that not very many words have."""
SORTED: Final = 300
"""Of more contacts than these that have all words, some are taken."""

SCANNED: Final = 800
"""Entries of one range in which further words are looked for, before the index of words is
asked, which reads all that have one of them."""


def for_each(ranges: Sequence[Range], inner: str, *more: str | int) -> Select:
    """What ``inner`` finds in each range, behind the place of the range among them.

    ``inner`` has ``{within}``, ``{first}`` and ``{past}`` once each, then a ``%s`` for each of
    ``more``.
    """
    rows = ", ".join(["(%s, %s, %s, %s)"] * len(ranges))
    one = inner.format(within="key.within", first="key.first", past="key.past")
    return Select(
        f"SELECT key.place, part.* FROM (VALUES {rows}) AS key (place, within, first, past),"  # noqa: S608
        f" LATERAL ({one}) AS part",
        [*(value for place, one in enumerate(ranges) for value in (place, *one)), *more],
    )


def part_of_number(books: Sequence[int], digits: str, *, limit: int) -> Select:
    """Contacts with ``digits`` anywhere in a number; of a common part, those of a sample."""
    places = ", ".join(["%s"] * len(books))
    wanted = f"keypad LIKE %s AND is_callable AND book_id IN ({places})"
    values: list[str | int] = [f"%{digits}%", *books]
    parts = [digits[start : start + PART] for start in range(max(1, len(digits) - PART + 1))]
    asked = " & ".join(parts) if len(digits) >= PART else f"{digits}:*"
    return _sampled_first(
        Select(
            f"SELECT contact_id FROM {_sample_of('contacts_line')} WHERE {wanted}",  # noqa: S608
            values,
        ),
        Select(
            "SELECT contact_id FROM contacts_line"  # noqa: S608
            f" WHERE contacts_parts(keypad) @@ %s::tsquery AND {wanted}",
            [asked, *values],
        ),
        limit=limit,
    )


def with_words(mark: str, terms: Sequence[str], *, limit: int) -> Select:
    """Contacts of one mark that have a word for each of ``terms``: the first by id.

    Of what more than :data:`SORTED` have, some; of very short words, those of a sample.
    """
    compared = [f"% {mark}{term}%" for term in terms]
    whole = [f"% {mark}{term}%" for term in terms if cut_of(term) != term]
    told = Select(
        "SELECT id AS contact_id FROM contacts_contact WHERE"  # noqa: S608
        f" {' AND '.join(['contacts_cuts(found_by) @@ %s::tsquery', *_likes(whole)])}",
        [" & ".join(f"{mark}{cut_of(term)}" for term in terms), *whole],
    )
    if max(map(len, terms)) >= TELLING:
        return Select(
            f"WITH told AS MATERIALIZED ({told.sql})"  # noqa: S608
            " SELECT contact_id FROM (SELECT contact_id FROM told LIMIT %s) AS found"
            " ORDER BY contact_id LIMIT %s",
            [*told.params, SORTED, limit],
        )
    sample = Select(
        f"SELECT id AS contact_id FROM {_sample_of('contacts_contact')}"  # noqa: S608
        f" WHERE {' AND '.join(_likes(compared))}",
        [*compared],
    )
    return _sampled_first(sample, told, limit=limit)


def _likes(values: Sequence[str]) -> list[str]:
    return ["found_by LIKE %s"] * len(values)


def _sampled_first(sample: Select, told: Select, *, limit: int) -> Select:
    """What a sample has enough of, else what the index tells."""
    enough = min(limit, COMMON)
    return Select(
        # "told" is without a limit, which would tempt the planner to read the table until it has
        # enough; it is not carried out where the sample has.
        f"WITH sampled AS MATERIALIZED ({sample.sql} LIMIT %s),"  # noqa: S608
        f" told AS MATERIALIZED ({told.sql} AND (SELECT count(*) FROM sampled) < %s)"
        " SELECT contact_id FROM sampled WHERE (SELECT count(*) FROM sampled) >= %s"
        " UNION ALL (SELECT contact_id FROM told LIMIT %s)",
        [*sample.params, limit, *told.params, enough, enough, limit],
    )


def _sample_of(table: str) -> str:
    rows = f"(SELECT reltuples FROM pg_class WHERE oid = '{table}'::regclass)"  # noqa: S608
    share = f"least(100, 100.0 * {SAMPLED} / greatest(1, {rows}))"
    return f"{table} TABLESAMPLE SYSTEM ({share}) REPEATABLE (1)"
