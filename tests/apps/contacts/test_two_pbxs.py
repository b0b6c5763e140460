"""Two PBXs in one house: everybody is found, and an extension is a number on its own PBX only."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from bluetel.accounts.models import Pbx, User
from bluetel.calls.callers import Caller
from contacts import colleagues, services, storing
from contacts.callers import caller_of
from contacts.card import Card, CardEmail, CardNumber, Label
from contacts.finding import find_people
from contacts.ldap.keeping import directory_state
from contacts.models import Book, Contact
from contacts.search import search
from contacts.shelf import shelf_of
from contacts.stored import StoredContacts
from presence.audiences import choose_audience
from presence.team import find_person, set_favourites
from tests.apps.contacts.conftest import a_user
from tests.apps.house import NOW

pytestmark = pytest.mark.django_db

MOBILE = "06 39 98 12 07"


@pytest.fixture
def lyon(db: None) -> Pbx:
    return Pbx.objects.create(name="lyon", kind=Pbx.Kind.XIVO)


def of_lyon(lyon: Pbx, extension: str, name: str, **more: object) -> User:
    first, _, last = name.partition(" ")
    return User.objects.create(
        username=f"lyon{extension}",
        first_name=first,
        last_name=last,
        email=f"{first}.{last}@lyon.test".lower(),
        pbx=lyon,
        pbx_user_id=f"lyon-{extension}",
        extension=extension,
        **more,
    )


@pytest.fixture
def paul(lyon: Pbx) -> User:
    """Lyon's 1002; on Camille's PBX that is Nadia."""
    return of_lyon(lyon, "1002", "Paul Verdier", mobile=MOBILE)


def rows(viewer: User, text: str) -> list[tuple[str, str]]:
    results = search(viewer, text, sources=[StoredContacts()])["results"]
    return [(row["name"], row["number"]) for row in results]


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="bluetel.accounts.backends.AccountBackend")
    return client


class TestASearch:
    def test_finds_people_of_the_other_pbx_by_numbers_that_can_be_dialled(
        self, camille: User, paul: User
    ) -> None:
        assert rows(camille, "verdier") == [("Paul Verdier", MOBILE)]
        assert rows(camille, "98 12 07") == [("Paul Verdier", MOBILE)]
        (row,) = search(camille, "verdier", sources=[StoredContacts()])["results"]
        assert (row["user_id"], row["phone"]) == (str(paul.pk), "unknown")
        assert row["source"] == "Colleagues on lyon"

    def test_an_extension_is_that_of_ones_own_pbx(
        self, camille: User, nadia: User, paul: User, lyon: Pbx
    ) -> None:
        assert {name for name, _ in rows(camille, "1002")} == {"Nadia Belkacem"}
        assert {name for name, _ in rows(camille, "100")} == {"Nadia Belkacem"}
        zoe = of_lyon(lyon, "1001", "Zoé Lambert")
        assert {name for name, _ in rows(zoe, "1002")} == {"Paul Verdier"}
        assert ("Paul Verdier", "1002") in rows(zoe, "paul")

    def test_who_has_an_extension_there_and_nothing_else_is_no_row(
        self, camille: User, lyon: Pbx
    ) -> None:
        of_lyon(lyon, "1005", "Inès Morvan")
        assert rows(camille, "ines") == []

    def test_keys_that_are_in_the_extension_too_spell_the_name(
        self, camille: User, lyon: Pbx
    ) -> None:
        of_lyon(lyon, "1083", "Paul Verdier", mobile=MOBILE)
        of_lyon(lyon, "1083837", "Anne Leroy", mobile="06 39 98 14 14")
        assert rows(camille, "837") == [("Paul Verdier", MOBILE)]
        assert rows(camille, "83") == [("Paul Verdier", MOBILE)]

    def test_the_companys_directory_makes_no_foreign_extension_a_number(
        self, camille: User, paul: User
    ) -> None:
        numbers = (
            CardNumber(number="1002", label=Label.WORK),
            CardNumber(number="04 99 00 42 02", label=Label.WORK),
        )
        card = Card(name="VERDIER Paul", emails=(CardEmail(address=paul.email),), numbers=numbers)
        colleagues.keep_up(now=NOW)
        storing.add(directory_state().book, [card], now=NOW)
        assert rows(camille, "verdier") == [
            ("Paul Verdier", MOBILE),
            ("Paul Verdier", "04 99 00 42 02"),
        ]
        assert rows(camille, "1002") == []

    def test_users_without_a_pbx_are_found_and_find_everybody(
        self, camille: User, nadia: User, paul: User
    ) -> None:
        ada = a_user(None, "1009", "Ada Keller", mobile="06 39 98 12 09")
        assert rows(camille, "ada") == [("Ada Keller", "06 39 98 12 09")]
        assert rows(ada, "nadia") == [("Nadia Belkacem", "06 39 98 12 01")]
        assert rows(ada, "verdier") == [("Paul Verdier", MOBILE)]

    def test_very_many_on_the_other_pbx_leave_room_for_ones_own(
        self, camille: User, pbx: Pbx, lyon: Pbx
    ) -> None:
        for place in range(10, 80):
            mobile = f"06 39 98 13 {place}"
            of_lyon(lyon, f"20{place}", f"Martin Abel{place}", mobile=mobile)
        a_user(pbx, "1017", "Martin Zola")
        assert rows(camille, "martin")[0] == ("Martin Zola", "1017")

    def test_they_do_so_whatever_numbers_they_have(
        self, camille: User, pbx: Pbx, lyon: Pbx
    ) -> None:
        cards = []
        for place in range(10, 80):
            mobile = f"06 39 98 13 {place}"
            martin = of_lyon(lyon, f"20{place}", f"Martin Abel{place}", mobile=mobile)
            work = CardNumber(number=f"04 99 00 31 {place}", label=Label.WORK)
            emails = (CardEmail(address=martin.email),)
            cards.append(Card(name=f"Abel{place} Martin", emails=emails, numbers=(work,)))
        a_user(pbx, "1017", "Martin Zola")
        colleagues.keep_up(now=NOW)
        storing.add(directory_state().book, cards, now=NOW)
        assert rows(camille, "martin")[0] == ("Martin Zola", "1017")

    def test_with_one_pbx_costs_no_further_query(
        self, camille: User, nadia: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        rows(camille, "nadia")
        with CaptureQueriesContext(connection) as before:
            rows(camille, "nadia")
        a_user(None, "", "Ada Keller")
        rows(camille, "nadia")
        with django_assert_num_queries(len(before)):
            rows(camille, "nadia")


class TestTheBooks:
    def test_who_moves_to_another_pbx_is_found_there(
        self, camille: User, nadia: User, paul: User, lyon: Pbx
    ) -> None:
        assert ("Nadia Belkacem", "1002") in rows(camille, "nadia")
        nadia.pbx, nadia.pbx_user_id, nadia.extension = lyon, "lyon-1022", "1022"
        nadia.save()
        assert rows(camille, "nadia") == [("Nadia Belkacem", "06 39 98 12 01")]
        assert ("Nadia Belkacem", "1022") in rows(paul, "nadia")
        nadia.pbx = None
        nadia.save()
        assert rows(paul, "nadia") == [("Nadia Belkacem", "06 39 98 12 01")]
        assert Contact.objects.filter(user=nadia).count() == 1

    def test_the_people_of_a_pbx_that_is_removed_stay(
        self, camille: User, paul: User, lyon: Pbx
    ) -> None:
        rows(camille, "paul")
        lyon.delete()
        assert rows(camille, "paul") == [("Paul Verdier", MOBILE)]

    def test_a_book_is_called_like_its_pbx_now(self, camille: User, paul: User, lyon: Pbx) -> None:
        rows(camille, "paul")
        lyon.name = "rhone"
        lyon.save()
        (row,) = search(camille, "paul", sources=[StoredContacts()])["results"]
        assert row["source"] == "Colleagues on rhone"

    def test_ones_own_colleagues_come_first(self, camille: User, nadia: User, paul: User) -> None:
        a_user(None, "", "Ada Keller")
        colleagues.keep_up(now=NOW)
        for viewer in (camille, paul):
            shelf = shelf_of(viewer)
            books = [shelf.books[pk] for pk in shelf.ids]
            assert books[0].pbx_id == viewer.pbx_id
            assert {book.pbx_id for book in books} == {camille.pbx_id, paul.pbx_id, None}

    def test_what_another_process_writes_meanwhile_is_read_again(
        self, camille: User, nadia: User
    ) -> None:
        written = storing.Arrival(card=Card(name="Nadia Belkacem"), user=nadia.pk)
        (theirs,) = storing.add(services.default_book(camille), [written], now=NOW)
        colleagues.keep_up(now=NOW)
        assert not shelf_of(camille).has_fresh_colleagues
        storing.remove(theirs.book, [theirs.pk])
        colleagues.keep_up(now=NOW)
        assert shelf_of(camille).has_fresh_colleagues
        assert ("Nadia Belkacem", "1002") in rows(camille, "nadia")

    def test_there_is_one_for_who_has_no_pbx(self, camille: User) -> None:
        assert colleagues.book_of(None).pk == colleagues.book_of(None).pk
        assert Book.objects.filter(kind=Book.Kind.COLLEAGUES, pbx=None).count() == 1


class TestOnePerson:
    def test_two_with_the_same_name_and_extension_stay_two(
        self, camille: User, pbx: Pbx, lyon: Pbx
    ) -> None:
        here = a_user(pbx, "1017", "Anne Leroy", mobile="06 39 98 12 17")
        there = of_lyon(lyon, "1017", "Anne Leroy", mobile="06 39 98 12 17")
        User.objects.filter(pk=there.pk).update(email=here.email)
        found = search(camille, "leroy", sources=[StoredContacts()])["results"]
        assert {row["user_id"] for row in found} == {str(here.pk), str(there.pk)}
        assert Contact.objects.filter(user__in=[here, there], person=None).count() == 2

    def test_ones_own_card_of_somebody_there_is_his(self, camille: User, paul: User) -> None:
        numbers = (CardNumber(number="+33 6 39 98 12 07", label=Label.MOBILE),)
        colleagues.keep_up(now=NOW)
        storing.add(
            services.default_book(camille), [Card(name="P. Verdier", numbers=numbers)], now=NOW
        )
        (row,) = search(camille, "verdier", sources=[StoredContacts()])["results"]
        assert row["sources"] == ["Colleagues on lyon", "My contacts"]


class TestACaller:
    def test_an_extension_is_called_by_the_name_it_has_on_the_called_pbx(
        self, camille: User, nadia: User, paul: User, lyon: Pbx
    ) -> None:
        colleagues.keep_up(now=NOW)
        zoe = of_lyon(lyon, "1001", "Zoé Lambert")
        colleagues.keep_up(now=NOW)
        assert caller_of(camille, "1002") == Caller("Nadia Belkacem", f"user-{nadia.pk}")
        assert caller_of(zoe, "1002") == Caller("Paul Verdier", f"user-{paul.pk}")

    def test_an_extension_nobody_has_on_the_called_pbx_is_nobodys(
        self, camille: User, paul: User
    ) -> None:
        colleagues.keep_up(now=NOW)
        assert caller_of(camille, "1002") is None

    def test_a_mobile_is_known_on_both(self, camille: User, paul: User) -> None:
        colleagues.keep_up(now=NOW)
        assert caller_of(camille, "0639981207") == Caller("Paul Verdier", f"user-{paul.pk}")


class TestThePages:
    def test_the_card_shows_the_extension_with_its_pbx_and_calls_the_mobile(
        self, camille: User, paul: User
    ) -> None:
        page = browser(camille).get(f"/contacts/user-{paul.pk}/").content.decode()
        assert "An extension of lyon: it can’t be called from your phone." in page
        assert re.findall(r'name="number" value="([^"]+)"', page) == [MOBILE, MOBILE]
        assert "Call Paul Verdier when free" not in page

    def test_the_list_shows_everybody_and_calls_what_can_be_dialled(
        self, camille: User, paul: User, lyon: Pbx
    ) -> None:
        ines = of_lyon(lyon, "1005", "Inès Morvan")
        page = browser(camille).get("/contacts/").content.decode()
        assert f'data-contact="user-{ines.pk}"' in page
        assert f'data-contact="user-{paul.pk}"' in page
        assert f'value="{MOBILE}"' in page
        assert 'value="1002"' not in page
        assert 'value="1005"' not in page

    @pytest.mark.parametrize("text", ["1002", "verdier", "002"])
    def test_the_lists_search_finds_people_by_what_cannot_be_dialled_too(
        self, camille: User, paul: User, text: str
    ) -> None:
        colleagues.keep_up(now=NOW)
        found = find_people(camille, text, sources=[StoredContacts()]).people
        assert [entry.name for entry in found] == ["Paul Verdier"]
        assert [number.number for number in found[0].calls] == [MOBILE]

    def test_who_is_noted_from_the_card_is_noted_without_the_extension(
        self, camille: User, paul: User
    ) -> None:
        colleagues.keep_up(now=NOW)
        page = browser(camille).get(f"/contacts/new/?from=user-{paul.pk}").content.decode()
        assert f'value="{MOBILE}"' in page
        assert 'value="1002"' not in page

    def test_the_team_calls_a_favourite_there_by_what_can_be_dialled(
        self, camille: User, nadia: User, paul: User, lyon: Pbx
    ) -> None:
        ines = of_lyon(lyon, "1005", "Inès Morvan")
        colleagues.keep_up(now=NOW)
        set_favourites(camille, [str(one.pk) for one in (paul, nadia, ines)])
        page = browser(camille).get("/").content.decode()
        assert "1002 on lyon" in page
        assert "1005 on lyon" in page
        called = re.findall(r'name="number" value="([^"]+)"', page)
        assert sorted(called) == [MOBILE, "1002"]
        assert "Call Paul Verdier when free" not in page

    def test_an_extension_in_the_settings_is_ones_own_pbxs(
        self, camille: User, nadia: User, paul: User
    ) -> None:
        assert find_person("1002", pbx=camille.pbx_id) == str(nadia.pk)
        assert find_person("1002", pbx=paul.pbx_id) == str(paul.pk)

    def test_a_suggestion_in_the_settings_finds_whom_it_names(
        self, camille: User, nadia: User, paul: User
    ) -> None:
        page = browser(camille).get("/settings/team/").content.decode()
        found = dict(re.findall(r'<option value="([^"]*)">([^<]*)</option>', page))
        assert found["1002"] == "Nadia Belkacem"
        assert found["lyon1002"] == "Paul Verdier"
        for text, name in found.items():
            person = find_person(text, pbx=camille.pbx_id)
            assert User.objects.get(pk=person).display_name == name

    def test_what_somebody_there_hides_is_hidden(self, camille: User, paul: User) -> None:
        for axis in ("phone", "im"):
            choose_audience(paul, axis, "nobody", now=timezone.now())
        (row,) = browser(camille).get("/api/v1/search?q=verdier").json()["results"]
        assert (row["phone"], row["im"]) == ("offline", "offline")


def test_the_api_keeps_the_extension_apart_from_the_numbers(camille: User, paul: User) -> None:
    colleagues.keep_up(now=NOW)
    record = browser(camille).get(f"/api/v1/contacts/user-{paul.pk}").json()
    assert [number["number"] for number in record["numbers"]] == [MOBILE]
    assert record["extension_elsewhere"] == "1002"
    record = browser(paul).get(f"/api/v1/contacts/user-{camille.pk}").json()
    assert (record["numbers"], record["extension_elsewhere"]) == ([], "1001")
