"""Two-way sync of address books, against a real Radicale and the database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from bluetel.accounts.models import User
from bluetel.fetch.door import Door
from contacts import deletions, services, storing
from contacts.card import Card
from contacts.carddav import AddressBook
from contacts.drafts import Draft
from contacts.errors import ContactNotFound
from contacts.models import Book, CardDavAccount, Contact, Deletion, RemoteBook, RemoteCard
from contacts.remote_accounts import (
    AccountRefused,
    add_account,
    credentials_of,
    keep_books,
    look_again,
    remove_account,
)
from contacts.remote_clashes import choose, clashes_of, count_clashes
from contacts.remote_rounds import compare, due_books
from contacts.remote_store import StoredBook
from contacts.shelf import shelf_of
from contacts.sync import Choice
from contacts.sync_round import run
from tests.apps.contacts.conftest import a_user
from tests.servers import ServerOf
from tests.servers.radicale import Radicale, password_of

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def radicale(server: ServerOf) -> Radicale:
    found = server("radicale")
    assert isinstance(found, Radicale)
    return found


@pytest.fixture
def door() -> Iterator[Door]:
    with Door(allow=["127.0.0.0/8"], max_seconds=120) as opened:
        yield opened


def card(uid: str, name: str, *more: str) -> str:
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"UID:{uid}", f"FN:{name}", f"N:{name};;;;"]
    return "\r\n".join([*lines, *more, "END:VCARD", ""])


class Both:
    """One address book: the user's at BlueTel, and the same on the server."""

    def __init__(self, radicale: Radicale, door: Door, user: User, url: str) -> None:
        self.radicale, self.door, self.user, self.url = radicale, door, user, url
        self.now = NOW
        self.account = add_account(
            user, url=radicale.url, username="camille", password=password_of("camille"), door=door
        )
        keep_books(self.account, [url], now=NOW)
        self.remote = RemoteBook.objects.get(account=self.account)

    # Here.

    def sync(self) -> RemoteBook:
        self.now += timedelta(minutes=1)
        compare(self.remote.pk, now=self.now, door=self.door)
        self.remote.refresh_from_db()
        return self.remote

    @property
    def names(self) -> list[str]:
        rows = Contact.objects.filter(book=self.remote.book_id).order_by("name")
        return list(rows.values_list("name", flat=True))

    def contact(self, name: str) -> str:
        return str(Contact.objects.get(book=self.remote.book_id, name=name).pk)

    def rename(self, name: str, to: str) -> None:
        services.update(self.user, self.contact(name), Draft(name=to), now=self.now)

    def delete(self, name: str) -> Deletion:
        return deletions.delete(self.user, self.contact(name), now=self.now)

    # There.

    def put(self, uid: str, name: str, *more: str) -> None:
        self.radicale.put("camille", f"{self.url}{uid}.vcf", card(uid, name, *more))

    def remove(self, uid: str) -> None:
        self.radicale.delete("camille", f"{self.url}{uid}.vcf")

    @property
    def there(self) -> dict[str, str]:
        """The cards' texts by name."""
        texts = [
            self.radicale.read("camille", url) for url in self.radicale.members("camille", self.url)
        ]
        return {text.partition("FN:")[2].partition("\r\n")[0]: text for text in texts}


@pytest.fixture
def both(radicale: Radicale, door: Door, db: None) -> Both:
    user = a_user(None, "1001", "Camille Renard")
    return Both(radicale, door, user, radicale.collection("camille", name="Clients"))


# --- Accounts -----------------------------------------------------------------------------------


def test_the_password_is_sealed(both: Both) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT password FROM contacts_carddavaccount")
        (stored,) = cursor.fetchone()
    assert password_of("camille") not in stored


def test_a_wrong_password_adds_no_account(radicale: Radicale, door: Door, db: None) -> None:
    user = a_user(None, "1001", "Camille Renard")
    with pytest.raises(AccountRefused) as refused:
        add_account(user, url=radicale.url, username="camille", password="wrong", door=door)
    assert refused.value.code == "password"
    assert not CardDavAccount.objects.exists()


def test_a_private_address_is_refused(radicale: Radicale, db: None) -> None:
    user = a_user(None, "1001", "Camille Renard")
    with Door() as strict, pytest.raises(AccountRefused) as refused:
        add_account(user, url=radicale.url, username="camille", password="x", door=strict)
    assert refused.value.code == "refused_private"


