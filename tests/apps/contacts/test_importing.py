"""Files that are brought into a book, and books that are taken along as files."""

from __future__ import annotations

import html
from datetime import datetime
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import AsyncClient, Client

from bluetel.accounts.models import User
from bluetel.work.models import Job
from contacts import importing, services, storing
from contacts.card import Card, CardEmail, CardNumber, Label
from contacts.errors import FileTooLarge, ReadOnly
from contacts.exporting import FORMATS, export
from contacts.importing import begin_import, carry_on
from contacts.models import Book, Contact, ImportFile, ImportRun
from contacts.vcard import write_cards
from tests.apps.house import NOW

pytestmark = pytest.mark.django_db

WILD = (
    b"\xef\xbb\xbfBEGIN:VCARD\r\nVERSION:2.1\r\n"
    b"N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Marchetti;H=C3=A9l=C3=A8ne\r\n"
    b"TEL;CELL;VOICE:+33 6 39 98 12 08\r\nEND:VCARD\r\n"
    b"BEGIN:VCARD\r\nVERSION:3.0\r\nN:;;;;\r\nEND:VCARD\r\n"
    b"BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Aur\xc3\xa8le Fon\r\n tanel\r\n"
    b"TEL;VALUE=uri;TYPE=work:tel:+33-5-36-49-18-30;ext=12\r\nUID:aurele\r\nEND:VCARD\r\n"
    b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Nobody finished me\r\n"
)


def now() -> datetime:
    return NOW


def bring(book: Book, content: bytes, *, name: str = "people.vcf") -> ImportRun:
    assert book.owner is not None
    run = begin_import(book.owner, book, file_name=name, content=content, now=NOW)
    carry_on(run.pk, clock=now)
    run.refresh_from_db()
    return run


@pytest.fixture
def book(camille: User) -> Book:
    return services.default_book(camille)


def names(book: Book) -> list[str]:
    return sorted(Contact.objects.filter(book=book).values_list("name", flat=True))


def test_a_wild_file_comes_in_with_a_line_for_each_refused_card(book: Book) -> None:
    run = bring(book, WILD)
    assert (run.state, run.added, run.refusals) == ("done", 2, 2)
    assert run.refused == [[6, "nobody"], [17, "unfinished"]]
    assert names(book) == ["Aurèle Fontanel", "Hélène Marchetti"]
    assert not ImportFile.objects.exists()


def test_the_same_file_again_changes_nothing(book: Book) -> None:
    bring(book, WILD)
    run = bring(book, WILD)
    assert (run.added, run.changed, run.unchanged) == (0, 0, 2)
    assert len(names(book)) == 2


def test_a_card_of_the_same_identifier_is_brought_up_to_date(book: Book) -> None:
    bring(book, WILD)
    run = bring(book, WILD.replace(b"Aur\xc3\xa8le", b"Aurelius"))
    assert (run.added, run.changed, run.unchanged) == (0, 1, 1)
    assert names(book) == ["Aurelius Fontanel", "Hélène Marchetti"]


def test_one_identifier_twice_in_a_file_is_one_contact(book: Book) -> None:
    cards = [Card(uid="x", name="Anna"), Card(uid="x", name="Anna Post")]
    run = bring(book, "".join(write_cards(cards)).encode())
    assert (run.added, run.changed) == (1, 1)
    assert names(book) == ["Anna Post"]


ODD = (
    b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:odd\r\nFN:Ana Lima\r\nTEL:abc\r\nTEL;TYPE=work:Salle 15\r\n"
    b"TEL;TYPE=cell:+33 6 39 98 22 22\r\nTEL:*98\r\nEND:VCARD\r\n"
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("people.vcf", ODD),
        (
            "people.csv",
            b"Name,Other Phone,Work,Mobile,Extension\nAna Lima,abc,Salle 15,0639982222,*98\n",
        ),
    ],
)
def test_what_is_no_number_is_kept_reported_and_not_callable(
    book: Book, name: str, content: bytes
) -> None:
    run = bring(book, content, name=name)

    assert (run.added, run.refusals, run.unreadables) == (1, 0, 2)
    assert sorted(run.unreadable) == [["Ana Lima", "Salle 15"], ["Ana Lima", "abc"]]
    lines = Contact.objects.get(book=book).lines
    assert set(lines.filter(is_callable=False).values_list("number", flat=True)) == {
        "abc",
        "Salle 15",
    }
    assert lines.filter(is_callable=True).count() == 2


