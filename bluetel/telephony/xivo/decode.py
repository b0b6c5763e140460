"""XUC's JSON into :mod:`.messages`; pure.

Nothing here raises on what a PBX may send: a message that can't be read is ``Ignored``, for a new
release adds types and fields, and one odd message must not cost the socket. No value enters a log.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from bluetel.telephony.types import ForwardKind, PhoneFacts
from bluetel.telephony.xivo.hints import code_of
from bluetel.telephony.xivo.messages import (
    CallHistory,
    CommandError,
    ConfigUpdate,
    ContactSheets,
    CtiMessage,
    CurrentCalls,
    DirectoryResult,
    DirectoryRow,
    FavouriteChanged,
    ForwardSetting,
    HintChanged,
    HistoryRow,
    Ignored,
    LineConfig,
    LinkClosed,
    LoggedOn,
    LoggedOnError,
    OwnPhoneChanged,
    PhoneEvent,
    PhoneStep,
    Sheet,
    VoicemailCounters,
)

Json = Mapping[str, object]

FORWARD_FIELDS = {
    ForwardKind.UNCONDITIONAL: "uncFwd",
    ForwardKind.NO_ANSWER: "naFwd",
    ForwardKind.BUSY: "busyFwd",
}
"""How a forward's fields and its command begin."""

NO_LINE = "-"


class Unreadable(Exception):
    """A message of a known type hasn't the shape it must have."""


def message(frame: str | bytes) -> CtiMessage:
    """One frame; what isn't a message at all is ``Ignored`` under an empty name."""
    if isinstance(frame, bytes):
        return Ignored("")
    try:
        envelope: object = json.loads(frame)
    except (ValueError, RecursionError):
        return Ignored("")
    return message_of(envelope)


def message_of(envelope: object) -> CtiMessage:
    """One message that was parsed already, as the server push carries it."""
    if not isinstance(envelope, Mapping):
        return Ignored("")
    name = envelope.get("msgType")
    if not isinstance(name, str):
        return Ignored("")  # the answer to a ping has no type that is documented
    reader = _READERS.get(name)
    if reader is None:
        return Ignored(name[:60])
    try:
        return reader(envelope.get("ctiMessage"))
    except Unreadable:
        return Ignored(name[:60])


def phone_event(value: object) -> PhoneEvent:
    """The payload of a ``PhoneEvent``."""
    fields = _object(value)
    kind = _text(fields, "eventType")
    if kind in set(PhoneStep):
        step = PhoneStep(kind)
    elif "fail" in kind.lower():
        step = PhoneStep.FAILURE
    else:
        raise Unreadable
    unique = _text(fields, "uniqueId")
    linked = _text(fields, "linkedId") or unique
    if not linked and step is not PhoneStep.FAILURE:
        raise Unreadable
    return PhoneEvent(
        step=step,
        linked_id=linked,
        unique_id=unique or linked,
        own_number=_text(fields, "DN"),
        number=_text(fields, "otherDN"),
        name=_text(fields, "otherDName"),
        is_outgoing=_direction(fields, step),
    )


def _direction(fields: Json, step: PhoneStep) -> bool | None:
    """Who began the call, from the first of three signs that is there.

    ``callDirection`` has values that no document names, so only words that can mean one thing
    count; ``XIVO_SRCNUM`` is set on calls that come in.
    """
    said = _text(fields, "callDirection").lower()
    if said.startswith("out"):
        return True
    if said.startswith("in"):
        return False
    if step is PhoneStep.DIALING:
        return True
    data = fields.get("userData")
    source = _text(data, "XIVO_SRCNUM") if isinstance(data, Mapping) else ""
    if source:
        return source == _text(fields, "DN")
    return None


# --- One reader per type --------------------------------------------------------------------------


def _logged_on_error(value: object) -> CtiMessage:
    return LoggedOnError(_text(value, "Error")[:60] if isinstance(value, Mapping) else "")


def _link_status(value: object) -> CtiMessage:
    if _text(_object(value), "status") == "closed":
        return LinkClosed()
    raise Unreadable


def _config(value: object) -> CtiMessage:
    fields = _object(value)
    is_whole = fields.get("fullName") is not None
    forwards: dict[ForwardKind, ForwardSetting] = {}
    for kind, prefix in FORWARD_FIELDS.items():
        enabled = fields.get(f"{prefix}Enabled")
        destination = fields.get(f"{prefix}Destination")
        if not isinstance(enabled, bool):
            continue
        if not is_whole and destination is None:
            continue  # a partial update tells of a forward only with its destination
        forwards[kind] = ForwardSetting(
            enabled=enabled, destination=destination if isinstance(destination, str) else ""
        )
    dnd = fields.get("dndEnabled")
    box = fields.get("voiceMailId")
    box_enabled = fields.get("voiceMailEnabled")
    mobile = fields.get("mobileNumber")
    return ConfigUpdate(
        is_whole=is_whole,
        name=_text(fields, "fullName"),
        mobile=mobile if isinstance(mobile, str) else None,
        do_not_disturb=dnd if isinstance(dnd, bool) else None,
        forwards=forwards,
        voicemail_id=_whole(box),
        voicemail_enabled=box_enabled if isinstance(box_enabled, bool) else None,
    )


def _hint(value: object) -> CtiMessage:
    fields = _object(value)
    number, code = _text(fields, "number"), code_of(fields.get("status"))
    if not number or code is None:
        raise Unreadable
    return HintChanged(number, code)


def _own_phone(value: object) -> CtiMessage:
    code = code_of(_object(value).get("status"))
    if code is None:
        raise Unreadable
    return OwnPhoneChanged(code)


