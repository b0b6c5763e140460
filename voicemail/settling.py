"""Which mail is about which message, kept right as mails and messages come in any order."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from bluetel.calls.rules import number_of_caller
from contacts.writings import identity_of
from voicemail.mails import AudioPart
from voicemail.matching import Left, Sent, pairs
from voicemail.models import Folder, Mail, Message

if TYPE_CHECKING:
    from bluetel.accounts.models import User


def settle(user: User) -> list[Message]:
    """Give each of the user's mails its message; a mail about none of the PBX makes its own.

    When a mail turns out to be about a message of the PBX, both are read if one of them is: what
    is given are the messages that the PBX has yet to be told of.
    """
    heard: list[Message] = []
    with transaction.atomic():
        mails = list(
            Mail.objects.filter(mailbox__user=user, is_done=False)
            .exclude(wants=Mail.Want.DELETE)
            .select_related("message")
            .order_by("sent_at", "pk")
        )
        if not mails:
            return []
        rows = Message.objects.filter(user=user).exclude(pbx_message="")
        messages = {one.pk: one for one in rows.select_related("user__pbx")}
        certain = pairs(map(_sent, mails), map(_left, messages.values()))
        copies: dict[str, Message] = {}
        for mail in mails:
            message = messages.get(certain.get(mail.pk, 0))
            if message is None:
                message = _own_message(user, mail, copies)
            elif _join(mail, message) and mail.seen and not message.is_read:
                heard.append(message)
            if mail.header_id:
                copies.setdefault(mail.header_id, message)
        Message.objects.filter(user=user, pbx_message="", mails=None).delete()
    return heard


def _join(mail: Mail, message: Message) -> bool:
    """Tie a mail to a message of the PBX; False when it was tied to it already."""
    if mail.message == message:
        return False
    mail.message = message
    if message.is_read and not mail.seen:
        mail.wants = Mail.Want.SEEN
    mail.save(update_fields=["message", "wants"])
    return True


def _own_message(user: User, mail: Mail, copies: dict[str, Message]) -> Message:
    """The message that this mail alone makes known; two copies of a mail make one."""
    known = mail.message
    if known is not None and not known.pbx_message:
        return known
    message = copies.get(mail.header_id) if mail.header_id else None
    if message is None:
        audio = AudioPart(mail.section, mail.media_type, mail.encoding, mail.size)
        message = Message.objects.create(
            user=user,
            is_proven=mail.is_proven,
            box=mail.box,
            folder=Folder.OLD if mail.seen else Folder.NEW,
            number=mail.number,
            name=mail.name,
            duration=audio.seconds,
            received_at=mail.sent_at,
        )
    Mail.objects.filter(pk=mail.pk).update(message=message)
    return message


def _sent(mail: Mail) -> Sent:
    return Sent(mail.pk, mail.box, _caller(mail.number), mail.sent_at, mail.serial)


def _left(message: Message) -> Left:
    end = message.received_at + timedelta(seconds=message.duration)
    return Left(message.pk, message.box, _caller(message.number), message.received_at, end)


def _caller(number: str) -> str:
    country: str = settings.COUNTRY
    return identity_of(number, country) if number_of_caller(number) else ""