def test_an_address_in_a_column_of_numbers_is_not_lost(book: Book) -> None:
    bring(book, b"Name,Phone\nAna,sip:ana@x.test\n", name="people.csv")

    assert [line.number for line in Contact.objects.get(book=book).lines.all()] == [
        "sip:ana@x.test"
    ]


RICH = (
    b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:elodie\r\nFN:\xc3\x89lodie Prat\r\n"
    b"N:Prat;\xc3\x89lodie;;;\r\nTEL;TYPE=cell,home:+33 6 39 98 40 40\r\n"
    b"TEL;TYPE=fax:01 99 00 60 60\r\nitem1.TEL;TYPE=pref:01 99 00 61 61\r\n"
    b"item1.X-ABLabel:Atelier\r\nEMAIL;TYPE=work:z@prat.test\r\nEMAIL:a@prat.test\r\n"
    b"ADR:;;1 rue Basse;Lyon;;;\r\nBDAY:1980-01-01\r\n"
    b"PHOTO;ENCODING=b;TYPE=PNG:iVBORw0KGgo=\r\nEND:VCARD\r\n"
)


@pytest.mark.parametrize("form", ["csv", "vcard-3", "vcard-4"])
def test_a_books_own_file_brings_nobody_twice(book: Book, form: str) -> None:
    storing.add(
        book,
        [
            Card(
                name="Ana Lima",
                company="Lima SA",
                emails=(CardEmail(address="ana@x.test"),),
                numbers=(
                    CardNumber(number="+33 6 39 98 22 22", label=Label.MOBILE),
                    CardNumber(number="01 99 00 55 55", label=Label.WORK),
                ),
            ),
            Card(name="=1+1", note="one\ntwo", numbers=(CardNumber(number="0199", extension="4"),)),
            Card(name="Team", is_group=True, kept=("KIND:group",)),
        ],
        now=NOW,
    )
    bring(book, RICH + WILD)
    file = "".join(export(book, FORMATS[form])).encode()

    run = bring(book, file, name=f"book.{FORMATS[form].ending}")

    assert (run.added, run.changed, run.refusals) == (0, 0, 0)


def test_what_only_a_vcard_can_say_is_added_to_the_contact_of_a_csv(book: Book) -> None:
    bring(book, RICH)
    as_csv = "".join(export(book, FORMATS["csv"])).encode()
    storing.remove(book, list(book.contacts.values_list("pk", flat=True)))
    bring(book, as_csv, name="book.csv")

    run = bring(book, RICH)

    assert (run.added, run.changed) == (0, 1)
    contact = Contact.objects.get(book=book)
    assert (contact.uid, len(contact.kept)) == ("elodie", 2)
    assert bring(book, as_csv, name="book.csv").unchanged == 1


def test_two_rows_of_one_person_are_one_contact(book: Book) -> None:
    content = (
        b"Name,Phone 1 - Label,Phone 1 - Value,Phone 2 - Label,Phone 2 - Value\n"
        b"Ana,Mobile,0639982222,Work,0199005555\nAna,Work,0199005555,Mobile,0639982222\n"
    )

    run = bring(book, content, name="people.csv")

    assert (run.added, run.unchanged) == (1, 1)


def test_namesakes_with_other_numbers_stay_two(book: Book) -> None:
    bring(book, b"Name,Mobile\nAna,0639982222\n", name="a.csv")

    run = bring(book, b"Name,Mobile\nAna,0639982223\nAna,\n", name="a.csv")

    assert run.added == 2


