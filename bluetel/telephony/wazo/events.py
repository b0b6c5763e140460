"""Wazo's bus messages into our events, pure but for the call book they go through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from bluetel.telephony.types import (
    CallChanged,
    CallId,
    ConversationId,
    DoNotDisturbChanged,
    ForwardChanged,
    ForwardKind,
    PbxEvent,
    PbxUserId,
    PresenceChanged,
    UserChanged,
    VoicemailChanged,
)
from bluetel.telephony.wazo import decode
from bluetel.telephony.wazo.calls import CallBook
from bluetel.telephony.wazo.fields import Fields
from bluetel.telephony.wazo.legs import CallMissed, LegEnded, LegHeld, LegNews, LegSeen
from bluetel.telephony.wazo.protocol import BusMessage

_FORWARD_EVENTS = {
    f"users_forwards_{name}_updated": kind for kind, name in decode.FORWARD_NAMES.items()
}

TRANSFER_EVENTS = frozenset(
    {
        "transfer_created",
        "transfer_updated",
        "transfer_answered",
        "transfer_completed",
        "transfer_cancelled",
        "transfer_abandoned",
        "transfer_ended",
    }
)


def _seen(data: Mapping[str, object], at: datetime | None) -> LegNews:
    return LegSeen(leg=decode.leg(data), at=at)


def _ended(data: Mapping[str, object], at: datetime | None) -> LegNews:
    return LegEnded(leg=decode.ended_leg(data), at=at)


def _held(data: Mapping[str, object], at: datetime | None) -> LegNews:
    return LegHeld(id=CallId(Fields(data, what="held").text("call_id")), held=True, at=at)


def _resumed(data: Mapping[str, object], at: datetime | None) -> LegNews:
    return LegHeld(id=CallId(Fields(data, what="resumed").text("call_id")), held=False, at=at)


def _missed(data: Mapping[str, object], _at: datetime | None) -> LegNews:
    fields = Fields(data, what="missed call")
    return CallMissed(
        conversation=ConversationId(fields.text("conversation_id")), reason=fields.text("reason")
    )


_LEG_EVENTS: Mapping[str, Callable[[Mapping[str, object], datetime | None], LegNews]] = {
    "call_created": _seen,
    "call_updated": _seen,
    "call_answered": _seen,
    "call_ended": _ended,
    "call_held": _held,
    "call_resumed": _resumed,
    "user_missed_call": _missed,
}


def _presence(data: Mapping[str, object], at: datetime | None) -> PbxEvent:
    return PresenceChanged(presence=decode.presence(data), at=at)


def _do_not_disturb(data: Mapping[str, object], at: datetime | None) -> PbxEvent:
    return DoNotDisturbChanged(user=_user(data), enabled=decode.enabled(data), at=at)


def _voicemail(data: Mapping[str, object], at: datetime | None) -> PbxEvent:
    return VoicemailChanged(user=_user(data), at=at)


def _person(data: Mapping[str, object], at: datetime | None) -> PbxEvent:
    return UserChanged(user=PbxUserId(Fields(data, what="user").text("uuid")), at=at)


def _line(data: Mapping[str, object], at: datetime | None) -> PbxEvent:
    user = Fields(data, what="line association").inner("user").text("uuid")
    return UserChanged(user=PbxUserId(user), at=at)


_OTHER_EVENTS: Mapping[str, Callable[[Mapping[str, object], datetime | None], PbxEvent]] = {
    "chatd_presence_updated": _presence,
    "users_services_dnd_updated": _do_not_disturb,
    "user_voicemail_message_created": _voicemail,
    "user_voicemail_message_updated": _voicemail,
    "user_voicemail_message_deleted": _voicemail,
    "user_voicemail_associated": _voicemail,
    "user_voicemail_dissociated": _voicemail,
    "user_voicemail_edited": _voicemail,
    "user_created": _person,
    "user_edited": _person,
    "user_deleted": _person,
    "user_line_associated": _line,
    "user_line_dissociated": _line,
}

EVENT_NAMES: tuple[str, ...] = (
    *_LEG_EVENTS,
    *_OTHER_EVENTS,
    *_FORWARD_EVENTS,
    *sorted(TRANSFER_EVENTS),
)
"""Everything to subscribe to; never ``*``, which on a master tenant carries all AMI traffic."""


def leg_news(message: BusMessage) -> LegNews | None:
    """What a message says of a leg, None where it is about something else."""
    read = _LEG_EVENTS.get(message.name)
    return None if read is None else read(message.data, message.at)


def interpret(message: BusMessage, book: CallBook) -> list[PbxEvent]:
    """The events of ours that a message leads to; ``ProtocolError`` where it can't be read."""
    news = leg_news(message)
    if news is not None:
        return [CallChanged(call=call, at=message.at) for call in book.apply(news)]
    if message.name in _FORWARD_EVENTS:
        return [_forward(message, _FORWARD_EVENTS[message.name])]
    read = _OTHER_EVENTS.get(message.name)
    return [] if read is None else [read(message.data, message.at)]


def _forward(message: BusMessage, kind: ForwardKind) -> PbxEvent:
    return ForwardChanged(
        user=_user(message.data), kind=kind, forward=decode.forward(message.data), at=message.at
    )


def _user(data: Mapping[str, object]) -> PbxUserId:
    return PbxUserId(Fields(data, what="event").text("user_uuid"))
