"""Whose a mail of the PBX is, and the call-back bar for him."""

from __future__ import annotations

from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import getaddresses
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from bluetel.accounts.models import User
from bluetel.calls.rules import number_of_caller
from bluetel.telephony.numbers import display_text
from voicemail.mails import MailFacts, is_proven, read_headers
from voicemail.rewriting import Bar, Untouchable, with_bar
from voicemail.signing import signed_address

if TYPE_CHECKING:
    from datetime import datetime

HEAD_LIMIT = 256 * 1024


def rewritten(mail: bytes, *, recipient: str, now: datetime) -> bytes:
    """``mail`` with the bar if it is a voice message of a user's with a number, else as it is."""
    head = mail[:HEAD_LIMIT].replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    facts = read_headers(head)
    number = number_of_caller(facts.number)
    if not number or not (facts.is_asterisk or facts.has_caller) or not _is_from_pbx(facts):
        return mail
    user = _owner(head, recipient, facts.box)
    if user is None:
        return mail
    shown = display_text(number, country=settings.COUNTRY).replace("\xa0", " ")
    with translation.override(user.language or settings.LANGUAGE_CODE):
        words = _("Call %(number)s back") % {"number": shown}
    if not words.isascii():
        return mail
    try:
        return with_bar(mail, Bar(words, signed_address(user, now, n=number, c=facts.name[:80])))
    except Untouchable:
        return mail


def _is_from_pbx(facts: MailFacts) -> bool:
    """Whether it is from a named sender; where none is named, the pipe's place vouches for it."""
    senders = [sender for sender in settings.VOICEMAIL_SENDERS if "@" in sender]
    return not senders or is_proven(facts, senders=senders)


def _owner(head: bytes, recipient: str, box: str) -> User | None:
    """The one user the mail is for: by the envelope, the ``To`` header, else the box's number."""
    headers = BytesHeaderParser(policy=compat32).parsebytes(head)
    addresses = [recipient] if recipient else []
    addresses += [address for _, address in getaddresses([str(headers.get("To", ""))])]
    active = User.objects.filter(is_active=True)
    for address in addresses:
        found = list(active.filter(email__iexact=address)[:2]) if address else []
        if len(found) == 1:
            return found[0]
    found = list(active.filter(extension=box)[:2]) if box and not recipient else []
    return found[0] if len(found) == 1 else None
