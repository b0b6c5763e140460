"""The company directory in the contact base: read in, kept up, searched live; a real OpenLDAP."""

from __future__ import annotations

import io
import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from bluetel.accounts.models import Pbx, User
from bluetel.ldap.client import LdapClient, close_clients
from bluetel.ldap.config import ldap_config
from bluetel.telephony.types import DirectoryEntry, PbxUserId
from bluetel.work.models import Job
from contacts import services
from contacts.drafts import Draft
from contacts.ldap.keeping import (
    EMPTIED,
    PARTIAL,
    directory_state,
    is_due,
    read_directory,
    read_until,
)
from contacts.ldap.live import CHANGES_KEPT, LdapDirectory
from contacts.models import Book, Contact, DirectoryState
from contacts.pbx_directory import PbxDirectory
from contacts.rules import question
from contacts.schedule import enqueue_due
from contacts.search import search
from contacts.sources import Found, Source, State
from contacts.stored import StoredContacts
from tests.apps.contacts.conftest import a_user
from tests.apps.contacts.fakes import ByHand, DirectoryPbx
from tests.servers import ServerOf
from tests.servers.base import free_port, started, until
from tests.servers.slapd import FAMILY_NAMES, GIVEN_NAMES, JPEG, SERVICE_PASSWORD, Slapd
from tests.servers.slapd_ad import ShapedAsActiveDirectory

EVERYBODY = len(GIVEN_NAMES) * len(FAMILY_NAMES)
NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def slapd(server: ServerOf) -> Slapd:
    """One for all tests that only read."""
    found = server("slapd")
    assert isinstance(found, Slapd)
    return found


@pytest.fixture
def own_slapd(server: ServerOf) -> Iterator[Slapd]:
    """One to change, kill and restart."""
    server("slapd")
    with started(Slapd) as found:
        assert isinstance(found, Slapd)
        yield found


@pytest.fixture
def own_ad(server: ServerOf) -> Iterator[ShapedAsActiveDirectory]:
    server("slapd")
    with started(ShapedAsActiveDirectory) as found:
        assert isinstance(found, ShapedAsActiveDirectory)
        yield found


@pytest.fixture(autouse=True)
def own_cache(settings: Settings) -> Iterator[None]:
    settings.CACHES = {"default": {**settings.CACHES["default"], "KEY_PREFIX": uuid4().hex}}
    yield
    close_clients()


class Company:
    """The directory's server and our book of it, some minutes further with each reading."""

    def __init__(self, slapd: Slapd) -> None:
        self.slapd = slapd
        self.client = LdapClient(slapd.config())
        self.now = NOW

    def read(self, *, whole: bool = False) -> DirectoryState:
        self.now += timedelta(minutes=6)
        self.outcome = read_directory(self.client, now=self.now, whole=whole)
        return directory_state()

    @property
    def names(self) -> set[str]:
        rows = Contact.objects.filter(book__kind=Book.Kind.DIRECTORY)
        return set(rows.values_list("name", flat=True))

    def found(self, viewer: User, text: str) -> set[str]:
        answer = search(
            viewer, text, sources=[StoredContacts()], states_of=lambda _viewer, _ids: {}
        )
        return {row["name"] for row in answer["results"]}


@pytest.fixture
def company(slapd: Slapd, db: None) -> Iterator[Company]:
    company = Company(slapd)
    yield company
    company.client.close()


@pytest.fixture
def own(own_slapd: Slapd, db: None) -> Iterator[Company]:
    company = Company(own_slapd)
    yield company
    company.client.close()


def rename(number: int, name: str, slapd: Slapd) -> None:
    slapd.change(
        f"dn: uid=p{number:04},{slapd.people_base}\nchangetype: modify\nreplace: cn\ncn: {name}\n"
    )


def newcomer(slapd: Slapd) -> str:
    return (
        f"dn: uid=new,{slapd.people_base}\nchangetype: add\nobjectClass: inetOrgPerson\n"
        "uid: new\nsn: Newcomer\ncn: Ziggy Newcomer\ntelephoneNumber: 01 99 00 77 77\n"
    )


def delete(number: int, slapd: Slapd) -> None:
    slapd.change(f"dn: uid=p{number:04},{slapd.people_base}\nchangetype: delete\n")


# --- Reading in -----------------------------------------------------------------------------------


