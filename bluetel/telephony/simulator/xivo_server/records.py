"""The model's people and calls in XUC's JSON (``contracts/xivo/xuc.json``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from bluetel.telephony.simulator.http import JsonObject
from bluetel.telephony.simulator.legs import Leg, LogEntry, SimulatedTransfer
from bluetel.telephony.simulator.people import OutsideEntry, Person
from bluetel.telephony.simulator.search import entry_matches, folded, matches
from bluetel.telephony.simulator.xivo_server.site import XucSite
from bluetel.telephony.types import CallState, ForwardKind, LineState, TransferKind, VoicemailFolder

COMMAND_KINDS = {
    "uncFwd": ForwardKind.UNCONDITIONAL,
    "naFwd": ForwardKind.NO_ANSWER,
    "busyFwd": ForwardKind.BUSY,
}
PHONE_NAMES = {
    0: "AVAILABLE", 1: "CALLING", 2: "BUSY", 4: "INDISPONIBLE", 8: "RINGING",
    9: "BUSY_AND_RINGING", 16: "ONHOLD",
}  # fmt: skip
EVENTS = {
    CallState.RINGING_SELF: "EventRinging",
    CallState.RINGING_PEER: "EventDialing",
    CallState.TALKING: "EventEstablished",
    CallState.HELD: "EventOnHold",
    CallState.ENDED: "EventReleased",
}
_CODES = {
    LineState.AVAILABLE: 0,
    LineState.PROGRESSING: 1,
    LineState.TALKING: 1,
    LineState.UNAVAILABLE: 4,
    LineState.RINGING: 8,
    LineState.HOLDING: 16,
}


def message(kind: str, payload: object) -> JsonObject:
    """A frame of the server's."""
    return {"msgType": kind, "ctiMessage": payload}


def hint_code(person: Person) -> int:
    """The state of somebody's phone; 9 and 17 are sums."""
    states = {leg.line_state for line in person.lines for leg in line.legs}
    if LineState.RINGING in states and states & {LineState.TALKING, LineState.HOLDING}:
        return 9
    if {LineState.HOLDING, LineState.TALKING} <= states:
        return 17
    return _CODES[person.line_state]


def phone_status(person: Person, site: XucSite) -> JsonObject:
    """``PhoneStatusUpdate``: a number or a name, as no document says which."""
    code = hint_code(person)
    value = PHONE_NAMES.get(code, code) if site.readings.phone_status == "name" else code
    return message("PhoneStatusUpdate", {"status": value})


def user_config(person: Person, *, only: ForwardKind | None = None) -> JsonObject:
    """``UserConfigUpdate``, whole or with one forward ``only``."""
    is_whole = only is None
    payload: JsonObject = {
        "userId": person.number,
        "fullName": person.name if is_whole else None,
        "dndEnabled": person.do_not_disturb,
    }
    for prefix, kind in COMMAND_KINDS.items():
        forward = person.forwards[kind]
        is_told = is_whole or kind is only
        payload[f"{prefix}Enabled"] = forward.enabled if is_told else False
        payload[f"{prefix}Destination"] = forward.destination if is_told else None
    if is_whole:
        payload |= {
            "firstName": person.first_name,
            "lastName": person.last_name,
            "mobileNumber": person.mobile or None,
            "agentId": 0,
            "voiceMailId": person.box.id if person.box else None,
            "voiceMailEnabled": person.box is not None,
        }
    return message("UserConfigUpdate", payload)


def counters(person: Person) -> JsonObject:
    """``VoiceMailStatusUpdate``; who has no box has no messages."""
    messages = person.box.messages.values() if person.box else ()
    folders = [one.folder for one in messages]
    new = sum(folder is VoicemailFolder.NEW for folder in folders)
    return message(
        "VoiceMailStatusUpdate",
        {
            "voiceMailId": person.box.id if person.box else None,
            "newMessages": new,
            "waitingMessages": 0,
            "oldMessages": len(folders) - new,
        },
    )


def line_config(person: Person) -> JsonObject:
    """``LineConfig``; an id of ``-`` is nobody's line."""
    if not person.lines:
        return message("LineConfig", {"id": "-"})
    line = person.lines[0]
    return message(
        "LineConfig",
        {
            "id": str(line.id),
            "name": f"sip{line.extension}",
            "xivoIp": "127.0.0.1",
            "webRtc": line.make == "WebRTC",
            "hasDevice": line.make != "WebRTC",
            "vendor": line.make,
        },
    )


# --- Calls --------------------------------------------------------------------------------------


def phone_event(leg: Leg, site: XucSite, *, failure: bool = False) -> JsonObject:
    """The payload of the ``PhoneEvent`` that says where a leg is now."""
    state = leg.state
    kind = EVENTS[state]
    number, name = leg.peer_number, leg.peer_name
    transfer = site.pbx.transfer_of(leg)
    if transfer is not None and transfer.kind is TransferKind.ATTENDED and leg.is_live:
        kind = "EventOnHold"
        number, name = transfer.transferred.number, transfer.transferred.name
    elif leg.originating and state is CallState.RINGING_SELF:
        kind = "EventDialing" if site.readings.click_begins == "dialing" else "EventRinging"
    data: dict[str, str] = {"XIVO_USERID": str(leg.person.number) if leg.person else "0"}
    if not leg.is_caller:
        data["XIVO_SRCNUM"] = number
    payload: JsonObject = {
        "eventType": "EventFailure" if failure else kind,
        "DN": leg.line.extension if leg.line else "",
        "otherDN": number,
        "linkedId": leg.call.id,
        "uniqueId": leg.id,
        "userData": data,
    }
    if name and name != number:
        payload["otherDName"] = name
    return payload


