"""What somebody writes about a contact, checked before it becomes a card. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from bluetel.telephony import numbers
from contacts.card import (
    EMAIL_LIMIT,
    NAME_LIMIT,
    NOTE_LIMIT,
    NUMBER_LIMIT,
    Card,
    CardEmail,
    Label,
    many_lines,
    one_line,
    shown_name,
    with_numbers,
)
from contacts.writings import is_number

NUMBERS_LIMIT: Final = 50

_EXTENSION = re.compile(r"\d{1,11}")
_EMAIL = re.compile(r"[^@\s<>(),;:\"]+@[^@\s<>(),;:\"]+")


class Reason(StrEnum):
    """What is wrong with a field."""

    NOBODY = "nobody"
    TOO_LONG = "too_long"
    EMAIL = "email"
    LABEL = "label"
    NO_NUMBER = "no_number"
    NUMBER = "number"
    EXTENSION = "extension"
    TOO_MANY = "too_many"
    NO_NAME = "no_name"
    GROUP = "group"
    DEFAULT_BOOK = "default_book"


@dataclass(frozen=True, slots=True)
class Problem:
    """A field that can't be taken as it is; ``value`` is the start of what was written.

    ``place`` is which of the numbers it is.
    """

    field: str
    reason: Reason
    value: str = ""
    limit: int = 0
    place: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is to be written; None leaves a field as it is.

    ``numbers`` are (label, number) pairs, ``preferred`` the place of the preferred one among them,
    ``extensions`` what is to be dialled behind each, None where that stays. ``unreadable`` are the
    lines that are no numbers; whoever gives ``are_apart`` leaves them out of ``numbers``.
    """

    name: str | None = None
    company: str | None = None
    title: str | None = None
    department: str | None = None
    email: str | None = None
    assistant: str | None = None
    note: str | None = None
    numbers: Sequence[tuple[str, str]] | None = None
    preferred: int | None = None
    extensions: Sequence[str | None] = ()
    unreadable: Sequence[str] | None = None
    are_apart: bool = False


_TEXTS: Final = ("name", "company", "title", "department", "assistant")


def problems_of(
    draft: Draft, *, before: Card | None = None, country: str, plan: numbers.NumberPlan
) -> list[Problem]:
    """Everything that is wrong with a draft, in the order of its fields.

    What the card said ``before`` may stay, whatever it is: a book of another program's has it so.
    """
    before = before or Card(name="")
    found = [
        Problem(name, Reason.TOO_LONG, limit=NAME_LIMIT)
        for name in _TEXTS
        if len(one_line(getattr(draft, name) or "", limit=NAME_LIMIT + 1)) > NAME_LIMIT
    ]
    email = one_line(draft.email or "", limit=EMAIL_LIMIT + 1)
    if len(email) > EMAIL_LIMIT:
        found.append(Problem("email", Reason.TOO_LONG, limit=EMAIL_LIMIT))
    elif email and not _EMAIL.fullmatch(email) and email != _first_address(before):
        found.append(Problem("email", Reason.EMAIL, email[:60]))
    if len(draft.note or "") > NOTE_LIMIT:
        found.append(Problem("note", Reason.TOO_LONG, limit=NOTE_LIMIT))
    lines = draft.numbers or ()
    limit = max(NUMBERS_LIMIT, len(before.numbers))
    if len(lines) + len(draft.unreadable or ()) > limit:
        found.append(Problem("numbers", Reason.TOO_MANY, limit=NUMBERS_LIMIT))
    known = {number.number for number in before.numbers}
    for place, (label, number) in enumerate(lines[:limit]):
        problem = _number_problem(label, number, known=known, country=country, plan=plan)
        if problem is not None:
            found.append(replace(problem, place=place))
    for place, extension in enumerate(draft.extensions[:limit]):
        if extension and not _EXTENSION.fullmatch(extension):
            problem = Problem("extension", Reason.EXTENSION, extension[:60], place=place)
            found.append(problem)
    return found


def _first_address(card: Card) -> str:
    return card.emails[0].address if card.emails else ""


