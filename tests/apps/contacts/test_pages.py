"""The pages of the contact base, as a browser without scripts sees them."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from bluetel.accounts.models import User
from contacts import deletions, services, storing
from contacts.books import create_book
from contacts.card import Card, CardEmail, CardNumber, Label, Photo
from contacts.drafts import Draft
from contacts.errors import ContactNotFound
from contacts.models import Book, Contact, Deletion, Distinct
from contacts.stored_cards import card_by_id
from presence.models import PersonState
from tests.apps.contacts.fakes import DirectoryPbx
from tests.apps.house import NOW

pytestmark = pytest.mark.django_db

PIXEL = b"\x89PNG\r\n\x1a\n" + bytes(20)


class Reader:
    """Somebody's browser."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.client = Client()
        self.client.force_login(user, backend="bluetel.accounts.backends.AccountBackend")

    def page(self, path: str = "", status: int = 200, **query: Any) -> str:
        answer = self.client.get(f"/contacts/{path}", query)
        assert answer.status_code == status, answer.content[:500]
        return html.unescape(answer.content.decode())

    def send(self, path: str, status: int = 302, **form: Any) -> str:
        answer = self.client.post(f"/contacts/{path}", form)
        assert answer.status_code == status, answer.content[:500]
        return html.unescape(answer.content.decode())

    def names(self, path: str = "", **query: Any) -> list[str]:
        return re.findall(r'data-card="[^"]*"><bdi>([^<]*)</bdi>', self.page(path, **query))

    def add(self, name: str, *numbers: str, book: str = "personal", **texts: Any) -> Contact:
        draft = Draft(name=name, numbers=[("work", number) for number in numbers], **texts)
        return services.create(self.user, draft, book=book, now=NOW)


@pytest.fixture
def reader(camille: User, directory_pbx: DirectoryPbx) -> Reader:
    return Reader(camille)


@pytest.fixture
def neighbour(nadia: User) -> Reader:
    return Reader(nadia)


@pytest.fixture
def sales(camille: User, nadia: User) -> Book:
    """A book that Camille shares with Nadia."""
    group = Group.objects.create(name="Sales")
    group.user_set.add(camille, nadia)
    return create_book(camille, name="Sales", group=group.pk)


class TestTheList:
    def test_has_everybody_under_the_letter_of_the_family_name(
        self, reader: Reader, nadia: User
    ) -> None:
        reader.add("Hélène Marchetti", "01 99 00 42 17")
        reader.add("Ateliers Brossard", "01 99 00 42 00")
        page = reader.page()
        assert re.findall(r'letters__head" id="[^"]*">(.)<', page) == ["A", "B", "H", "R"]
        assert reader.names() == [
            "Ateliers Brossard",
            "Nadia Belkacem",
            "Hélène Marchetti",
            "Camille Renard",
        ]

    def test_is_turned_forth_and_back_and_shows_nobody_twice(self, reader: Reader) -> None:
        book = services.default_book(reader.user)
        storing.add(book, [Card(name=f"Person {n:03}") for n in range(150)], now=NOW)
        seen: list[list[str]] = []
        query: dict[str, Any] = {"book": book.pk}
        while True:
            page = reader.page(**query)
            seen.append(reader.names(**query))
            further = re.search(r'\?after=([^"&]*)[^"]*">Further', page)
            if further is None:
                break
            query = {"book": book.pk, "after": unquote(further[1])}
        assert [len(names) for names in seen] == [60, 60, 30]
        assert [name for names in seen for name in names] == [f"Person {n:03}" for n in range(150)]
        back = re.search(r'\?before=([^"&]*)', page)
        assert back is not None
        assert reader.names(book=book.pk, before=unquote(back[1])) == seen[1]

    def test_begins_at_a_letter(self, reader: Reader) -> None:
        for name in ("Anna", "Bruno", "Carla"):
            reader.add(name, "1002")
        assert reader.names(letter="B") == ["Bruno", "Carla", "Camille Renard"]

    @pytest.mark.parametrize("query", ["after=x", "before=1-%00", "letter=%00", "book=x", "open=1"])
    def test_takes_no_harm_from_strange_addresses(self, reader: Reader, query: str) -> None:
        reader.add("Anna", "1002")
        assert reader.client.get(f"/contacts/?{query}").status_code == 200

    def test_one_number_is_called_by_one_icon_and_several_by_a_choice(self, reader: Reader) -> None:
        reader.add("Anna", "01 99 00 42 17")
        reader.add("Bruno", "01 99 00 42 18", "06 39 98 12 08")
        page = reader.page()
        assert 'aria-label="Call 01 99 00 42 17, Anna"' in page
        assert 'aria-label="Call Bruno: choose a number"' in page
        assert 'aria-label="Call 06 39 98 12 08, Work"' in page

    def test_says_what_to_do_when_it_is_empty(self, reader: Reader) -> None:
        page = reader.page(book=services.default_book(reader.user).pk)
        assert "Nobody is in this list yet" in page

    def test_shows_one_book_alone(self, reader: Reader, sales: Book, nadia: User) -> None:
        reader.add("Anna", "1002")
        reader.add("Bruno", "1003", book=str(sales.pk))
        assert reader.names(book=sales.pk) == ["Bruno"]


