"""Who is meant by a few letters or digits: matching, ranking, merging. Pure.

A term matches the beginning of any word of a name, compared as :mod:`contacts.folding` has it;
digits match anywhere in a number, however either is written (:mod:`contacts.writings`).
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from operator import itemgetter
from typing import Final, NamedTuple

from bluetel.telephony import numbers
from contacts.folding import fold, keys_of, names_agree, words_of
from contacts.writings import identity_in, is_number, lines_of, shown_as

MAX_TEXT: Final = 100
"""Characters of a question that count."""

_NUMBER_LIKE = re.compile(r"[0-9+ ().\-/*#]+")


class Kind(StrEnum):
    """What sort of number a row has, in the order rows of one person are shown."""

    EXTENSION = "extension"
    MOBILE = "mobile"
    WORK = "work"
    HOME = "home"
    OTHER = "other"


MACHINES: Final = frozenset({"fax", "pager"})

_KINDS: Final = {kind.value: kind for kind in Kind}


class Match(IntEnum):
    """How well a row answers the question, best first."""

    WHOLE = 0
    BEGINNING = 1
    WORDS = 2
    INSIDE = 3
    ELSEWHERE = 4


class Number(NamedTuple):
    """One of somebody's numbers, read by :func:`number_of`.

    ``lines`` are its writings, of which the first is the ``identity``; ``shown`` is as a page shows
    it. A number without a ``kind`` has no row. Where a source is several books, ``books`` are those
    that have it.
    """

    label: str
    entered: str
    lines: str
    identity: str
    shown: str
    kind: Kind | None
    books: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody a source found.

    ``user_id`` is there for BlueTel users. ``more`` is further text he may be found by: e-mail,
    company. ``is_own`` is true of the reader's own books. ``extension_elsewhere`` is that on a PBX
    other than the reader's, from where it can't be dialled.
    """

    name: str
    numbers: Sequence[Number]
    contact_id: str | None = None
    user_id: str | None = None
    more: str = ""
    is_own: bool = False
    extension_elsewhere: str = ""


class Row(NamedTuple):
    """One callable number of one person.

    ``sources`` are the books that have it, the most trusted first. ``is_asked`` when the question
    is this very number; ``called`` is how often and lately the reader called the number, ``known``
    how often and lately the person.
    """

    person: Person
    number: Number
    kind: Kind
    sources: tuple[str, ...]
    is_asked: bool = False
    called: float = 0.0
    known: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What somebody typed.

    ``terms`` are its folded words, a space before each. ``digits`` is empty unless all of it can
    be a part of a number.
    """

    text: str
    terms: tuple[str, ...]
    digits: str

    @property
    def words(self) -> str:
        """The terms together, as they stand in a name of which they are the beginning."""
        return "".join(self.terms)


def question(text: str) -> Question | None:
    """What ``text`` asks for, or None when there is nothing in it to look for."""
    text = " ".join(text.split())[:MAX_TEXT]
    terms = tuple(f" {word}" for word in fold(text).split())
    digits = ""
    if _NUMBER_LIKE.fullmatch(text):
        digits = re.sub(r"[^0-9*#]", "", re.sub(r"\( ?0 ?\)", "", text))
    if not terms and not digits:
        return None
    return Question(text=text, terms=terms, digits=digits)


def kind_of(label: str) -> Kind | None:
    """The kind that a number's label gives its row; fax and pager numbers have no row."""
    return None if label in MACHINES else _KINDS.get(label, Kind.OTHER)


def number_of(label: str, number: str, country: str, *, lines: str = "") -> Number:
    """A number read for the site's country; ``lines`` if its writings are known, as stored."""
    lines = lines or lines_of(number, country)
    identity = identity_in(lines)
    is_dialled = bool(identity) and _may_be_number(number, lines, country)
    kind = kind_of(label) if is_dialled else None
    return Number(label, number, lines, identity, shown_as(number, lines, country), kind)


def match(asked: Question, person: Person, *, country: str) -> Match | None:
    """How ``person`` answers, by name, number or further text; None when not at all."""
    best = _match_name(asked, person.name)
    if asked.digits:
        for number in person.numbers:
            best = _better(best, _match_number(asked.digits, number, country))
    if best is None and _match_terms(asked, person, country):
        return Match.ELSEWHERE
    return best


def may_answer(asked: Question, name: str, more: str) -> bool:
    """Whether somebody answers by these texts, or may by numbers that aren't read yet."""
    if asked.digits or any(term[1:].isdecimal() for term in asked.terms):
        return True
    words = words_of(name), words_of(more)
    return bool(asked.terms) and all(term in words[0] or term in words[1] for term in asked.terms)


def is_spelled(asked: Question, name: str) -> bool:
    """Whether a telephone's keys begin to spell a word of the name: 62 is "nadia"."""
    keys = asked.digits
    return keys.isdecimal() and any(
        keys_of(word).startswith(keys) for word in fold(name).split() if not word.isdecimal()
    )


def place_by_name(
    asked: Question, name: str, *, is_own: bool, is_elsewhere: bool
) -> tuple[bool, bool, Match, bool, str]:
    """Where somebody's rows stand among others', as far as his name, book and PBX tell."""
    best = _match_name(asked, name)
    match = Match.ELSEWHERE if best is None else best
    return match is Match.ELSEWHERE, not is_own, match, is_elsewhere, words_of(name)