def test_everybody_is_read_in_and_found(company: Company) -> None:
    state = company.read()
    assert (state.people, state.error) == (EVERYBODY, "")
    viewer = a_user(None, "1001", "Camille Renard")
    assert "Łucja Wiśniewska" in company.found(viewer, "wisniew luc")
    assert "Agnès Abgrall" in company.found(viewer, "01 99 00 00 00")
    assert company.found(viewer, "brossard")


def test_a_photo_comes_along(company: Company) -> None:
    company.read()
    assert bytes(Contact.objects.get(name="Agnès Abgrall").picture.content) == JPEG


def test_a_second_reading_reads_nobody_again(company: Company) -> None:
    company.read()
    before = dict(Contact.objects.values_list("pk", "version"))
    company.read()
    company.read(whole=True)
    assert dict(Contact.objects.values_list("pk", "version")) == before


def test_who_changed_is_read_again_and_keeps_his_place(own: Company) -> None:
    own.read()
    pk = Contact.objects.get(name="Agnès Abgrall").pk
    rename(0, "Agnès Married", own.slapd)
    own.read()
    assert own.outcome is not None
    assert own.outcome.read <= 2
    assert Contact.objects.get(pk=pk).name == "Agnès Married"


def test_who_left_goes_with_the_daily_comparison(own: Company) -> None:
    own.read()
    delete(0, own.slapd)
    own.read()
    assert "Agnès Abgrall" in own.names
    own.now += timedelta(days=1)
    own.read()
    assert "Agnès Abgrall" not in own.names
    assert len(own.names) == EVERYBODY - 1


def test_a_killed_server_loses_nobody_and_is_read_again_when_it_is_back(own: Company) -> None:
    own.read()
    own.slapd.kill()
    state = own.read()
    assert state.error == "unreachable"
    assert len(own.names) == EVERYBODY
    with own.slapd.running_again():
        rename(0, "Agnès Married", own.slapd)
        state = own.read()
        assert state.error == ""
        assert "Agnès Married" in own.names


def test_active_directory_is_read_in_too(own_ad: ShapedAsActiveDirectory, db: None) -> None:
    company = Company(own_ad)
    state = company.read()
    assert state.error == ""
    assert state.people == len(company.names) > 3
    assert state.authority
    company.client.close()