class TestTheSearch:
    def test_finds_by_name_company_number_and_who_has_no_number(self, reader: Reader) -> None:
        reader.add("Hélène Marchetti", "01 99 00 42 17", company="Ateliers Brossard")
        reader.add("Helena Post", email="helena@post.example")
        assert reader.names(q="helen") == ["Hélène Marchetti", "Helena Post"]
        assert reader.names(q="bross") == ["Hélène Marchetti"]
        assert reader.names(q="4217") == ["Hélène Marchetti"]
        assert reader.names("rows/", q="helena p") == ["Helena Post"]

    def test_says_that_a_far_directory_still_searches(self, reader: Reader) -> None:
        assert "Directory still searching…" in reader.page("rows/", q="somebody")

    def test_of_one_book_finds_nobody_elsewhere(self, reader: Reader, sales: Book) -> None:
        reader.add("Anna", "1002")
        reader.add("Anna Two", "1003", book=str(sales.pk))
        assert reader.names(q="anna", book=sales.pk) == ["Anna Two"]

    @pytest.mark.parametrize("text", ["\0", "%" * 200, ")(uid=*", "é" * 10_000, "' OR 1=1 --"])
    def test_of_anything_typed_finds_nobody_and_breaks_nothing(
        self, reader: Reader, text: str
    ) -> None:
        reader.add("Anna", "1002")
        assert reader.names(q=text) == []


class TestTheCard:
    def test_has_an_icon_facing_each_number_and_where_each_line_comes_from(
        self, reader: Reader, sales: Book
    ) -> None:
        helene = reader.add("Hélène Marchetti", "01 99 00 42 17", note="After 14:00")
        reader.add("Hélène Marchetti", "+33 1 99 00 42 17", "06 39 98 12 08", book=str(sales.pk))
        page = reader.page(f"{helene.pk}/")
        lines = re.findall(r'line__value"><bdi class="number">([^<]*)</bdi>.*?from">([^<]*)<', page)
        assert lines == [
            ("01 99 00 42 17", "Sales, My contacts"),
            ("06 39 98 12 08", "Sales"),
        ]
        assert page.count('title="Call 01 99 00 42 17"') == 1
        assert "One person, 2 address books" in page
        assert "After 14:00" in page

    def test_offers_no_call_to_a_fax(self, reader: Reader) -> None:
        book = services.default_book(reader.user)
        fax = CardNumber(number="01 99 00 42 18", label=Label.FAX)
        contact = storing.add(book, [Card(name="Anna", numbers=(fax,))], now=NOW)[0]
        page = reader.page(f"{contact.pk}/")
        assert "01 99 00 42 18" in page
        assert "Call 01" not in page

    def test_calls_the_preferred_number(self, reader: Reader) -> None:
        numbers = [("work", "01 99 00 42 17"), ("home", "02 61 91 44 77")]
        draft = Draft(name="Anna", numbers=numbers, preferred=1)
        contact = services.create(reader.user, draft, now=NOW)
        page = reader.page(f"{contact.pk}/part/")
        primary = re.search(r"button--primary.*?Call ([^<]*)</button>", page, re.DOTALL)
        assert primary is not None
        assert primary[1] == "02 61 91 44 77"

    def test_shows_names_as_text_only(self, reader: Reader) -> None:
        contact = reader.add("<script>alert(1)</script>", "1002", note="<img src=x>")
        raw = reader.client.get(f"/contacts/{contact.pk}/").content.decode()
        assert "<script>alert" not in raw
        assert "<img src=x>" not in raw

    def test_of_a_colleague_has_his_states_and_no_edit(self, reader: Reader, nadia: User) -> None:
        page = reader.page(f"user-{nadia.pk}/")
        assert f'data-user="{nadia.pk}"' in page
        assert "/edit/" not in page
        assert "Add to my contacts" in page

    def test_of_oneself_calls_nobody(self, reader: Reader, nadia: User) -> None:
        assert "Call 1001" not in reader.page(f"user-{reader.user.pk}/")

    def test_shows_a_picture_as_a_picture_only(self, reader: Reader) -> None:
        book = services.default_book(reader.user)
        good, bad = storing.add(
            book,
            [
                Card(name="Anna", photo=Photo(media_type="image/png", content=PIXEL)),
                Card(name="Eve", photo=Photo(media_type="text/html", content=b"<script>")),
            ],
            now=NOW,
        )
        answer = reader.client.get(f"/contacts/{good.pk}/photo/")
        assert (answer["Content-Type"], answer.content) == ("image/png", PIXEL)
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert reader.client.get(f"/contacts/{bad.pk}/photo/").status_code == 404