def test_an_import_that_was_killed_goes_on_where_it_stopped(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert book.owner is not None
    cards = [Card(name=f"Person {n:04}") for n in range(450)]
    content = "".join(write_cards(cards)).encode()
    run = begin_import(book.owner, book, file_name="a.vcf", content=content, now=NOW)

    class Killed(BaseException):
        """The process ends here."""

    times = iter([NOW, NOW, NOW])

    def until_killed() -> datetime:
        try:
            return next(times)
        except StopIteration:
            raise Killed from None

    with pytest.raises(Killed):
        carry_on(run.pk, clock=until_killed)
    run.refresh_from_db()
    assert (run.state, run.added) == ("running", 200)
    assert 0 < run.percent < 100
    carry_on(run.pk, clock=now)
    run.refresh_from_db()
    assert (run.state, run.added, run.unchanged) == ("done", 450, 0)
    assert len(names(book)) == 450


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("letter.vcf", b"%PDF-1.7 \x00\xff", "not_a_card_file"),
        ("numbers.csv", b"a,b,c\n1,2,3\n", "unknown_columns"),
        ("empty.csv", b"", "unknown_columns"),
    ],
)
def test_another_kind_of_file_fails_and_says_why(
    book: Book, name: str, content: bytes, reason: str
) -> None:
    run = bring(book, content, name=name)
    assert run.state == "failed"
    assert [why for _, why in run.refused] == [reason]


def test_a_csv_file_is_read_by_its_columns(book: Book) -> None:
    content = "Nom;Société;Téléphone mobile\nHélène Marchetti;Brossard;'+33 6 39 98 12 08\n;;\n"
    run = bring(book, content.encode("cp1252"), name="contacts.csv")
    assert (run.state, run.added, run.refusals) == ("done", 1, 0)
    contact = Contact.objects.get(book=book)
    assert (contact.name, contact.company) == ("Hélène Marchetti", "Brossard")
    assert [line.number for line in contact.lines.all()] == ["+33 6 39 98 12 08"]


