"""Whom the index proposes for a question: ids of contacts, the likeliest first.

Every statement reads ranges of a b-tree in their order and stops at a limit, so what it costs
depends on neither the size of a book nor the number of matches. Only books that the reader may
see are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from bluetel.rows import many_of
from contacts.index.database import here
from contacts.index.postings import NAME_LENGTH, OTHER_LENGTH, Tier, mark_of, scope_of
from contacts.index.statement import Range, Select, ids_of, portions

if TYPE_CHECKING:
    from contacts.rules import Question

PER_RANGE: Final = 60
"""Contacts of one range: a few more than the rows an answer has."""
SOME: Final = 20
"""Contacts of one range where others have nearly enough."""
ENOUGH: Final = 60
CANDIDATES: Final = 1_000
"""Contacts with a part of a number, or with a word, among whom the rest is looked for."""
SUBSTRING: Final = 3
"""Digits from which a part of a number is found anywhere; fewer are looked for at its beginning."""
SHORT_SCANNED: Final = 5_000
SPELLED_WORDS: Final = 24
MIN_KEYS: Final = 2


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
        seek.words()
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
        self._database = here()

    def numbers(self) -> None:
        """By number: the whole of it, its beginning, then any part."""
        digits = self._asked.digits
        writings = {digits, digits[2:]} if digits.startswith("00") else {digits}
        ranges = [
            Range(book, writing, f"{writing}:")
            for writing in sorted(writings)
            if writing
            for book in self._books
        ]
        part = digits if digits.isdecimal() and len(digits) >= SUBSTRING else ""
        steps = self._database.by_number(ranges, part, limit=PER_RANGE, enough=self._limit)
        for step, ids in enumerate(steps):
            self._add(ids[: self._room] if step else ids)
            if len(self.found) >= self._limit:
                return
        if digits.isdecimal() and not part:
            self._short_number(digits)

    def _short_number(self, digits: str) -> None:
        """By a part, in as many numbers of each book as that takes no time."""
        everything = [Range(book, "", ":") for book in self._books]
        for ids in self._for_each(
            everything, _SHORT_PARTS, SHORT_SCANNED, f"%{digits}%", PER_RANGE
        ):
            self._add(ids)

    def words(self) -> None:
        """By words: those of a name, all in one entry, then of any text."""
        if len(self._terms) > 1:
            self._several_words()
            return
        at_once = len(Tier) if self._database.IN_ONE_TRIP else 1
        for start in range(0, len(Tier), at_once):
            if len(self.found) >= self._limit:
                return
            self._one_word(list(Tier)[start : start + at_once])

    def _one_word(self, tiers: Sequence[Tier]) -> None:
        """By entries of these tiers, of a worse one as many as the better ones leave room for."""
        (word,) = self._terms
        ranges = [one for tier in tiers for one in self._ranges(word, tier)]
        found = self._in_each(ranges, partial(self._database.entries, limit=self._room))
        each = len(ranges) // len(tiers)
        for start in range(0, len(ranges), each):
            if len(self.found) >= self._limit:
                return
            room = self._room
            for ids in found[start : start + each]:
                self._add(ids[:room])

    def _several_words(self) -> None:
        """By all words in one entry of a name; else each in any text, or in a number."""
        driver = max(self._terms, key=len)
        # An entry begins with the driver, and so with all that the driver begins with.
        others = [f"% {term}%" for term in self._terms if not driver.startswith(term)]
        ranges = [*self._ranges(driver, Tier.BEGINNING), *self._ranges(driver, Tier.NAME)]
        within = [] if self._asked.digits else self._books_and_kinds()
        marks = [(book, mark_of(book, is_callable=kind)) for book, kind in within]
        for ids in self._database.by_words(
            ranges,
            others,
            [mark for _, mark in marks],
            self._terms,
            limit=PER_RANGE,
            enough=self._limit,
        ):
            self._add(ids)
            if len(self.found) >= self._limit:
                return
        for book, mark in marks:
            self._add(self._with_numbers(book, mark))

    def spelled(self) -> None:
        """By names whose words begin with what the keys spell."""
        keys = self._asked.digits
        if len(self.found) >= self._limit or "0" in keys or "1" in keys:
            return
        words = self._for_each(
            [Range(book, keys, f"{keys}:") for book in self._books],
            "SELECT word FROM contacts_spelling WHERE book_id = {within} AND keys >= {first}"
            " AND keys < {past} ORDER BY keys, word LIMIT %s",
            SPELLED_WORDS,
        )
        ranges = [
            Range(scope_of(book, tier, is_callable=is_callable), word, f"{word}!")
            for book, spelled in zip(self._books, words, strict=True)
            for word in spelled
            for tier in (Tier.BEGINNING, Tier.NAME)
            for is_callable in self._callables
        ]
        for ids in self._in_each(ranges, partial(self._database.entries, limit=PER_RANGE)):
            self._add(ids)

    def _ranges(self, word: str, tier: Tier) -> list[Range]:
        """Where the entries of a tier begin with ``word``."""
        first = word[: NAME_LENGTH if tier <= Tier.NAME else OTHER_LENGTH]
        return [
            # Behind all that begin so, for words are letters, digits and blanks.
            Range(scope_of(book, tier, is_callable=is_callable), first, f"{first}~")
            for book, is_callable in self._books_and_kinds()
        ]

    def _books_and_kinds(self) -> Iterable[tuple[int, bool]]:
        return [(book, kind) for book in self._books for kind in self._callables]

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
            self._database.part_of_number([book], numbers[0], limit=CANDIDATES),
            self._database.with_words(mark, words, limit=CANDIDATES),
        ]
        for select in narrowed:
            has_words = " AND ".join(["contact.found_by LIKE %s"] * len(words))
            has_numbers = " AND ".join([_HAS_NUMBER] * len(numbers))
            yield from ids_of(
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

    def _for_each(self, ranges: Sequence[Range], inner: str, *more: str | int) -> list[list[Any]]:
        """What ``inner`` finds in each of the ranges."""
        return self._in_each(ranges, lambda some: self._database.for_each(some, inner, *more))

    def _in_each(
        self, ranges: Sequence[Range], select: Callable[[Sequence[Range]], Select]
    ) -> list[list[Any]]:
        """What the statement that ``select`` makes finds in each of the ranges."""
        found: list[list[Any]] = []
        for some in portions(ranges):
            values: list[list[Any]] = [[] for _ in some]
            one = select(some)
            for place, value in many_of(one.sql, one.params, width=2):
                values[place].append(value)
            found += values
        return found

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


_SHORT_PARTS: Final = (
    "SELECT contact_id FROM (SELECT contact_id, keypad FROM contacts_line"
    " WHERE book_id = {within} AND digits >= {first} AND digits < {past} AND is_callable"
    " ORDER BY digits LIMIT %s) AS narrowed WHERE keypad LIKE %s LIMIT %s"
)
