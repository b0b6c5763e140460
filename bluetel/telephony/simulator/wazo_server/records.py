"""The JSON records of the services, made from the model."""

from __future__ import annotations

from datetime import datetime
from uuid import NAMESPACE_OID, uuid5

from bluetel.telephony.simulator.http import JsonObject
from bluetel.telephony.simulator.legs import (
    CallOutcome,
    Leg,
    LegStatus,
    LogEntry,
    SimulatedTransfer,
)
from bluetel.telephony.simulator.people import DeskLine, Person
from bluetel.telephony.simulator.wazo_server.site import CONTEXT, TENANT, Site
from bluetel.telephony.types import ChatState, Forward, ForwardKind

STATUS = {LegStatus.RINGING: "Ringing", LegStatus.DIALLING: "Ring", LegStatus.UP: "Up"}
CHAT = {
    ChatState.AVAILABLE: "available",
    ChatState.AWAY: "away",
    ChatState.BUSY: "unavailable",
    ChatState.INVISIBLE: "invisible",
    ChatState.NEVER_CHOSEN: "unavailable",
}
CHAT_CHOICES = ("available", "unavailable", "invisible", "away")
FORWARDS = {
    "unconditional": ForwardKind.UNCONDITIONAL,
    "noanswer": ForwardKind.NO_ANSWER,
    "busy": ForwardKind.BUSY,
}


# --- Calls --------------------------------------------------------------------------------------


def call(site: Site, leg: Leg) -> JsonObject:
    """A live leg as calld shows it."""
    return {
        "caller_id_name": leg.name,
        "user_uuid": leg.person.id if leg.person else None,
        "peer_caller_id_name": leg.peer_name,
        "peer_caller_id_number": leg.peer_number or leg.call.requested,
        "answer_time": site.offset(leg.answered_at),
        "creation_time": _asterisk_time(site, leg.created_at),
        "talking_to": {mate.id: mate.person.id if mate.person else None for mate in leg.mates},
        "is_caller": leg.is_caller,
        "record_state": "inactive",
        "call_id": leg.id,
        "status": STATUS[leg.status],
        "is_video": False,
        "line_id": leg.line.id if leg.line else None,
        "direction": _direction(leg),
        "parked": False,
        "conversation_id": leg.call.id,
        "muted": leg.muted,
        "bridges": [leg.bridge.id] if leg.bridge else [],
        # Until the own phone of a click-to-call is picked up, Asterisk has no other word for it.
        "dialed_extension": "s" if leg.originating else leg.call.requested,
        "sip_call_id": None if leg.local else str(uuid5(NAMESPACE_OID, leg.id)),
        "hangup_time": None,
        "on_hold": leg.held,
        "caller_id_number": leg.number,
    }


def ended_call(site: Site, leg: Leg) -> JsonObject:
    """The last word about a leg: own and peer caller ID stand the wrong way round."""
    return {
        **call(site, leg),
        "caller_id_name": leg.peer_name,
        "caller_id_number": leg.peer_number,
        "peer_caller_id_name": leg.name,
        "peer_caller_id_number": leg.number,
        "talking_to": {},
        "bridges": [],
        "on_hold": False,
        "muted": False,
        "hangup_time": site.offset(leg.ended_at),
        "reason_code": leg.cause,
    }


def _asterisk_time(site: Site, at: datetime) -> str:
    local = at.astimezone(site.zone)
    return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03d}{local:%z}"


def _direction(leg: Leg) -> str:
    caller = leg.call.caller or leg
    if caller.outside:
        return "inbound"
    return "outbound" if any(other.outside for other in leg.call.legs) else "internal"


def transfer(record: SimulatedTransfer) -> JsonObject:
    """A transfer as calld shows it; the recipient is a half-channel, not his own leg."""
    person = record.initiator.person
    return {
        "id": record.id,
        "initiator_uuid": person.id if person else None,
        "initiator_tenant_uuid": TENANT,
        "transferred_call": record.transferred.id,
        "initiator_call": record.initiator.id,
        "recipient_call": record.near.id if record.near else None,
        "status": record.status,
        "flow": str(record.kind),
    }


def line_status(line: DeskLine) -> JsonObject:
    """Registration and number of calls of a line."""
    return {
        "id": line.id,
        "technology": "sip",
        "name": f"sip{line.extension}",
        "registered": line.plugged,
        "current_call_count": len(line.legs),
    }


# --- Presence -----------------------------------------------------------------------------------


def presence(person: Person, *, just_chosen: bool = False) -> JsonObject:
    """A presence as chatd shows it; right after a choice its time lacks the offset."""
    at = person.chat.chosen_at
    if at and just_chosen:
        at = at.replace(tzinfo=None)
    return {
        "uuid": person.id,
        "tenant_uuid": TENANT,
        "state": CHAT[person.chat.state],
        "status": person.chat.message,
        "last_activity": at.isoformat() if at else None,
        "do_not_disturb": person.do_not_disturb,
        "lines": [{"id": line.id, "state": str(line.state)} for line in person.lines],
        "connected": person.connected,
        "line_state": str(person.line_state),
        "mobile": False,
    }


# --- People -------------------------------------------------------------------------------------


def forward(value: Forward) -> JsonObject:
    """A forward; no destination is null."""
    return {"enabled": value.enabled, "destination": value.destination or None}


def forwards(person: Person) -> JsonObject:
    """The three forwards by confd's names."""
    return {name: forward(person.forwards[kind]) for name, kind in FORWARDS.items()}


def services(person: Person) -> JsonObject:
    """The two services of a user."""
    return {"dnd": {"enabled": person.do_not_disturb}, "incallfilter": {"enabled": False}}


