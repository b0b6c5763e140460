"""``/api/v1/contacts`` as outsiders use it."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from bluetel.accounts.models import User
from bluetel.accounts.services import create_api_token
from contacts import services, storing
from contacts.card import Card
from contacts.models import Book, Contact
from contacts.vcard import read_cards
from tests.apps.contacts.conftest import a_user
from tests.apps.contacts.fakes import DirectoryPbx
from tests.apps.house import NOW

pytestmark = pytest.mark.django_db

HELENE = {
    "name": "Hélène Marchetti",
    "company": "Ateliers Brossard",
    "email": "h.marchetti@brossard.test",
    "numbers": [
        {"label": "work", "number": "01 99 00 42 17"},
        {"label": "mobile", "number": "+33 6 39 98 12 08"},
        {"label": "fax", "number": "01 99 00 42 18"},
    ],
    "book": "personal",
}


class Program:
    """A program with a user's token."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.client = Client(headers={"Authorization": f"Bearer {create_api_token(user)}"})

    def get(self, path: str = "") -> Any:
        return self.client.get(f"/api/v1/contacts{path}")

    def post(self, body: object) -> Any:
        return self.client.post("/api/v1/contacts", body, content_type="application/json")

    def put(self, path: str, body: object) -> Any:
        return self.client.put(f"/api/v1/contacts/{path}", body, content_type="application/json")

    def delete(self, path: str) -> Any:
        return self.client.delete(f"/api/v1/contacts/{path}")

    def search(self, text: str) -> list[dict[str, Any]]:
        answer = self.client.get("/api/v1/search", {"q": text})
        rows: list[dict[str, Any]] = answer.json()["results"]
        return rows

    def add(self, **body: object) -> dict[str, Any]:
        answer = self.post({**HELENE, **body})
        assert answer.status_code == 201, answer.content
        record: dict[str, Any] = answer.json()
        return record


@pytest.fixture
def program(camille: User, directory_pbx: DirectoryPbx) -> Program:
    return Program(camille)


@pytest.fixture
def neighbour(nadia: User) -> Program:
    return Program(nadia)


def cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def error(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


class TestOneContact:
    def test_what_is_added_is_answered_and_read_again(self, program: Program) -> None:
        answer = program.post(HELENE)
        record = answer.json()
        assert answer.status_code == 201
        assert isinstance(record["id"], str)
        assert {key: record[key] for key in ("name", "company", "email", "book")} == {
            key: HELENE[key] for key in ("name", "company", "email", "book")
        }
        assert [(one["label"], one["number"]) for one in record["numbers"]] == [
            ("work", "01 99 00 42 17"),
            ("mobile", "+33 6 39 98 12 08"),
            ("fax", "01 99 00 42 18"),
        ]
        assert program.get(f"/{record['id']}").json() == record
        assert program.get().json() == {"contacts": [record], "next": None}

    def test_a_put_answers_the_whole_and_changes_what_was_sent(self, program: Program) -> None:
        record = program.add(note="Prefers calls after 14:00", title="Buyer")
        answer = program.put(record["id"], {"name": "Hélène Durand"})
        assert answer.status_code == 200
        assert answer.json() == {**record, "name": "Hélène Durand"}

    def test_a_put_of_numbers_replaces_them(self, program: Program) -> None:
        record = program.add()
        numbers = [{"label": "work", "number": "01 99 00 42 99"}]
        changed = program.put(record["id"], {**HELENE, "numbers": numbers}).json()
        assert [one["number"] for one in changed["numbers"]] == ["01 99 00 42 99"]
        assert [row["number"] for row in program.search("marchetti")] == ["01 99 00 42 99"]
        assert program.search("4217") == []

    def test_a_deleted_contact_is_gone_from_everywhere(self, program: Program) -> None:
        record = program.add()
        assert program.delete(record["id"]).status_code == 204
        assert error(program.get(f"/{record['id']}")) == (404, "not_found")
        assert error(program.delete(record["id"])) == (404, "not_found")
        assert program.search("marchetti") == []

    def test_the_search_gives_a_row_for_each_callable_number(self, program: Program) -> None:
        record = program.add()
        rows = program.search("helene")
        assert [(row["number"], row["kind"], row["contact_id"]) for row in rows] == [
            ("+33 6 39 98 12 08", "mobile", record["id"]),
            ("01 99 00 42 17", "work", record["id"]),
        ]
        assert {row["source"] for row in rows} == {"My contacts"}

    def test_the_preferred_number_is_remembered(self, program: Program) -> None:
        numbers = [
            {"label": "work", "number": "01 99 00 42 17"},
            {"label": "home", "number": "02 61 91 44 50", "preferred": True},
        ]
        record = program.add(numbers=numbers)
        assert [one["preferred"] for one in record["numbers"]] == [False, True]

    def test_a_company_without_a_person_is_a_contact(self, program: Program) -> None:
        assert program.add(name="")["name"] == "Ateliers Brossard"

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            pytest.param({"name": "", "company": ""}, "invalid_request", id="nobody"),
            pytest.param({"name": " \u200b"}, "", id="blank name, but a company"),
            pytest.param({"name": "x" * 201}, "invalid_request", id="long name"),
            pytest.param({"email": "not an address"}, "invalid_request", id="e-mail"),
            pytest.param({"email": "a@b@c"}, "invalid_request", id="two signs"),
            pytest.param(
                {"numbers": [{"label": "work", "number": "abc"}]}, "invalid_number", id="no number"
            ),
            pytest.param(
                {"numbers": [{"label": "work", "number": ""}]}, "invalid_number", id="empty number"
            ),
            pytest.param(
                {"numbers": [{"label": "boat", "number": "1002"}]}, "invalid_request", id="label"
            ),
            pytest.param(
                {"numbers": [{"label": "work", "number": 1002}]}, "invalid_number", id="no text"
            ),
            pytest.param({"numbers": "1002"}, "invalid_request", id="no list"),
            pytest.param({"book": "999999"}, "invalid_request", id="unknown book"),
            pytest.param({"book": "../1"}, "invalid_request", id="strange book"),
            pytest.param({"note": "x" * 20_001}, "invalid_request", id="long note"),
            pytest.param(
                {"numbers": [{"label": "work", "number": "1002"}] * 51},
                "invalid_request",
                id="very many numbers",
            ),
        ],
    )
    def test_what_is_wrong_is_told_and_nothing_is_kept(
        self, program: Program, change: dict[str, object], code: str
    ) -> None:
        answer = program.post({**HELENE, **change})
        if code:
            assert error(answer) == (400, code)
            assert program.get().json()["contacts"] == []
        else:
            assert answer.status_code == 201

    def test_a_wrong_put_changes_nothing(self, program: Program) -> None:
        record = program.add()
        numbers = [*HELENE["numbers"], {"label": "work", "number": "abc"}]
        assert error(program.put(record["id"], {"name": "X", "numbers": numbers}))[0] == 400
        assert program.get(f"/{record['id']}").json() == record

    def test_hostile_names_are_kept_as_harmless_text(self, program: Program) -> None:
        record = program.add(name="Eve\u202e\r\n<script>alert(1)</script>")
        assert record["name"] == "Eve <script>alert(1)</script>"

    @pytest.mark.parametrize("contact", ["0", "-1", "abc", "user-", "user-999", "9" * 30, "1.5"])
    def test_what_is_nobodys_id_is_not_found(self, program: Program, contact: str) -> None:
        assert error(program.get(f"/{contact}")) == (404, "not_found")

    def test_a_colleague_can_be_read_and_not_changed(self, program: Program, nadia: User) -> None:
        program.search("nadia")
        answer = program.get(f"/user-{nadia.pk}")
        assert answer.json()["name"] == "Nadia Belkacem"
        assert answer.json()["editable"] is False
        assert error(program.put(f"user-{nadia.pk}", {"name": "X"})) == (409, "not_supported")
        assert error(program.delete(f"user-{nadia.pk}")) == (409, "not_supported")

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"nul",
            b"[]",
            b"7",
            b'{"name": {"a": 1}}',
            b'{"name": "\\ud800", "company": "\\u0000"}',
            b'{"name": "A", "numbers": [{"number": "\\ud800\\u0000"}]}',
            b'{"name": "A", "numbers": [{"number": "1002", "label": "\\u0000"}]}',
            b'{"name": "A", "numbers": [null]}',
            b'{"name": "A", "email": "\\u0000@\\ud800"}',
            b'{"name": "A", "book": "\\u0000"}',
            b'{"name": "A", "book": {}}',
            b"\xff\xfe",
        ],
    )
    def test_rude_bodies_are_refused_and_nothing_is_kept(
        self, program: Program, body: bytes
    ) -> None:
        record = program.add()
        for answer in (
            program.client.post("/api/v1/contacts", body, content_type="application/json"),
            program.client.put(
                f"/api/v1/contacts/{record['id']}", body, content_type="application/json"
            ),
        ):
            assert answer.status_code in {200, 400}, answer.content
        assert len(program.get().json()["contacts"]) == 1

    def test_errors_are_told_in_the_users_language(self, program: Program) -> None:
        program.user.language = "fr"
        program.user.save()
        refused = program.post({**HELENE, "numbers": [{"label": "boat", "number": "1002"}]})
        assert "«\u00a0boat\u00a0»" in refused.json()["error"]["message"]

    def test_who_has_no_token_gets_nothing(self) -> None:
        assert Client().get("/api/v1/contacts").status_code == 401


