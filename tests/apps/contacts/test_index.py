"""The index, on whichever database the tests run: the same questions, the same answers."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bluetel.accounts.models import User
from contacts import storing
from contacts.card import Card, CardEmail, CardNumber, Label
from contacts.index import store
from contacts.index.query import propose
from contacts.index.rebuild import rebuild
from contacts.models import Book, Contact, Spelling, Word
from contacts.rules import question
from tests.apps.contacts.conftest import a_user

pytestmark = pytest.mark.django_db

HELENE = Card(
    name="Hélène Marchetti",
    company="Ateliers Brossard",
    assistant="Ștefan Groß",
    note="Meets on Tuesdays in Plœmeur",
    emails=(CardEmail(address="h.marchetti@brossard.test"),),
    numbers=(
        CardNumber(number="+33 5 81 00 55 60", label=Label.WORK),
        CardNumber(number="05 56 01 02 03", label=Label.FAX),
    ),
)
ONEIL = Card(
    name="Jean-Pierre O'Neil",
    company="Øvergård & Fils",
    numbers=(CardNumber(number="1307", label=Label.EXTENSION),),
)
ZIZKA = Card(
    name="Łucja Žižka",
    company="Işık",
    numbers=(CardNumber(number="+49 30 1234567", label=Label.WORK),),
)
ARABIC = Card(name="ليلى حداد", numbers=(CardNumber(number="06 39 98 12 08", label=Label.MOBILE),))
JAPANESE = Card(
    name="山田 太郎", numbers=(CardNumber(number="06 39 98 12 09", label=Label.MOBILE),)
)
EVERYBODY = (HELENE, ONEIL, ZIZKA, ARABIC, JAPANESE)


@pytest.fixture
def book(db: None) -> Book:
    user: User = a_user(None, "1001", "Camille Renard")
    made = Book.objects.create(kind=Book.Kind.PERSONAL, owner=user, name="Clients")
    storing.add(made, EVERYBODY, now=timezone.now())
    return made


def found(book: Book, text: str) -> set[str]:
    asked = question(text)
    assert asked is not None
    names = Contact.objects.filter(pk__in=propose(asked, [book.pk])).values_list("name", flat=True)
    return set(names)


FOUND = [
    ("hel", HELENE),
    ("MARCHETTI", HELENE),
    ("marchetti helene", HELENE),
    ("brossard", HELENE),
    ("bross", HELENE),
    ("marchetti bross", HELENE),
    ("ma br", HELENE),
    ("bross gross tues", HELENE),
    ("m b", HELENE),
    ("bros grosz", None),
    ("broz gross", None),
    ("m xq", None),
    ("brossard 5560", HELENE),
    ("marchetti 9999", None),
    ("h.marchetti@brossard", HELENE),
    ("stefan", HELENE),
    ("gross", HELENE),
    ("tuesdays", HELENE),
    ("ploemeur", HELENE),
    ("0581", HELENE),
    ("5560", HELENE),
    ("05 81 00", HELENE),
    ("+33581", HELENE),
    ("0033581", HELENE),
    ("435363", HELENE),
    ("jean-pierre", ONEIL),
    ("jean pierre", ONEIL),
    ("O'Neil", ONEIL),
    ("oneil", None),
    ("neil", ONEIL),
    ("overgard", ONEIL),
    ("1307", ONEIL),
    ("130", ONEIL),
    ("lucja", ZIZKA),
    ("zizka", ZIZKA),
    ("isik", ZIZKA),
    ("Łucj", ZIZKA),
    ("12345", ZIZKA),
    ("301234567", ZIZKA),
    ("567", ZIZKA),
    ("234567890", None),
    ("12341234", None),
    ("ليلى", ARABIC),
    ("حداد", ARABIC),
    ("太郎", JAPANESE),
    ("山", JAPANESE),
    ("archetti", None),
    ("556010203", None),
    ("nobody", None),
    ("%", None),
]


@pytest.mark.parametrize(("text", "who"), FOUND)
def test_a_term_finds_whom_it_should(book: Book, text: str, who: Card | None) -> None:
    if question(text) is None:
        assert who is None
    else:
        assert found(book, text) == ({who.name} if who else set())


def test_a_word_without_an_end_is_stored_and_found(book: Book) -> None:
    """As addresses and keys in notes are; PostgreSQL indexes no word beyond two kilobytes."""
    endless = Card(name="Zoé", note=f"key {'a1' * 9000}", numbers=ONEIL.numbers)
    storing.add(book, [endless], now=timezone.now())
    assert found(book, f"zoe {'a1' * 40}") == {"Zoé"}


def test_other_books_are_not_looked_into(book: Book) -> None:
    asked = question("hel")
    assert asked is not None
    assert propose(asked, [book.pk + 1]) == []
    assert propose(asked, []) == []


ALL_WAYS = ("hel", "brossard", "marchetti bross", "0581", "435363")


def test_what_is_gone_is_found_no_more(book: Book) -> None:
    storing.remove(book, [Contact.objects.get(name=HELENE.name).pk])
    assert all(found(book, text) == set() for text in ALL_WAYS)


def test_what_has_moved_is_found_where_it_is_now(book: Book) -> None:
    other = Book.objects.create(kind=Book.Kind.PERSONAL, owner=book.owner, name="Suppliers")
    contact = Contact.objects.get(name=HELENE.name)
    storing.move(contact, HELENE, other, now=timezone.now())
    assert all(found(book, text) == set() for text in ALL_WAYS)
    assert all(found(other, text) == {HELENE.name} for text in ALL_WAYS)


def test_who_has_lost_his_number_is_not_called_and_still_listed(book: Book) -> None:
    contact = Contact.objects.get(name=HELENE.name)
    storing.change(book, {contact.pk: replace(HELENE, numbers=())}, now=timezone.now())
    asked = question("marchetti bross")
    assert asked is not None
    assert propose(asked, [book.pk]) == []
    assert propose(asked, [book.pk], only_callable=False) == [contact.pk]


def test_an_index_made_anew_is_the_same_index(book: Book) -> None:
    words = set(Word.objects.values_list("scope", "words", "contact_id"))
    spellings = set(Spelling.objects.values_list("book_id", "keys", "word"))
    store.forget_book(book.pk)
    assert not Word.objects.exists()
    Spelling.objects.create(book_id=book.pk, keys="999", word="zzz")
    assert rebuild() == len(EVERYBODY)
    assert set(Word.objects.values_list("scope", "words", "contact_id")) == words
    assert set(Spelling.objects.values_list("book_id", "keys", "word")) == spellings
    assert found(book, "5560") == {HELENE.name}


@pytest.mark.parametrize("text", ["hel", "marchetti bross", "ma tues", "0581", "58", "435363"])
def test_no_question_reads_a_whole_table(book: Book, text: str) -> None:
    """Plans don't depend on how much there is once they use an index."""
    asked = question(text)
    assert asked is not None
    if connection.vendor == "postgresql":
        # What a function does is in no plan; what was read, the server counts.
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
        before = whole_tables_read()
        assert propose(asked, [book.pk])
        assert whole_tables_read() == before
        return
    with CaptureQueriesContext(connection) as queries:
        assert propose(asked, [book.pk])
    with connection.cursor() as cursor:
        for query in queries.captured_queries:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
            plan = "\n".join(str(row) for row in cursor.fetchall())
            assert not re.search(r"SCAN contacts_(word|line|contact)\b", plan)


