"""The JSON records of boxes and voice messages."""

from __future__ import annotations

from bluetel.telephony.simulator.http import JsonObject
from bluetel.telephony.simulator.people import Box, BoxMessage, Person
from bluetel.telephony.simulator.wazo_server.site import CONTEXT, TENANT
from bluetel.telephony.types import VoicemailFolder

FOLDERS = (
    (1, "inbox", "new", VoicemailFolder.NEW),
    (2, "old", "old", VoicemailFolder.OLD),
    (3, "urgent", "urgent", VoicemailFolder.URGENT),
    (4, "work", "other", VoicemailFolder.WORK),
    (5, "family", "other", VoicemailFolder.FAMILY),
    (6, "friends", "other", VoicemailFolder.FRIENDS),
)


def voicemail(owner: Person, box: Box) -> JsonObject:
    """A box as confd shows it, its PIN included."""
    return {
        "id": box.id,
        "tenant_uuid": TENANT,
        "name": box.name,
        "number": box.number,
        "context": CONTEXT,
        "password": "0000",
        "email": owner.email or None,
        "language": owner.language or None,
        "timezone": "eu-fr",
        "pager": None,
        "max_messages": 100,
        "attach_audio": None,
        "delete_messages": False,
        "ask_password": True,
        "enabled": True,
        "options": [],
        "accesstype": "personal",
        "links": [],
        "users": [{"uuid": owner.id, "firstname": owner.first_name, "lastname": owner.last_name}],
    }


def folder_of(value: VoicemailFolder) -> JsonObject:
    """A folder's id, name and type."""
    number, name, kind, _ = next(row for row in FOLDERS if row[3] is value)
    return {"id": number, "name": name, "type": kind}


def message(box: Box, record: BoxMessage, *, nested: bool = False) -> JsonObject:
    """A message; inside a folder (``nested``) it doesn't repeat folder and box."""
    body: JsonObject = {
        "id": record.id,
        "caller_id_name": record.name or None,
        "caller_id_num": record.number or None,
        "duration": record.duration,
        "timestamp": int(record.received_at.timestamp()),
        "empty": False,
        "transcription": {"text": record.transcript} if record.transcript else None,
    }
    if not nested:
        body["folder"] = folder_of(record.folder)
        body["voicemail"] = {"id": box.id, "name": box.name, "accesstype": "personal"}
    return body


def folder(box: Box, number: int) -> JsonObject | None:
    """A folder with its messages, newest first; None when there is no such folder."""
    row = next((row for row in FOLDERS if row[0] == number), None)
    if row is None:
        return None
    inside = [record for record in box.messages.values() if record.folder is row[3]]
    inside.sort(key=lambda record: record.received_at, reverse=True)
    return {
        "id": row[0],
        "name": row[1],
        "type": row[2],
        "messages": [message(box, record, nested=True) for record in inside],
    }


def mailbox(box: Box) -> JsonObject:
    """A box with all its folders, as calld shows it."""
    return {
        "id": box.id,
        "name": box.name,
        "number": box.number,
        "accesstype": "personal",
        "folders": [folder(box, row[0]) for row in FOLDERS],
    }
