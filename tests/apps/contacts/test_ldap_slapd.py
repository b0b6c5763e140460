"""The directory, against a real OpenLDAP: reading, looking up, breaking, TLS."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bluetel.ldap.client import DirectoryState, Health, LdapClient, Session
from bluetel.ldap.config import LdapConfig, LdapServer, Security
from bluetel.ldap.errors import (
    DirectoryBusy,
    DirectoryRefused,
    DirectoryUnavailable,
    EntryMissing,
    LdapSettingsError,
    Reason,
)
from contacts.ldap.lookup import LookupResult, lately_changed, lookup
from contacts.ldap.person import LdapPerson
from contacts.ldap.reader import (
    Cursor,
    CursorUnusable,
    Reading,
    read_all,
    read_changes,
    repair,
)
from tests.servers import ServerOf
from tests.servers.base import free_port, started
from tests.servers.certificates import Authority
from tests.servers.slapd import FAMILY_NAMES, GIVEN_NAMES, JPEG, SERVICE_PASSWORD, Slapd
from tests.servers.slapd_ad import FIRST_USN, ShapedAsActiveDirectory, guid_of

pytestmark = pytest.mark.once

EVERYBODY = len(GIVEN_NAMES) * len(FAMILY_NAMES)
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


class Index:
    """What the contact base would keep: people by id."""

    def __init__(self) -> None:
        self.people: dict[str, LdapPerson] = {}
        self.pages = 0

    def take(self, page: tuple[LdapPerson, ...]) -> None:
        self.pages += 1
        self.people.update({person.id: person for person in page})

    @property
    def known(self) -> dict[str, str]:
        return {person.id: person.marker for person in self.people.values()}

    def by_login(self, login: str) -> LdapPerson:
        return next(person for person in self.people.values() if person.login == login)


@pytest.fixture(scope="module")
def slapd(server: ServerOf) -> Slapd:
    """One for all tests that only read."""
    found = server("slapd")
    assert isinstance(found, Slapd)
    return found


@pytest.fixture
def own_slapd(server: ServerOf) -> Iterator[Slapd]:
    """One to change, kill and restart."""
    server("slapd")  # says loudly when it is not installed
    with started(Slapd) as found:
        assert isinstance(found, Slapd)
        yield found


@pytest.fixture
def own_ad(server: ServerOf) -> Iterator[ShapedAsActiveDirectory]:
    server("slapd")
    with started(ShapedAsActiveDirectory) as found:
        assert isinstance(found, ShapedAsActiveDirectory)
        yield found


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@contextlib.contextmanager
def client_of(config: LdapConfig, clock: Clock | None = None) -> Iterator[LdapClient]:
    client = LdapClient(config, now=lambda: NOW, monotonic=clock or time.monotonic)
    try:
        yield client
    finally:
        client.close()


@pytest.fixture
def client(slapd: Slapd) -> Iterator[LdapClient]:
    with client_of(slapd.config()) as client:
        yield client


# --- Reading everybody ----------------------------------------------------------------------------


def test_everybody_is_read_in_pages(client: LdapClient) -> None:
    index = Index()

    reading = read_all(client, index.take)

    assert reading.people == len(index.people) == EVERYBODY
    assert index.pages == 3
    assert not reading.partial
    assert reading.unusable == 0


def test_a_person_comes_with_all_that_is_known(client: LdapClient, slapd: Slapd) -> None:
    index = Index()
    read_all(client, index.take)

    first, second = index.by_login("p0000"), index.by_login("p0001")

    assert first.name == "Agnès Abgrall"
    assert first.emails == ("p0000@demo.test",)
    assert first.company == "Ateliers Brossard"
    assert first.assistant == "Amélie Abgrall"
    assert second.manager == "Agnès Abgrall"
    assert first.numbers == (
        ("work", "01 99 00 00 00"),
        ("mobile", "+33 6 39 98 00 00"),
        ("home", "02.61.00.00.00"),
        ("fax", "03 53 00 00 00"),
        ("pager", "770000"),
    )
    assert second.numbers == (("work", "01 99 00 00 01"), ("work", "1001"))
    assert first.dn == f"uid=p0000,{slapd.people_base}"


def test_photos_are_kept_up_to_a_size(client: LdapClient) -> None:
    index = Index()
    read_all(client, index.take)

    small, oversized = index.by_login("p0000").photo, index.by_login("p0010").photo

    assert small is not None
    assert (small.content_type, small.data) == ("image/jpeg", JPEG)
    assert oversized is None


def test_a_limit_of_the_server_makes_the_reading_partial(slapd: Slapd) -> None:
    index = Index()
    with client_of(slapd.config(bind_dn=slapd.limited_dn)) as client:
        reading = read_all(client, index.take, known=["somebody-known-before"])

    assert reading.partial
    assert len(index.people) == reading.people == 500
    assert reading.gone == frozenset()
    assert reading.cursor is None


def test_a_directory_that_suddenly_holds_nobody_removes_nobody(slapd: Slapd) -> None:
    with client_of(slapd.config(person_filter="(objectClass=device)")) as client:
        reading = read_all(client, Index().take, known=["a", "b"])
        repaired = repair(client, Index().take, known={"a": "1"})

    assert reading == Reading(people=0, emptied=True)
    assert repaired == Reading(people=0, emptied=True)


def test_a_wrong_base_is_an_error(slapd: Slapd) -> None:
    with (
        client_of(slapd.config(base="ou=nowhere,dc=demo,dc=test")) as client,
        pytest.raises(EntryMissing),
    ):
        read_all(client, Index().take)


def test_the_base_is_found_out_when_none_is_set(slapd: Slapd) -> None:
    index = Index()
    with client_of(slapd.config(base="")) as client:
        read_all(client, index.take)

    assert len(index.people) == EVERYBODY


def test_an_own_filter_and_own_attributes_are_used(slapd: Slapd) -> None:
    index = Index()
    config = slapd.config(
        person_filter="(&(objectClass=inetOrgPerson)(departmentNumber=*))",
        attributes="company=ou",
    )
    with client_of(config) as client:
        assert read_all(client, index.take).people == 0
    with client_of(slapd.config(attributes="company=ou,work=mobile+pager,mobile=")) as client:
        read_all(client, index.take)

    assert index.by_login("p0000").company == "Workshop 0"
    assert index.by_login("p0000").numbers[:2] == (
        ("work", "+33 6 39 98 00 00"),
        ("work", "770000"),
    )


# --- What has changed since -----------------------------------------------------------------------


def test_only_what_changed_is_read_again(own_slapd: Slapd) -> None:
    index, later = Index(), Index()
    with client_of(own_slapd.config()) as client:
        first = read_all(client, index.take)
        assert first.cursor is not None
        unchanged = read_changes(client, later.take, known=index.known, cursor=first.cursor)
        own_slapd.change(
            f"dn: uid=p0005,{own_slapd.people_base}\nchangetype: modify\n"
            "replace: mobile\nmobile: +33 6 39 98 99 05\n-\n"
        )
        assert unchanged.cursor is not None
        reading = read_changes(client, later.take, known=index.known, cursor=unchanged.cursor)

    assert unchanged.people == 0
    assert reading.people == 1
    assert ("mobile", "+33 6 39 98 99 05") in later.by_login("p0005").numbers


def test_two_changes_within_a_second_are_both_seen(own_slapd: Slapd) -> None:
    index, again = Index(), Index()
    with client_of(own_slapd.config()) as client:
        first = read_all(client, index.take)
        cursor = first.cursor
        assert cursor is not None
        for title in ("One", "Two"):
            own_slapd.change(
                f"dn: uid=p0007,{own_slapd.people_base}\nchangetype: modify\n"
                f"replace: title\ntitle: {title}\n-\n"
            )
            reading = read_changes(client, index.take, known=index.known, cursor=cursor)
            assert reading.people == 1
        read_changes(client, again.take, known=index.known, cursor=cursor)

    assert index.by_login("p0007").title == "Two"
    assert again.people == {}


def test_a_repair_sees_who_came_changed_moved_and_left(own_slapd: Slapd) -> None:
    index = Index()
    with client_of(own_slapd.config()) as client:
        read_all(client, index.take)
        left, moved = index.by_login("p0006").id, index.by_login("p0008").id
        own_slapd.change(
            f"dn: uid=p0006,{own_slapd.people_base}\nchangetype: delete\n\n"
            f"dn: uid=p0005,{own_slapd.people_base}\nchangetype: modify\n"
            "replace: title\ntitle: Boss\n-\n\n"
            f"dn: uid=p0008,{own_slapd.people_base}\nchangetype: modrdn\n"
            "newrdn: uid=renamed\ndeleteoldrdn: 1\n\n"
            f"dn: uid=new,{own_slapd.people_base}\nchangetype: add\n"
            "objectClass: inetOrgPerson\nuid: new\ncn: New Colleague\nsn: Colleague\n"
        )
        reading = repair(client, index.take, known=index.known)

    assert reading.people == 3
    assert reading.gone == {left}
    assert index.by_login("p0005").title == "Boss"
    assert index.by_login("new").name == "New Colleague"
    assert index.by_login("renamed").id == moved


def test_a_cursor_that_is_no_time_is_refused(client: LdapClient) -> None:
    with pytest.raises(CursorUnusable):
        read_changes(client, Index().take, known={}, cursor=Cursor("4711", "some-controller"))


# --- Active Directory -----------------------------------------------------------------------------


def test_active_directory_is_recognised_and_read(own_ad: ShapedAsActiveDirectory) -> None:
    index = Index()
    with client_of(own_ad.config(base="")) as client:
        reading = read_all(client, index.take)
    somebody = index.by_login("user05")

    assert reading.people == 58 + 5
    assert somebody.id == str(guid_of(5))
    assert somebody.name == "Renée Müller 05"
    assert (somebody.company, somebody.department) == ("Demo", "Étude")
    assert somebody.manager == "Müller 00, Renée"
    assert somebody.assistant == "Müller 01, Renée"
    assert somebody.photo is not None
    assert somebody.numbers == (
        ("work", "+33 1 99 00 50 05"),
        ("work", "+33 1 99 00 51 05"),
        ("mobile", "+33 6 39 98 50 05"),
        ("mobile", "+33 6 39 98 51 05"),
        ("extension", "1505"),
        ("home", "02 61 91 50 05"),
        ("fax", "+33 1 99 00 52 05"),
        ("pager", "8805"),
    )


def test_disabled_accounts_are_nobody_and_contacts_are_people(
    own_ad: ShapedAsActiveDirectory,
) -> None:
    index = Index()
    with client_of(own_ad.config()) as client:
        read_all(client, index.take)
    logins = {person.login for person in index.people.values()}

    assert {"user57"} <= logins
    assert {"user58", "user59"}.isdisjoint(logins)
    assert sum(person.company == "Port de Kerloc'h" for person in index.people.values()) == 5


def test_change_numbers_find_what_changed(own_ad: ShapedAsActiveDirectory) -> None:
    index, later = Index(), Index()
    with client_of(own_ad.config()) as client:
        first = read_all(client, index.take)
        assert first.cursor is not None
        assert first.cursor.position == str(FIRST_USN + 100)
        own_ad.change_person(7, usn=FIRST_USN + 101, lines="replace: ipPhone\nipPhone: 2222")
        reading = read_changes(client, later.take, known=index.known, cursor=first.cursor)

    assert reading.people == 1
    assert ("extension", "2222") in later.by_login("user07").numbers


def test_change_numbers_of_a_restored_controller_are_not_trusted(
    own_ad: ShapedAsActiveDirectory,
) -> None:
    index, later = Index(), Index()
    with client_of(own_ad.config()) as client:
        first = read_all(client, index.take)
        assert first.cursor is not None
        own_ad.set_invocation(b"fedcba9876543210")
        with pytest.raises(CursorUnusable):
            read_changes(client, later.take, known=index.known, cursor=first.cursor)
        repaired = repair(client, later.take, known=index.known)

    assert repaired.people == len(index.people)  # none of the old markers means anything
    assert repaired.gone == frozenset()


def test_a_change_number_that_went_back_is_not_trusted(own_ad: ShapedAsActiveDirectory) -> None:
    with client_of(own_ad.config()) as client:
        first = read_all(client, Index().take)
        assert first.cursor is not None
        ahead = replace(first.cursor, position=str(FIRST_USN + 500))
        with pytest.raises(CursorUnusable):
            read_changes(client, Index().take, known={}, cursor=ahead)


def test_what_changed_is_asked_of_the_controller_whose_number_it_is(
    own_ad: ShapedAsActiveDirectory,
) -> None:
    with client_of(own_ad.config()) as client:
        cursor = read_all(client, Index().take).cursor
        assert cursor is not None
        assert lately_changed(client, cursor) == LookupResult()
        for other in (
            replace(cursor, authority="another"),
            replace(cursor, position=str(int(cursor.position) + 1)),
        ):
            assert not lately_changed(client, other).complete


def test_active_directory_is_looked_up_too(own_ad: ShapedAsActiveDirectory) -> None:
    with client_of(own_ad.config()) as client:
        by_name = lookup(client, "renee muller 05")
        by_number = lookup(client, "0199005105")
        by_extension = lookup(client, "1507")

    assert [person.login for person in by_name.people] == ["user05"]
    assert [person.login for person in by_number.people] == ["user05"]
    assert [person.login for person in by_extension.people] == ["user07"]


# --- Looking up -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        pytest.param("lefevre zoe", "Zoé Lefèvre", id="plain letters"),
        pytest.param("Lefèvre Zoé", "Zoé Lefèvre", id="accents"),
        pytest.param("zoé lefevre", "Zoé Lefèvre", id="some accents"),
        pytest.param("jean-pierre gross", "Jean-Pierre Groß", id="sharp s"),
        pytest.param("pierre GROß", "Jean-Pierre Groß", id="capitals"),
        pytest.param("benoit boeuf", "Benoît Bœuf", id="ligature"),
        pytest.param("lucja wisniewska", "Łucja Wiśniewska", id="Polish"),
        pytest.param("oystein overgard", "Øystein Øvergård", id="Norwegian"),
        pytest.param("stefan nguyen", "Ștefan Nguyễn", id="Vietnamese"),
        pytest.param("o'neil zoé", "Zoé O'Neil", id="apostrophe"),
        pytest.param("herouville yann", "Yann D'Hérouville", id="after an apostrophe"),
        pytest.param("goff karim", "Karim Le Goff", id="second word"),
        pytest.param("p0042@demo", "Ibrahim Béguin", id="e-mail"),
    ],
)
def test_a_name_is_found_however_it_is_spelled(client: LdapClient, typed: str, name: str) -> None:
    found = lookup(client, typed)

    assert [person.name for person in found.people] == [name]


@pytest.mark.parametrize(
    "typed",
    ["+33639980342", "0639980342", "06 39 98 03 42", "0033639980342", "980342"],
)
def test_a_number_is_found_however_it_is_written(client: LdapClient, typed: str) -> None:
    found = lookup(client, typed)

    assert [person.login for person in found.people] == ["p0342"]


def test_who_has_exactly_the_number_comes_first(client: LdapClient) -> None:
    found = lookup(client, "1005")

    assert found.people[0].login == "p0005"
    assert len(found.people) > 1


def test_a_company_is_found_by_its_people_up_to_a_limit(client: LdapClient) -> None:
    found = lookup(client, "brossard")

    assert len(found.people) == 50
    assert not found.complete
    assert {person.company for person in found.people} == {"Ateliers Brossard"}


def test_fax_and_pager_numbers_find_nobody(client: LdapClient) -> None:
    assert lookup(client, "0353000005").people == ()
    assert lookup(client, "770005").people == ()


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param(")(uid=*", id="injection"),
        pytest.param("*)(uid=*))(|(uid=*", id="deeper injection"),
        pytest.param("*", id="a star"),
        pytest.param("**", id="two stars"),
        pytest.param("\\2a\\2a", id="escapes"),
        pytest.param("\0\0", id="NUL"),
        pytest.param("x" * 10_000, id="10,000 letters"),
        pytest.param("é " * 5_000, id="10,000 letters in words"),
        pytest.param("9" * 10_000, id="10,000 digits"),
        pytest.param("(" * 10_000, id="10,000 parentheses"),
        pytest.param("a", id="one letter"),
        pytest.param("nobody-of-that-name", id="nobody"),
        pytest.param("\u202e\u202d", id="direction characters"),
    ],
)
def test_what_nobody_is_called_finds_nobody_and_breaks_nothing(
    client: LdapClient, typed: str
) -> None:
    assert lookup(client, typed).people == ()
    assert len(lookup(client, "lefevre zoe").people) == 1


def test_many_may_ask_at_once(client: LdapClient) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda number: lookup(client, f"p{number:04}@demo"), range(60)))

    assert [[person.login for person in one.people] for one in found] == [
        [f"p{number:04}"] for number in range(60)
    ]


# --- TLS ------------------------------------------------------------------------------------------


def starttls(slapd: Slapd) -> str:
    return f"ldap+starttls://127.0.0.1:{slapd.port}"


@pytest.mark.parametrize("starts_plain", [False, True], ids=["ldaps", "starttls"])
def test_a_certificate_of_the_named_authority_is_taken(slapd: Slapd, starts_plain: bool) -> None:
    url = starttls(slapd) if starts_plain else slapd.ldaps_url
    index = Index()
    with client_of(slapd.config(url=url, ca_file=str(slapd.ca_file))) as client:
        read_all(client, index.take)
        found = lookup(client, "lefevre zoe")

    assert len(index.people) == EVERYBODY
    assert len(found.people) == 1


@pytest.mark.parametrize("starts_plain", [False, True], ids=["ldaps", "starttls"])
def test_another_authority_is_refused_before_any_password_is_sent(
    slapd: Slapd, tmp_path: Path, starts_plain: bool
) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(Authority("Somebody else").certificate)
    url = starttls(slapd) if starts_plain else slapd.ldaps_url
    with (
        client_of(slapd.config(url=url, ca_file=str(other))) as client,
        pytest.raises(DirectoryUnavailable, match="certificate") as refused,
    ):
        lookup(client, "lefevre")

    assert refused.value.reason is Reason.CERTIFICATE
    assert client.health.reason is Reason.CERTIFICATE


def test_without_a_named_authority_the_systems_decide(slapd: Slapd) -> None:
    with (
        client_of(slapd.config(url=slapd.ldaps_url)) as client,
        pytest.raises(DirectoryUnavailable) as refused,
    ):
        lookup(client, "lefevre")

    assert refused.value.reason is Reason.CERTIFICATE


def test_a_server_that_refuses_starttls_gets_no_password(slapd: Slapd) -> None:
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            connection, _ = listener.accept()
            with connection:
                request = connection.recv(4096)
                received.append(request)
                number = request[2 : 4 + request[3]]  # the message id, with tag and length
                refusal = number + b"\x78\x07\x0a\x01\x02\x04\x00\x04\x00"
                connection.sendall(bytes([0x30, len(refusal)]) + refusal)
                received.append(connection.recv(4096))

        config = slapd.config(url=f"ldap+starttls://127.0.0.1:{listener.getsockname()[1]}")
        with ThreadPoolExecutor(1) as thread, client_of(config) as client:
            served = thread.submit(refuse)
            with pytest.raises(DirectoryUnavailable):
                lookup(client, "lefevre")
            served.result()

    assert b"1.3.6.1.4.1.1466.20037" in received[0]
    assert SERVICE_PASSWORD.encode() not in b"".join(received)


class NamedElsewhere(Slapd):
    """Its certificate is for another host."""

    host_names = ("directory.demo.test",)


def test_a_certificate_for_another_host_is_refused(slapd: Slapd) -> None:
    with started(NamedElsewhere) as elsewhere:
        assert isinstance(elsewhere, Slapd)
        config = elsewhere.config(url=elsewhere.ldaps_url, ca_file=str(elsewhere.ca_file))
        with client_of(config) as client, pytest.raises(DirectoryUnavailable) as refused:
            lookup(client, "lefevre")

    assert refused.value.reason is Reason.CERTIFICATE


def test_an_unreadable_authority_is_a_settings_error(slapd: Slapd) -> None:
    config = slapd.config(url=slapd.ldaps_url, ca_file="/nonexistent/ca.pem")

    with pytest.raises(LdapSettingsError, match="CA file"):
        LdapClient(config)


def test_old_tls_is_not_spoken(slapd: Slapd) -> None:
    with client_of(slapd.config(ca_file=str(slapd.ca_file))) as client:
        assert client._context.minimum_version >= ssl.TLSVersion.TLSv1_2


# --- Breaking and mending -------------------------------------------------------------------------


def test_a_killed_server_is_told_once_and_its_return_once(
    own_slapd: Slapd, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="bluetel.ldap")
    clock = Clock()
    with client_of(own_slapd.config(), clock) as client:
        states = [client.health.state]
        lookup(client, "lefevre zoe")
        states.append(client.health.state)

        own_slapd.kill()
        for _ in range(3):
            with pytest.raises(DirectoryUnavailable):
                lookup(client, "lefevre zoe")
        broken = client.health

        with own_slapd.running_again():
            with pytest.raises(DirectoryUnavailable):
                lookup(client, "lefevre zoe")  # not asked again before its time
            clock.seconds += client.config.retry_after
            assert len(lookup(client, "lefevre zoe").people) == 1
        states.append(client.health.state)

    assert broken == Health(DirectoryState.FAILED, NOW, Reason.UNREACHABLE)
    assert states == [DirectoryState.UNKNOWN, DirectoryState.OK, DirectoryState.OK]
    lines = [record.getMessage() for record in caplog.records]
    assert len([line for line in lines if "lost" in line]) == 1
    assert len([line for line in lines if "back" in line]) == 1


def test_a_restart_between_two_questions_is_not_noticed(own_slapd: Slapd) -> None:
    with client_of(own_slapd.config()) as client:
        lookup(client, "lefevre zoe")
        own_slapd.kill()
        with own_slapd.running_again():
            assert len(lookup(client, "lefevre zoe").people) == 1

    assert client.health.state is DirectoryState.OK


def test_a_server_that_dies_while_everybody_is_read_removes_nobody(own_slapd: Slapd) -> None:
    index = Index()

    def take_and_kill(page: tuple[LdapPerson, ...]) -> None:
        index.take(page)
        own_slapd.kill()

    with client_of(own_slapd.config()) as client:
        with pytest.raises(DirectoryUnavailable):
            read_all(client, take_and_kill, known=["known-before"])
        assert 0 < len(index.people) < EVERYBODY
        with own_slapd.running_again():
            reading = repair(client, index.take, known=index.known)

    assert reading.people == EVERYBODY - 500
    assert len(index.people) == EVERYBODY
    assert reading.gone == frozenset()


def test_another_server_answers_for_one_that_is_down(slapd: Slapd) -> None:
    url = f"ldap://127.0.0.1:{free_port()}, {slapd.url}"
    with client_of(slapd.config(url=url)) as client:
        found = lookup(client, "lefevre zoe")
        again = lookup(client, "lefevre zoe")

    assert len(found.people) == len(again.people) == 1
    assert client.health.state is DirectoryState.OK


def test_a_name_with_a_dead_address_is_reached_at_its_other(slapd: Slapd) -> None:
    # slapd listens on 127.0.0.1 only; where ::1 comes first it is tried and refused.
    url = f"ldaps://localhost:{slapd.tls_port}"
    with client_of(slapd.config(url=url, ca_file=str(slapd.ca_file))) as client:
        assert len(lookup(client, "lefevre zoe").people) == 1


def test_a_host_without_address_is_unreachable(slapd: Slapd) -> None:
    with (
        client_of(slapd.config(url="ldaps://directory.invalid")) as client,
        pytest.raises(DirectoryUnavailable) as refused,
    ):
        lookup(client, "lefevre")

    assert refused.value.reason is Reason.UNREACHABLE


def test_another_server_takes_over_from_one_that_dies(slapd: Slapd, own_slapd: Slapd) -> None:
    with client_of(slapd.config(url=f"{own_slapd.url} {slapd.url}")) as client:
        lookup(client, "lefevre zoe")
        own_slapd.kill()
        found = lookup(client, "lefevre zoe")
        reading = read_all(client, Index().take)

    assert len(found.people) == 1
    assert reading.people == EVERYBODY


@contextlib.contextmanager
def listening(*, drips: bool) -> Iterator[int]:
    """A server that takes connections and never answers, or a byte at a time without end."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        accepted: list[socket.socket] = []

        def serve() -> None:
            while not stop.wait(0.02):
                with contextlib.suppress(TimeoutError):
                    accepted.append(listener.accept()[0])
                for connection in accepted if drips else ():
                    # The start of a message of 100,000 bytes, and then its zeros.
                    with contextlib.suppress(OSError):
                        connection.send(b"\x30\x83\x01\x86\xa0\x00")

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            stop.set()
            thread.join()
            for connection in accepted:
                connection.close()


