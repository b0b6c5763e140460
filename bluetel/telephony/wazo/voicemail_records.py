"""Wazo's voicemail boxes and messages into our types (``reference/wazo.md`` §6)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from bluetel.telephony.errors import ProtocolError
from bluetel.telephony.types import VoicemailFolder, VoicemailMessage
from bluetel.telephony.wazo.fields import Fields

FOLDER_IDS = {
    VoicemailFolder.NEW: 1,
    VoicemailFolder.OLD: 2,
    VoicemailFolder.URGENT: 3,
    VoicemailFolder.WORK: 4,
    VoicemailFolder.FAMILY: 5,
    VoicemailFolder.FRIENDS: 6,
}
_FOLDERS = {number: folder for folder, number in FOLDER_IDS.items()}

_WHOLE_CALLER_ID = re.compile(r"<([^<>]*)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A voicemail box: ``id`` for calld's routes, ``number`` to dial it in ``context``."""

    id: int
    number: str
    context: str


def boxes(value: object) -> list[Box]:
    """The answer of confd's ``/users/{uuid}/voicemails``; its passwords are left where they are."""
    return [_box(item) for item in Fields(value, what="voicemail boxes").items("items")]


def _box(value: object) -> Box:
    fields = Fields(value, what="voicemail box")
    return Box(id=fields.whole("id"), number=fields.text("number"), context=fields.text("context"))


def messages(value: object, *, box: str) -> Iterable[VoicemailMessage]:
    """All messages of calld's ``/voicemails/{id}``, folder by folder."""
    whole = Fields(value, what="voicemail")
    number = whole.optional_text("number")
    for folder in whole.items("folders"):
        fields = Fields(folder, what="voicemail folder")
        # A folder of the administrator's own counts as read: nothing new ever lands there.
        kind = _FOLDERS.get(fields.whole("id"), VoicemailFolder.OLD)
        for item in fields.items("messages"):
            yield _message(item, folder=kind, box=box, box_number=number)


def _message(
    value: object, *, folder: VoicemailFolder, box: str, box_number: str
) -> VoicemailMessage:
    fields = Fields(value, what="voicemail message")
    number = fields.text_or_none("caller_id_num") or ""
    inside = _WHOLE_CALLER_ID.search(number)
    try:
        received_at = datetime.fromtimestamp(fields.whole("timestamp"), tz=UTC)
    except (OverflowError, OSError, ValueError):
        raise ProtocolError("voicemail message: timestamp is out of range") from None
    return VoicemailMessage(
        id=fields.text("id"),
        box=box,
        folder=folder,
        number=inside.group(1) if inside else number,
        name=fields.text_or_none("caller_id_name") or "",
        duration=fields.whole("duration"),
        received_at=received_at,
        transcript=_transcript(fields),
        box_number=box_number,
    )


def _transcript(fields: Fields) -> str:
    """The text of a transcription, which Wazo has from 26.05 on."""
    transcription = fields.optional_object("transcription")
    return "" if transcription is None else transcription.optional_text("text")
