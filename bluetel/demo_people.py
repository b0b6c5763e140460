"""Invented people for the demo's address books; none of the numbers is anybody's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from django.contrib.auth.models import Group
from django.utils import timezone

from contacts import services, storing
from contacts.books import create_book
from contacts.card import Card, CardEmail, CardNumber, Label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bluetel.accounts.models import User
    from contacts.models import Book

GROUP: Final = "Sales"
MEMBERS: Final = 5
"""So many of the first demo users share the group's book."""

WORK, MOBILE, HOME, FAX, OTHER = Label.WORK, Label.MOBILE, Label.HOME, Label.FAX, Label.OTHER


def _person(given: str, family: str, *numbers: tuple[Label, str], email: str = "") -> Card:
    return Card(
        name=f"{given} {family}",
        given_name=given,
        family_name=family,
        numbers=_numbers(numbers),
        emails=(CardEmail(address=email),) if email else (),
    )


def _company(name: str, *numbers: tuple[Label, str]) -> Card:
    return Card(name=name, company=name, numbers=_numbers(numbers))


def _numbers(numbers: Sequence[tuple[Label, str]]) -> tuple[CardNumber, ...]:
    return tuple(CardNumber(label=label, number=number) for label, number in numbers)


OWN: Final = (
    replace(
        _person(
            "Hélène",
            "Marchetti",
            (WORK, "01 99 00 42 17"),
            (MOBILE, "06 39 98 12 08"),
            (HOME, "04 65 71 20 66"),
            (FAX, "01 99 00 42 18"),
            email="h.marchetti@brossard.example",
        ),
        company="Ateliers Brossard",
        title="Buyer",
        note="Prefers calls after 14:00",
    ),
    _company("Ateliers Brossard", (WORK, "01 99 00 42 00"), (FAX, "01 99 00 42 09")),
    replace(
        _person("N.", "Belkacem", (MOBILE, "+33 6 39 98 10 01")), note="Knows the Kerloc'h file"
    ),
    _person("Jonas", "Brandt", (HOME, "02 61 91 30 18")),
    replace(_person("Łukasz", "Nowak", (MOBILE, "+44 20 7946 0107")), company="Nowak & Sons"),
    _person("Jean-Pierre", "O'Neil", (HOME, "02 61 91 44 77"), (OTHER, "03 53 01 90 12")),
    Card(name="李伟", company="Weiguang Import", numbers=_numbers([(WORK, "01 99 00 77 08")])),
    Card(name="דנה לוי", company="Levi Optics", numbers=_numbers([(MOBILE, "06 39 98 61 30")])),
)
SHARED: Final = (
    replace(
        _person(
            "Aurèle",
            "Fontanel",
            (WORK, "05 36 49 18 30"),
            (MOBILE, "06 39 98 40 02"),
            email="a.fontanel@kerloch.example",
        ),
        company="Kerloc'h Marine",
        title="Harbour master",
    ),
    replace(_person("Jonas", "Brandt", (WORK, "02 61 91 07 75")), company="Brandt & Sohn"),
    replace(_person("Lucien", "Verdier", (WORK, "03 53 01 82 64")), company="Port de Kerloc'h"),
    replace(_person("Hélène", "Marchetti", (WORK, "+33 1 99 00 42 17")), department="Purchasing"),
    _company("Strauß & Œuvrard", (WORK, "01 99 00 15 40"), (FAX, "01 99 00 15 41")),
)
"""One is in both books, one only looks alike: the demo shows how entries come together."""


def add_people(users: Sequence[User]) -> None:
    """Give the first of the demo's users contacts, and a book shared with the next, once."""
    if not users or users[0].books.exists():
        return
    group, _ = Group.objects.get_or_create(name=GROUP)
    group.user_set.add(*users[:MEMBERS])
    shared = create_book(users[0], name=GROUP, group=group.pk)
    _fill(services.default_book(users[0]), OWN)
    _fill(shared, SHARED)


def _fill(book: Book, cards: Sequence[Card]) -> None:
    storing.add(book, cards, now=timezone.now())