@pytest.mark.parametrize("drips", [False, True], ids=["silent", "dripping"])
@pytest.mark.parametrize("security", [Security.PLAIN, Security.STARTTLS, Security.LDAPS])
def test_a_server_that_hangs_costs_its_time_once(
    slapd: Slapd, security: Security, drips: bool
) -> None:
    with listening(drips=drips) as port:
        config = replace(
            slapd.config(),
            servers=(LdapServer("127.0.0.1", port, security),),
            search_timeout=0.3,
        )
        with client_of(config, Clock()) as client:
            started_at = time.monotonic()
            with pytest.raises(DirectoryUnavailable):
                lookup(client, "lefevre")
            first = time.monotonic() - started_at
            with pytest.raises(DirectoryUnavailable):
                lookup(client, "lefevre")
            both = time.monotonic() - started_at

    assert first < 1.5
    assert both - first < 0.2


def test_a_hung_server_leaves_the_question_to_the_next(slapd: Slapd) -> None:
    with listening(drips=False) as port:
        config = replace(
            slapd.config(),
            servers=(
                LdapServer("127.0.0.1", port, Security.PLAIN),
                LdapServer("127.0.0.1", slapd.port, Security.PLAIN),
            ),
        )
        with client_of(config) as client:
            assert len(lookup(client, "lefevre zoe").people) == 1