def test_books_that_came_later_are_found_by_looking_again(both: Both, radicale: Radicale) -> None:
    later = radicale.collection("camille", name="Suppliers")
    look_again(both.account, door=both.door)
    assert {"url": later, "name": "Suppliers", "is_writable": True} in both.account.found


def test_several_accounts_are_kept_apart(both: Both, radicale: Radicale) -> None:
    url = radicale.collection("nadia", name="Family")
    other = add_account(
        both.user, url=url, username="nadia", password=password_of("nadia"), door=both.door
    )
    keep_books(other, [url], now=NOW)
    radicale.put("nadia", f"{url}x.vcf", card("x", "Aunt"))
    both.put("a", "Ann Client")
    both.sync()
    compare(RemoteBook.objects.get(account=other).pk, now=NOW, door=both.door)
    assert both.names == ["Ann Client"]
    books = Book.objects.filter(owner=both.user).values_list("name", "contacts__name")
    assert set(books) == {("Clients", "Ann Client"), ("Family", "Aunt")}


# --- Both ways ----------------------------------------------------------------------------------


def test_what_is_there_comes_here_and_is_found(both: Both) -> None:
    both.put("a", "Ann Client", "TEL;TYPE=CELL:+33 6 39 98 12 08")
    both.sync()
    assert both.names == ["Ann Client"]
    assert both.remote.synced_at == both.now
    assert both.remote.pk in shelf_of(both.user).ids


def test_what_is_here_goes_there(both: Both) -> None:
    draft = Draft(name="Ben Here", numbers=[("mobile", "+33 6 39 98 12 09")])
    services.create(both.user, draft, book=str(both.remote.pk), now=NOW)
    both.sync()
    assert "+33 6 39 98 12 09" in both.there["Ben Here"]


def test_an_edit_there_comes_here(both: Both) -> None:
    both.put("a", "Ann")
    both.sync()
    both.put("a", "Ann Married")
    both.sync()
    assert both.names == ["Ann Married"]


def test_an_edit_here_goes_there_and_loses_nothing(both: Both) -> None:
    both.put("a", "Ann", "BDAY:1980-01-01", "X-FAVOURITE-COLOUR:blue")
    both.sync()
    both.rename("Ann", "Ann Married")
    both.sync()
    text = both.there["Ann Married"]
    assert "BDAY:1980-01-01" in text
    assert "X-FAVOURITE-COLOUR:blue" in text


def test_a_round_without_changes_writes_nothing(both: Both) -> None:
    both.put("a", "Ann", "TEL;TYPE=WORK,VOICE:01 99 00 42 17", "NOTE:one\\ntwo")
    both.sync()
    both.rename("Ann", "Ann Married")
    both.sync()
    before = RemoteCard.objects.values_list("base_etag", flat=True)[0]
    for _ in range(2):
        both.now += timedelta(minutes=1)
        report = compare(both.remote.pk, now=both.now, door=both.door)
        assert report is not None
        assert report.is_settled
    assert RemoteCard.objects.values_list("base_etag", flat=True)[0] == before


def test_a_deletion_there_deletes_here(both: Both) -> None:
    both.put("a", "Ann")
    both.sync()
    both.remove("a")
    both.sync()
    assert both.names == []
    assert not RemoteCard.objects.exists()


def test_a_deletion_here_deletes_there(both: Both) -> None:
    both.put("a", "Ann")
    both.sync()
    both.delete("Ann")
    both.sync()
    assert both.there == {}
    assert not RemoteCard.objects.exists()


def test_a_deletion_taken_back_before_the_server_knew_leaves_it_there(both: Both) -> None:
    both.put("a", "Ann")
    both.sync()
    deletion = both.delete("Ann")
    deletions.restore(both.user, deletion.pk, now=both.now)
    both.sync()
    assert both.names == ["Ann"] == list(both.there)
    assert not count_clashes(both.user)


def test_a_deletion_taken_back_later_is_written_again(both: Both) -> None:
    both.put("a", "Ann")
    both.sync()
    deletion = both.delete("Ann")
    both.sync()
    assert both.there == {}
    deletions.restore(both.user, deletion.pk, now=both.now)
    both.sync()
    assert both.names == ["Ann"] == list(both.there)


