"""Under which words a contact is found. Pure.

The table of words is read in ranges, so each entry begins with the word it is found by and goes on
with those behind it: "nadia belkacem" is there as ``nadia belkacem`` and as ``belkacem nadia``.
A second word is then looked for in the entry itself, and no contact has to be read for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
    return {
        (scope_of(book, tier, is_callable=texts.is_callable), words)
        for tier, words in _entries(texts)
    }


def spellings_of(texts: Texts) -> set[tuple[str, str]]:
    """(keys, word) of the words of the name: what a telephone's keys find."""
    words = {word[:NAME_LENGTH] for word in fold(texts.name).split()[:NAME_WORDS]}
    return {(keys_of(word), word) for word in words if not word.isdecimal()}


def _entries(texts: Texts) -> Iterator[tuple[Tier, str]]:
    name = fold(texts.name).split()
    for place in range(min(len(name), NAME_WORDS)):
        turned = " ".join(name[place:] + name[:place])[:NAME_LENGTH]
        yield (Tier.NAME if place else Tier.BEGINNING), turned.rstrip()
    known = set(name)
    for text in texts.others:
        yield from _others(fold(text).split()[:OTHER_WORDS], known=known)
    noted = dict.fromkeys(fold(texts.note).split()) if texts.note else ()
    for word in list(noted)[:NOTE_WORDS]:
        if word not in known:
            yield Tier.NOTE, word[:OTHER_LENGTH]


def _others(words: Sequence[str], *, known: set[str]) -> Iterable[tuple[Tier, str]]:
    """The words of another text; those of the name find the contact already."""
    for place, word in enumerate(words):
        if word not in known:
            yield Tier.ELSEWHERE, " ".join(words[place:])[:OTHER_LENGTH].rstrip()
