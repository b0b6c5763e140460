from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.test import override_settings
from django.utils import translation
from pytest_django import DjangoAssertNumQueries

from bluetel.accounts.models import Pbx, User
from bluetel.api.schemas import SearchAnswer as ApiAnswer
from bluetel.telephony.errors import PbxUnavailable
from bluetel.telephony.types import DirectoryEntry, PbxUserId
from contacts.asking import MAX_WAITING
from contacts.pbx_directory import PbxDirectory
from contacts.rules import question
from contacts.search import SearchAnswer, search
from contacts.sources import Source, State
from contacts.stored import StoredContacts
from presence.messages import PersonRecord
from tests.apps.contacts.conftest import a_user
from tests.apps.contacts.fakes import ByHand, Clock, DirectoryPbx

pytestmark = pytest.mark.django_db

Ask = Callable[..., SearchAnswer]


def states(viewer: User, user_ids: Iterable[str]) -> dict[str, PersonRecord]:
    """Everybody rings and is away."""
    return {
        user_id: PersonRecord(
            user_id=user_id,
            name="",
            phone="ringing",
            im="away",
            message="",
            since=None,
            phone_since=None,
            im_since=None,
        )
        for user_id in user_ids
    }


def local(viewer: User, text: str) -> SearchAnswer:
    return search(viewer, text, sources=[StoredContacts()], states_of=states)


def rows(answer: SearchAnswer) -> list[tuple[str, str]]:
    return [(row["name"], row["number"]) for row in answer["results"]]