def _counters(value: object) -> CtiMessage:
    fields = _object(value)
    return VoicemailCounters(
        new=_whole(fields.get("newMessages")) or 0,
        waiting=_whole(fields.get("waitingMessages")) or 0,
        old=_whole(fields.get("oldMessages")) or 0,
    )


def _current_calls(value: object) -> CtiMessage:
    events = []
    for one in _list(_object(value).get("events")):
        try:
            events.append(phone_event(one))
        except Unreadable:
            continue
    return CurrentCalls(tuple(events))


def _line(value: object) -> CtiMessage:
    fields = _object(value)
    return LineConfig(
        has_line=str(fields.get("id", NO_LINE)) != NO_LINE,
        phone=PhoneFacts(
            make=_text(fields, "vendor")[:40],
            web_rtc=fields.get("webRtc") is True,
            has_device=fields.get("hasDevice") is not False,
        ),
    )


def _directory(value: object) -> DirectoryResult:
    fields = _object(value)
    headers = [str(one) for one in _list(fields.get("headers"))]
    rows = [
        DirectoryRow(
            cells=["" if cell is None else str(cell) for cell in one["entry"]],
            code=code_of(one.get("status")),
            contact_id=_text(one, "contact_id"),
            source=_text(one, "source"),
            is_favourite=one.get("favorite") is True,
        )
        for one in _list(fields.get("entries"))
        if isinstance(one, Mapping) and isinstance(one.get("entry"), list)
    ]
    return DirectoryResult(headers=headers, rows=rows)


def _favourites(value: object) -> CtiMessage:
    found = _directory(value)
    return DirectoryResult(headers=found.headers, rows=found.rows, is_favourites=True)


def _sheets(value: object) -> ContactSheets:
    found = [_sheet(one) for one in _list(_object(value).get("sheets")) if isinstance(one, Mapping)]
    return ContactSheets(sheets=found)


def _favourite_sheets(value: object) -> CtiMessage:
    return ContactSheets(sheets=_sheets(value).sheets, is_favourites=True)


def _sheet(value: Json) -> Sheet:
    arguments: dict[str, list[str]] = {}
    actions = value.get("actions")
    for action in actions if isinstance(actions, list) else []:
        if isinstance(action, Mapping):
            given = action.get("args")
            words = [str(one) for one in given if one] if isinstance(given, list) else []
            arguments.setdefault(_text(action, "action"), []).extend(words)
    status = value.get("status")
    return Sheet(
        name=_text(value, "name"),
        company=_text(value, "subtitle1"),
        numbers=arguments.get("Call", []),
        username=next(iter(arguments.get("Chat", [])), ""),
        email=next(iter(arguments.get("Mail", [])), ""),
        code=code_of(status.get("phone")) if isinstance(status, Mapping) else None,
        is_favourite=value.get("isFavorite") is True,
    )


def _favourite_changed(value: object) -> CtiMessage:
    fields = _object(value)
    outcome = {"Added": True, "Removed": False}
    return FavouriteChanged(
        contact_id=_text(fields, "contact_id"),
        source=_text(fields, "source"),
        is_added=outcome.get(_text(fields, "action")),
    )


def _history(value: object) -> CtiMessage:
    items: Sequence[object] = [value] if isinstance(value, Mapping) else _list(value)
    rows = []
    for one in items:
        if isinstance(one, Mapping):
            row = _history_row(one)
            if row is not None:
                rows.append(row)
    return CallHistory(tuple(rows))


def _history_row(fields: Json) -> HistoryRow | None:
    try:
        start = datetime.fromisoformat(_text(fields, "start"))
    except ValueError:
        return None
    return HistoryRow(
        start=start.replace(tzinfo=None),
        seconds=_seconds(_text(fields, "duration")),
        status=_text(fields, "status"),
        source_number=_text(fields, "srcNum"),
        source_name=f"{_text(fields, 'srcFirstName')} {_text(fields, 'srcLastName')}".strip(),
        source_login=_text(fields, "srcUsername"),
        destination_number=_text(fields, "dstNum"),
        destination_name=f"{_text(fields, 'dstFirstName')} {_text(fields, 'dstLastName')}".strip(),
        destination_login=_text(fields, "dstUsername"),
    )


def _seconds(text: str) -> int:
    """``HH:MM:SS`` as seconds; 0 where it is missing, as it may be of a call that goes on."""
    parts = text.split(":")
    if len(parts) != 3 or not all(part.isdigit() for part in parts):
        return 0
    hours, minutes, seconds = (int(part) for part in parts)
    return hours * 3600 + minutes * 60 + seconds


_READERS: Mapping[str, Callable[[object], CtiMessage]] = {
    "LoggedOn": lambda _: LoggedOn(),
    "LoggedOnError": _logged_on_error,
    "Error": lambda _: CommandError(),
    "LinkStatusUpdate": _link_status,
    "UserConfigUpdate": _config,
    "PhoneHintStatusEvent": _hint,
    "PhoneStatusUpdate": _own_phone,
    "VoiceMailStatusUpdate": _counters,
    "PhoneEvent": phone_event,
    "CurrentCallsPhoneEvents": _current_calls,
    "LineConfig": _line,
    "DirectoryResult": _directory,
    "Favorites": _favourites,
    "ContactSheet": _sheets,
    "FavoriteContactSheet": _favourite_sheets,
    "FavoriteUpdated": _favourite_changed,
    "CallHistory": _history,
    "CallHistoryByDays": _history,
}


# --- Fields ---------------------------------------------------------------------------------------


def _object(value: object) -> Json:
    if not isinstance(value, Mapping):
        raise Unreadable
    return value


def _list(value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise Unreadable
    return value


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
