"""websocketd's protocol, against what a real one said."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bluetel.telephony.errors import ProtocolError
from bluetel.telephony.wazo.protocol import (
    BusMessage,
    Remedy,
    TokenAccepted,
    WazoConversation,
    WazoMessage,
    after_close,
    renewal,
)
from tests.unit.telephony.wazo.mutations import renamed
from tests.unit.telephony.wazo.transcripts import messages, session

PRESENCE = ("chatd_presence_updated",)


def frame(**values: object) -> str:
    return json.dumps({"code": 0, **values})


INIT = frame(op="init", data={"version": 2})
SUBSCRIBED = frame(op="subscribe", data=None)
STARTED = frame(op="start", data=None)


def event(**changes: object) -> dict[str, Any]:
    return {
        "op": "event",
        "code": 0,
        "data": {
            "name": "call_created",
            "timestamp": "2026-11-22T08:00:00.5",
            "tenant_uuid": "t",
            "data": {"call_id": "1"},
        }
        | changes,
    }


def opened(*names: str) -> WazoConversation:
    conversation = WazoConversation(names or PRESENCE)
    conversation.receive(INIT)
    for _ in names or PRESENCE:
        conversation.receive(SUBSCRIBED)
    assert conversation.receive(STARTED).opened
    return conversation


class TestOpening:
    def test_the_server_speaks_first(self) -> None:
        assert WazoConversation(PRESENCE).start() == ()

    def test_it_subscribes_each_name_then_starts_once_all_are_acknowledged(self) -> None:
        conversation = WazoConversation(("call_created", "call_ended"))
        sent = [json.loads(text) for text in conversation.receive(INIT).send]
        assert sent == [
            {"op": "subscribe", "data": {"event_name": "call_created"}},
            {"op": "subscribe", "data": {"event_name": "call_ended"}},
        ]
        assert conversation.receive(SUBSCRIBED).send == ()
        assert [json.loads(text) for text in conversation.receive(SUBSCRIBED).send] == [
            {"op": "start"}
        ]
        assert conversation.receive(STARTED).opened

    def test_it_says_what_a_real_client_said_and_hears_what_it_heard(self) -> None:
        conversation = WazoConversation(PRESENCE)
        heard: list[WazoMessage] = []
        said: list[object] = []
        recorded = session("user_v2_header_token")["frames"]
        for entry in recorded:
            if entry["dir"] == "recv":
                step = conversation.receive(json.dumps(entry["frame"]))
                heard += step.messages
                said += [json.loads(text) for text in step.send]
        assert said == [entry["frame"] for entry in recorded if entry["dir"] == "send"]
        assert tuple(heard) == messages("user_v2_header_token")
        assert len(heard) == 8

    def test_a_second_init_is_passed_over(self) -> None:
        assert opened().receive(INIT).send == ()

    @pytest.mark.parametrize("op", ["subscribe", "start", "pong", "unsubscribe"])
    def test_what_it_waits_for_no_more_is_passed_over(self, op: str) -> None:
        step = opened().receive(frame(op=op, data=None))
        assert (step.send, step.messages, step.opened) == ((), (), False)

    def test_an_event_before_the_start_is_passed_over(self) -> None:
        assert WazoConversation(PRESENCE).receive(json.dumps(event())).messages == ()

    def test_another_version_is_a_protocol_error(self) -> None:
        with pytest.raises(ProtocolError, match="version 1"):
            WazoConversation(PRESENCE).receive(frame(op="init", data={"version": 1}))

    def test_a_version_1_server_is_noticed_by_its_bare_events(self) -> None:
        recorded = session("user_v1_presence")["frames"]
        bare = next(e["frame"] for e in recorded if "name" in e["frame"])
        with pytest.raises(ProtocolError):
            WazoConversation(PRESENCE).receive(json.dumps(bare))


class TestEvents:
    def test_an_event_with_its_envelope(self) -> None:
        (message,) = opened().receive(json.dumps(event())).messages
        assert isinstance(message, BusMessage)
        assert (message.name, message.tenant, message.data) == (
            "call_created",
            "t",
            {"call_id": "1"},
        )
        assert message.at is not None
        assert message.at.isoformat() == "2026-11-22T08:00:00.500000+00:00"

    def test_its_payload_stays_out_of_its_repr(self) -> None:
        (message,) = opened().receive(json.dumps(event(data={"number": "0199004217"}))).messages
        assert "0199004217" not in repr(message)

    @pytest.mark.parametrize(
        "path", [("op",), ("code",), ("data",), ("data", "name"), ("data", "data")]
    )
    def test_an_envelope_with_a_renamed_field_is_a_protocol_error(
        self, path: tuple[str, ...]
    ) -> None:
        with pytest.raises(ProtocolError):
            opened().receive(json.dumps(renamed(event(), path)))

    @pytest.mark.parametrize("name", ["timestamp", "tenant_uuid"])
    def test_a_renamed_time_or_tenant_is_noticed_by_its_absence(self, name: str) -> None:
        damaged = opened().receive(json.dumps(renamed(event(), ("data", name)))).messages
        assert list(damaged) != list(opened().receive(json.dumps(event())).messages)

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("hello", id="no JSON"),
            pytest.param("[" * 100_000, id="too deep"),
            pytest.param("[1]", id="no object"),
            pytest.param(b"\x00", id="binary"),
            pytest.param(frame(op="init"), id="no data"),
            pytest.param(json.dumps({"op": "start", "code": 1}), id="refused"),
        ],
    )
    def test_what_is_no_frame_is_a_protocol_error(self, text: str | bytes) -> None:
        with pytest.raises(ProtocolError):
            WazoConversation(PRESENCE).receive(text)


class TestUpkeep:
    def test_a_ping_asks_for_a_pong(self) -> None:
        assert json.loads(opened().ping())["op"] == "ping"

    def test_a_new_token_is_sent_as_a_real_client_does(self) -> None:
        recorded = session("token_renewed_survives_first_expiry")["frames"]
        sent = next(e["frame"] for e in recorded if e["frame"].get("op") == "token")
        assert json.loads(renewal(sent["data"]["token"])) == sent

    def test_its_acknowledgement_is_told(self) -> None:
        assert opened().receive(frame(op="token", data=None)).messages == (TokenAccepted(),)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("close_1011_bus_down_at_connect", Remedy.RECONNECT),
        ("close_1011_bus_lost", Remedy.RECONNECT),
        ("close_1011_version_not_a_number", Remedy.RECONNECT),
        ("close_4001_no_token", Remedy.ASK_AUTH),
        ("close_4002_auth_down", Remedy.ASK_AUTH),
        ("close_4002_expired_token", Remedy.ASK_AUTH),
        ("close_4002_malformed_token", Remedy.ASK_AUTH),
        ("close_4002_op_token_invalid", Remedy.ASK_AUTH),
        ("close_4002_revoked_token", Remedy.ASK_AUTH),
        ("close_4002_unknown_token", Remedy.ASK_AUTH),
        ("close_4003_token_expired", Remedy.SIGN_IN),
        ("close_4003_token_revoked_midway", Remedy.SIGN_IN),
        ("close_4004_event_name_not_string", Remedy.OUR_FAULT),
        ("close_4004_not_json", Remedy.OUR_FAULT),
        ("close_4004_root_not_object", Remedy.OUR_FAULT),
        ("close_4004_subscribe_without_data", Remedy.OUR_FAULT),
        ("close_4004_unknown_op", Remedy.OUR_FAULT),
        ("close_4004_unknown_version", Remedy.OUR_FAULT),
    ],
)
def test_each_recorded_close_code_has_its_remedy(name: str, remedy: Remedy) -> None:
    assert after_close(session(name)["close"]["code"]) is remedy


@pytest.mark.parametrize("code", [None, 1000, 1001, 1006, 1012])
def test_a_restart_or_the_network_asks_for_nothing_but_a_new_connection(code: int | None) -> None:
    assert after_close(code) is Remedy.RECONNECT
