"""The mail that brings a voice message to its owner, in his language and time zone."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from bluetel.mail import headers_of_a_machine
from bluetel.telephony.numbers import display_text
from voicemail.links import link_to_message
from voicemail.selectors import records_of

if TYPE_CHECKING:
    from datetime import datetime

    from voicemail.models import Message
    from voicemail.spool import Recording

MOST_ATTACHED = 8 * 1024 * 1024
"""Bytes of a recording that go along; a longer one is a link to the page."""


def letter_about(
    message: Message, recording: Recording | None, *, now: datetime, message_id: str
) -> EmailMultiAlternatives:
    """The mail, with the recording where there is one and it isn't too long."""
    user = message.user
    zone = ZoneInfo(user.time_zone or settings.TIME_ZONE)
    with translation.override(user.language or settings.LANGUAGE_CODE), timezone.override(zone):
        (record,) = records_of(user, [message], now=now)
        number = display_text(record["number"], country=settings.COUNTRY)
        caller = record["name"] or number or _("Number withheld")
        page = reverse("voicemail:message", args=[message.pk])
        is_attached = recording is not None and recording.size <= MOST_ATTACHED
        context = {
            "message": record,
            "caller": caller,
            "number": number,
            "received_at": message.received_at,
            "call_back": link_to_message(user, message.pk, now=now)
            if record["number"] and record["proven"]
            else "",
            "page": f"{settings.ENV.origin}{page}",
            "is_attached": is_attached,
        }
        mail = EmailMultiAlternatives(
            subject=_("Voice message from %(caller)s") % {"caller": one_line(caller)},
            body=render_to_string("voicemail/letter.txt", context),
            to=[user.email],
            headers=headers_of_a_machine(message_id),
        )
        mail.attach_alternative(render_to_string("voicemail/letter.html", context), "text/html")
        if recording is not None and is_attached:
            sound = b"".join(recording.pieces(0, recording.size))
            at = timezone.localtime(message.received_at)
            kind = ("wav", "audio/wav") if sound[:4] == b"RIFF" else ("bin", "audio/basic")
            mail.attach(f"voicemail-{at:%Y-%m-%d-%H%M}.{kind[0]}", sound, kind[1])
    return mail


def one_line(text: str) -> str:
    """A name fit for a header: callers' names are hostile text."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())[:120]