def consultation(transfer: SimulatedTransfer, kind: str) -> JsonObject:
    """The payload of an event about the call in which a third person is asked: one of its own."""
    near, leg = transfer.near, transfer.initiator
    own_id = near.id if near else transfer.id
    return {
        "eventType": kind,
        "DN": leg.line.extension if leg.line else "",
        "otherDN": transfer.number,
        "linkedId": own_id,
        "uniqueId": own_id,
        "userData": {"XIVO_USERID": str(leg.person.number) if leg.person else "0"},
    }


def current_calls(person: Person, site: XucSite) -> JsonObject:
    """``CurrentCallsPhoneEvents``."""
    events = [phone_event(leg, site) for leg in person.legs if not leg.local]
    for leg in person.legs:
        transfer = site.pbx.transfer_of(leg)
        if transfer is not None and transfer.kind is TransferKind.ATTENDED:
            is_up = transfer.status == "answered"
            events.append(consultation(transfer, "EventEstablished" if is_up else "EventDialing"))
    return message("CurrentCallsPhoneEvents", {"events": events})


# --- Directory and history ----------------------------------------------------------------------

_CELLS = {
    "Firstname": "first_name", "Lastname": "last_name", "Name": "name", "Nom": "name",
    "Number": "number", "Numéro": "number", "Mobile": "mobile", "Portable": "mobile",
    "Email": "email", "Favorite": "favourite", "Favoris": "favourite",
}  # fmt: skip


def found_people(term: str, site: XucSite) -> list[Person | OutsideEntry]:
    """Who matches a term, colleagues first."""
    wanted = folded(term.strip())
    people = [one for one in site.pbx.everybody() if one.extension and matches(one, wanted)]
    outside = [one for one in site.pbx.directory if entry_matches(one, wanted)]
    return [*people, *outside]


def table(
    kind: str, people: Sequence[Person | OutsideEntry], site: XucSite, *, login: str
) -> JsonObject:
    """``DirectoryResult`` or ``Favorites``, with the administrator's own columns."""
    return message(
        kind,
        {
            "headers": list(site.readings.headers),
            "entries": [_entry(one, site, login) for one in people],
        },
    )


def _entry(one: Person | OutsideEntry, site: XucSite, login: str) -> JsonObject:
    facts = _facts(one)
    is_favourite = facts["contact_id"] in site.favourites.get(login, set())
    facts["favourite"] = str(is_favourite).lower()
    return {
        "status": hint_code(one) if isinstance(one, Person) else -2,
        "entry": [facts.get(_CELLS.get(header, ""), "") for header in site.readings.headers],
        "contact_id": facts["contact_id"],
        "source": facts["source"],
        "favorite": is_favourite,
    }


def _facts(one: Person | OutsideEntry) -> dict[str, str]:
    if isinstance(one, Person):
        return {
            "first_name": one.first_name,
            "last_name": one.last_name,
            "name": one.name,
            "number": one.extension,
            "mobile": one.mobile,
            "email": one.email,
            "contact_id": str(one.number),
            "source": "internal",
        }
    first, _, last = one.name.partition(" ")
    return {
        "first_name": first,
        "last_name": last,
        "name": one.name,
        "number": one.number,
        "mobile": one.mobile,
        "email": one.email,
        "contact_id": one.number,
        "source": "companies",
    }


def sheets(
    kind: str, people: Sequence[Person | OutsideEntry], site: XucSite, *, login: str
) -> JsonObject:
    """``ContactSheet`` or ``FavoriteContactSheet``."""
    del login
    found = []
    for one in people:
        facts = _facts(one)
        found.append(
            {
                "name": facts["name"],
                "subtitle1": one.company if isinstance(one, OutsideEntry) else "",
                "subtitle2": "",
                "picture": "",
                "isPersonal": False,
                "isFavorite": False,
                "isMeetingroom": False,
                "canBeFavorite": True,
                "status": {"phone": hint_code(one) if isinstance(one, Person) else -2},
                "actions": [
                    {"action": "Call", "args": [facts["number"]], "default": True},
                    {"action": "Mail", "args": [facts["email"]], "default": False},
                ],
            }
        )
    del site
    return message(kind, {"sheets": found})


def history(person: Person, site: XucSite, *, size: int | None, days: int | None) -> JsonObject:
    """``CallHistory``, newest first, in the PBX's local time."""
    entries = sorted(site.pbx.log_of(person), key=lambda entry: entry.started_at, reverse=True)
    if size is None:
        oldest = site.pbx.now - timedelta(days=days or 10)
        entries = [entry for entry in entries if entry.started_at >= oldest]
    rows = [_history_row(entry, person, site) for entry in entries[:size]]
    return message("CallHistory", rows)


def _history_row(entry: LogEntry, person: Person, site: XucSite) -> Mapping[str, object]:
    is_outgoing = entry.source is person
    source_first, _, source_last = entry.source_name.partition(" ")
    first, _, last = entry.destination_name.partition(" ")
    status = "emitted" if is_outgoing else ("answered" if entry.answered else "missed")
    seconds = entry.seconds if entry.answered else 0
    local = entry.started_at.astimezone(site.zone)
    return {
        "start": local.strftime("%Y-%m-%d %H:%M:%S"),
        "duration": f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}",
        "srcUsername": entry.source.login if entry.source else "",
        "dstUsername": entry.destination.login if entry.destination else "",
        "status": status,
        "srcNum": entry.source_number,
        "dstNum": entry.destination_number,
        "srcFirstName": source_first,
        "srcLastName": source_last,
        "dstFirstName": first,
        "dstLastName": last,
    }