def line(owner: Person, desk: DeskLine) -> JsonObject:
    """A line as confd shows it."""
    endpoint = str(uuid5(NAMESPACE_OID, f"endpoint:{desk.id}"))
    return {
        "id": desk.id,
        "tenant_uuid": TENANT,
        "name": f"sip{desk.extension}",
        "protocol": "sip",
        "device_id": None,
        "device_slot": 1,
        "provisioning_extension": f"{100_000 + desk.id}",
        "context": CONTEXT,
        "provisioning_code": f"{100_000 + desk.id}",
        "position": owner.lines.index(desk) + 1,
        "caller_id_name": owner.name,
        "caller_id_num": desk.extension,
        "registrar": "default",
        "links": [],
        "application": None,
        "endpoint_sip": {
            "uuid": endpoint,
            "label": owner.login,
            "name": f"sip{desk.extension}",
            "auth_section_options": [["username", f"sip{desk.extension}"]],
            "links": [],
        },
        "endpoint_sccp": None,
        "endpoint_custom": None,
        "extensions": [{"id": desk.id, "exten": desk.extension, "context": CONTEXT, "links": []}],
        "users": [
            {
                "uuid": owner.id,
                "firstname": owner.first_name,
                "lastname": owner.last_name,
                "links": [],
            }
        ],
        "is_webrtc": False,
    }


def user(person: Person) -> JsonObject:
    """A user as confd shows him in full."""
    return {
        "id": person.number,
        "uuid": person.id,
        "firstname": person.first_name,
        "lastname": person.last_name or None,
        "email": person.email or None,
        "timezone": person.time_zone or None,
        "country": None,
        "language": person.language or None,
        "description": None,
        "caller_id": f'"{person.name}"',
        "outgoing_caller_id": None,
        "mobile_phone_number": person.mobile or None,
        "mobile_fallback_enabled": False,
        "username": None,
        "password": None,
        "music_on_hold": None,
        "preprocess_subroutine": None,
        "userfield": None,
        "call_transfer_enabled": False,
        "dtmf_hangup_enabled": False,
        "call_record_outgoing_external_enabled": False,
        "call_record_outgoing_internal_enabled": False,
        "call_record_incoming_internal_enabled": False,
        "call_record_incoming_external_enabled": False,
        "online_call_record_enabled": False,
        "supervision_enabled": True,
        "ring_seconds": person.ring_seconds,
        "simultaneous_calls": person.call_limit,
        "call_permission_password": None,
        "subscription_type": 0,
        "created_at": "2026-01-05T08:00:00.000000",
        "enabled": person.enabled,
        "tenant_uuid": TENANT,
        "links": [],
        "agent": None,
        "call_permissions": [],
        "fallbacks": {
            "noanswer_destination": None,
            "busy_destination": None,
            "congestion_destination": None,
            "fail_destination": None,
        },
        "groups": [],
        "incalls": [],
        "lines": [line(person, desk) for desk in person.lines],
        "forwards": forwards(person),
        "schedules": [],
        "services": services(person),
        "switchboards": [],
        "voicemail": (
            {"id": person.box.id, "name": person.box.name, "links": []} if person.box else None
        ),
        "queues": [],
        "func_key_template_id": None,
        "call_record_enabled": False,
        "call_pickup_user_targets": [],
    }


# --- Call log -----------------------------------------------------------------------------------


def log_entry(site: Site, entry: LogEntry, *, tags: bool = True) -> JsonObject:
    """A call log row; ``tags`` is left out of what a user sees of himself."""
    destination, requested, source = entry.destination, entry.requested_person, entry.source
    details: JsonObject = {"type": "unknown"}
    if destination:
        details = {
            "type": "user",
            "user_uuid": destination.id,
            "user_name": destination.name,
        }
    if entry.outcome is CallOutcome.VOICEMAIL:
        details = {"type": "voicemail"}
    inside = entry.destination_number if destination else None
    body: JsonObject = {
        "id": entry.id,
        "tenant_uuid": TENANT,
        "start": site.offset(entry.started_at),
        "end": site.offset(entry.ended_at),
        "answered": entry.answered,
        "answer": site.offset(entry.answered_at),
        "duration": entry.seconds if entry.answered else None,
        "call_direction": log_direction(entry),
        "call_status": str(entry.outcome),
        "conversation_id": entry.conversation,
        "destination_details": details,
        "destination_extension": entry.destination_number,
        "destination_internal_context": CONTEXT if inside else None,
        "destination_internal_extension": inside,
        "destination_line_id": _line_id(destination),
        "destination_name": entry.destination_name or None,
        "destination_user_uuid": destination.id if destination else None,
        "requested_name": requested.name if requested else None,
        "requested_context": CONTEXT,
        "requested_extension": entry.requested,
        "requested_internal_context": CONTEXT if requested else None,
        "requested_internal_extension": entry.requested if requested else None,
        "requested_user_uuid": requested.id if requested else None,
        "source_extension": entry.source_number,
        "source_internal_context": CONTEXT if source else None,
        "source_internal_name": source.name if source else None,
        "source_internal_extension": entry.source_number if source else None,
        "source_line_id": _line_id(source),
        "source_name": entry.source_name or None,
        "source_user_uuid": source.id if source else None,
        "recordings": [],
    }
    if tags:
        body["tags"] = []
    return body


def _line_id(person: Person | None) -> int | None:
    return person.lines[0].id if person and person.lines else None


def log_direction(entry: LogEntry) -> str:
    """``inbound``, ``outbound`` or ``internal``."""
    if entry.source is None:
        return "inbound"
    return "internal" if entry.destination or entry.requested_person else "outbound"