FORM: dict[str, Any] = {
    "name": "Hélène Marchetti",
    "company": "Ateliers Brossard",
    "email": "h@brossard.example",
    "label": ["work", "fax", "mobile"],
    "number": ["01 99 00 42 17", "", "06 39 98 12 08"],
    "preferred": "2",
    "book": "personal",
}


class TestWriting:
    def test_a_new_contact_is_in_the_list(self, reader: Reader) -> None:
        reader.send("new/", **FORM)
        contact = Contact.objects.get(name="Hélène Marchetti")
        numbers = contact.lines.order_by("position").values_list("label", "number")
        assert list(numbers) == [("work", "01 99 00 42 17"), ("mobile", "06 39 98 12 08")]

    def test_a_mistake_is_told_beside_its_field_and_nothing_typed_is_lost(
        self, reader: Reader
    ) -> None:
        form = {**FORM, "number": ["01 99 00 42 17", "", "no number"], "email": "nobody"}
        page = reader.send("new/", status=400, **form)
        assert "“no number” is not a telephone number." in page
        assert "“nobody” is not an e-mail address." in page
        assert 'value="no number"' in page
        assert not Contact.objects.filter(book__kind="personal").exists()

    def test_an_edit_keeps_what_the_form_does_not_show(self, reader: Reader) -> None:
        book = services.default_book(reader.user)
        card = Card(
            name="Anna Post",
            emails=(CardEmail(address="one@post.example"), CardEmail(address="two@post.example")),
            kept=("BDAY:1980-01-01",),
            photo=Photo(media_type="image/png", content=PIXEL),
        )
        contact = storing.add(book, [card], now=NOW)[0]
        assert 'value="one@post.example"' in reader.page(f"{contact.pk}/edit/")
        form: dict[str, Any] = {
            "name": "Anna Post",
            "email": "new@post.example",
            "book": "personal",
        }
        reader.send(f"{contact.pk}/edit/", **form)
        contact.refresh_from_db()
        addresses = list(contact.emails.order_by("position").values_list("address", flat=True))
        assert addresses == ["new@post.example", "two@post.example"]
        assert contact.kept == ["BDAY:1980-01-01"]
        assert hasattr(contact, "picture")

    def test_a_contact_is_deleted_once_it_is_confirmed(self, reader: Reader) -> None:
        contact = reader.add("Anna", "1002")
        assert "Delete Anna?" in reader.page(f"{contact.pk}/delete/")
        assert Contact.objects.filter(pk=contact.pk).exists()
        reader.send(f"{contact.pk}/delete/")
        assert reader.names(q="anna") == []

    def test_a_deletion_can_be_taken_back(self, reader: Reader) -> None:
        contact = reader.add("Anna", "1002")
        reader.send(f"{contact.pk}/delete/")
        undo = re.search(r'action="(/contacts/deleted/\d+/restore/)"', reader.page())
        assert undo is not None
        reader.client.post(undo[1])
        assert "Anna" in reader.page(f"{contact.pk}/")
        assert "Anna" in reader.page(q="1002")
        assert reader.client.post(undo[1]).status_code == 404

    def test_nobody_else_takes_it_back(self, reader: Reader, neighbour: Reader) -> None:
        contact = reader.add("Anna", "1002")
        deletion = deletions.delete(reader.user, str(contact.pk), now=NOW)
        path = f"/contacts/deleted/{deletion.pk}/restore/"
        assert neighbour.client.post(path).status_code == 404
        assert not Contact.objects.filter(name="Anna").exists()

    def test_a_contact_that_comes_back_has_kept_everything(self, reader: Reader) -> None:
        book = services.default_book(reader.user)
        card = Card(
            name="Anna Lind",
            family_name="Lind",
            company="Øvergård",
            note="Line one\nLine two",
            numbers=(
                CardNumber(number="+33 1 99 00 42 17", label=Label.MOBILE, own_label="Car"),
                CardNumber(number="1002", label=Label.FAX, is_preferred=True),
            ),
            emails=(CardEmail(address="anna@demo.test", marks=("work",)),),
            photo=Photo(media_type="image/png", content=PIXEL),
            kept=("BDAY:1980-01-02",),
        )
        (contact,) = storing.add(book, [card], now=NOW)
        before = card_by_id(contact.pk)
        deletion = deletions.delete(reader.user, str(contact.pk), now=NOW)
        restored = deletions.restore(reader.user, deletion.pk, now=NOW)
        assert restored.pk == contact.pk
        assert card_by_id(contact.pk) == before

    def test_what_was_deleted_long_ago_is_gone(self, reader: Reader) -> None:
        contact = reader.add("Anna", "1002")
        deletion = deletions.delete(reader.user, str(contact.pk), now=NOW)
        with pytest.raises(ContactNotFound):
            deletions.restore(reader.user, deletion.pk, now=NOW + timedelta(days=2))
        deletions.forget_old(now=NOW + timedelta(hours=23))
        assert Deletion.objects.exists()
        deletions.forget_old(now=NOW + timedelta(days=2))
        assert not Deletion.objects.exists()

    def test_a_contact_that_is_there_again_does_not_come_back_twice(self, reader: Reader) -> None:
        contact = reader.add("Anna", "1002")
        deletion = deletions.delete(reader.user, str(contact.pk), now=NOW)
        storing.add(contact.book, [storing.Arrival(card=Card(name="Anna"), id=contact.pk)], now=NOW)
        with pytest.raises(ContactNotFound):
            deletions.restore(reader.user, deletion.pk, now=NOW)

    @pytest.mark.parametrize("deleted", ["mine", "theirs"])
    def test_who_comes_back_is_the_same_person_as_before(
        self, reader: Reader, sales: Book, deleted: str
    ) -> None:
        contacts = {"mine": reader.add("Anna"), "theirs": reader.add("Lind", book=str(sales.pk))}
        ids = [str(contact.pk) for contact in contacts.values()]
        services.say_same(reader.user, *ids, now=NOW)
        deletion = deletions.delete(reader.user, str(contacts[deleted].pk), now=NOW)
        deletions.restore(reader.user, deletion.pk, now=NOW)
        mine, theirs = (Contact.objects.get(pk=contact.pk) for contact in contacts.values())
        assert mine.person_id is not None
        assert mine.person_id == theirs.person_id

    def test_who_comes_back_is_told_apart_as_before(self, reader: Reader, sales: Book) -> None:
        mine = reader.add("Anna Lind", "0199004217")
        theirs = reader.add("Anna Lind", "0199004217", book=str(sales.pk))
        services.say_distinct(reader.user, str(mine.pk), str(theirs.pk))
        deletion = deletions.delete(reader.user, str(mine.pk), now=NOW)
        deletions.restore(reader.user, deletion.pk, now=NOW)
        assert Contact.objects.get(pk=mine.pk).person_id is None
        assert Distinct.objects.filter(user=reader.user).count() == 1

    def test_what_was_said_of_somebody_who_is_gone_is_not_said_again(
        self, reader: Reader, sales: Book
    ) -> None:
        mine = reader.add("Anna Lind", "0199004217")
        theirs = reader.add("Anna Lind", "0199004217", book=str(sales.pk))
        services.say_distinct(reader.user, str(mine.pk), str(theirs.pk))
        deletion = deletions.delete(reader.user, str(mine.pk), now=NOW)
        deletions.delete(reader.user, str(theirs.pk), now=NOW)
        deletions.restore(reader.user, deletion.pk, now=NOW)
        assert not Distinct.objects.exists()

    def test_a_colleague_is_copied_not_changed(self, reader: Reader, nadia: User) -> None:
        reader.page()
        assert "not change it" in reader.page(f"user-{nadia.pk}/edit/", status=403)
        assert "not change it" in reader.page(f"user-{nadia.pk}/delete/", status=403)
        whom: dict[str, Any] = {"from": f"user-{nadia.pk}"}
        page = reader.page("new/", **whom)
        assert 'value="Nadia Belkacem"' in page
        assert 'value="1002"' in page