def test_a_deletion_taken_back_while_the_server_deletes_is_not_lost(both: Both) -> None:
    both.put("a", "Ann")
    both.sync()
    deletion = both.delete("Ann")
    both.remove("a")
    deletions.restore(both.user, deletion.pk, now=both.now)
    both.sync()
    (clash,) = clashes_of(both.user)
    assert clash.mine is not None
    assert choose(both.user, clash.id, Choice.MINE, now=both.now)
    both.sync()
    assert both.names == ["Ann"] == list(both.there)


def test_moving_a_contact_to_another_book_takes_it_off_the_server(both: Both) -> None:
    both.put("a", "Ann")
    both.sync()
    services.update(both.user, both.contact("Ann"), Draft(), book="personal", now=NOW)
    both.sync()
    assert both.there == {}
    assert Contact.objects.get(name="Ann").book.is_default


def test_something_that_is_no_card_is_passed_over_once(both: Both) -> None:
    both.put("a", "Ann")
    both.put("odd", "")
    both.sync()
    assert both.names == ["Ann"]
    assert both.remote.unreadable.count() == 1


# --- Conflicts ----------------------------------------------------------------------------------


@pytest.fixture
def edited_twice(both: Both) -> Both:
    both.put("a", "Ann")
    both.sync()
    both.put("a", "Ann There")
    both.rename("Ann", "Ann Here")
    both.sync()
    return both


def test_an_edit_on_both_sides_keeps_both_until_the_user_chooses(edited_twice: Both) -> None:
    both = edited_twice
    both.sync()
    (clash,) = clashes_of(both.user)
    assert clash.mine is not None
    assert clash.theirs is not None
    assert (clash.mine.name, clash.theirs.name) == ("Ann Here", "Ann There")
    assert "name" in clash.differs
    assert both.names == ["Ann Here"]
    assert list(both.there) == ["Ann There"]


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        (Choice.MINE, ["Ann Here"]),
        (Choice.THEIRS, ["Ann There"]),
        (Choice.BOTH, ["Ann Here", "Ann There"]),
    ],
)
def test_the_choice_holds_on_both_sides(
    edited_twice: Both, choice: Choice, names: list[str]
) -> None:
    both = edited_twice
    (clash,) = clashes_of(both.user)
    assert choose(both.user, clash.id, choice, now=both.now)
    both.sync()
    both.sync()
    assert both.names == names
    assert sorted(both.there) == names
    assert count_clashes(both.user) == 0


def test_what_was_deleted_here_and_edited_there_is_asked(both: Both) -> None:
    both.put("a", "Ann")
    both.sync()
    both.put("a", "Ann There")
    both.delete("Ann")
    both.sync()
    (clash,) = clashes_of(both.user)
    assert clash.mine is None
    assert choose(both.user, clash.id, Choice.THEIRS, now=both.now)
    both.sync()
    assert both.names == ["Ann There"] == list(both.there)


def test_what_was_edited_here_and_deleted_there_is_asked(both: Both) -> None:
    both.put("a", "Ann")
    both.sync()
    both.remove("a")
    both.rename("Ann", "Ann Here")
    both.sync()
    (clash,) = clashes_of(both.user)
    assert clash.theirs is None
    assert choose(both.user, clash.id, Choice.MINE, now=both.now)
    both.sync()
    assert both.names == ["Ann Here"] == list(both.there)


def test_nobody_chooses_for_somebody_else(edited_twice: Both) -> None:
    (clash,) = clashes_of(edited_twice.user)
    nadia = a_user(None, "1002", "Nadia Belkacem")
    assert count_clashes(nadia) == 0
    with pytest.raises(ContactNotFound):
        choose(nadia, clash.id, Choice.THEIRS, now=NOW)


# --- Many cards, and interruptions --------------------------------------------------------------


def many(count: int) -> str:
    return "".join(
        f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u{n}\r\nFN:Name {n:04}\r\nN:{n:04};Name;;;\r\n"
        f"TEL;TYPE=CELL:+33 6 39 98 {n // 100:02} {n % 100:02}\r\nEND:VCARD\r\n"
        for n in range(count)
    )


def of_many(radicale: Radicale, door: Door, count: int) -> Both:
    url = radicale.collection("camille").rstrip("/") + "m/"
    radicale.upload("camille", url, many(count))
    return Both(radicale, door, a_user(None, "1001", "Camille Renard"), url)


