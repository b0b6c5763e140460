"""How else a number is written, so that whichever of its writings is typed finds it. Pure.

Digits match anywhere in a number: as E.164 has it, as the site dials it, as others do, as entered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from bluetel.telephony import numbers

REMEMBERED: Final = 100_000
"""Numbers kept read: some 20 MB when full."""

EXTENSION_DIGITS: Final = 6
"""Up to here a number has one writing: nothing so short is dialled in two ways."""


@dataclass(frozen=True, slots=True)
class Writings:
    """How else a number is written: what was found out about it, kept because it is dear.

    ``identity`` are the digits that say which number it is, empty when there is nothing to dial;
    ``lines`` all writings, one on each line, with a line end before and behind each; ``shown`` is
    as a page shows it. ``is_number`` says that it can be read as one, so a call can go there.
    """

    identity: str
    lines: str
    shown: str
    is_number: bool


@lru_cache(maxsize=REMEMBERED)
def read(number: str, country: str) -> Writings:
    """A number as it was entered, read for the site's country."""
    digits, shown, is_number = _read(number, country)
    lines = "\n" + "\n".join(digits) + "\n"
    return Writings(digits[0], lines, number if numbers.says_more(number) else shown, is_number)


def is_number(number: str, country: str, plans: Iterable[numbers.NumberPlan] = ()) -> bool:
    """Whether ``number`` can be read as one, at least by one of ``plans``.

    Every way into a book asks this. What the dial policy says of the number is no matter here.
    """
    return read(number, country).is_number or any(_reads(plan, number, country) for plan in plans)


def _reads(plan: numbers.NumberPlan, number: str, country: str) -> bool:
    try:
        numbers.parse(number, country=country, plan=plan)
    except numbers.InvalidNumber:
        return False
    return True


def writings(number: str, country: str) -> tuple[str, ...]:
    """The digits of a number as E.164 has them, as the site dials it, as others do, as entered.

    The first identifies it.
    """
    return tuple(read(number, country).lines.split("\n")[1:-1])


def _read(number: str, country: str) -> tuple[tuple[str, ...], str, bool]:
    entered = numbers.keypad_only(number)
    if number == entered and len(number) <= EXTENSION_DIGITS:
        return (entered,), number, bool(entered)
    try:
        parsed = numbers.parse(number, country=country, plan=numbers.NumberPlan())
    except numbers.InvalidNumber:
        return (entered,), number, False
    shown = numbers.display(parsed, country=country)
    if parsed.kind is not numbers.NumberKind.PUBLIC:
        return (parsed.digits,), shown, True
    digits = (parsed.digits, numbers.keypad_only(shown), f"00{parsed.digits}", entered)
    return tuple(dict.fromkeys(digits)), shown, True


def lines_of(number: str, country: str) -> str:
    """The writings of a number, one on each line, with a line end before and behind each."""
    return read(number, country).lines


def identity_in(lines: str) -> str:
    """The first of these writings, which identifies the number."""
    return lines[1 : lines.index("\n", 1)]


def lines_of_stored(number: str, identity: str, national: str) -> str:
    """The same of a number that was read when it was stored; of one abroad only the first."""
    if not national:
        return f"\n{identity}\n"
    # "+33 1 99…" is entered as it is identified; others may have a zero in brackets.
    is_plain = number.startswith("+") and "(" not in number
    entered = identity if is_plain else numbers.keypad_only(number)
    return f"\n{identity}\n{national}\n00{identity}\n{entered}\n"


@lru_cache(maxsize=REMEMBERED)
def shown_as(number: str, lines: str, country: str) -> str:
    """A number as a page shows it, of which these writings are known."""
    identity = identity_in(lines)
    if f"\n00{identity}\n" not in lines:
        return read(number, country).shown
    if numbers.says_more(number):
        return number
    return numbers.display_public(identity, country=country)


def identity_of(number: str, country: str) -> str:
    """The digits that say which number it is, however written."""
    return read(number, country).identity


@dataclass(frozen=True, slots=True)
class Digits:
    """A number as the index keeps it: what identifies it, and the site's own writing if other."""

    identity: str
    national: str = ""


def digits_of(number: str, country: str) -> Digits:
    """``number`` read for the index; an empty identity when there is nothing to dial."""
    identity, *others = writings(number, country)
    national = others[0] if others and others[0] != f"00{identity}" else ""
    return Digits(identity, national if national.isdecimal() else "")
