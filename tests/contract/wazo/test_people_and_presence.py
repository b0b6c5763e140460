"""Users, presence, forwards, voicemail, directory and call log, as a real Wazo answered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bluetel.telephony.errors import (
    Forbidden,
    NotFound,
    PbxUnavailable,
    ProtocolError,
    Rejected,
    RejectReason,
)
from bluetel.telephony.types import (
    Capability,
    ChatState,
    Forward,
    ForwardKind,
    LineState,
    PbxUserId,
    VoicemailFolder,
)
from bluetel.telephony.wazo.backend import WazoBackend
from bluetel.telephony.wazo.people import PAGE
from tests.contract.wazo.conftest import ALICE, BOB, CAROL, NOBODY, config, ok
from tests.contract.wazo.player import Player, Reply, body_of, reply

USERS = "/api/confd/1.1/users"
ACCOUNTS = "/api/auth/0.1/users"
PRESENCES = "/api/chatd/1.0/users/presences"
HERS = f"/api/chatd/1.0/users/{ALICE}/presences"
NOT_INITIALIZED = reply("wazo-chatd/presences_list_503_not_initialized")
TALKING = reply("wazo-chatd/presences_list_200_talking")


def uuid(number: int) -> PbxUserId:
    return PbxUserId(f"00000000-0000-4000-8000-{number:012}")


class TestUsers:
    def test_everybody_with_his_login(self, player: Player, backend: WazoBackend) -> None:
        player.answer("GET", ACCOUNTS, reply("wazo-auth/users_list_200_recurse"))
        player.answer("GET", USERS, reply("wazo-confd/users_list_200_external_api"))
        people = {person.id: person for person in backend.users()}
        assert {person.extension for person in people.values()} == {"1001", "1002", "1003"}
        assert people[ALICE].login == "alice"

    def test_an_account_that_may_not_read_logins_goes_without(
        self, player: Player, backend: WazoBackend
    ) -> None:
        player.answer("GET", ACCOUNTS, reply("wazo-auth/users_list_401_missing_acl"))
        player.answer("GET", USERS, reply("wazo-confd/users_list_200_external_api"))
        assert {person.login for person in backend.users()} == {""}
        list(backend.users())
        assert len(player.asked("GET", ACCOUNTS)) == 1

    def test_they_come_page_by_page(self, player: Player, backend: WazoBackend) -> None:
        one = body_of("wazo-confd/users_get_200")
        pages = [
            {"total": PAGE + 1, "items": [one | {"uuid": uuid(n)} for n in range(PAGE)]},
            {"total": PAGE + 1, "items": [one | {"uuid": uuid(PAGE)}]},
        ]
        player.answer("GET", USERS, *map(ok, pages))
        assert len(list(backend.users())) == PAGE + 1
        assert [(r.query["limit"], r.query["offset"]) for r in player.asked("GET", USERS)] == [
            (str(PAGE), "0"),
            (str(PAGE), str(PAGE)),
        ]

    def test_a_list_that_shrinks_meanwhile_ends(self, player: Player, backend: WazoBackend) -> None:
        one = body_of("wazo-confd/users_get_200")
        player.answer("GET", USERS, ok({"total": 5, "items": [one]}), ok({"total": 5, "items": []}))
        assert len(list(backend.users())) == 1

    def test_logins_come_page_by_page_too(self, player: Player, backend: WazoBackend) -> None:
        alice = {"uuid": ALICE, "username": "alice"}
        bob = {"uuid": BOB, "username": "bob"}
        player.answer(
            "GET", ACCOUNTS, ok({"total": 2, "items": [alice]}), ok({"total": 2, "items": [bob]})
        )
        player.answer("GET", USERS, reply("wazo-confd/users_list_200_by_email"))
        assert [person.login for person in backend.users()] == ["bob"]

    def test_one_person_is_read_anew(self, player: Player, backend: WazoBackend) -> None:
        assert backend.user(ALICE).name == "Alice Martin"
        backend.user(ALICE)
        assert len(player.asked("GET", f"{USERS}/{ALICE}")) == 2

    def test_nobody_is_not_found(self, player: Player, backend: WazoBackend) -> None:
        player.answer("GET", f"{USERS}/{NOBODY}", reply("wazo-confd/users_get_404"))
        with pytest.raises(NotFound):
            backend.user(NOBODY)

    def test_an_id_that_is_no_uuid_is_not_found(self, player: Player, backend: WazoBackend) -> None:
        with pytest.raises(NotFound):
            backend.user(PbxUserId("me"))
        assert player.requests == []

    def test_what_is_remembered_of_people_is_bounded(
        self, player: Player, backend: WazoBackend, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bluetel.telephony.wazo.people.MOST_REMEMBERED", 2)
        one = body_of("wazo-confd/users_get_200")
        for number in range(4):
            path = f"{USERS}/{uuid(number)}"
            player.answer("GET", path, ok(one | {"uuid": uuid(number)}))
            backend.user(uuid(number))
        assert len(backend._people._remembered) == 2

    def test_it_can_do_everything(self, backend: WazoBackend) -> None:
        assert backend.capabilities == frozenset(Capability)


class TestPresences:
    def test_what_is_known_of_some_people(self, player: Player, backend: WazoBackend) -> None:
        player.answer("GET", PRESENCES, TALKING)
        found = {presence.user: presence for presence in backend.presences([ALICE, BOB])}
        assert {user: presence.phone for user, presence in found.items()} == {
            ALICE: LineState.TALKING,
            BOB: LineState.TALKING,
        }
        assert (found[ALICE].chat, found[ALICE].message) == (ChatState.AWAY, "Lunch")

    def test_at_most_thirty_are_asked_for_at_once(
        self, player: Player, backend: WazoBackend
    ) -> None:
        player.answer("GET", PRESENCES, reply("wazo-chatd/presences_list_200_filter_unknown_uuid"))
        asked = [uuid(n) for n in range(70)]
        assert backend.presences(asked) == []
        sent = [r.query["user_uuid"].split(",") for r in player.asked("GET", PRESENCES)]
        assert [len(some) for some in sent] == [30, 30, 10]
        assert [user for some in sent for user in some] == asked

    def test_nobody_asked_for_is_nothing_asked(self, player: Player, backend: WazoBackend) -> None:
        assert backend.presences([]) == []
        assert backend.presences([PbxUserId("nope")]) == []
        assert player.requests == []

    def test_who_was_not_asked_for_is_left_out(self, player: Player, backend: WazoBackend) -> None:
        player.answer("GET", PRESENCES, TALKING)
        assert [presence.user for presence in backend.presences([BOB])] == [BOB]

    def test_a_chatd_still_reading_is_waited_for(
        self, player: Player, backend: WazoBackend, pauses: list[float]
    ) -> None:
        # The door repeats a 503 twice by itself, then chatd's own word for it is heeded.
        player.answer("GET", PRESENCES, *[NOT_INITIALIZED] * 5, TALKING)
        assert len(backend.presences([ALICE])) == 1
        assert 0.5 in pauses

    def test_one_that_never_gets_ready_is_unavailable(
        self, player: Player, backend: WazoBackend, pauses: list[float]
    ) -> None:
        player.answer("GET", PRESENCES, NOT_INITIALIZED)
        with pytest.raises(PbxUnavailable, match="not-initialized"):
            backend.presences([ALICE])
        assert [pause for pause in pauses if pause in {0.5, 1.0, 2.0}] == [0.5, 1.0, 2.0]

    @pytest.mark.parametrize(
        ("name", "error"),
        [
            ("presences_list_401_other_tenant", Forbidden),
            ("presences_list_400_filter_bad_uuid", Rejected),
            ("presence_get_503_auth_down", PbxUnavailable),
            ("presence_get_404_bad_uuid", NotFound),
        ],
    )
    def test_other_errors(
        self, player: Player, backend: WazoBackend, name: str, error: type[Exception]
    ) -> None:
        player.answer("GET", PRESENCES, reply(f"wazo-chatd/{name}"))
        with pytest.raises(error):
            backend.presences([ALICE])

    @pytest.mark.parametrize(
        ("state", "name"),
        [
            (ChatState.AVAILABLE, "available"),
            (ChatState.AWAY, "away"),
            (ChatState.BUSY, "unavailable"),
            (ChatState.INVISIBLE, "invisible"),
        ],
    )
    def test_a_status_is_published_in_wazos_words(
        self, player: Player, backend: WazoBackend, state: ChatState, name: str
    ) -> None:
        player.answer("PUT", HERS, reply("wazo-chatd/presence_put_204_own"))
        backend.set_chat(ALICE, state, message="Lunch")
        assert player.asked("PUT", HERS)[0].body == {"state": name, "status": "Lunch"}

    def test_an_empty_message_clears_the_old_one(
        self, player: Player, backend: WazoBackend
    ) -> None:
        player.answer("PUT", HERS, reply("wazo-chatd/presence_put_204_status_null"))
        backend.set_chat(ALICE, ChatState.AVAILABLE, message="")
        assert player.asked("PUT", HERS)[0].body == {"state": "available", "status": None}

    def test_nobody_can_choose_to_have_never_chosen(self, backend: WazoBackend) -> None:
        with pytest.raises(Rejected):
            backend.set_chat(ALICE, ChatState.NEVER_CHOSEN, message="")

    def test_an_unknown_person(self, player: Player, backend: WazoBackend) -> None:
        path = f"/api/chatd/1.0/users/{NOBODY}/presences"
        player.answer("PUT", path, reply("wazo-chatd/presence_put_404_unknown_user"))
        with pytest.raises(NotFound):
            backend.set_chat(NOBODY, ChatState.AWAY, message="")
        with pytest.raises(NotFound):
            backend.set_chat(PbxUserId("me"), ChatState.AWAY, message="")

    def test_with_the_bus_down_a_stored_status_counts_as_published(
        self, player: Player, backend: WazoBackend
    ) -> None:
        stored = body_of("wazo-chatd/presence_get_after_put_during_bus_outage")
        player.answer("PUT", HERS, reply("wazo-chatd/presence_put_during_bus_outage"))
        player.answer("GET", HERS, ok(stored))
        chosen = {"available": ChatState.AVAILABLE, "away": ChatState.AWAY}[stored["state"]]
        backend.set_chat(ALICE, chosen, message=stored["status"])
        assert len(player.asked("PUT", HERS)) == 1

    def test_and_one_that_was_not_stored_does_not(
        self, player: Player, backend: WazoBackend
    ) -> None:
        player.answer("PUT", HERS, reply("wazo-chatd/presence_put_during_bus_outage"))
        player.answer("GET", HERS, reply("wazo-chatd/presence_get_200_after_put"))
        with pytest.raises(PbxUnavailable):
            backend.set_chat(ALICE, ChatState.AWAY, message="something else")

    def test_a_chatd_that_says_it_cannot_is_believed(
        self, player: Player, backend: WazoBackend
    ) -> None:
        player.answer("PUT", HERS, reply("wazo-chatd/presence_put_503_not_initialized"))
        with pytest.raises(PbxUnavailable) as caught:
            backend.set_chat(ALICE, ChatState.AWAY, message="")
        assert not caught.value.maybe_done


class TestForwards:
    BASE = f"{USERS}/{ALICE}"

    def test_what_the_pbx_holds(self, player: Player, backend: WazoBackend) -> None:
        player.answer(
            "GET", f"{self.BASE}/forwards", reply("wazo-confd/users_forwards_get_200_own")
        )
        player.answer(
            "GET",
            f"{self.BASE}/services/dnd",
            reply("wazo-confd/users_services_dnd_get_200_own"),
        )
        held = backend.forwards(ALICE)
        assert set(held.by_kind) == set(ForwardKind)
        assert not held.do_not_disturb

    @pytest.mark.parametrize(
        ("kind", "name"),
        [
            (ForwardKind.UNCONDITIONAL, "unconditional"),
            (ForwardKind.BUSY, "busy"),
            (ForwardKind.NO_ANSWER, "noanswer"),
        ],
    )
    def test_one_is_written_whole(
        self, player: Player, backend: WazoBackend, kind: ForwardKind, name: str
    ) -> None:
        path = f"{self.BASE}/forwards/{name}"
        player.answer("PUT", path, reply("wazo-confd/users_forwards_unconditional_put_204"))
        backend.set_forward(ALICE, kind, Forward(enabled=True, destination="0123456789"))
        backend.set_forward(ALICE, kind, Forward())
        assert [r.body for r in player.asked("PUT", path)] == [
            {"enabled": True, "destination": "0123456789"},
            {"enabled": False, "destination": None},
        ]

    def test_a_forward_to_nowhere_is_never_sent(self, player: Player, backend: WazoBackend) -> None:
        with pytest.raises(Rejected):
            backend.set_forward(ALICE, ForwardKind.BUSY, Forward(enabled=True))
        assert player.asked("PUT") == []

    def test_a_refusal_in_confds_shape(self, player: Player, backend: WazoBackend) -> None:
        path = f"{self.BASE}/forwards/busy"
        player.answer("PUT", path, reply("wazo-confd/users_forwards_unconditional_put_400"))
        with pytest.raises(Rejected) as caught:
            backend.set_forward(ALICE, ForwardKind.BUSY, Forward(enabled=True, destination="1"))
        assert caught.value.reason is RejectReason.INVALID_DATA

    def test_do_not_disturb(self, player: Player, backend: WazoBackend) -> None:
        path = f"{self.BASE}/services/dnd"
        player.answer("PUT", path, reply("wazo-confd/users_services_dnd_put_204_own"))
        backend.set_do_not_disturb(ALICE, enabled=True)
        assert player.asked("PUT", path)[0].body == {"enabled": True}

    def test_a_person_of_another_tenant_is_not_touched(
        self, player: Player, backend: WazoBackend
    ) -> None:
        # confd itself would let it through: its sub-resources don't check the tenant.
        player.answer("GET", f"{USERS}/{NOBODY}", reply("wazo-confd/users_get_404"))
        with pytest.raises(NotFound):
            backend.set_do_not_disturb(NOBODY, enabled=True)
        assert player.asked("PUT") == []

    def boxes(self, context: str) -> Reply:
        return ok({"total": 1, "items": [{"id": 7, "number": "1001", "context": context}]})

    def test_the_way_to_the_own_box(self, player: Player, backend: WazoBackend) -> None:
        context = backend.user(ALICE).lines[0].context
        player.answer("GET", f"{self.BASE}/voicemails", self.boxes(context))
        assert backend.voicemail_destination(ALICE) == "*971001"

    def test_with_the_sites_own_code(self, player: Player) -> None:
        backend = WazoBackend(config(player, voicemail_prefix="*99"))
        context = backend.user(ALICE).lines[0].context
        player.answer("GET", f"{self.BASE}/voicemails", self.boxes(context))
        assert backend.voicemail_destination(ALICE) == "*991001"
        backend.close()

    def test_a_box_elsewhere_or_none_is_no_way(self, player: Player, backend: WazoBackend) -> None:
        path = f"{self.BASE}/voicemails"
        player.answer("GET", path, self.boxes("elsewhere"), ok({"total": 0, "items": []}))
        assert backend.voicemail_destination(ALICE) is None
        assert backend.voicemail_destination(ALICE) is None


class TestVoicemail:
    BOX = "/api/calld/1.0/voicemails/7"

    def message(self, name: str, at: int) -> dict[str, Any]:
        return {
            "id": name,
            "caller_id_name": None,
            "caller_id_num": "0199004217",
            "duration": 3,
            "timestamp": at,
        }

    @pytest.fixture(autouse=True)
    def _box(self, player: Player) -> None:
        boxes = {"items": [{"id": 7, "number": "1001", "context": "c"}]}
        player.answer("GET", f"{USERS}/{ALICE}/voicemails", ok(boxes))
        player.answer("GET", self.BOX, ok(self.content()))

    def content(self) -> dict[str, Any]:
        return {
            "id": 7,
            "folders": [
                {"id": 1, "messages": [self.message("a", 100), self.message("b", 300)]},
                {"id": 2, "messages": [self.message("c", 200)]},
            ],
        }

    def test_all_messages_newest_first(self, backend: WazoBackend) -> None:
        found = backend.messages(ALICE)
        assert [(message.id, message.folder) for message in found] == [
            ("b", VoicemailFolder.NEW),
            ("c", VoicemailFolder.OLD),
            ("a", VoicemailFolder.NEW),
        ]

    def test_a_message_deleted_while_wazo_reads_is_read_over(
        self, player: Player, backend: WazoBackend
    ) -> None:
        player.answer("GET", self.BOX, Reply(500, {"message": "x"}), ok(self.content()))
        assert len(backend.messages(ALICE)) == 3

    def test_a_box_that_stays_unreadable_is_unavailable(
        self, player: Player, backend: WazoBackend
    ) -> None:
        player.answer("GET", self.BOX, Reply(500, {"message": "x"}))
        with pytest.raises(PbxUnavailable):
            backend.messages(ALICE)

    def test_a_box_that_is_gone_is_not_found(self, player: Player, backend: WazoBackend) -> None:
        player.answer("GET", self.BOX, reply("wazo-calld/users_me_voicemails_get_no_voicemail"))
        with pytest.raises(NotFound):
            backend.messages(ALICE)

    def test_its_sound(self, player: Player, backend: WazoBackend) -> None:
        player.answer(
            "GET",
            f"{self.BOX}/messages/a/recording",
            Reply(200, b"RIFF....WAVE", {"Content-Type": "audio/wav"}),
        )
        heard = bytearray()
        backend.copy_audio(ALICE, "a", heard.extend)
        assert heard == b"RIFF....WAVE"

    def test_marking_read_and_deleting(self, player: Player, backend: WazoBackend) -> None:
        for method in ("PUT", "DELETE"):
            player.answer(method, f"{self.BOX}/messages/a", Reply(204))
        backend.move_message(ALICE, "a", VoicemailFolder.OLD)
        backend.delete_message(ALICE, "a")
        assert player.asked("PUT")[0].body == {"folder_id": 2}
        assert len(player.asked("DELETE", self.BOX)) == 1

    def test_a_message_in_none_of_his_boxes_is_not_found(self, backend: WazoBackend) -> None:
        with pytest.raises(NotFound):
            backend.delete_message(ALICE, "z")


class TestDirectory:
    LOOKUP = f"/api/dird/0.1/directories/lookup/default/{ALICE}"

    def test_a_search_for_a_user(self, player: Player, backend: WazoBackend) -> None:
        player.answer("GET", self.LOOKUP, reply("wazo-dird/directories_lookup_200_partial"))
        found = backend.search(ALICE, " a ", timeout=2)
        assert [entry.name for entry in found] == ["Bob Durand", "Carol Leroy", "Alice Martin"]
        assert player.asked("GET", self.LOOKUP)[0].query == {"term": "a"}

    def test_nothing_found(self, player: Player, backend: WazoBackend) -> None:
        player.answer("GET", self.LOOKUP, reply("wazo-dird/directories_lookup_200_no_match"))
        assert backend.search(ALICE, "zzz", timeout=2) == []

    def test_nothing_asked(self, player: Player, backend: WazoBackend) -> None:
        assert backend.search(ALICE, "  ", timeout=2) == []
        assert player.requests == []

    def test_a_slow_directory_is_not_waited_for(self, player: Player, backend: WazoBackend) -> None:
        player.answer("GET", self.LOOKUP, Reply(0, hang=True))
        with pytest.raises(PbxUnavailable) as caught:
            backend.search(ALICE, "bob", timeout=0.2)
        assert not caught.value.maybe_done

    @pytest.mark.parametrize(
        ("name", "error"),
        [
            ("directories_lookup_404_profile", NotFound),
            ("directories_lookup_503_auth_down", PbxUnavailable),
            ("directories_lookup_400_no_term", Rejected),
        ],
    )
    def test_errors_of_shape_a_and_d(
        self, player: Player, backend: WazoBackend, name: str, error: type[Exception]
    ) -> None:
        player.answer("GET", self.LOOKUP, reply(f"wazo-dird/{name}"))
        with pytest.raises(error):
            backend.search(ALICE, "bob", timeout=2)


class TestCallLog:
    CDR = f"/api/call-logd/1.0/users/{BOB}/cdr"

    @pytest.fixture(autouse=True)
    def _bob(self, player: Player) -> None:
        bob = body_of("wazo-confd/users_list_200_by_email")["items"][0]
        player.answer("GET", f"{USERS}/{BOB}", ok(bob))

    def test_the_newest_first(self, player: Player, backend: WazoBackend) -> None:
        player.answer("GET", self.CDR, reply("wazo-call-logd/users_cdr_list_200_admin"))
        rows = backend.history(BOB, limit=20)
        assert [row.id for row in rows][:1] == ["4"]
        assert player.asked("GET", self.CDR)[0].query == {
            "limit": "20",
            "order": "start",
            "direction": "desc",
        }

    @pytest.mark.parametrize(("limit", "sent"), [(0, "1"), (-5, "1"), (10**9, "1000")])
    def test_never_everything(
        self, player: Player, backend: WazoBackend, limit: int, sent: str
    ) -> None:
        player.answer("GET", self.CDR, reply("wazo-call-logd/users_cdr_list_200_admin"))
        backend.history(BOB, limit=limit)
        assert player.asked("GET", self.CDR)[0].query["limit"] == sent

    def test_before_a_time(self, player: Player, backend: WazoBackend) -> None:
        player.answer("GET", self.CDR, reply("wazo-call-logd/users_cdr_list_200_from_until"))
        backend.history(BOB, limit=5, before=datetime(2026, 11, 22, 8, tzinfo=UTC))
        until = player.asked("GET", self.CDR)[0].query["until"]
        assert until == "2026-11-22T08:00:00+00:00"

    def test_a_list_of_no_rows_is_a_protocol_error(
        self, player: Player, backend: WazoBackend
    ) -> None:
        player.answer("GET", self.CDR, reply("wazo-call-logd/cdr_list_200_csv"))
        with pytest.raises(ProtocolError):
            backend.history(BOB, limit=5)


def test_carol_is_a_person_too(player: Player, backend: WazoBackend) -> None:
    player.answer("GET", PRESENCES, reply("wazo-chatd/presences_list_200_holding"))
    (carol,) = backend.presences([CAROL])
    assert carol.phone is LineState.HOLDING