@pytest.mark.timeout(180)
def test_five_thousand_cards_come_and_go(radicale: Radicale, door: Door, db: None) -> None:
    both = of_many(radicale, door, 5000)
    for _round in range(3):  # the server reads all of them first, which a round may not wait for
        if not both.sync().error:
            break
    assert both.remote.error == ""
    assert Contact.objects.filter(book=both.remote.book_id).count() == 5000
    both.rename("Name 4321", "Changed Here")
    both.now += timedelta(minutes=1)
    report = compare(both.remote.pk, now=both.now, door=door)
    assert report is not None
    assert (report.pulled, report.pushed) == (0, 1)


class Breaks(StoredBook):
    """Our side, which dies when it has taken in some batches."""

    batches = 2

    def apply(self, steps: object) -> None:
        if self.batches == 0:
            raise ConnectionResetError("the process died here")
        self.batches -= 1
        super().apply(steps)  # type: ignore[arg-type]


@pytest.mark.timeout(180)
def test_an_interrupted_round_goes_on_where_it_ended(
    radicale: Radicale, door: Door, db: None
) -> None:
    both = of_many(radicale, door, 350)
    server = AddressBook(door, both.url, credentials=credentials_of(both.account))
    with pytest.raises(ConnectionResetError):
        run(Breaks(both.remote, now=NOW), server)
    assert len(both.names) == 200
    both.now += timedelta(minutes=1)
    report = compare(both.remote.pk, now=both.now, door=door)
    assert report is not None
    assert report.pulled == 150
    assert len(both.names) == 350


def test_a_server_that_lost_nearly_everything_empties_no_book(
    radicale: Radicale, door: Door, db: None
) -> None:
    both = of_many(radicale, door, 30)
    both.sync()
    for url in radicale.members("camille", both.url)[:25]:
        radicale.delete("camille", url)
    both.sync()
    assert both.remote.held == 25
    assert len(both.names) == 30
    RemoteBook.objects.update(may_empty=True)
    both.sync()
    assert both.remote.held == 0
    assert len(both.names) == 5


# --- When ---------------------------------------------------------------------------------------


def test_a_book_is_due_again_in_a_quarter_of_an_hour(both: Both) -> None:
    assert due_books(now=NOW) == [both.remote.pk]
    both.sync()
    assert due_books(now=both.now + timedelta(minutes=14)) == []
    assert due_books(now=both.now + timedelta(minutes=17)) == [both.remote.pk]


def test_an_edit_is_written_within_seconds(both: Both) -> None:
    both.put("a", "Ann")
    both.sync()
    both.rename("Ann", "Ann Married")
    assert due_books(now=both.now + timedelta(seconds=6)) == [both.remote.pk]


def test_a_server_that_fails_is_asked_less_and_less(both: Both) -> None:
    CardDavAccount.objects.update(password="wrong")
    pauses = []
    for _ in range(7):
        both.sync()
        assert both.remote.error == "password"
        assert both.remote.due_at is not None
        pauses.append((both.remote.due_at - both.now) // timedelta(minutes=10))
    assert pauses == sorted(pauses)
    assert pauses[0] == 3
    assert pauses[-1] == 36


def test_an_error_is_over_with_the_next_good_round(both: Both) -> None:
    CardDavAccount.objects.update(password="wrong")
    both.sync()
    both.account.refresh_from_db()
    both.account.password = password_of("camille")
    both.account.save()
    both.sync()
    assert (both.remote.error, both.remote.failures) == ("", 0)


def test_two_at_once_are_one(both: Both) -> None:
    RemoteBook.objects.update(working_until=NOW + timedelta(minutes=5))
    assert compare(both.remote.pk, now=NOW, door=both.door) is None
    assert compare(both.remote.pk, now=NOW + timedelta(minutes=6), door=both.door) is not None


# --- Leaving ------------------------------------------------------------------------------------


def test_removing_an_account_takes_its_books_along(both: Both) -> None:
    both.put("a", "Ann")
    both.sync()
    assert remove_account(both.account, now=NOW) == 0
    assert not Book.objects.filter(owner=both.user).exists()
    assert list(both.there) == ["Ann"]


def test_removing_an_account_keeps_what_the_server_never_got(both: Both) -> None:
    storing.add(both.remote.book, [Card(name="Only Here")], now=NOW)
    assert remove_account(both.account, now=NOW) == 1
    assert both.names == ["Only Here"]


def test_a_book_no_longer_ticked_is_left(both: Both) -> None:
    both.put("a", "Ann")
    both.sync()
    keep_books(both.account, [], now=NOW)
    assert both.names == []
    assert list(both.there) == ["Ann"]