def test_a_directory_that_fails_is_asked_less_and_less(db: None) -> None:
    config = ldap_config(f"ldap://127.0.0.1:{free_port()}")
    assert config is not None
    client = LdapClient(config)
    pauses = []
    for minutes in range(6):
        now = NOW + timedelta(minutes=minutes)
        read_directory(client, now=now)
        due_at = directory_state().due_at
        assert due_at is not None
        pauses.append((due_at - now) // timedelta(minutes=1))
    assert pauses == [10, 20, 40, 60, 60, 60]


def test_it_is_due_again_after_five_minutes(company: Company) -> None:
    assert is_due(now=NOW)
    company.read()
    assert not is_due(now=company.now + timedelta(minutes=4))
    assert is_due(now=company.now + timedelta(minutes=6))


def test_other_settings_have_everybody_read_again_and_remove_nobody_at_once(
    slapd: Slapd, db: None
) -> None:
    company = Company(slapd)
    company.read()
    company.client.close()
    company.client = LdapClient(slapd.config(attributes="note=title", person_filter="(uid=p00*)"))
    company.read()
    assert company.outcome is not None
    assert 0 < company.outcome.read < EVERYBODY
    assert Contact.objects.get(name="Agnès Abgrall").note
    assert len(company.names) == EVERYBODY
    company.read()
    assert company.outcome.read == 0
    company.read(whole=True)
    assert len(company.names) == 100
    company.client.close()


def test_other_settings_whose_reading_a_limit_cuts_are_read_again(slapd: Slapd, db: None) -> None:
    company = Company(slapd)
    company.read()
    company.client.close()
    attributes = "note=title"
    company.client = LdapClient(
        slapd.config(
            bind_dn=slapd.limited_dn, bind_password=SERVICE_PASSWORD, attributes=attributes
        )
    )
    state = company.read()
    assert state.error == PARTIAL
    company.client.close()
    assert read_until(company.client.config) is None
    assert Contact.objects.filter(note="").exists()
    state = company.read()
    assert state.error == PARTIAL
    assert company.outcome is not None
    assert company.outcome.read > 0, "it was compared by what the settings before had read"
    company.client.close()


def test_a_directory_that_held_nobody_is_not_taken_as_read(slapd: Slapd, db: None) -> None:
    company = Company(slapd)
    company.read()
    company.client.close()
    company.client = LdapClient(slapd.config(person_filter="(uid=nobody)"))
    state = company.read()
    assert state.error == EMPTIED
    assert read_until(company.client.config) is None
    assert company.read().error == EMPTIED
    assert len(company.names) == EVERYBODY
    company.client.close()


def test_two_readings_at_once_are_one(company: Company) -> None:
    directory_state()
    DirectoryState.objects.update(working_until=NOW + timedelta(minutes=5))
    assert read_directory(company.client, now=NOW) is None


def test_the_schedule_asks_for_a_reading_only_where_there_is_a_directory(
    slapd: Slapd, settings: Settings, db: None
) -> None:
    enqueue_due(now=NOW)
    assert not Job.objects.exists()
    settings.LDAP_CONFIG = slapd.config()
    enqueue_due(now=NOW)
    enqueue_due(now=NOW)
    assert Job.objects.get().key == "contacts-directory"


def test_the_command_reads_now_and_says_how_it_went(
    slapd: Slapd, settings: Settings, db: None
) -> None:
    settings.LDAP_CONFIG = slapd.config()
    said = io.StringIO()
    call_command("sync_directory", stdout=said)
    assert said.getvalue().strip() == (
        f"{EVERYBODY} read, 0 removed, {EVERYBODY} people in the book"
    )


def test_the_command_says_that_the_account_is_refused(
    slapd: Slapd, settings: Settings, db: None
) -> None:
    settings.LDAP_CONFIG = slapd.config(bind_password="wrong")
    with pytest.raises(CommandError, match="doesn't take BlueTel's account"):
        call_command("sync_directory", stdout=io.StringIO())


def test_the_command_wants_a_directory(db: None) -> None:
    with pytest.raises(CommandError, match="BLUETEL_LDAP_URL"):
        call_command("sync_directory")


# --- One person of many sources -------------------------------------------------------------------


def test_one_person_of_four_sources_is_one_entry(
    own: Company, pbx: Pbx, directory_pbx: DirectoryPbx, threads: ByHand, camille: User
) -> None:
    """In LDAP she has 01 99 00 00 00, 06 39 98 00 00 and 02.61.00.00.00, which nobody else has."""
    agnes = a_user(pbx, "1044", "Agnès Abgrall", mobile="06 39 98 00 00")
    User.objects.filter(pk=agnes.pk).update(email="p0000@demo.test")
    draft = Draft(
        name="Agnès A.",
        email="P0000@demo.test",
        numbers=[("mobile", "+33 6 39 98 00 00"), ("home", "02 61 00 99 99")],
    )
    services.create(camille, draft, now=NOW)
    directory_pbx.entries = [
        DirectoryEntry(
            name="Agnès Abgrall",
            numbers=(("extension", "1044"), ("work", "0199000000")),
            user=PbxUserId(agnes.pbx_user_id),
        )
    ]
    own.read()
    sources: list[Source] = [StoredContacts(), PbxDirectory(executor=threads)]

    def rows() -> dict[str, list[str]]:
        search(camille, "agnes abgrall", sources=sources, states_of=lambda _viewer, _ids: {})
        threads.run()
        answer = search(
            camille, "agnes abgrall", sources=sources, states_of=lambda _viewer, _ids: {}
        )
        assert {row["contact_id"] for row in answer["results"]} == {f"user-{agnes.pk}"}
        return {row["number"].replace(" ", ""): sorted(row["sources"]) for row in answer["results"]}

    before = rows()
    assert {name for names in before.values() for name in names} == {
        "Colleagues", "Company directory", "My contacts", "Directory",
    }  # fmt: skip
    assert len(before) == 5
    assert before["0639980000"] == ["Colleagues", "Company directory", "My contacts"]
    delete(0, own.slapd)
    own.read(whole=True)
    after = rows()
    assert {name for names in after.values() for name in names} == {
        "Colleagues", "My contacts", "Directory",
    }  # fmt: skip
    assert after.keys() == before.keys() - {"02.61.00.00.00"}


# --- Searching live -------------------------------------------------------------------------------


@pytest.fixture
def viewer(db: None) -> User:
    return a_user(None, "1001", "Camille Renard")


def ask(source: LdapDirectory, viewer: User, text: str) -> Found | None:
    asked = question(text)
    assert asked is not None
    return source.search(viewer, asked)


@pytest.fixture
def live(slapd: Slapd, settings: Settings, threads: ByHand, viewer: User) -> LdapDirectory:
    settings.LDAP_CONFIG = slapd.config()
    return LdapDirectory(executor=threads)


@pytest.fixture
def quiet(own: Company) -> Company:
    """A directory that was read in, and in which nothing has changed for some minutes."""
    own.now = datetime.now(UTC)
    own.read()
    own.read()
    return own


@pytest.fixture
def seconds() -> list[float]:
    """What has passed, in parts."""
    return []


@pytest.fixture
def live_in_own(
    own_slapd: Slapd, settings: Settings, threads: ByHand, viewer: User, seconds: list[float]
) -> LdapDirectory:
    settings.LDAP_CONFIG = own_slapd.config()
    return LdapDirectory(clock=lambda: sum(seconds), executor=threads)


def answered(source: LdapDirectory, viewer: User, text: str, *, threads: ByHand) -> list[str]:
    """Whom a page finds that asks again while the source is searching."""
    found = ask(source, viewer, text)
    for _ in range(2):
        if found is not None and found.state is State.SEARCHING:
            threads.run()
            found = ask(source, viewer, text)
    return names_of(found)


def names_of(found: Found | None) -> list[str]:
    assert found is not None
    assert found.state is State.OK
    return [person.name for person in found.people]


def test_who_is_not_read_in_is_found_live(
    live: LdapDirectory, viewer: User, threads: ByHand
) -> None:
    first = ask(live, viewer, "wisniew")
    assert first is not None
    assert (first.state, list(first.people)) == (State.SEARCHING, [])
    threads.run()
    assert "Łucja Wiśniewska" in names_of(ask(live, viewer, "wisniew"))
    assert not threads.waiting


def test_who_is_read_in_is_left_to_the_index(
    company: Company, live: LdapDirectory, viewer: User, threads: ByHand
) -> None:
    company.read()
    assert answered(live, viewer, "wisniew", threads=threads) == []


def test_once_all_are_read_in_the_directory_is_asked_once_for_all_that_is_typed(
    quiet: Company, live_in_own: LdapDirectory, viewer: User, threads: ByHand
) -> None:
    assert answered(live_in_own, viewer, "wisniew", threads=threads) == []
    for text in ("luc", "abgrall", "01 99"):
        assert names_of(ask(live_in_own, viewer, text)) == []
    assert not threads.waiting


def test_who_came_since_all_were_read_in_is_found_live(
    quiet: Company, live_in_own: LdapDirectory, viewer: User, threads: ByHand
) -> None:
    quiet.slapd.change(newcomer(quiet.slapd))
    assert answered(live_in_own, viewer, "newco", threads=threads) == ["Ziggy Newcomer"]
    assert names_of(ask(live_in_own, viewer, "ziggy")) == ["Ziggy Newcomer"]
    assert names_of(ask(live_in_own, viewer, "abgrall")) == []


def test_who_comes_while_an_answer_is_kept_is_found_some_seconds_later(
    quiet: Company, live_in_own: LdapDirectory, viewer: User, threads: ByHand, seconds: list[float]
) -> None:
    assert answered(live_in_own, viewer, "newco", threads=threads) == []
    quiet.slapd.change(newcomer(quiet.slapd))
    assert answered(live_in_own, viewer, "newco", threads=threads) == []
    seconds.append(CHANGES_KEPT)
    assert answered(live_in_own, viewer, "newco", threads=threads) == ["Ziggy Newcomer"]


def test_whom_the_index_lacks_though_he_has_not_changed_is_asked_for_where_nobody_is_found(
    quiet: Company, live_in_own: LdapDirectory, viewer: User, threads: ByHand
) -> None:
    """He may have come below the base, or into a group of the filter, without a change."""
    Contact.objects.filter(name="Łucja Wiśniewska").delete()
    sources: list[Source] = [StoredContacts(), live_in_own]

    def found(text: str) -> set[str]:
        answer = search(viewer, text, sources=sources, states_of=lambda _viewer, _ids: {})
        return {row["name"] for row in answer["results"]}

    for _ in range(2):
        assert found("lucja wisniewska") == set()
        threads.run()
    assert found("lucja wisniewska") == {"Łucja Wiśniewska"}


def test_where_what_changed_is_not_to_be_had_each_text_is_asked(
    quiet: Company,
    live_in_own: LdapDirectory,
    viewer: User,
    threads: ByHand,
    seconds: list[float],
) -> None:
    Contact.objects.filter(name="Łucja Wiśniewska").delete()
    quiet.slapd.kill()
    ask(live_in_own, viewer, "wisniew")
    threads.run()
    close_clients()
    with quiet.slapd.running_again():
        seconds.append(CHANGES_KEPT)
        assert "Łucja Wiśniewska" in answered(live_in_own, viewer, "wisniew", threads=threads)


def test_where_a_limit_cut_the_reading_each_text_is_asked(
    quiet: Company, live_in_own: LdapDirectory, viewer: User, threads: ByHand
) -> None:
    DirectoryState.objects.update(error=PARTIAL)
    Contact.objects.filter(name="Łucja Wiśniewska").delete()
    assert "Łucja Wiśniewska" in answered(live_in_own, viewer, "wisniew", threads=threads)


def test_no_directory_is_no_source(viewer: User) -> None:
    assert ask(LdapDirectory(), viewer, "wisniew") is None


@pytest.mark.parametrize(
    "text", [")(uid=*", "*", "a" * 10_000, "\\2a\\28", "(|(cn=*))", "x\0y", "agn" * 3000]
)
def test_hostile_terms_find_nothing_and_break_nothing(
    live: LdapDirectory, viewer: User, threads: ByHand, text: str
) -> None:
    for _ in range(2):
        answer = search(
            viewer, text, sources=[StoredContacts(), live], states_of=lambda _viewer, _ids: {}
        )
        assert answer["results"] == []
        threads.run()


def test_a_dead_directory_is_shown_as_failed_and_the_rest_is_there(
    settings: Settings, viewer: User, threads: ByHand
) -> None:
    settings.LDAP_CONFIG = ldap_config(f"ldap://127.0.0.1:{free_port()}")
    services.create(viewer, Draft(name="Ann Here", numbers=[("work", "01 99 00 42 17")]), now=NOW)
    sources: list[Source] = [StoredContacts(), LdapDirectory(executor=threads)]
    search(viewer, "ann", sources=sources, states_of=lambda _viewer, _ids: {})
    threads.run()
    answer = search(viewer, "ann", sources=sources, states_of=lambda _viewer, _ids: {})
    assert [row["name"] for row in answer["results"]] == ["Ann Here"]
    assert answer["sources"] == [
        {"name": "Contacts", "state": "ok"},
        {"name": "Company directory", "state": "failed"},
    ]


def test_a_hung_directory_delays_nothing_and_fails_after_its_time(
    settings: Settings, viewer: User
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.LDAP_CONFIG = ldap_config(f"ldap://127.0.0.1:{silent.getsockname()[1]}")
        with ThreadPoolExecutor(2) as executor:
            live = LdapDirectory(executor=executor)
            begin = time.perf_counter()
            first = ask(live, viewer, "ann")
            took = time.perf_counter() - begin
            assert first is not None
            assert first.state is State.SEARCHING
            assert took < 0.25

            def has_failed() -> bool:
                found = ask(live, viewer, "ann")
                return found is not None and found.state is State.FAILED

            until(has_failed, seconds=5)


def test_a_frozen_directory_is_used_again_when_it_wakes(
    own_slapd: Slapd, settings: Settings, viewer: User
) -> None:
    settings.LDAP_CONFIG = own_slapd.config()
    with ThreadPoolExecutor(2) as executor:
        live = LdapDirectory(executor=executor)

        def state(text: str) -> State | None:
            found = ask(live, viewer, text)
            return found.state if found else None

        until(lambda: state("jaouen") is State.OK)
        pid = int((own_slapd.folder / "slapd.pid").read_text())
        os.kill(pid, signal.SIGSTOP)
        try:
            until(lambda: state("renard") is State.FAILED)
        finally:
            os.kill(pid, signal.SIGCONT)
        until(lambda: state("renard") is State.OK, seconds=20)