class TestBooks:
    def test_a_personal_book_is_its_owners_alone(
        self, program: Program, neighbour: Program
    ) -> None:
        record = program.add()
        assert neighbour.get().json()["contacts"] == []
        assert error(neighbour.get(f"/{record['id']}")) == (404, "not_found")
        assert error(neighbour.put(record["id"], {"name": "X"})) == (404, "not_found")
        assert error(neighbour.delete(record["id"])) == (404, "not_found")
        assert neighbour.search("marchetti") == []
        assert neighbour.search("4217") == []
        assert program.get(f"/{record['id']}").status_code == 200

    def test_a_shared_book_is_its_groups(
        self, program: Program, neighbour: Program, ines: User
    ) -> None:
        sales = Group.objects.create(name="Sales")
        book = Book.objects.create(kind=Book.Kind.SHARED, name="Sales", group=sales)
        program.user.groups.add(sales)
        neighbour.user.groups.add(sales)
        record = program.add(book=str(book.pk))
        assert record["book"] == str(book.pk)
        assert neighbour.get(f"/{record['id']}").json() == record
        assert neighbour.search("marchetti")[0]["source"] == "Sales"
        assert neighbour.put(record["id"], {"company": "Brossard"}).status_code == 200
        outsider = Program(ines)
        assert error(outsider.get(f"/{record['id']}")) == (404, "not_found")
        assert outsider.search("marchetti") == []
        assert error(outsider.post({**HELENE, "book": str(book.pk)})) == (400, "invalid_request")
        neighbour.user.groups.clear()
        assert neighbour.search("marchetti") == []

    def test_a_book_for_reading_only_is_not_written_to(
        self, program: Program, neighbour: Program
    ) -> None:
        sales = Group.objects.create(name="Sales")
        book = Book.objects.create(
            kind=Book.Kind.SHARED, name="Sales", group=sales, members_may_edit=False
        )
        program.user.groups.add(sales)
        assert error(program.post({**HELENE, "book": str(book.pk)})) == (409, "not_supported")

    def test_a_shared_book_without_a_group_is_nobodys(self, program: Program) -> None:
        book = Book.objects.create(kind=Book.Kind.SHARED, name="Lost")
        assert error(program.post({**HELENE, "book": str(book.pk)})) == (400, "invalid_request")

    def test_a_contact_can_move_to_another_book_and_keeps_its_id(self, program: Program) -> None:
        sales = Group.objects.create(name="Sales")
        book = Book.objects.create(kind=Book.Kind.SHARED, name="Sales", group=sales)
        program.user.groups.add(sales)
        record = program.add()
        moved = program.put(record["id"], {"book": str(book.pk)}).json()
        assert moved == {**record, "book": str(book.pk), "book_name": "Sales"}
        assert {row["source"] for row in program.search("marchetti")} == {"Sales"}
        back = program.put(record["id"], {"book": "personal"}).json()
        assert back == record


class TestTheList:
    def test_is_in_the_order_of_names_and_goes_on_from_next(self, program: Program) -> None:
        names = ["Zoé Adam", "Émile Zola", "anne Martin", "Anne Martin", "Ø. Berg", "李 Wei"]
        for name in names:
            program.add(name=name)
        first = program.get("?limit=4").json()
        second = program.get(f"?limit=4&after={first['next']}").json()
        found = [one["name"] for page in (first, second) for one in page["contacts"]]
        assert found == [
            "anne Martin",
            "Anne Martin",
            "Émile Zola",
            "李 Wei",
            "Ø. Berg",
            "Zoé Adam",
        ]
        assert second["next"] is None

    def test_asks_for_one_book(self, program: Program, nadia: User) -> None:
        program.add()
        program.search("nadia")
        colleagues = Book.objects.get(kind=Book.Kind.COLLEAGUES)
        found = program.get(f"?book={colleagues.pk}").json()["contacts"]
        assert [one["name"] for one in found] == ["Nadia Belkacem", "Camille Renard"]
        assert len(program.get("?book=personal").json()["contacts"]) == 1

    @pytest.mark.parametrize(
        "query",
        [
            "?after=x",
            "?after=AAAA",
            "?limit=0",
            "?limit=no",
            "?book=77777",
            "?book=%00",
            pytest.param(f"?after={cursor('[' * 90)}", id="nested"),
            pytest.param(f"?after={cursor(chr(34) * 2)}", id="a text"),
            pytest.param(f"?after={cursor('[1,2]')}", id="numbers"),
            pytest.param(f"?after={cursor(json.dumps([chr(0), 1]))}", id="NUL"),
            pytest.param(f"?after={cursor(json.dumps([chr(0xD800), 1]))}", id="surrogate"),
        ],
    )
    def test_refuses_what_it_does_not_understand(self, program: Program, query: str) -> None:
        assert error(program.get(query)) == (400, "invalid_request")


