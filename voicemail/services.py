"""Changing voice messages: the PBX first, then the row, then the open pages.

A row is what the PBX last said. A message is deleted there only after :data:`UNDO_FOR`, so that
it can be taken back; until then the row alone says that it is to go.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from bluetel.accounts.asking import PATIENCE, ask
from bluetel.accounts.pbx import backend_for
from bluetel.calls import services as calls
from bluetel.calls.rules import number_of_caller
from bluetel.telephony import errors
from bluetel.telephony.types import PbxUserId, VoicemailFolder, VoicemailMessage
from voicemail import delivery, mailboxes
from voicemail.errors import (
    BoxUnavailable,
    CallerUnproven,
    MessageNotFound,
    NobodyToCall,
    NotPossible,
    VoicemailError,
)
from voicemail.live import publish_unread
from voicemail.models import Box, Folder, Message
from voicemail.selectors import unread_count
from voicemail.settling import settle
from voicemail.spool import Recording, Spool

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bluetel.accounts.models import User
    from bluetel.telephony.ports import Taker

logger = logging.getLogger(__name__)

UNDO_FOR = timedelta(seconds=8)

_spools: dict[str, Spool] = {}
_spools_lock = threading.Lock()


def read_box(user: User, *, now: datetime, patience: float = PATIENCE) -> None:
    """Bring the rows up to date with the PBX. Raises ``BoxUnavailable``.

    Who has no place on a PBX, or no box there, has no messages.
    """
    pbx, pbx_user = user.pbx, user.pbx_user_id
    if pbx is None or not pbx_user:
        store_messages(user, [], now=now)
        return
    with _pbx_errors(pbx.name):
        try:
            question = partial(backend_for(pbx).messages, PbxUserId(pbx_user))
            told = ask(pbx, question, patience=patience)
        except (errors.NotFound, errors.NotSupported):
            told = []
    store_messages(user, told, now=now)


def store_messages(user: User, told: Sequence[VoicemailMessage], *, now: datetime) -> list[Message]:
    """Make the rows what the PBX lists, and give those that are new; pages hear of changes."""
    with transaction.atomic():
        Box.objects.update_or_create(user=user, defaults={"read_at": now})
        known = Message.objects.filter(user=user).exclude(pbx_message="")
        rows = {row.pbx_message: row for row in known}
        wanted = {message.id: _columns(message) for message in told}
        gone = [row.pk for key, row in rows.items() if key not in wanted]
        changed = [
            (rows[key], columns)
            for key, columns in wanted.items()
            if key in rows and any(getattr(rows[key], name) != columns[name] for name in columns)
        ]
        fresh = [
            Message(user=user, pbx_message=key, **columns)
            for key, columns in wanted.items()
            if key not in rows
        ]
        mailboxes.let_go(gone)
        Message.objects.filter(pk__in=gone).delete()
        for row, columns in changed:
            Message.objects.filter(pk=row.pk).update(**columns)
        Message.objects.bulk_create(fresh, ignore_conflicts=True)
        keys = [message.pbx_message for message in fresh]
        made = list(Message.objects.filter(user=user, pbx_message__in=keys)) if keys else []
        delivery.deliver_new(user, made)
    mailboxes.follow_folders(
        list(Message.objects.filter(pk__in=[row.pk for row, _ in changed], mails__isnull=False))
    )
    if gone or changed or fresh:
        settle_mails(user)
        publish_unread(user.pk, unread_count(user))
    return made


def settle_mails(user: User) -> None:
    """Tie mails and messages together; what was heard by mail is heard on the PBX as well."""
    for message in settle(user):
        with suppress(VoicemailError):  # the next listing shows what the PBX holds
            mark_read(message, read=True)


def _columns(message: VoicemailMessage) -> dict[str, object]:
    return {
        "box": (message.box_number or message.box)[:64],
        "folder": message.folder.value,
        "number": message.number[:64],
        "name": message.name[:200],
        "duration": max(0, message.duration),
        "received_at": message.received_at,
        "transcript": message.transcript,
    }


def mark_read(message: Message, *, read: bool) -> None:
    """Put a message among the heard ones, or the new ones again; a filed one is heard already."""
    if message.is_read != read:
        move(message, Folder.OLD if read else Folder.NEW)


def move(message: Message, folder: Folder) -> None:
    """Put a message into another folder. Raises ``VoicemailError``."""
    user = message.user
    if message.folder == folder:
        return
    if message.pbx_message:
        with _on_pbx(message):
            assert user.pbx is not None  # noqa: S101 — the row came from a PBX
            backend_for(user.pbx).move_message(
                PbxUserId(user.pbx_user_id), message.pbx_message, VoicemailFolder(folder.value)
            )
    message.folder = folder
    Message.objects.filter(pk=message.pk).update(folder=folder)
    mailboxes.want_seen(message, read=message.is_read)
    publish_unread(user.pk, unread_count(user))


def delete(message: Message, *, now: datetime) -> None:
    """Hide a message now and have it deleted on the PBX after :data:`UNDO_FOR`."""
    Message.objects.filter(pk=message.pk, delete_at=None).update(delete_at=now + UNDO_FOR)
    publish_unread(message.user_id, unread_count(message.user))


def restore(message: Message) -> None:
    """Take a deletion back. Raises ``MessageNotFound`` when it is done already."""
    if not Message.objects.filter(pk=message.pk).update(delete_at=None):
        raise MessageNotFound
    message.delete_at = None
    publish_unread(message.user_id, unread_count(message.user))


def delete_due(*, now: datetime) -> None:
    """Delete on the PBX what was to be deleted by now; what fails is tried again the next time."""
    due = Message.objects.filter(delete_at__lte=now).select_related("user__pbx")
    for message in due:
        pbx = message.user.pbx
        try:
            if not message.pbx_message:
                mailboxes.delete_mails(message)
            elif pbx is not None and message.user.pbx_user_id:
                backend_for(pbx).delete_message(
                    PbxUserId(message.user.pbx_user_id), message.pbx_message
                )
        except errors.NotFound:
            pass  # somebody deleted it by telephone meanwhile
        except errors.TelephonyError as error:
            logger.warning("a voice message could not be deleted yet: %s", error)
            continue
        mailboxes.let_go([message.pk])
        Message.objects.filter(pk=message.pk).delete()
        _spool().forget(_key(message))


def call_back(message: Message, *, now: datetime, key: str = "") -> calls.Placed:
    """Call who left the message, as any other call: the user's own phone rings first.

    Raises ``NobodyToCall``, ``CallerUnproven``, and all that ``place_call`` raises.
    """
    number = number_of_caller(message.number)
    if not number:
        raise NobodyToCall
    if not message.is_proven:
        raise CallerUnproven
    return calls.place_call(message.user, number, now=now, key=key)


def recording_of(message: Message) -> Recording:
    """The message's sound, whole. Raises ``VoicemailError``."""
    user = message.user
    if not message.pbx_message:
        return _spool().recording(_key(message), partial(mailboxes.copy_audio, message))

    def copy(into: Taker) -> None:
        assert user.pbx is not None  # noqa: S101 — the row came from a PBX
        backend_for(user.pbx).copy_audio(PbxUserId(user.pbx_user_id), message.pbx_message, into)

    with _on_pbx(message):
        return _spool().recording(_key(message), copy)


@contextmanager
def _on_pbx(message: Message) -> Iterator[None]:
    """Do something with a message on its PBX; one that is gone there loses its row."""
    pbx = message.user.pbx
    if pbx is None or not message.user.pbx_user_id:
        raise MessageNotFound
    try:
        with _pbx_errors(pbx.name):
            yield
    except errors.NotFound:
        Message.objects.filter(pk=message.pk).delete()
        publish_unread(message.user_id, unread_count(message.user))
        raise MessageNotFound from None
    except errors.NotSupported:
        raise NotPossible from None


@contextmanager
def _pbx_errors(pbx: str) -> Iterator[None]:
    try:
        yield
    except (errors.NotFound, errors.NotSupported):
        raise
    except errors.TelephonyError as error:
        logger.warning("PBX %s: voicemail does not work now: %s", pbx, error)
        raise BoxUnavailable from error


def _key(message: Message) -> tuple[object, ...]:
    return message.pk, message.pbx_message, message.received_at


def _spool() -> Spool:
    folder = str(settings.DATA_DIR)
    with _spools_lock:
        return _spools.setdefault(folder, Spool(folder))