def test_too_large_a_file_and_a_book_to_read_only_are_refused(
    book: Book, nadia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert book.owner is not None
    monkeypatch.setattr(importing, "MOST_BYTES", 10)
    with pytest.raises(FileTooLarge):
        begin_import(book.owner, book, file_name="a.vcf", content=bytes(11), now=NOW)
    with pytest.raises(ReadOnly):
        begin_import(nadia, book, file_name="a.vcf", content=b"", now=NOW)
    assert not ImportRun.objects.exists()


def test_a_book_one_may_no_longer_write_to_is_left_alone(book: Book, nadia: User) -> None:
    assert book.owner is not None
    run = begin_import(book.owner, book, file_name="a.vcf", content=WILD, now=NOW)
    Book.objects.filter(pk=book.pk).update(owner=nadia)
    carry_on(run.pk, clock=now)
    run.refresh_from_db()
    assert (run.state, names(book)) == ("failed", [])


class TestPages:
    @pytest.fixture
    def client(self, camille: User) -> Client:
        client = Client()
        client.force_login(camille, backend="bluetel.accounts.backends.AccountBackend")
        return client

    def test_a_file_is_sent_followed_and_reported(self, client: Client, book: Book) -> None:
        upload = SimpleUploadedFile("people.vcf", WILD)
        answer: Any = client.post(f"/contacts/books/{book.pk}/import/", {"file": upload})
        run = ImportRun.objects.get()
        assert answer.url == f"/contacts/imports/{run.pk}/"
        assert "is being read into" in client.get(answer.url).content.decode()
        job = Job.objects.get(key=f"contacts-import:{run.pk}")
        assert job.arguments == {"run": run.pk}
        carry_on(run.pk, clock=now)
        page = html.unescape(client.get(f"{answer.url}part/").content.decode())
        assert 'data-state="done"' in page
        assert "Line 6: neither a name nor a company, address or number" in page

    def test_what_is_no_number_is_told(self, client: Client, book: Book) -> None:
        run = bring(book, ODD)
        page = html.unescape(client.get(f"/contacts/imports/{run.pk}/").content.decode())
        assert "What is no telephone number" in page
        assert "<bdi>Ana Lima</bdi>: “<bdi>abc</bdi>”" in page

    def test_what_is_no_number_stays_when_the_form_is_saved(
        self, client: Client, book: Book
    ) -> None:
        bring(book, ODD)
        contact = Contact.objects.get(book=book)
        written = list(contact.lines.order_by("position").values_list("label", "number"))
        form = {
            "name": "Ana Maria Lima",
            "label": [label for label, _ in written],
            "number": [number for _, number in written],
        }

        answer = client.post(f"/contacts/{contact.pk}/edit/", form)

        assert answer.status_code == 302
        contact.refresh_from_db()
        assert contact.name == "Ana Maria Lima"
        assert list(contact.lines.order_by("position").values_list("label", "number")) == written

    def test_nothing_chosen_is_told(self, client: Client, book: Book) -> None:
        answer = client.post(f"/contacts/books/{book.pk}/import/", follow=True)
        assert "Choose a vCard or CSV file first." in answer.content.decode()

    def test_a_neighbours_import_and_book_are_not_there(self, client: Client, nadia: User) -> None:
        theirs = services.default_book(nadia)
        run = begin_import(nadia, theirs, file_name="a.vcf", content=WILD, now=NOW)
        upload = SimpleUploadedFile("people.vcf", WILD)
        for path in (f"imports/{run.pk}/", f"imports/{run.pk}/part/"):
            assert client.get(f"/contacts/{path}").status_code == 404
        sent = client.post(f"/contacts/books/{theirs.pk}/import/", {"file": upload})
        assert sent.status_code == 404


@pytest.mark.django_db(transaction=True)
class TestExport:
    @pytest.fixture
    def full(self, book: Book) -> Book:
        cards = [
            Card(
                name='=HYPERLINK("x")',
                numbers=(CardNumber(number="+33 6 39 98 12 08", label=Label.MOBILE),),
            ),
            *(Card(name=f"Person {n:03}") for n in range(250)),
        ]
        storing.add(book, cards, now=NOW)
        return book

    async def read(self, user: User, book: Book, form: str) -> tuple[Any, str]:
        client = AsyncClient()
        await client.aforce_login(user, backend="bluetel.accounts.backends.AccountBackend")
        answer: Any = await client.get(f"/contacts/books/{book.pk}/export/{form}/")
        parts = [part async for part in answer.streaming_content]
        return answer, b"".join(parts).decode()

    async def test_csv_is_safe_in_a_spreadsheet_and_keeps_the_plus(
        self, camille: User, full: Book
    ) -> None:
        answer, text = await self.read(camille, full, "csv")
        assert answer["Content-Disposition"].startswith("attachment; filename=")
        assert "'=HYPERLINK" in text
        assert '"+33 6 39 98 12 08"' in text
        assert text.count("\n") == 252

    @pytest.mark.parametrize("form", ["vcard-3", "vcard-4", "csv"])
    async def test_what_is_taken_along_comes_back_as_it_was(
        self, camille: User, nadia: User, full: Book, form: str
    ) -> None:
        _, text = await self.read(camille, full, form)
        theirs = await sync_to_async(services.default_book)(nadia)
        ending = "csv" if form == "csv" else "vcf"
        run = await sync_to_async(bring)(theirs, text.encode(), name=f"book.{ending}")
        assert (run.added, run.refusals) == (251, 0)
        assert await sync_to_async(names)(theirs) == await sync_to_async(names)(full)

    async def test_another_format_is_not_there(self, camille: User, full: Book) -> None:
        client = AsyncClient()
        await client.aforce_login(camille, backend="bluetel.accounts.backends.AccountBackend")
        answer = await client.get(f"/contacts/books/{full.pk}/export/exe/")
        assert answer.status_code == 404
