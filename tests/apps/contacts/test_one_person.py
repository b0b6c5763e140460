"""Somebody whom every place knows is one entry, and each place stays named."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group

from bluetel.accounts.models import User
from bluetel.telephony.types import DirectoryEntry, PbxUserId
from contacts import colleagues, services, storing
from contacts.books import change_book, create_book
from contacts.card import Card, CardEmail, CardNumber, Label
from contacts.entries import entries_of
from contacts.jobs import join_book
from contacts.ldap.keeping import directory_state
from contacts.models import Book, Contact
from contacts.pbx_directory import PbxDirectory
from contacts.search import SearchRow, search
from contacts.shelf import shelf_of
from contacts.sources import Source
from contacts.stored import StoredContacts
from tests.apps.contacts.fakes import ByHand, DirectoryPbx
from tests.apps.house import NOW

pytestmark = pytest.mark.django_db

MOBILE = "06 39 98 12 01"
IN_LDAP = Card(
    name="BELKACEM Nadia",
    emails=(CardEmail(address="Nadia.Belkacem@demo.test"),),
    numbers=(
        CardNumber(number="+33 6 39 98 12 01", label=Label.MOBILE),
        CardNumber(number="01 99 00 10 02", label=Label.WORK),
        CardNumber(number="1002", label=Label.EXTENSION),
    ),
)
IN_THE_PBX = DirectoryEntry(
    name="Nadia Belkacem",
    numbers=(("extension", "1002"), ("mobile", "0639981201")),
    user=PbxUserId("uuid-1002"),
)
WRITTEN = Card(name="N. Belkacem", numbers=(CardNumber(number=MOBILE, label=Label.MOBILE),))


@pytest.fixture
def ldap(camille: User, nadia: User, directory_pbx: DirectoryPbx) -> Book:
    """Nadia is a user, on the PBX, in LDAP and in Camille's own book; this is LDAP's."""
    directory_pbx.entries = [IN_THE_PBX]
    colleagues.sync(colleagues.book_of(nadia.pbx_id or 0), now=NOW)
    book = directory_state().book
    storing.add(book, [IN_LDAP], now=NOW)
    storing.add(services.default_book(camille), [WRITTEN], now=NOW)
    return book


def found(viewer: User, text: str, directory: PbxDirectory, threads: ByHand) -> list[SearchRow]:
    sources: list[Source] = [StoredContacts(), directory]
    search(viewer, text, sources=sources)
    threads.run()
    return search(viewer, text, sources=sources)["results"]


def test_four_places_make_one_entry_with_each_number_once(
    camille: User, nadia: User, ldap: Book, directory: PbxDirectory, threads: ByHand
) -> None:
    rows = found(camille, "belkacem", directory, threads)
    assert {row["contact_id"] for row in rows} == {f"user-{nadia.pk}"}
    assert {row["number"]: set(row["sources"]) for row in rows} == {
        "1002": {"Colleagues", "Company directory", "Directory"},
        MOBILE: {"Colleagues", "Company directory", "My contacts", "Directory"},
        "01 99 00 10 02": {"Company directory"},
    }


def test_deleted_in_ldap_three_places_stay(
    camille: User, nadia: User, ldap: Book, directory: PbxDirectory, threads: ByHand
) -> None:
    storing.remove(ldap, list(Contact.objects.filter(book=ldap).values_list("pk", flat=True)))
    rows = found(camille, "belkacem", directory, threads)
    assert {row["contact_id"] for row in rows} == {f"user-{nadia.pk}"}
    assert {row["number"]: set(row["sources"]) for row in rows} == {
        "1002": {"Colleagues", "Directory"},
        MOBILE: {"Colleagues", "My contacts", "Directory"},
    }


def test_the_card_names_the_books_of_every_line(camille: User, nadia: User, ldap: Book) -> None:
    entry = entries_of([nadia.contact.pk], shelf_of(camille), viewer=camille, whole=True)[0]
    assert entry.sources == ("Colleagues", "Company directory", "My contacts")
    assert {
        number.number: [origin.book for origin in number.origins] for number in entry.numbers
    } == {
        "1002": ["Colleagues", "Company directory"],
        MOBILE: ["Colleagues", "Company directory", "My contacts"],
        "01 99 00 10 02": ["Company directory"],
    }
    assert [email.text for email in entry.emails] == ["nadia.belkacem@demo.test"]


def test_a_book_that_writes_a_number_as_it_is_shown_is_only_named(camille: User) -> None:
    def office(number: str) -> Card:
        numbers = (CardNumber(number=number, label=Label.WORK),)
        return Card(name="Ateliers Brossard", numbers=numbers)

    storing.add(directory_state().book, [office("+33 1 99 00 42 17")], now=NOW)
    own = storing.add(services.default_book(camille), [office("01.99.00.42.17")], now=NOW)
    (entry,) = entries_of([own[0].pk], shelf_of(camille), viewer=camille)
    (number,) = entry.numbers
    assert [(origin.book, origin.written) for origin in number.origins] == [
        ("Company directory", ""),
        ("My contacts", ""),
    ]


def test_another_reader_sees_nothing_of_what_camille_wrote(
    nadia: User, ines: User, ldap: Book, directory: PbxDirectory, threads: ByHand
) -> None:
    rows = found(ines, "belkacem", directory, threads)
    assert all("My contacts" not in row["sources"] for row in rows)
    assert {row["name"] for row in rows} == {"Nadia Belkacem"}


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        pytest.param("Hélène", "helene", id="é"),
        pytest.param("Sørensen", "sorensen", id="ø"),
        pytest.param("Strauß", "strauss", id="ß"),
        pytest.param("Strauß", "strauß", id="ß as written"),
        pytest.param("Œuvrard", "oeuv", id="œ"),
        pytest.param("Łucja", "lucja", id="Ł"),
        pytest.param("Ștefan", "stefan", id="ș"),
        pytest.param("Işık", "isik", id="dotless i"),
        pytest.param("Jean-Pierre", "jean-pierre", id="hyphen"),
        pytest.param("Jean-Pierre", "pierre", id="behind the hyphen"),
        pytest.param("O'Neil", "O'Neil", id="apostrophe"),
        pytest.param("O’Neil", "o'neil", id="another apostrophe"),
        pytest.param("O'Neil", "neil", id="behind the apostrophe"),
        pytest.param("李伟", "李", id="two bytes, as written"),
        pytest.param("李伟", "li", id="two bytes, in Latin"),
        pytest.param("Дмитрий", "dmitr", id="Cyrillic in Latin"),
        pytest.param("דנה לוי", "דנה", id="right to left"),
        pytest.param("محمد", "محمد", id="right to left, joined"),
    ],
)
def test_a_name_is_found_in_whatever_letters(camille: User, name: str, typed: str) -> None:
    number = CardNumber(number="01 99 00 42 17", label=Label.WORK)
    storing.add(services.default_book(camille), [Card(name=name, numbers=(number,))], now=NOW)
    rows = search(camille, typed, sources=[StoredContacts()])["results"]
    assert [row["name"] for row in rows] == [name]


def test_a_book_that_is_shared_joins_what_its_readers_know(camille: User, nadia: User) -> None:
    group = Group.objects.create(name="Sales")
    camille.groups.add(group)
    nadia.groups.add(group)
    helene = Card(name="Hélène Marchetti", emails=(CardEmail(address="helene@brossard.test"),))
    book = create_book(camille, name="Clients")
    storing.add(book, [helene], now=NOW)
    (own,) = storing.add(services.default_book(nadia), [helene], now=NOW)
    assert own.person_id is None
    change_book(camille, book.pk, name="Clients", group=group.pk, members_may_edit=True)
    join_book(book=book.pk)
    (entry,) = entries_of([own.pk], shelf_of(nadia), viewer=nadia)
    assert len(entry.parts) == 2
    change_book(camille, book.pk, name="Clients", group=None, members_may_edit=True)
    join_book(book=book.pk)
    own.refresh_from_db()
    assert own.person_id is None