def whole_tables_read() -> int:
    """How often PostgreSQL has read a whole table of contacts in this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(seq_scan) FROM pg_stat_xact_user_tables WHERE relname LIKE 'contacts_%'"
        )
        (count,) = cursor.fetchone()
    return int(count)


def test_words_in_different_texts_are_found_however_many_share_the_first(book: Book) -> None:
    """The longest word alone is that of a thousand others."""
    firm = [
        Card(name=f"Person{n}", company="Brossardière", numbers=ONEIL.numbers) for n in range(1100)
    ]
    storing.add(book, firm, now=timezone.now())
    storing.add(
        book,
        [Card(name="Zoé Zuzu", company="Brossardière", numbers=ONEIL.numbers)],
        now=timezone.now(),
    )
    assert found(book, "brossardiere zuz") == {"Zoé Zuzu"}


def test_entries_are_kept_in_order_however_they_come_and_go(book: Book) -> None:
    """On PostgreSQL many stand in one row, which is cut when there are too many."""
    cards = [Card(name=f"Ann {place:04}", numbers=ONEIL.numbers) for place in range(700)]
    shuffled = [cards[place * 317 % 700] for place in range(700)]
    people = storing.add(book, shuffled, now=timezone.now())
    storing.remove(book, [person.pk for person in people if person.name >= "Ann 0600"])
    storing.remove(book, [person.pk for person in people if person.name < "Ann 0005"])
    names = {person.pk: person.name for person in people}

    def proposed(text: str) -> list[str]:
        asked = question(text)
        assert asked is not None
        return [names[pk] for pk in propose(asked, [book.pk])]

    assert proposed("an")[:60] == [f"Ann {place:04}" for place in range(5, 65)]
    assert len(proposed("ann 05")) >= 60
    assert all(name.startswith("Ann 05") for name in proposed("ann 05"))
    assert proposed("ann 0123") == ["Ann 0123"]
    assert proposed("ann 06") == proposed("ann 0004") == []


def test_no_change_reads_a_whole_table(book: Book) -> None:
    """What one change costs must not grow with what is there."""
    contact = Contact.objects.get(name=HELENE.name)
    asked: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(("SELECT", "UPDATE", "DELETE")) and not many:
            asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        storing.change(book, {contact.pk: replace(HELENE, name="Hélène M.")}, now=timezone.now())
        storing.remove(book, [contact.pk])
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
        for sql, params in asked:
            cursor.execute(f"{explain} {sql}", params)
            plan = "\n".join(str(row) for row in cursor.fetchall())
            assert not re.search(
                r"SCAN contacts_(word|line|email|contact)\b|Seq Scan on contacts_", plan
            ), sql
    assert asked


def many(book: Book, count: int, *, company: str, first: int) -> None:
    cards = [
        Card(
            name=f"Person {place}",
            company=company,
            numbers=(CardNumber(number=f"+33 1 99 7{place:05}", label=Label.WORK),),
        )
        for place in range(first, first + count)
    ]
    storing.add(book, cards, now=timezone.now())


def test_a_word_is_found_beside_one_that_very_many_have(book: Book) -> None:
    many(book, 12, company="Ateliers Moreau", first=0)
    assert found(book, "ateliers gross") == {HELENE.name}
    assert found(book, "gross ateliers") == {HELENE.name}


def test_numbers_that_have_all_the_runs_in_another_order_are_not_meant(book: Book) -> None:
    other = Card(name="Otto", numbers=(CardNumber(number="+33 1 23 45 92 34", label=Label.WORK),))
    storing.add(book, [other], now=timezone.now())
    assert found(book, "12345923") == {"Otto"}
    assert found(book, "9234592") == set()


def test_beginnings_that_very_many_have_find_some_of_them(book: Book) -> None:
    many(book, 80, company="Moreau", first=0)
    assert len(found(book, "m p")) >= 60


def test_a_very_long_word_must_be_right_to_its_end(book: Book) -> None:
    long = "donaudampfschifffahrtsgesellschaft"
    storing.add(book, [Card(name="Otto", company=f"{long}en Wien")], now=timezone.now())
    asked = question(f"otto {long}x")
    assert asked is not None
    assert not propose(asked, [book.pk], only_callable=False)


def test_a_part_that_many_numbers_have_finds_some_of_them(book: Book) -> None:
    many(book, 12, company="", first=0)
    assert len(found(book, "99700")) == 12
    assert found(book, "9700003") == {"Person 3"}