def written(card: Card | None, draft: Draft, *, is_number: Callable[[str], bool]) -> Card | Problem:
    """``card``, or a new one, with what a checked draft says; a problem when nobody is left.

    ``is_number`` says what can be read as a number. What the draft doesn't speak of stays: further
    addresses, the photo, other programs' lines.
    """
    card = card or Card(name="")
    card = replace(
        card,
        company=_text(draft.company, card.company),
        title=_text(draft.title, card.title),
        department=_text(draft.department, card.department),
        assistant=_text(draft.assistant, card.assistant),
    )
    if draft.note is not None:
        card = replace(card, note=many_lines(draft.note))
    if draft.email is not None:
        card = _with_email(card, one_line(draft.email, limit=EMAIL_LIMIT))
    if draft.are_apart:
        card = _with_both(card, draft, is_number)
    elif draft.numbers is not None:
        card = _with_numbers(card, draft)
    if draft.name is not None:
        card = _with_name(card, one_line(draft.name))
    if not card.name:
        return Problem("name", Reason.NOBODY)
    return card


def _text(written: str | None, before: str) -> str:
    return before if written is None else one_line(written)


def _with_name(card: Card, name: str) -> Card:
    name = name or card.company
    known = shown_name(
        prefix=card.prefix,
        given=card.given_name,
        middle=card.middle_name,
        family=card.family_name,
        suffix=card.suffix,
    )
    if name in {card.name, known}:
        return replace(card, name=name)
    # The old parts are another name's; the new one's are its last word and what is before it.
    had_parts = bool(card.given_name and card.family_name)
    given, _, family = name.rpartition(" ") if had_parts else ("", "", "")
    return replace(
        card,
        name=name,
        given_name=given,
        family_name=family,
        middle_name="",
        prefix="",
        suffix="",
    )


def _with_email(card: Card, address: str) -> Card:
    """The first address is the one that is written; the others stay."""
    first, others = card.emails[:1], card.emails[1:]
    if not address:
        return replace(card, emails=others)
    if first:
        return replace(card, emails=(replace(first[0], address=address), *others))
    return replace(card, emails=(CardEmail(address=address), *others))


def _with_both(card: Card, draft: Draft, is_number: Callable[[str], bool]) -> Card:
    """With numbers and with lines that are none, each kept where the draft is silent about it."""
    numbers = tuple(one for one in card.numbers if is_number(one.number))
    others = tuple(one for one in card.numbers if not is_number(one.number))
    now_numbers, now_others = numbers, others
    if draft.numbers is not None:
        now_numbers = _with_numbers(replace(card, numbers=numbers), draft).numbers
    if draft.unreadable is not None:
        labels = {one.number: one.label for one in others}
        texts = [one_line(text, limit=NUMBER_LIMIT) for text in draft.unreadable]
        pairs = [(labels.get(text, Label.OTHER), text) for text in texts if text]
        now_others = with_numbers(replace(card, numbers=others), pairs).numbers
    if (now_numbers, now_others) == (numbers, others):
        return card
    return replace(card, numbers=(*now_numbers, *now_others))


def _with_numbers(card: Card, draft: Draft) -> Card:
    pairs = [
        (Label(label), one_line(number, limit=NUMBER_LIMIT))
        for label, number in draft.numbers or ()
    ]
    card = with_numbers(card, pairs)
    extensions = [*draft.extensions, *(None for _ in pairs)]
    card = replace(
        card,
        numbers=tuple(
            number if extension is None else replace(number, extension=extension)
            for number, extension in zip(card.numbers, extensions, strict=False)
        ),
    )
    preferred = [place for place, number in enumerate(card.numbers) if number.is_preferred]
    if draft.preferred is None or draft.preferred == next(iter(preferred), -1):
        return card
    return replace(
        card,
        numbers=tuple(
            replace(number, is_preferred=place == draft.preferred)
            for place, number in enumerate(card.numbers)
        ),
    )


def _number_problem(
    label: str, number: str, *, known: Collection[str], country: str, plan: numbers.NumberPlan
) -> Problem | None:
    if label not in set(Label):
        return Problem("label", Reason.LABEL, label[:60])
    if not number.strip():
        return Problem("number", Reason.NO_NUMBER)
    if len(one_line(number, limit=NUMBER_LIMIT + 1)) > NUMBER_LIMIT:
        return Problem("number", Reason.TOO_LONG, limit=NUMBER_LIMIT)
    written = one_line(number, limit=NUMBER_LIMIT)
    if written in known or is_number(written, country, [plan]):
        return None
    return Problem("number", Reason.NUMBER, number.strip()[:60])