OTHERS = ["", "part/", "photo/", "edit/", "delete/"]


class TestOthersBooks:
    @pytest.mark.parametrize("path", OTHERS)
    def test_a_neighbours_contact_is_not_there(
        self, reader: Reader, neighbour: Reader, path: str
    ) -> None:
        contact = neighbour.add("Secret", "01 99 00 42 17")
        theirs = reader.client.get(f"/contacts/{contact.pk}/{path}")
        nobodys = reader.client.get(f"/contacts/999999/{path}")
        assert theirs.status_code == nobodys.status_code == 404

    @pytest.mark.parametrize("path", ["edit/", "delete/", "apart/"])
    def test_nor_can_it_be_changed(self, reader: Reader, neighbour: Reader, path: str) -> None:
        contact = neighbour.add("Secret", "01 99 00 42 17")
        reader.send(f"{contact.pk}/{path}", status=404, name="Mine")
        contact.refresh_from_db()
        assert contact.name == "Secret"

    @pytest.mark.parametrize("path", ["", "delete/", "export/csv/"])
    def test_nor_is_the_book(self, reader: Reader, neighbour: Reader, path: str) -> None:
        book = services.default_book(neighbour.user)
        reader.page(f"books/{book.pk}/{path}", status=404)

    def test_nor_does_it_count_anywhere(self, reader: Reader, neighbour: Reader) -> None:
        neighbour.add("Secret", "01 99 00 42 17")
        assert "Secret" not in reader.page()
        assert "Secret" not in reader.page(q="secret").split("</main>")[0].split("Nobody called")[0]

    def test_a_pair_with_a_neighbours_contact_is_refused(
        self, reader: Reader, neighbour: Reader
    ) -> None:
        mine, theirs = reader.add("Anna", "1002"), neighbour.add("Anna", "1002")
        reader.send("duplicates/decide/", status=404, one=mine.pk, other=theirs.pk, same="yes")

    def test_who_is_not_signed_in_is_asked_to(self, client: Client) -> None:
        for name in ("contacts:people", "contacts:books", "contacts:new", "contacts:duplicates"):
            assert client.get(reverse(name)).status_code == 302


