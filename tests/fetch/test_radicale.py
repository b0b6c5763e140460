"""The WebDAV client against a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bluetel.fetch.door import Door
from bluetel.fetch.errors import NotAllowed
from bluetel.fetch.exchange import Credentials
from bluetel.fetch.webdav import ChangedMeanwhile, DavClient
from bluetel.fetch.webdav_xml import Kind
from tests.servers import ServerOf
from tests.servers.radicale import Radicale, password_of

CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:{name}\r\nN:{name};;;;\r\nEND:VCARD\r\n"
EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tests//EN\r\nBEGIN:VEVENT\r\nUID:one\r\n"
    "DTSTAMP:20261125T090000Z\r\nDTSTART:20261125T100000Z\r\nDTEND:20261125T110000Z\r\n"
    "SUMMARY:Staff\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


@pytest.fixture(scope="module")
def radicale(server: ServerOf) -> Radicale:
    found = server("radicale")
    assert isinstance(found, Radicale)
    return found


@pytest.fixture
def door() -> Iterator[Door]:
    with Door(allow=["127.0.0.0/8"]) as opened:
        yield opened


def client_of(
    door: Door, url: str, *, kind: Kind = Kind.ADDRESS_BOOK, user: str = "camille"
) -> DavClient:
    credentials = Credentials(username=user, password=password_of(user))
    return DavClient(door, url, kind=kind, credentials=credentials)


@pytest.fixture
def book(radicale: Radicale) -> str:
    return radicale.collection("camille", name="Clients & amis")


@pytest.mark.parametrize("where", ["", "camille/", ".well-known/carddav"])
def test_books_are_found_from_the_server_and_from_the_user(
    radicale: Radicale, door: Door, book: str, where: str
) -> None:
    found = {one.url: one for one in client_of(door, radicale.url + where).discover()}
    assert found[book].name == "Clients & amis"
    assert found[book].is_writable


def test_a_book_is_found_by_its_own_address(door: Door, book: str) -> None:
    assert [one.url for one in client_of(door, book).discover()] == [book]


def test_calendars_are_no_address_books(radicale: Radicale, door: Door, book: str) -> None:
    calendar = radicale.collection("camille", "calendar", "Work")
    cards = [one.url for one in client_of(door, radicale.url).discover()]
    events = [one.url for one in client_of(door, radicale.url, kind=Kind.CALENDAR).discover()]
    assert (calendar in cards, book in cards) == (False, True)
    assert (calendar in events, book in events) == (True, False)


def test_a_wrong_password_is_not_allowed(radicale: Radicale, door: Door) -> None:
    wrong = Credentials(username="camille", password="word-of-nobody")
    client = DavClient(door, radicale.url, kind=Kind.ADDRESS_BOOK, credentials=wrong)
    with pytest.raises(NotAllowed):
        client.discover()


def test_what_changed_since_a_token_is_listed(radicale: Radicale, door: Door, book: str) -> None:
    client = client_of(door, book)
    radicale.put("camille", f"{book}a.vcf", CARD.format(uid="a", name="A"))
    radicale.put("camille", f"{book}b.vcf", CARD.format(uid="b", name="B"))
    first = client.changes()
    assert first.is_complete
    assert {href.rpartition("/")[2] for href in first.etags} == {"a.vcf", "b.vcf"}
    etag = radicale.put("camille", f"{book}a.vcf", CARD.format(uid="a", name="A2"))
    radicale.delete("camille", f"{book}b.vcf")
    second = client.changes(first.token)
    assert not second.is_complete
    assert {href.rpartition("/")[2]: tag for href, tag in second.etags.items()} == {"a.vcf": etag}
    assert [href.rpartition("/")[2] for href in second.removed] == ["b.vcf"]


def test_an_invented_token_gives_the_whole_list(radicale: Radicale, door: Door, book: str) -> None:
    radicale.put("camille", f"{book}a.vcf", CARD.format(uid="a", name="A"))
    found = client_of(door, book).changes("http://radicale.org/ns/sync/" + "0" * 64)
    assert found.is_complete
    assert len(found.etags) == 1


def test_members_are_read_in_batches(radicale: Radicale, door: Door, book: str) -> None:
    many = "".join(CARD.format(uid=f"u{n}", name=f"Name {n}") for n in range(250))
    url = book.rstrip("/") + "x/"
    radicale.upload("camille", url, many)
    client = client_of(door, url)
    batches = list(client.fetch(list(client.changes().etags)))
    assert [len(batch) for batch in batches] == [100, 100, 50]
    assert all("BEGIN:VCARD" in member.data for batch in batches for member in batch)


def test_events_are_read_too(radicale: Radicale, door: Door) -> None:
    calendar = radicale.collection("camille", "calendar", "Work")
    radicale.put("camille", f"{calendar}one.ics", EVENT)
    client = client_of(door, calendar, kind=Kind.CALENDAR)
    (batch,) = client.fetch(list(client.changes().etags))
    assert next(member.data for member in batch).count("SUMMARY:Staff") == 1


def test_writing_is_conditional(radicale: Radicale, door: Door, book: str) -> None:
    client = client_of(door, book)
    href = f"{client.path}new.vcf"
    etag = client.create(href, CARD.format(uid="new", name="One"))
    with pytest.raises(ChangedMeanwhile):
        client.create(href, CARD.format(uid="new", name="Two"))
    radicale.put("camille", f"{book}new.vcf", CARD.format(uid="new", name="Three"))
    for attempt in (
        lambda: client.replace(href, CARD.format(uid="new", name="Four"), etag=etag),
        lambda: client.delete(href, etag=etag),
    ):
        with pytest.raises(ChangedMeanwhile):
            attempt()
    assert "FN:Three" in radicale.read("camille", f"{book}new.vcf")


def test_deleting_what_is_gone_is_fine(radicale: Radicale, door: Door, book: str) -> None:
    client = client_of(door, book)
    href = f"{client.path}gone.vcf"
    etag = client.create(href, CARD.format(uid="gone", name="Gone"))
    client.delete(href, etag=etag)
    client.delete(href, etag=etag)
    assert radicale.members("camille", book) == []


def test_somebody_elses_book_is_not_allowed(door: Door, book: str) -> None:
    with pytest.raises(NotAllowed):
        client_of(door, book, user="nadia").changes()
