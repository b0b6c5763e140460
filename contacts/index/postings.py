"""Under which words a contact is found. Pure.

The table of words is read in ranges, so each entry begins with the word it is found by and goes on
with those behind it: "nadia belkacem" is there as ``nadia belkacem`` and as ``belkacem nadia``.
A second word is then looked for in the entry itself, and no contact has to be read for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from contacts.rules import fold, keys_of

NAME_LENGTH: Final = 40
OTHER_LENGTH: Final = 24
NAME_WORDS: Final = 12
OTHER_WORDS: Final = 40
NOTE_WORDS: Final = 200
"""As many words of a note are found; it may be twenty thousand characters long."""

SCOPES_PER_BOOK: Final = 8


class Tier(IntEnum):
    """Where a word stands, best first."""

    BEGINNING = 0
    NAME = 1
    ELSEWHERE = 2
    NOTE = 3


_TIERS: Final = tuple(Tier)


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


def entries_of(book: int, texts: Texts) -> set[Entry]:
    """The entries of a contact of ``book``."""
    beginning, name, elsewhere, note = (
        scope_of(book, tier, is_callable=texts.is_callable) for tier in _TIERS
    )
    words = fold(texts.name).split()
    entries = {
        (name if place else beginning, _turned(words, place))
        for place in range(min(len(words), NAME_WORDS))
    }
    known = set(words)
    for text in texts.others:
        if text:
            entries.update((elsewhere, end) for end in _ends(fold(text).split(), known=known))
    if texts.note:
        noted = list(dict.fromkeys(fold(texts.note).split()))[:NOTE_WORDS]
        entries.update((note, word[:OTHER_LENGTH]) for word in noted if word not in known)
    return entries


def found_by(texts: Texts) -> str:
    """All words that find the contact, a blank before each, to look for several of them in."""
    words = [*fold(texts.name).split()]
    for text in texts.others:
        words += fold(text).split()[:OTHER_WORDS]
    words += fold(texts.note).split()[:NOTE_WORDS] if texts.note else []
    return "".join(f" {word}" for word in dict.fromkeys(words))


def spellings_of(texts: Texts) -> set[tuple[str, str]]:
    """(keys, word) of the words of the name: what a telephone's keys find."""
    words = {word[:NAME_LENGTH] for word in fold(texts.name).split()[:NAME_WORDS]}
    return {(keys_of(word), word) for word in words if not word.isdecimal()}


def _turned(words: Sequence[str], place: int) -> str:
    """The words of a name from ``place`` on, then those before it."""
    return " ".join([*words[place:], *words[:place]])[:NAME_LENGTH].rstrip()


def _ends(words: Sequence[str], *, known: set[str]) -> Iterator[str]:
    """Another text from each of its words on; those of the name find the contact already."""
    for place, word in enumerate(words[:OTHER_WORDS]):
        if word not in known:
            yield " ".join(words[place:])[:OTHER_LENGTH].rstrip()