def test_wrong_credentials_of_the_service_show_as_such(slapd: Slapd) -> None:
    with client_of(slapd.config(bind_password="wrong")) as client:
        with pytest.raises(DirectoryRefused) as refused:
            lookup(client, "lefevre")

        assert refused.value.reason is Reason.CREDENTIALS
        assert client.health.state is DirectoryState.FAILED
        assert SERVICE_PASSWORD not in str(refused.value)


def test_nobody_in_particular_may_not_read(slapd: Slapd) -> None:
    with (
        client_of(slapd.config(bind_dn="", bind_password="")) as client,
        pytest.raises(DirectoryRefused),
    ):
        lookup(client, "lefevre zoe")


def test_who_finds_all_connections_taken_does_not_blame_the_directory(slapd: Slapd) -> None:
    config = replace(slapd.config(), max_connections=1, search_timeout=0.5)
    entered, leave = threading.Event(), threading.Event()

    def dwell(session: Session) -> str:
        entered.set()
        leave.wait(10)
        return session.base

    with client_of(config) as client, ThreadPoolExecutor(1) as thread:
        first = thread.submit(client.ask, dwell)
        entered.wait(10)
        with pytest.raises(DirectoryBusy):
            lookup(client, "lefevre zoe")
        state = client.health.state
        leave.set()

    assert first.result() == slapd.suffix
    assert state is DirectoryState.UNKNOWN
