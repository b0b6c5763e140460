"""Who stands in an answer when more people answer than it shows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from bluetel.accounts.models import Pbx, User
from bluetel.calls.models import Call
from contacts import colleagues, services, storing
from contacts.card import Card, CardEmail, CardNumber, Label
from contacts.index.query import propose
from contacts.ldap.keeping import directory_state
from contacts.members import PER_NUMBER
from contacts.people import people_of
from contacts.rules import merged, question, rows_of
from contacts.search import search
from contacts.shelf import shelf_of
from contacts.sources import MAX_ROWS
from contacts.stored import AT_ONCE, OFTEN_CALLED, StoredContacts
from tests.apps.contacts.conftest import a_user
from tests.apps.house import NOW

pytestmark = pytest.mark.django_db

PEOPLE = range(AT_ONCE + 15)


@pytest.fixture
def crowd(camille: User) -> None:
    """As many Zoés in the company's directory and in Camille's own book, two numbers for some."""
    storing.add(
        directory_state().book, [a_card(f"Zoé Ardent{place:02}") for place in PEOPLE], now=NOW
    )
    own = [a_card(f"Ardent Zoé{place:02}", 7000 + place) for place in PEOPLE]
    storing.add(services.default_book(camille), own, now=NOW)


def a_card(name: str, number: int = 0) -> Card:
    number = number or 5000 + int(name[-2:])
    numbers = [CardNumber(number=f"01 99 00 {number}", label=Label.WORK)]
    if number % 3 == 0:
        numbers.append(CardNumber(number=f"06 39 98 {number}", label=Label.MOBILE))
    return Card(name=name, numbers=tuple(numbers))


def shown(viewer: User, text: str) -> list[tuple[str, str]]:
    answer = search(viewer, text, sources=[StoredContacts()])
    return [(row["name"], row["number"]) for row in answer["results"]]


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize(
    "text", ["z", "zoe", "ard zoe", "zoe ar", "ardent zoe0", "01 99", "6398", "963"]
)
def test_the_rows_are_those_of_everybody_who_answers(camille: User, text: str) -> None:
    shelf, asked = shelf_of(camille), question(text)
    assert asked is not None
    everybody = people_of(propose(asked, shelf.ids), shelf, viewer=camille)
    rows = merged(rows_of(asked, everybody, source="", country="FR"), limit=MAX_ROWS)

    assert shown(camille, text) == [(row.person.name, row.number.entered) for row in rows]


@pytest.mark.usefixtures("crowd")
def test_who_is_often_called_comes_first_wherever_his_name_stands(camille: User, pbx: Pbx) -> None:
    last = f"Zoé Ardent{PEOPLE[-1]:02}"
    number = f"01 99 00 {5000 + PEOPLE[-1]}"
    Call.objects.create(user=camille, pbx=pbx, number=number, direction="outgoing", created_at=NOW)

    assert shown(camille, "zoe")[0] == (last, number)
    assert shown(camille, "zoe 5054") == [(last, number)]
    assert (last, number) not in shown(camille, "renard")


@pytest.mark.usefixtures("crowd")
def test_who_is_called_by_a_number_of_another_book_comes_first_too(camille: User, pbx: Pbx) -> None:
    zola = a_user(pbx, "1042", "Zoé Zola")
    User.objects.filter(pk=zola.pk).update(email="zola@demo.test")
    colleagues.mark_all()
    colleagues.keep_up(now=NOW)
    card = Card(
        name="Zola Zoé",
        emails=(CardEmail(address="zola@demo.test"),),
        numbers=(CardNumber(number="01 99 00 8042", label=Label.WORK),),
    )
    storing.add(directory_state().book, [card], now=NOW)
    called(camille, pbx, "01 99 00 8042")

    assert shown(camille, "zoe")[:2] == [("Zoé Zola", "01 99 00 8042"), ("Zoé Zola", "1042")]


@pytest.mark.usefixtures("crowd")
def test_who_is_called_more_seldom_than_many_others_comes_before_who_never_is(
    camille: User, pbx: Pbx
) -> None:
    for place in range(OFTEN_CALLED):
        called(camille, pbx, f"04 99 00 {7000 + place}")
    called(camille, pbx, f"01 99 00 {5000 + PEOPLE[-1]}", ago=timedelta(days=5))

    assert shown(camille, "zoe")[0][0] == f"Zoé Ardent{PEOPLE[-1]:02}"


@pytest.mark.usefixtures("crowd")
def test_a_number_that_many_have_does_not_hide_who_is_called_by_another(
    camille: User, pbx: Pbx
) -> None:
    # Before the other's number in the same book, where the database finds them first.
    many = [f"Zoé Accueil{place:02}" for place in range(2 * PER_NUMBER + 1)]
    storing.add(directory_state().book, [a_card(name, 4900) for name in many], now=NOW)
    called(camille, pbx, "01 99 00 4900")
    called(camille, pbx, f"01 99 00 {5000 + AT_ONCE + 5}", ago=timedelta(days=5))

    names = [name for name, _ in shown(camille, "zoe")]
    assert names[: len(many) + 1] == [*many, f"Zoé Ardent{AT_ONCE + 5}"]


def test_who_is_noted_twice_takes_no_room_from_others(camille: User) -> None:
    names = [f"Zoé Ardent{place:02}" for place in PEOPLE] * 2
    names += [f"Marc Zoé Ardent{place:02}" for place in PEOPLE] * 2
    cards = [a_card(name, 5001 + place % len(PEOPLE) * 3) for place, name in enumerate(names)]
    storing.add(services.default_book(camille), cards, now=NOW)

    assert len(shown(camille, "zoe ard")) == MAX_ROWS


def called(user: User, pbx: Pbx, number: str, *, ago: timedelta = timedelta()) -> None:
    at = timezone.now() - ago
    Call.objects.create(user=user, pbx=pbx, number=number, direction="outgoing", created_at=at)