class TestColleagues:
    def test_a_colleague_is_a_row_for_each_of_his_numbers(self, camille: User, nadia: User) -> None:
        answer = local(camille, "nad")
        assert answer == {
            "results": [
                {
                    "contact_id": f"user-{nadia.pk}",
                    "name": "Nadia Belkacem",
                    "number": "1002",
                    "shown": "1002",
                    "label": "extension",
                    "kind": "extension",
                    "source": "Colleagues",
                    "sources": ["Colleagues"],
                    "user_id": str(nadia.pk),
                    "phone": "ringing",
                    "im": "away",
                },
                {
                    "contact_id": f"user-{nadia.pk}",
                    "name": "Nadia Belkacem",
                    "number": "06 39 98 12 01",
                    "shown": "06 39 98 12 01",
                    "label": "mobile",
                    "kind": "mobile",
                    "source": "Colleagues",
                    "sources": ["Colleagues"],
                    "user_id": str(nadia.pk),
                    "phone": "ringing",
                    "im": "away",
                },
            ],
            "sources": [{"name": "Contacts", "state": "ok"}],
        }

    @pytest.mark.parametrize("text", ["i", "ines", "MORVAN", "1005", "100", "ines.morvan@demo"])
    def test_one_character_of_name_number_or_address_is_enough(
        self, camille: User, ines: User, text: str
    ) -> None:
        assert rows(local(camille, text)) == [("Inès Morvan", "1005")]

    @pytest.mark.parametrize("text", ["", "  ", "?!"])
    def test_nothing_asked_is_nothing_found(self, camille: User, ines: User, text: str) -> None:
        assert local(camille, text) == {"results": [], "sources": []}

    def test_nobody_finds_himself(self, camille: User) -> None:
        assert rows(local(camille, "camille")) == []

    def test_a_disabled_account_is_not_found(self, camille: User, ines: User) -> None:
        User.objects.filter(pk=ines.pk).update(is_active=False)
        assert rows(local(camille, "ines")) == []

    def test_who_has_no_number_is_no_row(self, camille: User, pbx: Pbx) -> None:
        a_user(pbx, "", "Ada Keller")
        assert rows(local(camille, "ada")) == []

    def test_who_has_no_name_is_found_by_his_login(self, camille: User, ines: User) -> None:
        ines.first_name, ines.last_name, ines.username = "", "", "imorvan"
        ines.save()
        assert rows(local(camille, "imor")) == [("imorvan", "1005")]

    def test_at_most_fifty_rows(self, camille: User, pbx: Pbx) -> None:
        for place in range(60):
            a_user(pbx, str(2000 + place), f"Nadia Number{place}")
        assert len(local(camille, "nadia")["results"]) == 50

    def test_as_many_queries_whatever_the_number_of_colleagues(
        self, camille: User, pbx: Pbx, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for place in range(40):
            a_user(pbx, str(2000 + place), f"Nadia Number{place}")
        local(camille, "nadia")
        with django_assert_max_num_queries(10):
            local(camille, "nadia")

    def test_the_source_is_named_in_the_readers_language(self, camille: User) -> None:
        with translation.override("en"):
            assert local(camille, "x")["sources"] == [{"name": "Contacts", "state": "ok"}]


HELENE = DirectoryEntry(
    name="Hélène Marchetti",
    numbers=(("work", "01 99 00 42 17"), ("mobile", "06 39 98 12 08"), ("fax", "01 99 00 42 18")),
    company="Ateliers Brossard",
    source="phonebook",
)


class TestWithTheDirectory:
    @pytest.fixture
    def ask(self, camille: User, directory: PbxDirectory) -> Ask:
        def ask(text: str, *, viewer: User = camille) -> SearchAnswer:
            return search(viewer, text, sources=[StoredContacts(), directory], states_of=states)

        return ask

    def test_colleagues_are_there_at_once_and_the_directory_when_asked_again(
        self, ask: Ask, threads: ByHand, directory_pbx: DirectoryPbx, pbx: Pbx
    ) -> None:
        a_user(pbx, "1012", "Hélène Colin")
        directory_pbx.entries = [HELENE]
        first = ask("hel")
        assert rows(first) == [("Hélène Colin", "1012")]
        assert [source["state"] for source in first["sources"]] == ["ok", "searching"]
        threads.run()
        again = ask("hel")
        assert rows(again) == [
            ("Hélène Colin", "1012"),
            ("Hélène Marchetti", "06 39 98 12 08"),
            ("Hélène Marchetti", "01 99 00 42 17"),
        ]
        assert [source["state"] for source in again["sources"]] == ["ok", "ok"]
        assert directory_pbx.asked == [(PbxUserId("uuid-1001"), "hel")]

    def test_an_outside_entry_has_no_presence_and_no_card(
        self, ask: Ask, threads: ByHand, directory_pbx: DirectoryPbx
    ) -> None:
        directory_pbx.entries = [HELENE]
        ask("brossard")
        threads.run()
        row = ask("brossard")["results"][0]
        assert (row["contact_id"], row["user_id"], row["phone"], row["im"]) == (None,) * 4
        assert row["source"] == "Directory"

    def test_a_user_whom_the_directory_knows_too_is_shown_once_as_a_colleague(
        self, ask: Ask, threads: ByHand, directory_pbx: DirectoryPbx, nadia: User
    ) -> None:
        directory_pbx.entries = [
            DirectoryEntry(
                name="BELKACEM N.",
                numbers=(("extension", "1002"), ("mobile", "+33639981201"), ("home", "0199004230")),
                user=PbxUserId("uuid-1002"),
            )
        ]
        ask("belka")
        threads.run()
        answer = ask("belka")
        assert rows(answer) == [
            ("Nadia Belkacem", "1002"),
            ("Nadia Belkacem", "06 39 98 12 01"),
            ("Nadia Belkacem", "0199004230"),
        ]
        assert {row["contact_id"] for row in answer["results"]} == {f"user-{nadia.pk}"}

    def test_the_viewers_own_entry_is_left_out(
        self, ask: Ask, threads: ByHand, directory_pbx: DirectoryPbx
    ) -> None:
        own = PbxUserId("uuid-1001")
        directory_pbx.entries = [
            DirectoryEntry(name="Camille Renard", numbers=(("extension", "1001"),), user=own)
        ]
        ask("camille")
        threads.run()
        assert rows(ask("camille")) == []

    def test_a_person_of_the_pbx_without_an_account_here_is_an_entry(
        self, ask: Ask, threads: ByHand, directory_pbx: DirectoryPbx
    ) -> None:
        ghost = PbxUserId("uuid-1999")
        directory_pbx.entries = [
            DirectoryEntry(name="Guy Host", numbers=(("extension", "1999"),), user=ghost)
        ]
        ask("guy")
        threads.run()
        assert ask("guy")["results"][0]["contact_id"] is None

    def test_hostile_names_become_one_harmless_line(
        self, ask: Ask, threads: ByHand, directory_pbx: DirectoryPbx
    ) -> None:
        directory_pbx.entries = [
            DirectoryEntry(name="Eve\u202e\r\n<script>" + "x" * 10_000, numbers=(("", "1999\x00"),))
        ]
        ask("eve")
        threads.run()
        row = ask("eve")["results"][0]
        assert row["name"].startswith("Eve <script>x")
        assert len(row["name"]) <= 200
        assert row["number"] == "1999"

    def test_the_answer_is_kept_for_its_user_only(
        self, ask: Ask, threads: ByHand, directory_pbx: DirectoryPbx, ines: User
    ) -> None:
        ask("hel")
        threads.run()
        assert ask("hel", viewer=ines)["sources"][1]["state"] == "searching"
        threads.run()
        assert [user for user, _ in directory_pbx.asked] == ["uuid-1001", "uuid-1005"]

    def test_a_question_under_way_is_not_asked_twice(
        self, ask: Ask, threads: ByHand, directory_pbx: DirectoryPbx
    ) -> None:
        assert [ask(text)["sources"][1]["state"] for text in ("hel", "Hel", "hel ")] == [
            "searching"
        ] * 3
        threads.run()
        assert len(directory_pbx.asked) == 1

    def test_a_question_for_everybody_is_not_asked(
        self, ask: Ask, directory_pbx: DirectoryPbx, threads: ByHand
    ) -> None:
        assert [source["name"] for source in ask("h")["sources"]] == ["Contacts"]
        assert threads.waiting == []

    def test_a_pbx_without_a_directory_is_no_source(
        self, ask: Ask, directory_pbx: DirectoryPbx
    ) -> None:
        directory_pbx.capabilities = frozenset()
        assert [source["name"] for source in ask("hel")["sources"]] == ["Contacts"]

    def test_who_is_nobody_on_the_pbx_has_no_directory(
        self, ask: Ask, pbx: Pbx, camille: User
    ) -> None:
        User.objects.filter(pk=camille.pk).update(pbx_user_id="")
        camille.refresh_from_db()
        assert [source["name"] for source in ask("hel")["sources"]] == ["Contacts"]

    def test_the_best_of_a_flood_are_kept(
        self, ask: Ask, threads: ByHand, directory_pbx: DirectoryPbx
    ) -> None:
        flood = [
            DirectoryEntry(name=f"Aaron {place}", numbers=(("work", f"0199{place:06}"),))
            for place in range(1000)
        ]
        directory_pbx.entries = [*flood, HELENE]
        ask("hel")
        threads.run()
        answer = ask("hel")
        assert len(answer["results"]) == 50
        assert rows(answer)[:2] == [
            ("Hélène Marchetti", "06 39 98 12 08"),
            ("Hélène Marchetti", "01 99 00 42 17"),
        ]

    def test_the_api_takes_the_answer_as_it_is(
        self, ask: Ask, threads: ByHand, directory_pbx: DirectoryPbx, nadia: User
    ) -> None:
        directory_pbx.entries = [HELENE]
        ask("1002")
        threads.run()
        ApiAnswer.model_validate(ask("1002"))


class TestADirectoryThatFails:
    def test_a_pbx_whose_address_is_none_has_failed(self, camille: User, nadia: User) -> None:
        answer = search(camille, "nadia", states_of=states)
        assert rows(answer) == [("Nadia Belkacem", "1002"), ("Nadia Belkacem", "06 39 98 12 01")]
        assert [source["state"] for source in answer["sources"]] == ["ok", "failed"]

    def test_a_pbx_that_is_down_is_said_to_be(
        self,
        camille: User,
        nadia: User,
        directory: PbxDirectory,
        threads: ByHand,
        directory_pbx: DirectoryPbx,
    ) -> None:
        directory_pbx.error = PbxUnavailable("connection refused")
        sources: list[Source] = [StoredContacts(), directory]
        search(camille, "nadia", sources=sources, states_of=states)
        threads.run()
        answer = search(camille, "nadia", sources=sources, states_of=states)
        assert answer["sources"][1]["state"] == "failed"
        assert rows(answer)[0] == ("Nadia Belkacem", "1002")

    def test_an_answer_that_takes_more_than_a_second_has_failed_until_it_comes(
        self,
        camille: User,
        directory: PbxDirectory,
        directory_pbx: DirectoryPbx,
        threads: ByHand,
        clock: Clock,
    ) -> None:
        seen = [state_of(directory, camille)]

        def pass_time() -> None:
            for seconds in (0.9, 0.2):
                clock.now += seconds
                seen.append(state_of(directory, camille))

        directory_pbx.meanwhile = pass_time
        threads.run()
        seen.append(state_of(directory, camille))
        assert seen == [State.SEARCHING, State.SEARCHING, State.FAILED, State.OK]

    def test_what_waited_too_long_for_its_turn_is_not_asked_but_asked_for_again(
        self,
        camille: User,
        directory: PbxDirectory,
        directory_pbx: DirectoryPbx,
        threads: ByHand,
        clock: Clock,
    ) -> None:
        state_of(directory, camille)
        clock.now += 1.1
        threads.run()
        assert not directory_pbx.asked
        assert state_of(directory, camille) is State.SEARCHING
        threads.run()
        assert state_of(directory, camille) is State.OK

    def test_no_more_than_so_many_questions_wait(
        self, camille: User, directory: PbxDirectory, threads: ByHand
    ) -> None:
        for place in range(MAX_WAITING + 5):
            assert state_of(directory, camille, f"nadia {place}") is State.SEARCHING
        assert len(threads.waiting) == MAX_WAITING

    def test_going_and_coming_back_is_logged_once_each(
        self,
        camille: User,
        directory: PbxDirectory,
        threads: ByHand,
        directory_pbx: DirectoryPbx,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level(logging.INFO, "contacts")
        for text, error in (
            ("aa", None),
            ("bb", PbxUnavailable("time-out")),
            ("cc", PbxUnavailable("time-out")),
            ("dd", None),
            ("ee", None),
        ):
            directory_pbx.error = error
            state_of(directory, camille, text)
            threads.run()
        assert caplog.messages == [
            "the directory of demo doesn't answer: time-out",
            "the directory of demo answers again",
        ]

    def test_an_error_of_our_own_is_logged_as_one_and_is_no_page_error(
        self,
        camille: User,
        directory: PbxDirectory,
        threads: ByHand,
        directory_pbx: DirectoryPbx,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        directory_pbx.error = KeyError("column_values")
        state_of(directory, camille)
        threads.run()
        assert state_of(directory, camille) is State.FAILED
        assert [record.levelname for record in caplog.records] == ["ERROR"]

    def test_without_its_cache_the_search_goes_on(
        self, camille: User, directory: PbxDirectory, threads: ByHand
    ) -> None:
        nobody_there = {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1",
        }
        with override_settings(CACHES={"default": nobody_there}):
            assert state_of(directory, camille) is State.SEARCHING
            threads.run()
            assert state_of(directory, camille) is State.SEARCHING

    def test_real_threads_keep_the_answer_too(
        self, camille: User, directory_pbx: DirectoryPbx
    ) -> None:
        directory_pbx.entries = [HELENE]
        with ThreadPoolExecutor(1) as pool:
            directory = PbxDirectory(executor=pool)
            assert state_of(directory, camille) is State.SEARCHING
        assert state_of(directory, camille) is State.OK


def state_of(directory: PbxDirectory, viewer: User, text: str = "helene") -> State | None:
    asked = question(text)
    assert asked is not None
    found = directory.search(viewer, asked)
    return found.state if found else None
