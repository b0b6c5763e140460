"""``/api/v1/voicemail``: the user's voice messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from django.utils import timezone
from ninja import Header, Router, Schema, Status
from pydantic import StrictBool

from bluetel.accounts.http import SignedInRequest
from bluetel.api import schemas
from bluetel.api.changes import Change
from bluetel.calls.messages import CallRecord, record_of
from presence.live import publish_call
from voicemail import selectors, services
from voicemail.audio import recording_response
from voicemail.models import Folder

if TYPE_CHECKING:
    from django.http.response import HttpResponseBase

    from voicemail.messages import MessageRecord
    from voicemail.models import Message

router = Router(tags=["voicemail"])

PATIENCE = 8.0
ERRORS = {
    400: schemas.Error,
    403: schemas.Error,
    404: schemas.Error,
    409: schemas.Error,
    429: schemas.Error,
    503: schemas.Error,
}
FolderWord = Literal["new", "old", "urgent", "work", "family", "friends"]


class VoiceMessage(Schema):
    """A voice message; an anonymous caller has no number."""

    id: str
    number: str
    name: str
    contact_id: str | None
    duration: int
    received_at: str
    read: bool
    folder: FolderWord
    transcript: str
    source: Literal["pbx", "mail"]
    proven: bool


class VoiceMessages(Schema):
    """All of them, newest first."""

    messages: list[VoiceMessage]
    unread: int


class Unread(Schema):
    """How many have not been heard."""

    unread: int


class MessageChange(Change):
    """What to change; ``read`` moves between the new and the heard ones."""

    of = VoiceMessage

    read: StrictBool | None = None
    folder: FolderWord | None = None


@router.get("", response={200: VoiceMessages, 503: schemas.Error}, summary="All voice messages")
def messages(request: SignedInRequest) -> dict[str, object]:
    """What the PBX lists now; 503 ``pbx_unavailable`` when it can't be asked."""
    now = timezone.now()
    services.read_box(request.user, now=now, patience=PATIENCE)
    shown = list(selectors.shown_messages(request.user))
    return {
        "messages": selectors.records_of(request.user, shown, now=now),
        "unread": selectors.unread_count(request.user),
    }


@router.get("/unread", response=Unread, summary="How many are new")
def unread(request: SignedInRequest) -> dict[str, int]:
    """As last heard from the PBX, without asking it."""
    return {"unread": selectors.unread_count(request.user)}


@router.get(
    "/{message_id}", response={200: VoiceMessage, 404: schemas.Error}, summary="One of them"
)
def one(request: SignedInRequest, message_id: str) -> MessageRecord:
    """As last heard from the PBX."""
    return _record(request, selectors.message_of(request.user, message_id))


@router.get("/{message_id}/audio", response={200: None, **ERRORS}, summary="Hear one")
def audio(request: SignedInRequest, message_id: str) -> HttpResponseBase:
    """The recording, whole or by ``Range``; ``?download=1`` names it as a file to keep."""
    message = selectors.message_of(request.user, message_id)
    recording = services.recording_of(message)
    at = timezone.localtime(message.received_at)
    return recording_response(request, recording, name=f"voicemail-{at:%Y-%m-%d-%H%M}")


@router.patch("/{message_id}", response={200: VoiceMessage, **ERRORS}, summary="Read or file one")
def change(request: SignedInRequest, message_id: str, body: MessageChange) -> MessageRecord:
    """Done on the PBX when this answers."""
    message = selectors.message_of(request.user, message_id)
    if body.folder is not None:
        services.move(message, Folder(body.folder))
    if body.read is not None:
        services.mark_read(message, read=body.read)
    return _record(request, message)


@router.delete("/{message_id}", response={204: None, **ERRORS}, summary="Delete one")
def delete(request: SignedInRequest, message_id: str) -> Status[None]:
    """Gone from the list at once and from the PBX within 15 s; ``restore`` undoes it until then."""
    services.delete(selectors.message_of(request.user, message_id), now=timezone.now())
    return Status(204, None)


@router.post("/{message_id}/restore", response={200: VoiceMessage, **ERRORS}, summary="Undo that")
def restore(request: SignedInRequest, message_id: str) -> MessageRecord:
    """404 when the PBX has deleted it already."""
    message = selectors.message_of(request.user, message_id, deleted=True)
    services.restore(message)
    return _record(request, message)


@router.post("/{message_id}/callback", response={202: schemas.Call, **ERRORS}, summary="Call back")
def call_back(
    request: SignedInRequest,
    message_id: str,
    idempotency_key: Annotated[str, Header(alias="Idempotency-Key", max_length=200)] = "",
) -> Status[CallRecord]:
    """As ``POST calls`` to the caller's number; 400 ``invalid_number`` if it was withheld."""
    message = selectors.message_of(request.user, message_id)
    placed = services.call_back(message, now=timezone.now(), key=idempotency_key)
    record = record_of(placed.call)
    publish_call(request.user.pk, record)
    return Status(202, record)


def _record(request: SignedInRequest, message: Message) -> MessageRecord:
    return selectors.records_of(request.user, [message], now=timezone.now())[0]
