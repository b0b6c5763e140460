"""The users' mailboxes: adding them, keeping what was found in them, hearing what lies there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from bluetel.fetch.errors import AddressRefused, FetchError
from bluetel.fetch.site import site_door
from voicemail import imap, parsing
from voicemail.errors import AddressNotAllowed, BoxUnavailable, MailboxNotFound, MessageNotFound
from voicemail.live import publish_unread
from voicemail.mails import is_proven, is_voicemail
from voicemail.models import UNREAD, Folder, Mail, Mailbox, Message
from voicemail.oauth import secret_of
from voicemail.selectors import unread_count

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from bluetel.accounts.models import User
    from bluetel.telephony.ports import Taker


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How to reach a mailbox; see ``models.Mailbox``."""

    host: str
    port: int
    tls: str
    username: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    is_token: bool = False
    token_url: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)


def add(user: User, access: Access) -> Mailbox:
    """A mailbox to watch from now on; the same one again changes its password.

    Raises ``AddressNotAllowed``. That it can't be reached now is no reason to refuse it.
    """
    host = access.host.strip().lower()
    try:
        site_door().host(host, access.port, ports=imap.PORTS)
        if access.token_url:
            site_door().check(access.token_url)
    except AddressRefused:
        raise AddressNotAllowed from None
    except FetchError:
        pass
    with transaction.atomic():
        return Mailbox.objects.update_or_create(
            user=user,
            host=host,
            username=access.username.strip(),
            folder=access.folder.strip() or "INBOX",
            defaults={
                "port": access.port,
                "tls": access.tls,
                "password": access.password,
                "is_token": access.is_token or bool(access.token_url),
                "token_url": access.token_url,
                "client_id": access.client_id,
                "client_secret": access.client_secret,
                "error": "",
            },
        )[0]


def mailboxes_of(user: User) -> list[Mailbox]:
    """The user's mailboxes, newest first."""
    return list(Mailbox.objects.filter(user=user).order_by("-created_at", "-pk"))


def remove(user: User, mailbox_id: str) -> None:
    """Watch a mailbox no more, and forget what only its mails told. Raises ``MailboxNotFound``."""
    if not (mailbox_id.isascii() and mailbox_id.isdecimal() and len(mailbox_id) < 19):
        raise MailboxNotFound
    with transaction.atomic():
        if not Mailbox.objects.filter(user=user, pk=mailbox_id).delete()[0]:
            raise MailboxNotFound
        Message.objects.filter(user=user, pbx_message="", mails=None).delete()
    publish_unread(user.pk, unread_count(user))


def opened(mailbox: Mailbox, *, readonly: bool = False) -> AbstractContextManager[imap.Account]:
    """A connection to a mailbox. Raises ``imap.MailboxFailed``."""
    return imap.opened(
        mailbox,
        door=site_door(),
        ca_file=settings.CA_FILE,
        secret=lambda: secret_of(mailbox, site_door()),
        readonly=readonly,
    )


# --- What was found -------------------------------------------------------------------------------


def keep_found(mailbox: Mailbox, found: Sequence[imap.FoundMail], *, uid_validity: int) -> None:
    """Write down the mails that are about voice messages."""
    facts = parsing.read_all([mail.head for mail in found])
    rows = [
        Mail(
            mailbox=mailbox,
            uid_validity=uid_validity,
            uid=mail.uid,
            header_id=fact.message_id,
            is_proven=is_proven(fact, senders=settings.VOICEMAIL_SENDERS),
            seen=mail.seen,
            box=fact.box,
            serial=fact.serial,
            number=fact.number,
            name=fact.name,
            sent_at=fact.sent_at or mail.arrived_at,
            section=mail.audio.section if mail.audio else "",
            media_type=mail.audio.media_type[:64] if mail.audio else "",
            encoding=mail.audio.encoding[:32] if mail.audio else "",
            size=mail.audio.size if mail.audio else 0,
        )
        for mail, fact in zip(found, facts, strict=True)
        if fact is not None and is_voicemail(fact, mail.audio)
    ]
    Mail.objects.bulk_create(rows, ignore_conflicts=True)


def keep_seen(
    mailbox: Mailbox, seen: Mapping[int, bool], *, asked: Sequence[int]
) -> Iterator[tuple[Message, bool]]:
    """Take over which mails are read or gone; gives the PBX's messages to be marked likewise."""
    rows = Mail.objects.filter(mailbox=mailbox, uid__in=asked, uid_validity=mailbox.uid_validity)
    for mail in rows.select_related("message__user__pbx"):
        is_seen = seen.get(mail.uid)
        if is_seen is None:
            mail.delete()
        elif is_seen != mail.seen:
            mail.seen = is_seen
            mail.save(update_fields=["seen"])
            message = mail.message
            if message is None or mail.wants:
                continue
            if message.pbx_message:
                yield message, is_seen
            elif message.is_read != is_seen:
                message.folder = Folder.OLD if is_seen else Folder.NEW
                message.save(update_fields=["folder"])


def want_seen(message: Message, *, read: bool) -> None:
    """Have the mails about a message marked as the message is."""
    wanted = Mail.Want.SEEN if read else Mail.Want.UNSEEN
    mails = message.mails.filter(~Q(seen=read)).exclude(wants=Mail.Want.DELETE)
    mails.update(wants=wanted)


def follow_folders(messages: Sequence[Message]) -> None:
    """The same for messages that were heard by telephone, or are new again."""
    for message in messages:
        want_seen(message, read=message.folder not in UNREAD)


def delete_mails(message: Message) -> None:
    """Have the mails deleted that alone told of a message, and show them no more."""
    message.mails.update(wants=Mail.Want.DELETE, is_done=True)


def let_go(messages: Sequence[int]) -> None:
    """Show mails no more whose messages of the PBX are gone; they stay in the mailbox."""
    Mail.objects.filter(message__in=messages).update(is_done=True)


# --- Hearing --------------------------------------------------------------------------------------


def copy_audio(message: Message, into: Taker) -> None:
    """Hand over the recording that came by mail. Raises ``BoxUnavailable``, ``MessageNotFound``."""
    mail = message.mails.exclude(section="").select_related("mailbox").first()
    if mail is None:
        raise MessageNotFound
    try:
        with opened(mail.mailbox, readonly=True) as account:
            if account.uid_validity != mail.uid_validity:
                raise MessageNotFound
            account.copy_audio(mail.uid, mail.section, mail.encoding, into)
    except imap.MailboxFailed as error:
        raise BoxUnavailable from error