class TestBooks:
    def test_one_is_made_and_shared(
        self, reader: Reader, neighbour: Reader, sales: Book, ines: User
    ) -> None:
        reader.send("books/", name="Harbour", group=str(sales.group_id), members_may_edit="")
        book = Book.objects.get(name="Harbour")
        reader.add("Lucien Verdier", "03 53 01 82 64", book=str(book.pk))
        assert neighbour.names(q="verdier") == ["Lucien Verdier"]
        assert "Harbour" not in Reader(ines).page("books/")
        contact = Contact.objects.get(name="Lucien Verdier")
        neighbour.page(f"{contact.pk}/edit/", status=403)

    def test_a_group_one_is_not_in_is_refused(self, reader: Reader) -> None:
        board = Group.objects.create(name="Board")
        page = reader.send("books/", status=400, name="Spy", group=str(board.pk))
        assert "Choose a group that you belong to." in page
        assert not Book.objects.filter(name="Spy").exists()

    def test_only_its_owner_shares_renames_and_deletes_it(
        self, neighbour: Reader, sales: Book
    ) -> None:
        neighbour.send(f"books/{sales.pk}/", status=403, name="Mine")
        neighbour.send(f"books/{sales.pk}/delete/", status=403)
        assert Book.objects.filter(name="Sales").exists()

    def test_deleting_it_takes_its_contacts_along(self, reader: Reader, sales: Book) -> None:
        reader.add("Bruno", "1003", book=str(sales.pk))
        assert "its 1 contact" in reader.page(f"books/{sales.pk}/delete/")
        reader.send(f"books/{sales.pk}/delete/")
        assert reader.names(q="bruno") == []

    def test_the_first_book_is_never_shared_nor_deleted(self, reader: Reader, sales: Book) -> None:
        own = services.default_book(reader.user)
        page = reader.send(f"books/{own.pk}/", status=400, name="x", group=str(sales.group_id))
        assert own.name in page
        reader.send(f"books/{own.pk}/delete/", status=403)


