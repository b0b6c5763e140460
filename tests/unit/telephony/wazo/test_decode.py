"""Wazo's JSON reads as ours; a renamed or ill-typed field never goes unnoticed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluetel.telephony.errors import ProtocolError
from bluetel.telephony.types import (
    ChatState,
    Direction,
    Forward,
    ForwardKind,
    LineState,
    PbxUserId,
    VoicemailFolder,
)
from bluetel.telephony.wazo import decode, directory_records, voicemail_records
from bluetel.telephony.wazo.fields import Fields, wall_clock
from bluetel.telephony.wazo.legs import Phase
from tests.unit.telephony.wazo.mutations import differs, renamed, retyped
from tests.unit.telephony.wazo.transcripts import ALICE, BOB, RECORDINGS, messages


def body(name: str) -> Any:
    return json.loads((RECORDINGS / f"{name}.json").read_text())["response"]["body"]


BOX = {
    "id": 7,
    "name": "Camille",
    "number": "1001",
    "accesstype": "personal",
    "folders": [
        {
            "id": 1,
            "name": "inbox",
            "type": "new",
            "messages": [
                {
                    "id": "1795333711-00000001",
                    "caller_id_name": "Ateliers",
                    "caller_id_num": "0199004217",
                    "duration": 12,
                    "timestamp": 1795333711,
                    "empty": False,
                    "transcription": {"text": "Call me back"},
                }
            ],
        }
    ],
}
BOXES = {
    "total": 1,
    "items": [{"id": 7, "number": "1001", "context": "inside", "password": "97531"}],
}

ENDED = next(m.data for m in messages("call_admin_wildcard") if m.name == "call_ended")


def _read_user(value: Any) -> object:
    return decode.user(value)


def _read_forwards(value: Any) -> object:
    return decode.forwards(value, do_not_disturb=False)


def _read_presences(value: Any) -> object:
    return [decode.presence(item) for item in decode.items(value, what="presences")]


def _read_calls(value: Any) -> object:
    return [decode.leg(item) for item in decode.items(value, what="calls")]


def _read_cdr(value: Any) -> object:
    rows = decode.items(value, what="cdr")
    # Of both parties: what one doesn't need, the other does.
    return [
        directory_records.logged_call(row, user=PbxUserId(u)) for row in rows for u in (ALICE, BOB)
    ]


def _read_box(value: Any) -> object:
    return list(voicemail_records.messages(value, box="7"))


NEEDED: list[tuple[str, Any, Callable[[Any], object], tuple[tuple[str | int, ...], ...]]] = [
    (
        "token",
        body("wazo-auth/token_create_200_user_alice"),
        decode.token_grant,
        (
            ("data",),
            ("data", "token"),
            ("data", "utc_issued_at"),
            ("data", "utc_expires_at"),
            ("data", "metadata"),
            ("data", "metadata", "tenant_uuid"),
            ("data", "metadata", "pbx_user_uuid"),
        ),
    ),
    ("scopes", body("wazo-auth/token_scopes_check_200"), decode.scopes, (("scopes",),)),
    (
        "calls",
        body("wazo-calld/calls_list_200_admin_on_hold"),
        _read_calls,
        (
            ("items",),
            *(
                ("items", 0, name)
                for name in (
                    "call_id",
                    "conversation_id",
                    "user_uuid",
                    "status",
                    "is_caller",
                    "peer_caller_id_number",
                    "peer_caller_id_name",
                    "talking_to",
                    "bridges",
                    "on_hold",
                    "muted",
                    "sip_call_id",
                    "creation_time",
                    "answer_time",
                    "hangup_time",
                )
            ),
        ),
    ),
    (
        "ended call",
        ENDED,
        decode.ended_leg,
        tuple(
            (name,)
            for name in (
                "call_id",
                "conversation_id",
                "user_uuid",
                "status",
                "caller_id_number",
                "caller_id_name",
                "hangup_time",
                "reason_code",
            )
        ),
    ),
    (
        "presences",
        body("wazo-chatd/presences_list_200_talking"),
        _read_presences,
        (
            ("items",),
            *(
                ("items", 0, name)
                for name in (
                    "uuid",
                    "state",
                    "status",
                    "last_activity",
                    "line_state",
                    "do_not_disturb",
                    "connected",
                )
            ),
        ),
    ),
    (
        "forwards",
        body("wazo-confd/users_forwards_get_200_own"),
        _read_forwards,
        (
            ("busy",),
            ("noanswer",),
            ("unconditional",),
            ("unconditional", "enabled"),
            ("unconditional", "destination"),
        ),
    ),
    (
        "do-not-disturb",
        body("wazo-confd/users_services_dnd_get_200_own"),
        decode.enabled,
        (("enabled",),),
    ),
    (
        "user",
        body("wazo-confd/users_get_200"),
        _read_user,
        (
            ("uuid",),
            ("firstname",),
            ("lastname",),
            ("email",),
            ("mobile_phone_number",),
            ("language",),
            ("lines",),
            ("lines", 0, "id"),
            ("lines", 0, "name"),
            ("lines", 0, "extensions"),
            ("lines", 0, "extensions", 0, "exten"),
            ("lines", 0, "extensions", 0, "context"),
        ),
    ),
    (
        "accounts",
        body("wazo-auth/users_list_200_admin_tenant")["items"][0],
        decode.login,
        (("uuid",), ("username",)),
    ),
    (
        "transfer",
        body("wazo-calld/transfers_get_200"),
        decode.transfer,
        (("id",), ("initiator_call",), ("status",)),
    ),
    ("infos", body("wazo-confd/infos_get_200"), decode.version, (("wazo_version",),)),
    (
        "lookup",
        body("wazo-dird/directories_lookup_200"),
        directory_records.directory_entries,
        (
            ("column_types",),
            ("results",),
            ("results", 0, "column_values"),
            ("results", 0, "relations"),
            ("results", 0, "relations", "user_uuid"),
            ("results", 0, "relations", "source_entry_id"),
            ("results", 0, "source"),
            ("results", 0, "backend"),
        ),
    ),
    (
        "cdr",
        {"items": [r for r in body("wazo-call-logd/cdr_list_200_admin")["items"] if r["id"] == 4]},
        _read_cdr,
        (
            ("items",),
            *(
                ("items", 0, name)
                for name in (
                    "id",
                    "start",
                    "answered",
                    "duration",
                    "conversation_id",
                    "source_user_uuid",
                    "source_extension",
                    "source_name",
                    "destination_extension",
                    "destination_name",
                )
            ),
        ),
    ),
    (
        "boxes",
        BOXES,
        voicemail_records.boxes,
        (("items",), ("items", 0, "id"), ("items", 0, "number"), ("items", 0, "context")),
    ),
    (
        "voicemail",
        BOX,
        _read_box,
        (
            ("folders",),
            ("folders", 0, "id"),
            ("folders", 0, "messages"),
            *(
                ("folders", 0, "messages", 0, name)
                for name in (
                    "id",
                    "caller_id_name",
                    "caller_id_num",
                    "duration",
                    "timestamp",
                    "transcription",
                )
            ),
        ),
    ),
]


@pytest.mark.parametrize(
    ("read", "original", "path"),
    [
        pytest.param(read, original, path, id=f"{name}: {'.'.join(map(str, path))}")
        for name, original, read, paths in NEEDED
        for path in paths
    ],
)
class TestEveryNeededField:
    def test_its_new_name_is_noticed(
        self, read: Callable[[Any], object], original: Any, path: tuple[str | int, ...]
    ) -> None:
        assert differs(read, original, renamed(original, path))

    def test_its_new_type_is_noticed(
        self, read: Callable[[Any], object], original: Any, path: tuple[str | int, ...]
    ) -> None:
        assert differs(read, original, retyped(original, path))


@given(
    reader=st.sampled_from(NEEDED),
    junk=st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists),
)
@settings(max_examples=60)
def test_any_junk_is_a_protocol_error(reader: Any, junk: object) -> None:
    with pytest.raises(ProtocolError):
        reader[2](junk)


class TestCalls:
    def test_a_click_to_call_just_made(self) -> None:
        leg = decode.leg(body("wazo-calld/calls_create_201_admin"))
        assert (leg.phase, leg.is_caller, leg.peer_number, leg.peer_name) == (
            Phase.RINGING,
            True,
            "1003",
            "",
        )

    def test_the_swapped_ids_of_an_ended_call_are_put_right(self) -> None:
        leg = decode.ended_leg(ENDED)
        assert (leg.user, leg.peer_number, leg.peer_name) == (BOB, "1001", "Alice Martin")
        assert (leg.cause, leg.ended_at is not None) == (16, True)

    def test_a_local_channels_half_is_told_from_a_trunk(self) -> None:
        legs = [
            decode.leg(item)
            for item in body("wazo-calld/calls_list_200_admin_after_transfer")["items"]
        ]
        assert [leg.id for leg in legs if leg.is_local] == ["1795333809.7", "1795333809.8"]

    def test_a_call_without_a_conversation_is_its_own(self) -> None:
        record = body("wazo-calld/calls_get_200_admin") | {"conversation_id": None}
        assert decode.leg(record).conversation == record["call_id"]

    @pytest.mark.parametrize("status", ["Unknown", "Rsrvd", "Down", "something new"])
    def test_a_status_that_says_nothing_is_a_new_leg(self, status: str) -> None:
        record = body("wazo-calld/calls_get_200_admin") | {"status": status}
        assert decode.leg(record).phase is Phase.NEW


class TestPresence:
    @pytest.mark.parametrize(
        ("state", "chosen", "expected"),
        [
            ("available", True, ChatState.AVAILABLE),
            ("away", True, ChatState.AWAY),
            ("unavailable", True, ChatState.BUSY),
            ("unavailable", False, ChatState.NEVER_CHOSEN),
            ("invisible", True, ChatState.INVISIBLE),
            ("in a state yet unknown", True, ChatState.NEVER_CHOSEN),
        ],
    )
    def test_chat_states(self, state: str, *, chosen: bool, expected: ChatState) -> None:
        record = body("wazo-chatd/presence_get_200") | {"state": state}
        record["last_activity"] = "2026-11-22T07:42:41.047599" if chosen else None
        assert decode.presence(record).chat is expected

    @pytest.mark.parametrize("state", list(LineState))
    def test_line_states(self, state: LineState) -> None:
        record = body("wazo-chatd/presence_get_200") | {"line_state": state.value}
        assert decode.presence(record).phone is state

    def test_a_line_state_yet_unknown_is_no_green_light(self) -> None:
        record = body("wazo-chatd/presence_get_200") | {"line_state": "levitating"}
        assert decode.presence(record).phone is LineState.UNAVAILABLE

    def test_a_time_without_offset_is_utc(self) -> None:
        with_offset = decode.presence(body("wazo-chatd/presence_get_200_after_put"))
        naive = next(
            m.data["last_activity"]
            for m in messages("user_v2_presence")
            if m.data["state"] == "away"
        )
        assert isinstance(naive, str)
        assert "+" not in naive
        assert with_offset.chosen_at == datetime(2026, 11, 22, 7, 40, 52, 660381, tzinfo=UTC)
        read = decode.presence(body("wazo-chatd/presence_get_200") | {"last_activity": naive})
        assert read.chosen_at == datetime.fromisoformat(naive).replace(tzinfo=UTC)

    def test_a_status_text_keeps_its_accents_and_emoji(self) -> None:
        message = decode.presence(body("wazo-chatd/presence_get_200_unicode_status")).message
        assert message == "En réunion jusqu’à 15 h 🗓️"


class TestPeople:
    def test_a_user_with_his_line(self) -> None:
        user = decode.user(body("wazo-confd/users_get_200"), login="alice")
        assert (user.id, user.name, user.extension, user.login) == (
            ALICE,
            "Alice Martin",
            "1001",
            "alice",
        )
        assert user.lines[0].id == "3"
        assert user.lines[0].context.startswith("ctx-acme-internal-")

    def test_a_line_without_an_extension_still_has_its_context(self) -> None:
        record = body("wazo-confd/users_get_200")
        record["lines"][0]["extensions"] = []
        user = decode.user(record)
        assert (user.extension, user.lines[0].context[:3]) == ("", "ctx")

    def test_a_user_without_a_line(self) -> None:
        record = body("wazo-confd/users_get_200") | {"lines": []}
        assert decode.user(record).extension == ""

    def test_an_account_without_a_username(self) -> None:
        assert decode.login({"uuid": ALICE, "username": None}) == (ALICE, "")

    def test_a_service_accounts_token_is_nobodys(self) -> None:
        grant = decode.token_grant(body("wazo-auth/token_create_200_external_api"))
        assert (grant.user, grant.life) == (None, 7200.0)
        assert grant.token not in repr(grant)

    def test_forwards_with_their_numbers(self) -> None:
        record = body("wazo-confd/users_forwards_get_200_own")
        record["noanswer"] = {"enabled": True, "destination": "0199004217"}
        read = decode.forwards(record, do_not_disturb=True)
        assert read.do_not_disturb
        assert read.by_kind[ForwardKind.NO_ANSWER] == Forward(
            enabled=True, destination="0199004217"
        )
        assert read.by_kind[ForwardKind.BUSY] == Forward()

    @pytest.mark.parametrize(
        ("page", "seen", "expected"),
        [
            ({"items": [1], "total": 3}, 1, False),
            ({"items": [1], "total": 3}, 3, True),
            ({"items": [], "total": 3}, 1, True),
        ],
    )
    def test_the_last_page_is_known(self, page: object, seen: int, *, expected: bool) -> None:
        assert decode.page_is_last(page, seen=seen, what="page") is expected


class TestDirectory:
    TYPES = ("name", "firstname", "lastname", "number", "number", "favorite", "email", "company")

    def entry(
        self, *values: object, backend: str = "wazo", types: tuple[object, ...] = TYPES
    ) -> list[Any]:
        return directory_records.directory_entries(
            {
                "column_types": list(types),
                "results": [
                    {
                        "column_values": list(values),
                        "relations": {"user_uuid": None, "source_entry_id": "4"},
                        "source": "s",
                        "backend": backend,
                    }
                ],
            }
        )

    def test_a_colleague(self) -> None:
        (bob,) = directory_records.directory_entries(body("wazo-dird/directories_lookup_200"))
        assert (bob.name, bob.numbers, bob.email) == (
            "Bob Durand",
            (("extension", "1002"),),
            "bob@acme.example",
        )
        assert (bob.user, bob.source, bob.entry_id) == (BOB, "auto_wazo_Acme", "4")

    def test_several_numbers_of_one_type(self) -> None:
        (entry,) = self.entry("A", None, None, "1001", "0639980001", None, None, "Acme")
        assert entry.numbers == (("extension", "1001"), ("mobile", "0639980001"))
        assert entry.company == "Acme"

    def test_an_outsiders_numbers_have_no_label_of_their_own(self) -> None:
        (entry,) = self.entry("A", "", "", "3949", "0199004217", backend="personal")
        assert entry.numbers == (("other", "3949"), ("other", "0199004217"))

    def test_columns_are_found_by_type_in_any_order(self) -> None:
        (entry,) = self.entry(
            "0199004218",
            "0199004217",
            "Marchetti",
            "Hélène",
            backend="csv",
            types=("fax", "work", "lastname", "firstname"),
        )
        assert entry.name == "Hélène Marchetti"
        assert entry.numbers == (("fax", "0199004218"), ("work", "0199004217"))

    def test_a_cell_may_be_a_list(self) -> None:
        (entry,) = self.entry(
            "A", [None, "0199004217", " 0199004218 "], backend="x", types=("name", "number")
        )
        assert entry.numbers == (("other", "0199004217"), ("other", "0199004218"))

    def test_the_same_number_twice_is_one(self) -> None:
        (entry,) = self.entry("A", None, None, "1001", "1001")
        assert entry.numbers == (("extension", "1001"),)

    def test_a_row_without_name_or_number_is_left_out(self) -> None:
        assert self.entry(None, None, None, "", None) == []

    def test_a_short_row_and_odd_types_do_no_harm(self) -> None:
        assert self.entry("A", types=("name", 5, None))[0].numbers == ()


class TestCallLog:
    def test_each_party_sees_the_other(self) -> None:
        row = next(r for r in body("wazo-call-logd/cdr_list_200_admin")["items"] if r["id"] == 4)
        out = directory_records.logged_call(row, user=PbxUserId(ALICE))
        incoming = directory_records.logged_call(row, user=PbxUserId(BOB))
        assert (out.direction, out.number, out.name) == (Direction.OUTGOING, "1002", "Bob Durand")
        assert (incoming.direction, incoming.number) == (Direction.INCOMING, "1001")
        assert (out.duration, out.answered, out.conversation) == (9, True, "1795333803.5")

    def test_a_call_that_reached_nobody_shows_what_was_asked_for(self) -> None:
        row = next(r for r in body("wazo-call-logd/cdr_list_200_admin")["items"] if r["id"] == 4)
        row |= {
            "destination_extension": "",
            "destination_name": None,
            "requested_extension": "1009",
            "requested_name": "Samir",
            "duration": None,
            "conversation_id": None,
        }
        call = directory_records.logged_call(row, user=PbxUserId(ALICE))
        assert (call.number, call.name, call.duration) == ("1009", "Samir", 0)
        assert call.conversation is None

    def test_voicemail_is_no_answer(self) -> None:
        row = next(r for r in body("wazo-call-logd/cdr_list_200_admin")["items"] if r["id"] == 4)
        row["call_status"] = "voicemail"
        assert not directory_records.logged_call(row, user=PbxUserId(BOB)).answered


class TestVoicemail:
    def message(self, **changes: object) -> Any:
        box = json.loads(json.dumps(BOX))
        box["folders"][0]["messages"][0] |= changes
        (message,) = voicemail_records.messages(box, box="7")
        return message

    def test_a_message(self) -> None:
        message = self.message()
        assert (message.number, message.name, message.duration, message.box) == (
            "0199004217",
            "Ateliers",
            12,
            "7",
        )
        assert message.folder is VoicemailFolder.NEW
        assert message.transcript == "Call me back"
        assert message.received_at == datetime(2026, 11, 22, 7, 48, 31, tzinfo=UTC)

    def test_an_anonymous_caller_has_no_number(self) -> None:
        message = self.message(caller_id_num=None, caller_id_name=None, transcription=None)
        assert (message.number, message.name, message.transcript) == ("", "", "")

    def test_a_whole_caller_id_in_the_number_field_is_taken_apart(self) -> None:
        assert self.message(caller_id_num='"Ateliers" <0199004217>').number == "0199004217"

    def test_a_time_out_of_range_is_a_protocol_error(self) -> None:
        with pytest.raises(ProtocolError, match="timestamp"):
            self.message(timestamp=10**18)

    def test_a_folder_of_the_administrators_counts_as_read(self) -> None:
        box = json.loads(json.dumps(BOX))
        box["folders"][0]["id"] = 9
        (message,) = voicemail_records.messages(box, box="7")
        assert message.folder is VoicemailFolder.OLD

    def test_a_boxs_password_is_not_read(self) -> None:
        assert "97531" not in repr(voicemail_records.boxes(BOXES))


class TestFields:
    def test_no_value_enters_an_errors_text(self) -> None:
        with pytest.raises(ProtocolError) as caught:
            Fields({"token": 5551234}, what="thing").text("token")
        assert str(caught.value) == "thing: token is not a string"

    def test_a_missing_field_is_called_missing(self) -> None:
        with pytest.raises(ProtocolError, match="thing: token is missing"):
            Fields({}, what="thing").inner("token")

    def test_a_boolean_is_no_number(self) -> None:
        with pytest.raises(ProtocolError):
            Fields({"n": True}, what="thing").whole("n")

    def test_a_time_that_is_none_is_an_error(self) -> None:
        with pytest.raises(ProtocolError, match="not a time"):
            Fields({"t": "yesterday"}, what="thing").moment("t")

    @pytest.mark.parametrize("text", [None, 5, "noon", ""])
    def test_an_envelope_without_a_readable_time_has_none(self, text: object) -> None:
        assert wall_clock(text) is None


def test_every_recording_is_of_a_service_we_use() -> None:
    services = {path.name for path in RECORDINGS.iterdir()}
    assert services == {
        "wazo-auth",
        "wazo-calld",
        "wazo-call-logd",
        "wazo-chatd",
        "wazo-confd",
        "wazo-dird",
        "wazo-websocketd",
    }
