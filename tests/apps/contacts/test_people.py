"""Who was read lately is kept as long as nothing of him changes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from bluetel.accounts.models import User
from contacts import colleagues, people, services, storing
from contacts.card import Card, CardNumber, Label
from contacts.ldap.keeping import directory_state
from contacts.models import Contact, Line
from contacts.people import people_of
from contacts.shelf import shelf_of
from tests.apps.contacts.conftest import a_user
from tests.apps.house import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> people._Kept:
    """Nobody yet."""
    nobody = people._Kept()
    monkeypatch.setattr(people, "_kept", nobody)
    return nobody


def a_card(name: str, *numbers: str) -> Card:
    return Card(
        name=name,
        numbers=tuple(CardNumber(number=number, label=Label.WORK) for number in numbers),
    )


@pytest.fixture
def zoe() -> Contact:
    (contact,) = storing.add(
        directory_state().book, [a_card("Zoé Ardent", "01 99 00 50 01")], now=NOW
    )
    return contact


def numbers_of(contact: Contact, viewer: User) -> list[str]:
    (person,) = people_of([contact.pk], shelf_of(viewer), viewer=viewer)
    return [number.entered for number in person.numbers]


def test_the_numbers_of_who_is_kept_are_not_read_again(camille: User, zoe: Contact) -> None:
    before = numbers_of(zoe, camille)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert numbers_of(zoe, camille) == before
    assert not [one["sql"] for one in asked if "contacts_line" in one["sql"]]


def test_a_number_that_changes_is_read(camille: User, zoe: Contact) -> None:
    assert numbers_of(zoe, camille) == ["01 99 00 50 01"]
    storing.change(zoe.book, {zoe.pk: a_card("Zoé Ardent", "01 99 00 50 02")}, now=NOW)
    assert numbers_of(zoe, camille) == ["01 99 00 50 02"]


def test_what_another_book_says_of_him_is_read(camille: User, zoe: Contact) -> None:
    assert numbers_of(zoe, camille) == ["01 99 00 50 01"]
    own = a_card("Zoé Ardent", "01 99 00 50 01", "06 39 98 50 01")
    storing.add(services.default_book(camille), [own], now=NOW)
    assert numbers_of(zoe, camille) == ["01 99 00 50 01", "06 39 98 50 01"]


def test_who_may_not_see_a_book_doesnt_see_it_by_who_may(camille: User, zoe: Contact) -> None:
    own = a_card("Zoé Ardent", "01 99 00 50 01", "06 39 98 50 01")
    storing.add(services.default_book(camille), [own], now=NOW)
    other = a_user(camille.pbx, "1042", "Paul Leroy")
    assert "06 39 98 50 01" in numbers_of(zoe, camille)
    assert numbers_of(zoe, other) == ["01 99 00 50 01"]


def test_books_are_called_in_the_readers_language(camille: User, zoe: Contact) -> None:
    books: list[str] = []
    for language in ("en", "fr"):
        with translation.override(language):
            (person,) = people_of([zoe.pk], shelf_of(camille), viewer=camille)
            books += person.numbers[0].books
    assert books == ["Company directory", "Annuaire d’entreprise"]


def test_not_everybody_is_kept(
    camille: User, zoe: Contact, kept: people._Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "KEPT", 2)
    others = storing.add(
        zoe.book, [a_card(f"Paul Leroy{n}", f"01 99 00 60 0{n}") for n in range(3)], now=NOW
    )
    for contact in (zoe, *others):
        numbers_of(contact, camille)
    assert [person.name for _, person in kept._people.values()] == ["Paul Leroy1", "Paul Leroy2"]


def test_who_is_found_again_stays(
    camille: User, zoe: Contact, kept: people._Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "KEPT", 2)
    one, two = storing.add(
        zoe.book, [a_card(f"Paul Leroy{n}", f"01 99 00 60 0{n}") for n in range(2)], now=NOW
    )
    for contact in (zoe, one, zoe, two):
        numbers_of(contact, camille)
    assert [person.name for _, person in kept._people.values()] == ["Zoé Ardent", "Paul Leroy1"]


def test_who_comes_back_is_read_as_he_is_then(camille: User, zoe: Contact) -> None:
    """A deletion undone gives the id, the content and the first version again."""
    assert numbers_of(zoe, camille) == ["01 99 00 50 01"]
    later = NOW + timedelta(seconds=1)
    storing.remove(zoe.book, [zoe.pk])
    card = a_card("Zoé Ardent", "01 99 00 50 01")
    storing.add(zoe.book, [storing.Arrival(card=card, id=zoe.pk)], now=later)
    Line.objects.filter(contact=zoe).update(is_callable=False)
    assert numbers_of(zoe, camille) == []


def test_a_colleague_is_read_from_his_account_each_time(camille: User, nadia: User) -> None:
    colleagues.sync(colleagues.book_of(nadia.pbx_id or 0), now=NOW)
    contact = Contact.objects.get(user=nadia)
    assert numbers_of(contact, camille)[0] == "1002"
    User.objects.filter(pk=nadia.pk).update(extension="1077")
    assert numbers_of(contact, camille)[0] == "1077"
