"""Whom the index proposes for a question: ids of contacts, the likeliest first.

Every statement reads ranges of a b-tree in their order and stops at a limit, so what it costs
depends on neither the size of a book nor the number of matches. Only books that the reader may
see are looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from django.db import connection

from bluetel.rows import rows_of
from contacts.index import postgresql, sqlite
from contacts.index.postings import NAME_LENGTH, OTHER_LENGTH, Tier, mark_of, scope_of
from contacts.index.statement import Select

if TYPE_CHECKING:
    from contacts.rules import Question

PER_RANGE: Final = 60
"""Contacts of one range: a few more than the rows an answer has."""
SOME: Final = 20
"""Contacts of one range where others have nearly enough."""
ENOUGH: Final = 60
SCANNED: Final = 250
"""Entries of one range in which further words are looked for, before the index of words is asked:
where many have both, they are among the first."""
CANDIDATES: Final = 1_000
"""Contacts with a part of a number, or with a word, among whom the rest is looked for."""
SUBSTRING: Final = 3
"""Digits from which a part of a number is found anywhere; fewer are looked for at its beginning."""
SHORT_SCANNED: Final = 5_000
SPELLED_WORDS: Final = 24
MIN_KEYS: Final = 2

PART_OF_NUMBER: Final = {
    "sqlite": sqlite.part_of_number,
    "postgresql": postgresql.part_of_number,
}
WITH_WORDS: Final = {
    "sqlite": sqlite.with_words,
    "postgresql": postgresql.with_words,
}


def propose(
    asked: Question, books: Sequence[int], *, only_callable: bool = True, limit: int = ENOUGH
) -> list[int]:
    """Ids of contacts in ``books`` that answer ``asked``, at least ``limit`` if there are so many.

    ``only_callable`` leaves out contacts without a number to dial.
    """
    if not books:
        return []
    seek = _Seek(asked, books, only_callable=only_callable, limit=limit)
    if asked.digits:
        seek.numbers()
    if asked.terms:
        seek.names()
        seek.elsewhere()
    if asked.digits.isdecimal() and len(asked.digits) >= MIN_KEYS:
        seek.spelled()
    return list(seek.found)


class _Seek:
    """One question, answered step by step until there is enough."""

    def __init__(
        self, asked: Question, books: Sequence[int], *, only_callable: bool, limit: int
    ) -> None:
        self.found: dict[int, None] = {}
        self._asked = asked
        self._terms = [term.strip() for term in asked.terms]
        self._books = books
        self._limit = limit
        self._callables = (True,) if only_callable else (True, False)
        self._part_of_number = PART_OF_NUMBER[connection.vendor]
        self._with_words = WITH_WORDS[connection.vendor]

    def numbers(self) -> None:
        """By number: the whole of it, its beginning, then any part."""
        digits = self._asked.digits
        writings = {digits, digits[2:]} if digits.startswith("00") else {digits}
        ranges = [
            Select(
                f"SELECT contact_id FROM contacts_line WHERE book_id = %s AND {column} >= %s"  # noqa: S608
                # As the partial index on `national` says it, or SQLite reads the whole book.
                f" AND {column} < %s AND NOT ({column} = '') AND is_callable"
                f" ORDER BY {column}, id LIMIT %s",
                [book, writing, f"{writing}:", PER_RANGE],
            )
            for writing in sorted(writings)
            if writing
            for column in ("digits", "national")
            for book in self._books
        ]
        self._add(_run_all(ranges))
        if len(self.found) >= self._limit or not digits.isdecimal():
            return
        if len(digits) >= SUBSTRING:
            self._add(_run(self._part_of_number(self._books, digits, limit=self._room)))
        else:
            self._add(_run_all(self._short_parts(digits)))

    def _short_parts(self, digits: str) -> Iterable[Select]:
        """One or two digits inside a number: of so many matches, the first will do."""
        for book in self._books:
            yield Select(
                "SELECT contact_id FROM (SELECT contact_id, keypad FROM contacts_line"
                " WHERE book_id = %s AND is_callable ORDER BY digits LIMIT %s) AS narrowed"
                " WHERE keypad LIKE %s LIMIT %s",
                [book, SHORT_SCANNED, f"%{digits}%", PER_RANGE],
            )

    def names(self) -> None:
        """By the words of a name, all of them in one entry."""
        for tier in (Tier.BEGINNING, Tier.NAME):
            if len(self.found) >= self._limit:
                return
            self._add(_run_all(self._range(book, tier) for book in self._books_and_kinds()))

    def elsewhere(self) -> None:
        """By words of any text, each in another one if need be, or in a number."""
        if len(self.found) >= self._limit:
            return
        if len(self._terms) == 1:
            for tier in (Tier.ELSEWHERE, Tier.NOTE):
                self._add(_run_all(self._range(book, tier) for book in self._books_and_kinds()))
        elif not self._asked.digits:
            for book, is_callable in self._books_and_kinds():
                mark = mark_of(book, is_callable=is_callable)
                self._add(_run(self._with_words(mark, self._terms, limit=PER_RANGE)))
                self._add(self._with_numbers(book, mark))

    def spelled(self) -> None:
        """By names whose words begin with what the keys spell."""
        keys = self._asked.digits
        if len(self.found) >= self._limit or "0" in keys or "1" in keys:
            return
        words = [
            (book, word)
            for book in self._books
            for (word,) in _rows(
                Select(
                    "SELECT word FROM contacts_spelling WHERE book_id = %s AND keys >= %s"
                    " AND keys < %s ORDER BY keys, word LIMIT %s",
                    [book, keys, f"{keys}:", SPELLED_WORDS],
                )
            )
        ]
        self._add(
            _run_all(
                _between(scope_of(book, tier, is_callable=is_callable), word, f"{word}!", PER_RANGE)
                for book, word in words
                for tier in (Tier.BEGINNING, Tier.NAME)
                for is_callable in self._callables
            )
        )

    def _books_and_kinds(self) -> Iterable[tuple[int, bool]]:
        return [(book, kind) for book in self._books for kind in self._callables]

    def _range(self, book_and_kind: tuple[int, bool], tier: Tier) -> Select:
        book, is_callable = book_and_kind
        scope = scope_of(book, tier, is_callable=is_callable)
        length = NAME_LENGTH if tier <= Tier.NAME else OTHER_LENGTH
        driver = max(self._terms, key=len)
        others = list(self._terms)
        others.remove(driver)
        if not others:
            return _between(scope, driver[:length], _after(driver[:length]), self._room)
        wanted = " AND ".join(["' ' || words LIKE %s"] * len(others))
        return Select(
            "SELECT contact_id FROM (SELECT words, contact_id FROM contacts_word"  # noqa: S608
            " WHERE scope = %s AND words >= %s AND words < %s ORDER BY words, contact_id"
            f" LIMIT %s) AS entry WHERE {wanted} LIMIT %s",
            [
                *(scope, driver[:length], _after(driver[:length]), SCANNED),
                *(f"% {other}%" for other in others),
                PER_RANGE,
            ],
        )

    def _with_numbers(self, book: int, mark: str) -> Iterable[int]:
        """Contacts of which some terms are parts of numbers: "renard 1001".

        Those with the number are read and the words looked for in them, then the reverse: one of
        the two mostly tells who is meant.
        """
        numbers = sorted(filter(_is_part_of_number, self._terms), key=len, reverse=True)
        words = [term for term in self._terms if term not in numbers]
        if not numbers or not words:
            return
        narrowed = [
            self._part_of_number([book], numbers[0], limit=CANDIDATES),
            self._with_words(mark, words, limit=CANDIDATES),
        ]
        for select in narrowed:
            has_words = " AND ".join(["contact.found_by LIKE %s"] * len(words))
            has_numbers = " AND ".join([_HAS_NUMBER] * len(numbers))
            yield from _run(
                Select(
                    f"SELECT DISTINCT contact.id FROM ({select.sql}) AS narrowed"  # noqa: S608
                    " JOIN contacts_contact AS contact ON contact.id = narrowed.contact_id"
                    f" WHERE {has_words} AND {has_numbers} ORDER BY contact.id LIMIT %s",
                    [
                        *select.params,
                        *(f"% {mark}{word}%" for word in words),
                        *(
                            value
                            for number in numbers
                            for value in (f"% {mark}{number}%", f"%{number}%")
                        ),
                        PER_RANGE,
                    ],
                )
            )

    @property
    def _room(self) -> int:
        """How many of a range are worth reading: what is missing, of each book some at least."""
        return min(PER_RANGE, max(SOME, self._limit - len(self.found)))

    def _add(self, ids: Iterable[int]) -> None:
        self.found.update(dict.fromkeys(ids))


_HAS_NUMBER: Final = (
    "(contact.found_by LIKE %s OR EXISTS (SELECT 1 FROM contacts_line AS line"
    " WHERE line.contact_id = contact.id AND line.is_callable AND line.keypad LIKE %s))"
)


def _is_part_of_number(term: str) -> bool:
    return term.isdecimal() and len(term) >= SUBSTRING


def _after(prefix: str) -> str:
    """The first text behind all that begin with ``prefix``: words are letters, digits, blanks."""
    return f"{prefix}~"


def _between(scope: int, first: str, end: str, limit: int) -> Select:
    return Select(
        "SELECT contact_id FROM contacts_word WHERE scope = %s AND words >= %s AND words < %s"
        " ORDER BY words, contact_id LIMIT %s",
        [scope, first, end, limit],
    )


def _union(selects: Iterable[Select]) -> str:
    return " UNION ALL ".join(
        f"SELECT contact_id FROM ({one.sql}) AS part"  # noqa: S608
        for one in selects
    )


MOST_PARTS: Final = 60
"""Parts of one statement; SQLite takes 500, but a plan of so many takes its time."""


def _run_all(selects: Iterable[Select]) -> Iterable[int]:
    parts = list(selects)
    for start in range(0, len(parts), MOST_PARTS):
        some = parts[start : start + MOST_PARTS]
        yield from _run(Select(_union(some), [value for one in some for value in one.params]))


def _run(select: Select) -> Iterable[int]:
    return [row[0] for row in _rows(select)]


def _rows(select: Select) -> list[tuple[Any, ...]]:
    return rows_of(select.sql, select.params)