def best_of(asked: Question, people: Iterable[Person], *, country: str, limit: int) -> list[Person]:
    """The people who answer best, at most ``limit``: for a source that has very many."""
    found = (
        (match(asked, person, country=country), place, person)
        for place, person in enumerate(people)
    )
    best = heapq.nsmallest(
        limit,
        (
            (worth, words_of(person.name), place, person)
            for worth, place, person in found
            if worth is not None
        ),
        key=itemgetter(0, 1, 2),
    )
    return [person for *_, person in best]


def rows_of(
    asked: Question,
    people: Iterable[Person],
    *,
    source: str,
    country: str,
    called: Mapping[str, float] | None = None,
) -> list[tuple[Match, Row]]:
    """The callable numbers of ``people``, each with how well it answers.

    Who a source found by something we don't see answers ``ELSEWHERE``. A number that was asked for
    by its digits ranks before the person's other numbers. ``called`` says how often and lately the
    reader called a number, by the digits that identify it.
    """
    ranked = []
    called = called or {}
    for person in people:
        by_name = _match_name(asked, person.name)
        often = [called.get(number.identity, 0.0) for number in person.numbers] if called else []
        known = max(often, default=0.0)
        for place, number in enumerate(person.numbers):
            if number.kind is None:
                continue
            by_number = _match_number(asked.digits, number, country) if asked.digits else None
            best = _better(by_name, by_number)
            row = Row(
                person,
                number,
                number.kind,
                number.books or (source,),
                by_number is Match.WHOLE,
                often[place] if often else 0.0,
                known,
            )
            ranked.append((Match.ELSEWHERE if best is None else best, row))
    return ranked


def _may_be_number(number: str, lines: str, country: str) -> bool:
    """Not "Salle 15"; digits alone may be an extension whose form only the PBX knows."""
    if f"\n00{identity_in(lines)}\n" in lines:
        return True
    return not numbers.says_more(number) or is_number(number, country)


_KIND_ORDER: Final = {kind: place for place, kind in enumerate(Kind)}


def merged(ranked: Iterable[tuple[Match, Row]], *, limit: int) -> list[Row]:
    """Best first, at most ``limit``, the same number of the same person once.

    First the very number that was asked for, then whom the reader calls often and lately, then his
    own books, then everybody else, of whom those of another PBX behind who answers as well; found
    by name or number before found elsewhere. What several sources say of a number becomes one row
    with all their names: a BlueTel user's own if there is one, else that of the first. Two people
    may share a number.
    """
    kept: list[Row] = []
    places: dict[str, list[int]] = {}
    for _, row in sorted(ranked, key=_worth):
        same = places.setdefault(row.number.identity, [])
        place = next((at for at in same if _same_person(kept[at].person, row.person)), None)
        if place is None:
            same.append(len(kept))
            kept.append(row)
        else:
            kept[place] = _together(kept[place], row)
    return kept[:limit]


def _worth(pair: tuple[Match, Row]) -> tuple[object, ...]:
    match, row = pair
    person = row.person
    return (
        not row.is_asked,
        -row.known,
        match is Match.ELSEWHERE,
        not person.is_own,
        match,
        bool(person.extension_elsewhere),
        words_of(person.name),
        person.user_id is None,
        person.user_id or "",
        person.contact_id or "",
        -row.called,
        _KIND_ORDER[row.kind],
    )


def _same_person(one: Person, other: Person) -> bool:
    """Whether two who have the same number are one."""
    if one.user_id is not None and other.user_id is not None:
        return one.user_id == other.user_id
    return words_of(one.name) == words_of(other.name) or names_agree(one.name, other.name)


def _together(kept: Row, other: Row) -> Row:
    best = other if kept.person.user_id is None and other.person.user_id is not None else kept
    sources = tuple(dict.fromkeys((*best.sources, *kept.sources, *other.sources)))
    return best._replace(sources=sources)


def _better(one: Match | None, other: Match | None) -> Match | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def _match_name(asked: Question, name: str) -> Match | None:
    words = words_of(name)
    for term in asked.terms:
        if term not in words:
            return None
    if not asked.terms:
        return None
    if words == asked.words:
        return Match.WHOLE
    return Match.BEGINNING if words.startswith(asked.words) else Match.WORDS


def _match_number(digits: str, number: Number, country: str) -> Match | None:
    """By the writings of the number that are known; others are made if need be."""
    if not digits:
        return None
    is_whole = digits in number.lines or "\n00" in number.lines
    lines = number.lines if is_whole else lines_of(number.entered, country)
    if digits not in lines:
        return None
    if f"\n{digits}\n" in lines:
        return Match.WHOLE
    return Match.BEGINNING if f"\n{digits}" in lines else Match.INSIDE


def _match_terms(asked: Question, person: Person, country: str) -> bool:
    """Whether every term is found somewhere: "renard 1001", "camille demo.test".

    The groups of a number are no terms: "01 99" is not any number with 01 and 99 in it.
    """
    if not asked.terms:
        return False
    words = words_of(person.name), words_of(person.more)
    apart = () if asked.digits else [one.entered for one in person.numbers]
    return all(
        term in words[0]
        or term in words[1]
        or (term[1:].isdecimal() and any(term[1:] in lines_of(n, country) for n in apart))
        for term in asked.terms
    )