class TestDuplicates:
    def test_two_of_one_book_become_one_contact_with_everything(self, reader: Reader) -> None:
        one = reader.add("Hélène Marchetti", "01 99 00 42 17", note="After 14:00")
        other = reader.add("Helene Marchetti", "06 39 98 12 08", company="Ateliers Brossard")
        assert "Helene Marchetti" in reader.page("duplicates/")
        reader.send("duplicates/decide/", one=one.pk, other=other.pk, same="yes")
        assert reader.names(q="marchetti") == ["Hélène Marchetti"]
        one.refresh_from_db()
        assert (one.company, one.note) == ("Ateliers Brossard", "After 14:00")
        assert one.lines.count() == 2
        assert "Nobody stands there twice" in reader.page("duplicates/")

    def test_two_of_different_books_hang_together_and_come_apart_again(
        self, reader: Reader, nadia: User
    ) -> None:
        reader.page()
        mine = reader.add("Nadia Belkacem", "02 61 91 30 18")
        reader.send("duplicates/decide/", one=mine.pk, other=f"user-{nadia.pk}", same="yes")
        assert "One person, 2 address books" in reader.page(f"user-{nadia.pk}/")
        assert reader.names(q="nadia") == ["Nadia Belkacem"]
        reader.send(f"{mine.pk}/apart/")
        assert reader.names(q="nadia") == ["Nadia Belkacem", "Nadia Belkacem"]
        assert "Nobody stands there twice" in reader.page("duplicates/")

    def test_who_is_not_the_same_is_not_proposed_again(self, reader: Reader) -> None:
        one, other = reader.add("Anna Post", "1102"), reader.add("Anna Post", "1103")
        assert f"Looks like “{other.name}”: merge?" in reader.page(f"{one.pk}/")
        reader.send("duplicates/decide/", one=one.pk, other=other.pk)
        assert "Nobody stands there twice" in reader.page("duplicates/")
        assert "merge?" not in reader.page(f"{one.pk}/")


@pytest.mark.parametrize("im", ["available", "busy", "away"])
def test_who_is_away_or_hidden_stands_where_everybody_else_would(
    reader: Reader, nadia: User, ines: User, im: str
) -> None:
    def seen() -> tuple[list[str], list[str], int]:
        page = reader.page("rows/", q="demo.test")
        found = re.search(r"(\d+) people found", page)
        assert found is not None
        return reader.names(), reader.names("rows/", q="demo.test"), int(found[1])

    PersonState.objects.create(user=nadia, phone="available", im=im, revision=1)
    PersonState.objects.create(user=ines, phone="busy", im="busy", revision=2)
    present = seen()
    # An invisible person leaves the engine as offline.
    PersonState.objects.filter(user=nadia).update(im="offline", phone="offline")
    assert seen() == present
