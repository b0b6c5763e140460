"""Under which words a contact is found. Pure.

The table of words is read in ranges. An entry of a name begins with the word it is found by and
goes on with the others: "nadia belkacem" is there as ``nadia belkacem`` and as ``belkacem nadia``,
so that a second word is looked for in the entry itself. Words of other texts stand alone.

Several words in any texts are found by :func:`found_by`, of which the databases keep an index. Each
of its words begins with the mark of the book, so that what others have in theirs costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from string import ascii_lowercase
from typing import Final

from contacts.folding import folded_words, keys_of
from contacts.rules import MAX_TEXT

NAME_LENGTH: Final = 40
OTHER_LENGTH: Final = 24
NAME_WORDS: Final = 12
OTHER_WORDS: Final = 40
NOTE_WORDS: Final = 200
"""As many words of a note are found; it may be twenty thousand characters long."""

SCOPES_PER_BOOK: Final = 8

CUTS: Final = (5, 3, 2, 1)
"""How many letters of a word the databases' indexes of words have an entry for."""

MARK: Final = 6
"""Letters of a mark: enough for a hundred million books."""


class Tier(IntEnum):
    """Where a word stands, best first."""

    BEGINNING = 0
    NAME = 1
    ELSEWHERE = 2
    NOTE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """What of a contact is looked for. ``is_callable``: he has a number that can be dialled."""

    name: str
    others: Sequence[str] = ()
    note: str = ""
    is_callable: bool = True


Entry = tuple[int, str]
"""Scope and words."""


def scope_of(book: int, tier: Tier, *, is_callable: bool) -> int:
    """The leading column of the table: a book, a place, and whether the contact has a number."""
    return book * SCOPES_PER_BOOK + tier * 2 + (not is_callable)


@lru_cache
def _scopes_of(book: int, is_callable: bool) -> tuple[int, int, int, int]:  # noqa: FBT001
    beginning, name, elsewhere, note = (
        scope_of(book, tier, is_callable=is_callable) for tier in Tier
    )
    return beginning, name, elsewhere, note


def entries_of(book: int, texts: Texts, words: Sequence[str] | None = None) -> set[Entry]:
    """The entries of a contact of ``book``; ``words`` are those of the name, if they are known."""
    beginning, name, elsewhere, note = _scopes_of(book, texts.is_callable)
    if words is None:
        words = folded_words(texts.name)
    entries: set[Entry] = set()
    # Plain loops, for this runs for everybody when the index is made anew.
    scope = beginning
    for place in range(min(len(words), NAME_WORDS)):
        entries.add((scope, _turned(words, place)))
        scope = name
    for word in _others(texts):
        if word not in words:
            entries.add((elsewhere, word[:OTHER_LENGTH]))
    if texts.note:
        known = set(words)
        noted = list(dict.fromkeys(folded_words(texts.note)))[:NOTE_WORDS]
        entries.update((note, word[:OTHER_LENGTH]) for word in noted if word not in known)
    return entries


@lru_cache
def mark_of(book: int, *, is_callable: bool) -> str:
    """What each word of :func:`found_by` begins with: the book, and whether there is a number."""
    number, letters = book * 2 + (not is_callable), ""
    for _ in range(MARK):
        number, letter = divmod(number, len(ascii_lowercase))
        letters = ascii_lowercase[letter] + letters
    return letters


def found_by(book: int, texts: Texts) -> str:
    """All words that find a contact of ``book``, each with its mark and a blank before it.

    Of a word no more than a question can ask for: PostgreSQL refuses to index very long ones.
    """
    mark = f" {mark_of(book, is_callable=texts.is_callable)}"
    words = [*folded_words(texts.name), *_others(texts)]
    words += folded_words(texts.note)[:NOTE_WORDS] if texts.note else []
    return "".join([f"{mark}{word[:MAX_TEXT]}" for word in dict.fromkeys(words)])


def cut_of(term: str) -> str:
    """As much of a term as has an entry; the rest is compared in the text."""
    return term[: next(length for length in CUTS if length <= len(term))]


def spellings_of(texts: Texts) -> set[tuple[str, str]]:
    """(keys, word) of the words of the name: what a telephone's keys find."""
    return spellings(folded_words(texts.name)[:NAME_WORDS])


def spellings(words: Iterable[str]) -> set[tuple[str, str]]:
    """The same of words."""
    cut = {word[:NAME_LENGTH] for word in words if not word.isdecimal()}
    return {(keys_of(word), word) for word in cut}


def _turned(words: Sequence[str], place: int) -> str:
    """The words of a name from ``place`` on, then those before it."""
    return " ".join([*words[place:], *words[:place]])[:NAME_LENGTH].rstrip()


def _others(texts: Texts) -> list[str]:
    """The words of the other texts, each once."""
    some = [text for text in texts.others if text]
    words = folded_words(" ".join(some)) if some else []
    if len(words) > OTHER_WORDS:
        words = [word for text in some for word in folded_words(text)[:OTHER_WORDS]]
    return list(dict.fromkeys(words))
