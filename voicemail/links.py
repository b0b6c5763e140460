"""Links that lead to a page with one button; opening one calls nobody.

A link is bound to a user, and to a message or the caller's number, for seven days. It says nothing
that its holder doesn't know, and helps nobody who can't sign in as its user. He revokes all of his
at once by counting ``Box.link_series`` up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import F

from bluetel.calls.rules import number_of_caller
from voicemail.errors import MessageNotFound
from voicemail.models import Box
from voicemail.selectors import message_of
from voicemail.signing import BadLink, signed_address, signed_words

if TYPE_CHECKING:
    from datetime import datetime

    from bluetel.accounts.models import User


@dataclass(frozen=True, slots=True)
class Callee:
    """Whom a link leads to."""

    number: str
    name: str
    message_id: str = ""


def link_to_message(user: User, message_id: int, *, now: datetime) -> str:
    """The address that offers to call a message's caller back."""
    return signed_address(user, now, m=message_id)


def callee_of(user: User, token: str, *, now: datetime) -> Callee:
    """Whom ``user`` would call by this link. Raises ``BadLink``."""
    told = signed_words(user, token, now=now)
    if "m" not in told:
        return Callee(told["n"], told["c"])
    try:
        message = message_of(user, str(told["m"]))
    except MessageNotFound:
        raise BadLink from None
    number = number_of_caller(message.number)
    if not number or not message.is_proven:
        raise BadLink
    return Callee(number, message.name, str(message.pk))


def revoke_links(user: User) -> None:
    """End all links of the user that were ever sent."""
    Box.objects.get_or_create(user=user)
    Box.objects.filter(user=user).update(link_series=F("link_series") + 1)
