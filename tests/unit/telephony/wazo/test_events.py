"""Wazo's events become ours."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluetel.telephony.errors import ProtocolError
from bluetel.telephony.types import (
    CallChanged,
    CallState,
    DoNotDisturbChanged,
    Forward,
    ForwardChanged,
    ForwardKind,
    LineState,
    PbxEvent,
    PbxUserId,
    Presence,
    PresenceChanged,
    UserChanged,
    VoicemailChanged,
)
from bluetel.telephony.wazo.calls import CallBook
from bluetel.telephony.wazo.events import EVENT_NAMES, interpret
from bluetel.telephony.wazo.legs import supersedes
from bluetel.telephony.wazo.protocol import BusMessage
from tests.unit.telephony.wazo.mutations import renamed
from tests.unit.telephony.wazo.transcripts import (
    ALICE,
    BOB,
    CALL_TRANSCRIPTS,
    CAROL,
    messages,
)

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
PRESENCE_TRANSCRIPTS = (*CALL_TRANSCRIPTS, "admin_v2_presence", "external_api_v2_presence")


def said(name: str, **data: Any) -> list[PbxEvent]:
    return interpret(BusMessage(name=name, at=AT, tenant="t", data=data), CallBook())


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        pytest.param(
            "users_forwards_unconditional_updated",
            {"user_uuid": ALICE, "enabled": True, "destination": "1002"},
            ForwardChanged(
                user=PbxUserId(ALICE),
                kind=ForwardKind.UNCONDITIONAL,
                forward=Forward(enabled=True, destination="1002"),
                at=AT,
            ),
            id="forward",
        ),
        pytest.param(
            "users_forwards_noanswer_updated",
            {"user_uuid": ALICE, "enabled": False, "destination": None},
            ForwardChanged(
                user=PbxUserId(ALICE), kind=ForwardKind.NO_ANSWER, forward=Forward(), at=AT
            ),
            id="forward on no answer",
        ),
        pytest.param(
            "users_forwards_busy_updated",
            {"user_uuid": ALICE, "enabled": False, "destination": "5"},
            ForwardChanged(
                user=PbxUserId(ALICE),
                kind=ForwardKind.BUSY,
                forward=Forward(destination="5"),
                at=AT,
            ),
            id="forward on busy",
        ),
        pytest.param(
            "users_services_dnd_updated",
            {"user_uuid": ALICE, "enabled": True},
            DoNotDisturbChanged(user=PbxUserId(ALICE), enabled=True, at=AT),
            id="do not disturb",
        ),
        pytest.param(
            "user_voicemail_message_created",
            {"user_uuid": ALICE, "voicemail_id": 7, "message_id": "m", "message": {}},
            VoicemailChanged(user=PbxUserId(ALICE), at=AT),
            id="voice message",
        ),
        pytest.param(
            "user_edited",
            {"id": 3, "uuid": ALICE},
            UserChanged(user=PbxUserId(ALICE), at=AT),
            id="user",
        ),
        pytest.param(
            "user_line_associated",
            {"line": {"id": 3}, "user": {"id": 3, "uuid": ALICE}},
            UserChanged(user=PbxUserId(ALICE), at=AT),
            id="line",
        ),
    ],
)
def test_one_event(name: str, data: dict[str, Any], expected: PbxEvent) -> None:
    assert said(name, **data) == [expected]


@pytest.mark.parametrize("name", EVENT_NAMES)
def test_an_event_without_its_fields_is_a_protocol_error_or_nothing(name: str) -> None:
    if name.startswith("transfer_"):
        assert said(name) == []
    else:
        with pytest.raises(ProtocolError):
            said(name)


def test_an_event_nobody_asked_for_is_nothing() -> None:
    assert said("meteor_struck", anything=1) == []


def test_only_named_events_are_subscribed_never_all() -> None:
    assert "*" not in EVENT_NAMES
    assert len(set(EVENT_NAMES)) == len(EVENT_NAMES)


def test_a_call_event_carries_the_envelopes_time() -> None:
    message = next(m for m in messages("call_admin_wildcard") if m.name == "call_created")
    (event,) = interpret(message, CallBook())
    assert isinstance(event, CallChanged)
    assert (event.at, event.call.state) == (message.at, CallState.RINGING_SELF)


@pytest.mark.parametrize("field", ["call_id"])
@pytest.mark.parametrize("name", ["call_held", "call_resumed"])
def test_a_hold_with_a_renamed_field_is_noticed(name: str, field: str) -> None:
    held = next(m for m in messages("call_hold_admin_wildcard") if m.name == name)
    with pytest.raises(ProtocolError):
        said(name, **renamed(dict(held.data), (field,)))


@pytest.mark.parametrize("field", ["conversation_id", "reason"])
def test_a_missed_call_with_a_renamed_field_is_noticed(field: str) -> None:
    missed = next(m for m in messages("call_to_dnd_admin_wildcard") if m.name == "user_missed_call")
    with pytest.raises(ProtocolError):
        said("user_missed_call", **renamed(dict(missed.data), (field,)))


def presence_changes(name: str) -> list[PresenceChanged]:
    events = [e for m in messages(name) for e in interpret(m, CallBook())]
    return [event for event in events if isinstance(event, PresenceChanged)]


class TestPresence:
    def test_a_call_shows_on_both_phones_in_order(self) -> None:
        seen: dict[str, list[LineState | None]] = {}
        for change in presence_changes("call_admin_wildcard"):
            phones = seen.setdefault(change.presence.user, [])
            if not phones or phones[-1] is not change.presence.phone:
                phones.append(change.presence.phone)
        expected = [
            LineState.AVAILABLE,
            LineState.RINGING,
            LineState.TALKING,
            LineState.AVAILABLE,
        ]
        assert seen == {ALICE: expected, BOB: expected}

    def test_a_hold_shows_on_the_phone_that_holds(self) -> None:
        changes = presence_changes("call_hold_admin_wildcard")
        held = [c.presence.user for c in changes if c.presence.phone is LineState.HOLDING]
        assert held == [CAROL]

    @given(data=st.data(), name=st.sampled_from(PRESENCE_TRANSCRIPTS))
    def test_any_shuffle_and_duplication_ends_as_the_newest_envelope_says(
        self, data: st.DataObject, name: str
    ) -> None:
        changes = presence_changes(name)
        again = data.draw(st.lists(st.sampled_from(changes), max_size=5))
        shuffled = data.draw(st.permutations([*changes, *again]))
        latest: dict[PbxUserId, PresenceChanged] = {}
        for change in shuffled:
            known = latest.get(change.presence.user)
            if supersedes(change.at, known.at if known else None):
                latest[change.presence.user] = change
        true: dict[PbxUserId, Presence] = {c.presence.user: c.presence for c in changes}
        assert {user: change.presence for user, change in latest.items()} == true
