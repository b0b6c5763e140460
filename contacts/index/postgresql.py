"""PostgreSQL: what is asked is asked of functions, whose plans last as long as the connection.

Each trip to the server and each plan takes longer than what it finds, so as much as possible is
one statement. What of words and numbers is asked for is written down in an index of parts. Such an
index holds no order and reads all that have a part before it gives the first: parts that very many
have are looked for in some rows out of all.

The entries of words stand many to a row (``contacts_block``), in the order in which ranges of them
are read; a row for each would take ten times as much. ``contacts_word`` is a view of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from bluetel.rows import Value, rows_of
from contacts.index.postings import cut_of
from contacts.index.statement import Put, Range, Select

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

IN_ONE_TRIP: bool = True
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

FEW: Final = 2
MANY: Final = 16
"""Rows of 128 to 256 entries of one range in which further words are looked for, before the index
of words is asked, which reads all that have one of them: many where a range has so many, for then
the index reads more still."""


def entries(ranges: Sequence[Range], *, limit: int) -> Select:
    """The first contacts of each range, behind the place of the range among them."""
    return Select(
        "SELECT place - 1, contact_id FROM contacts_entries("
        "%s::bigint[], %s::text[], %s::text[], %s, '{}', %s)",
        [*_columns(ranges), limit, limit],
    )


def by_words(
    ranges: Sequence[Range],
    wanted: Sequence[str],
    marks: Sequence[str],
    terms: Sequence[str],
    *,
    limit: int,
    enough: int,
) -> Iterator[list[int]]:
    """Contacts of which an entry is like all that are ``wanted``; if too few, those by their words.

    See :func:`with_words` for the latter.
    """
    yield from _steps(
        Select(
            "SELECT step, contact_id FROM contacts_by_words(%s::bigint[], %s::text[], %s::text[],"
            " %s, %s, %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],"
            " %s, %s, %s, %s, %s)",
            [
                *_columns(ranges),
                FEW,
                MANY,
                _array(wanted),
                _array(marks),
                *_asked(terms, limit),
                enough,
            ],
        )
    )


def by_number(
    ranges: Sequence[Range], digits: str, *, limit: int, enough: int
) -> Iterator[list[int]]:
    """Contacts by the beginning of a number; if too few, those with ``digits`` anywhere in one.

    The latter only if there are digits.
    """
    yield from _steps(
        Select(
            "SELECT step, contact_id FROM contacts_by_number(%s::bigint[], %s::text[], %s::text[],"
            " %s::tsquery, %s, %s, %s, %s, %s)",
            [*_columns(ranges), *_parts(digits, limit), enough],
        )
    )


def _steps(select: Select) -> tuple[list[int], list[int]]:
    found: tuple[list[int], list[int]] = ([], [])
    for step, contact in rows_of(select.sql, select.params):
        found[step].append(contact)
    return found


def _columns(ranges: Sequence[Range]) -> tuple[str, str, str]:
    return (
        _array([one.within for one in ranges]),
        _array([one.first for one in ranges]),
        _array([one.past for one in ranges]),
    )


def _array(values: Sequence[object]) -> str:
    """As PostgreSQL reads an array; psycopg takes a third of a millisecond to find out what is in.

    No value has a quote or a backslash: words are letters and digits.
    """
    return '{"' + '","'.join(map(str, values)) + '"}' if values else "{}"


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
    return Select(
        "SELECT contact_id FROM contacts_with_digits(%s::bigint[], %s::tsquery, %s, %s, %s, %s)",
        [_array(books), *_parts(digits, limit)],
    )


def _parts(digits: str, limit: int) -> list[Value]:
    parts = [digits[start : start + PART] for start in range(max(1, len(digits) - PART + 1))]
    asked = " & ".join(parts) if len(digits) >= PART else f"{digits}:*"
    return [asked if digits else None, f"%{digits}%", SAMPLED, min(limit, COMMON), limit]


def with_words(mark: str, terms: Sequence[str], *, limit: int) -> Select:
    """Contacts of one mark that have a word for each of ``terms``: the first by id.

    Of what more than :data:`SORTED` have, some; of very short words, those of a sample.
    """
    return Select(
        "SELECT contact_id FROM contacts_with_words("
        "%s, %s::text[], %s::text[], %s::text[], %s, %s, %s, %s)",
        [mark, *_asked(terms, limit)],
    )


def _asked(terms: Sequence[str], limit: int) -> list[Value]:
    is_telling = max(map(len, terms)) >= TELLING
    cuts = [cut_of(term) for term in terms]
    return [
        _array(cuts),
        _array([term for term, cut in zip(terms, cuts, strict=True) if cut != term]),
        _array(terms),
        0 if is_telling else SAMPLED,
        min(limit, COMMON),
        SORTED if is_telling else limit,
        limit,
    ]


def hold(cursor: CursorWrapper, book: int) -> None:
    """Take the lock that changing the entries of a book takes."""
    cursor.execute("SELECT pg_advisory_xact_lock(hashtext('contacts_block'), hashint8(%s))", [book])


def change(cursor: CursorWrapper, book: int, *, gone: Sequence[Put], new: Sequence[Put]) -> None:
    """Take entries of a book out and put others in; until it is committed, no one else can."""
    if not gone and not new:
        return
    changed = [*gone, *new]
    cursor.execute(
        "SELECT contacts_change(%s, %s::bigint[], %s::text[], %s::bigint[], %s::boolean[])",
        [
            book,
            _array([one.scope for one in changed]),
            _array([one.words for one in changed]),
            _array([one.contact for one in changed]),
            _array([False] * len(gone) + [True] * len(new)),
        ],
    )


def forget(cursor: CursorWrapper, *, first: int, past: int) -> None:
    """Take out all entries of the scopes from ``first`` on, before ``past``."""
    cursor.execute("DELETE FROM contacts_block WHERE scope >= %s AND scope < %s", [first, past])
