"""Two cards of one book that turn out to be the same person, made one. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final, TypeVar

from contacts.card import Card
from contacts.writings import identity_of

_NAME_PARTS: Final = ("family_name", "given_name", "middle_name", "prefix", "suffix")
_TEXTS: Final = ("company", "department", "title", "assistant")
T = TypeVar("T")


def merged(kept: Card, other: Card, *, country: str) -> Card:
    """``kept`` with what only ``other`` says: nothing is lost but what both say differently.

    The parts of a name go together, so they are taken over all or none. Notes are put one below
    the other.
    """
    texts = {name: getattr(kept, name) or getattr(other, name) for name in _TEXTS}
    if not (kept.family_name or kept.given_name) and kept.name == other.name:
        texts |= {name: getattr(other, name) for name in _NAME_PARTS}
    note = kept.note
    if other.note and other.note not in kept.note:
        note = f"{kept.note}\n\n{other.note}" if kept.note else other.note
    numbers = _together(
        kept.numbers,
        other.numbers,
        key=lambda one: (identity_of(one.number, country) or one.number, one.label == "fax"),
    )
    has_preferred = any(number.is_preferred for number in kept.numbers)
    if has_preferred:
        first = len(kept.numbers)
        added = (replace(one, is_preferred=False) for one in numbers[first:])
        numbers = (*numbers[:first], *added)
    return replace(
        kept,
        **texts,
        note=note,
        numbers=numbers,
        emails=_together(kept.emails, other.emails, key=lambda one: one.address.casefold()),
        photo=kept.photo or other.photo,
        kept=_together(kept.kept, other.kept, key=str),
    )


def _together(
    first: Iterable[T], second: Iterable[T], *, key: Callable[[T], object]
) -> tuple[T, ...]:
    """Both in order, of those with the same key the first."""
    found: dict[object, T] = {}
    for one in (*first, *second):
        found.setdefault(key(one), one)
    return tuple(found.values())
