"""New messages as mails, for users who asked for it: one mail each, whatever breaks meanwhile.

A delivery is written with the message's own row; the job that sends it is tried again until the
mail server takes it, for :data:`TRIED_FOR`. Should the process die between the server's yes and
our note of it, the second mail bears the same ``Message-ID``, so mail programs show one.
"""

from __future__ import annotations

import logging
import smtplib
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from bluetel.mail import message_id
from bluetel.work.jobs import job
from voicemail.errors import VoicemailError
from voicemail.letters import letter_about
from voicemail.models import UNREAD, Box, Delivery

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bluetel.accounts.models import User
    from voicemail.models import Message

logger = logging.getLogger(__name__)

TRIED_FOR = timedelta(days=4)
REVIVED_AFTER = timedelta(minutes=5)


def set_delivery(user: User, *, wanted: bool, now: datetime) -> None:
    """Have new messages mailed from now on, or no longer."""
    box, _ = Box.objects.get_or_create(user=user)
    if wanted != (box.mailed_since is not None):
        Box.objects.filter(pk=box.pk).update(mailed_since=now if wanted else None)


def deliver_new(user: User, messages: Sequence[Message]) -> None:
    """Have those mailed that came since the user wanted it; call it in their transaction."""
    since = Box.objects.filter(user=user).values_list("mailed_since", flat=True).first()
    if since is None or not user.email or not settings.SENDS_MAIL:
        return
    for message in messages:
        if message.folder in UNREAD and message.received_at >= since:
            delivery, is_new = Delivery.objects.get_or_create(message=message)
            if is_new:
                _enqueue(delivery.pk)


def revive(*, now: datetime) -> None:
    """Try the unsent ones again whose jobs were given up during a long outage."""
    unsent = Delivery.objects.filter(
        sent_at=None,
        error="",
        created_at__lt=now - REVIVED_AFTER,
        created_at__gt=now - TRIED_FOR,
    )
    for pk in unsent.values_list("pk", flat=True):
        _enqueue(pk)


def _enqueue(pk: int) -> None:
    send_letter.enqueue(key=f"voicemail-letter:{pk}", delivery=pk)


@job
def send_letter(*, delivery: int) -> None:
    """Send one mail; raises while the mail server can't take it."""
    from voicemail.services import recording_of  # noqa: PLC0415 — services enqueue this job

    row = Delivery.objects.select_related("message__user__pbx").filter(pk=delivery).first()
    if row is None or row.sent_at is not None or row.error:
        return
    message = row.message
    if message.delete_at is not None or not message.user.email or not message.user.is_active:
        return
    try:
        recording = recording_of(message)
    except VoicemailError:
        recording = None  # told, and linked to, without its sound
    letter = letter_about(message, recording, now=timezone.now(), message_id=message_id_of(row))
    try:
        letter.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        if any(code < 500 for code in codes):
            raise
        logger.warning("the mail server refuses a user's address for good: %s", codes)
        Delivery.objects.filter(pk=row.pk).update(error="refused")
    else:
        Delivery.objects.filter(pk=row.pk).update(sent_at=timezone.now())


def message_id_of(delivery: Delivery) -> str:
    """The same for every attempt, and nobody else's."""
    return message_id("voicemail", f"{delivery.pk}/{delivery.created_at.isoformat()}")