def test_who_has_no_phone_has_contacts_too() -> None:
    visitor = Program(a_user(None, "", "Ada Keller"))
    visitor.add()
    assert len(visitor.search("marchetti")) == 2


@pytest.mark.parametrize("body", [[], "x", [HELENE], 7])
def test_a_body_that_is_no_object_is_told(camille: User, body: object) -> None:
    program = Program(camille)
    contact = program.add()

    for answer in (program.post(json.dumps(body)), program.put(contact["id"], json.dumps(body))):
        assert answer.status_code == 400
        assert answer.json()["error"] == {
            "code": "invalid_request",
            "message": "The field body can't be read: it takes an object.",
        }


WILD = """BEGIN:VCARD
VERSION:3.0
FN:Ana Lima
TEL:abc
TEL;TYPE=cell,pref:+33 6 39 98 22 22
TEL;TYPE=work,pref:tel:+49-30-23125-000;ext=12
TEL;TYPE=fax:see below
TEL:*98
EMAIL:nowhere
EMAIL:ana@x.test
END:VCARD
"""


class TestWhatCameFromElsewhere:
    @pytest.fixture
    def program(self, camille: User) -> Program:
        return Program(camille)

    @pytest.fixture
    def contact(self, program: Program) -> dict[str, Any]:
        (card,) = read_cards(io.BytesIO(WILD.encode()))
        assert isinstance(card, Card)
        storing.add(services.default_book(program.user), [card], now=NOW)
        (contact,) = program.get().json()["contacts"]
        return dict(contact)

    def test_numbers_are_what_can_be_called_and_the_rest_is_apart(
        self, contact: dict[str, Any]
    ) -> None:
        assert [(one["number"], one["extension"]) for one in contact["numbers"]] == [
            ("+33 6 39 98 22 22", ""),
            ("+49-30-23125-000", "12"),
            ("*98", ""),
        ]
        assert contact["unreadable"] == ["abc", "see below"]

    def test_a_put_of_what_was_given_changes_nothing(
        self, program: Program, contact: dict[str, Any]
    ) -> None:
        before = Contact.objects.get(pk=contact["id"]).digest

        answer = program.put(contact["id"], contact)

        assert (answer.status_code, answer.json()) == (200, contact)
        assert Contact.objects.get(pk=contact["id"]).digest == before

    def test_other_numbers_leave_what_is_no_number(
        self, program: Program, contact: dict[str, Any]
    ) -> None:
        body = {"numbers": [{"label": "work", "number": "01 99 00 42 17", "extension": "7"}]}

        changed = program.put(contact["id"], body).json()

        assert [(one["number"], one["extension"]) for one in changed["numbers"]] == [
            ("01 99 00 42 17", "7")
        ]
        assert changed["unreadable"] == ["abc", "see below"]
        assert program.put(contact["id"], {"unreadable": []}).json()["unreadable"] == []

    def test_an_extension_of_letters_is_refused(self, program: Program) -> None:
        number = {"number": "01 99 00 42 17", "extension": "12a"}
        assert error(program.post({**HELENE, "numbers": [number]})) == (400, "invalid_request")

    def test_a_text_that_is_no_number_is_never_found_as_one(
        self, program: Program, contact: dict[str, Any]
    ) -> None:
        assert {row["number"] for row in program.search("Ana")} == {
            "+33 6 39 98 22 22",
            "+49-30-23125-000",
            "*98",
        }

    def test_digits_of_another_script_are_those_digits(self, program: Program) -> None:
        program.add(numbers=[{"label": "work", "number": "٠١ ٩٩ ٠٠ ٤٢ ١٧"}])
        assert [row["name"] for row in program.search("0199004217")] == [HELENE["name"]]
