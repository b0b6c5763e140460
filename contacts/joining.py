"""Which contacts of several books are the same person. Pure.

Sources have an order: colleagues, the company directory, shared books, personal ones. A contact
joins at most one of an earlier source, so that nobody's private card can tie two entries of the
company together for everybody. What one says in the other's book is never changed by it. Colleagues
join nobody: each has an account and a telephone of his own, whichever PBX they are on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from contacts.folding import fold, names_agree

TOO_MANY: Final = 20
"""A number or address that so many contacts have says nothing about who they are."""


class Level(IntEnum):
    """How much a source is believed; the first is who he himself says he is."""

    COLLEAGUES = 0
    DIRECTORY = 1
    SHARED = 2
    PERSONAL = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A contact as far as joining goes.

    ``numbers`` identify numbers that can be called, ``emails`` are compared addresses. ``owner``
    and ``group`` say who sees the book; ``groups`` are those of the owner of a personal book.
    """

    id: int
    level: Level
    book: int
    name: str
    emails: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    owner: int | None = None
    group: int | None = None
    groups: frozenset[int] = frozenset()
    same_as: int | None = None


class Strength(IntEnum):
    """Why two contacts are one, the surest first."""

    BY_HAND = 0
    EMAIL = 1
    NUMBER_AND_NAME = 2


def partner_of(
    contact: Known, others: Iterable[Known], *, distinct: Collection[int] = ()
) -> int | None:
    """The id among ``others`` that ``contact`` joins; None when there is none.

    ``distinct`` are ids of which the owner has said that they are other people.
    """
    best: tuple[Level, Strength, int] | None = None
    for other in others:
        if other.id in distinct or not may_join(contact, other):
            continue
        strength = strength_of(contact, other)
        if strength is None:
            continue
        if strength is Strength.BY_HAND:
            return other.id
        found = (other.level, strength, other.id)
        best = found if best is None else min(best, found)
    return best[2] if best else None


def may_join(contact: Known, other: Known) -> bool:
    """Whether ``other`` comes earlier and is seen by everybody who sees ``contact``."""
    if (other.level, other.book) >= (contact.level, contact.book):
        return False
    if contact.level is Level.COLLEAGUES:
        return False
    if other.level is Level.PERSONAL:
        return other.owner == contact.owner
    if other.level is Level.SHARED:
        return other.group in contact.groups or other.group == contact.group
    return True


def strength_of(contact: Known, other: Known) -> Strength | None:
    """Why the two are one: said so, the same e-mail, or the same number and name; else None.

    An address that several share (a team's) joins nobody whose name has no word of the other's.
    """
    if contact.same_as == other.id:
        return Strength.BY_HAND
    if contact.emails & other.emails and _share_a_word(contact.name, other.name):
        return Strength.EMAIL
    if contact.numbers & other.numbers and names_agree(contact.name, other.name):
        return Strength.NUMBER_AND_NAME
    return None


def look_alike(one: Known, other: Known) -> bool:
    """Whether two contacts that are not joined may be one: for a person to decide."""
    return bool(
        one.emails & other.emails
        or (one.numbers & other.numbers and _share_a_word(one.name, other.name))
        or " ".join(sorted(fold(one.name).split())) == " ".join(sorted(fold(other.name).split()))
    )


def _share_a_word(one: str, other: str) -> bool:
    return bool(set(fold(one).split()) & set(fold(other).split()))
