"""Signed links that lead to a page with one button; opening one calls nobody.

A link is bound to a user, and to a message or the caller's number, for :data:`LIFETIME`. It says
nothing that its holder doesn't know, and helps nobody who can't sign in as its user. He revokes all
of his at once by counting ``Box.link_series`` up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db.models import F
from django.urls import reverse

from bluetel.calls.rules import number_of_caller
from voicemail.errors import MessageNotFound
from voicemail.models import Box
from voicemail.selectors import message_of

if TYPE_CHECKING:
    from bluetel.accounts.models import User

LIFETIME = timedelta(days=7)
LONGEST = 2000


class BadLink(Exception):
    """The link is tampered with, expired, revoked, somebody else's, or its message is gone."""


@dataclass(frozen=True, slots=True)
class Callee:
    """Whom a link leads to."""

    number: str
    name: str
    message_id: str = ""


def link_to_message(user: User, message_id: int, *, now: datetime) -> str:
    """The address that offers to call a message's caller back."""
    return _address(user, now, m=message_id)


def link_to_number(user: User, number: str, name: str, *, now: datetime) -> str:
    """The same for a number that was found in a mail of the PBX."""
    return _address(user, now, n=number, c=name[:80])


def _address(user: User, now: datetime, **about: object) -> str:
    until = int((now + LIFETIME).timestamp())
    token = _signer().sign_object({"u": user.pk, "s": _series(user), "t": until, **about})
    return f"{settings.ENV.origin}{reverse('voicemail:call-back', args=[token])}"


def callee_of(user: User, token: str, *, now: datetime) -> Callee:
    """Whom ``user`` would call by this link. Raises :class:`BadLink`."""
    if len(token) > LONGEST:
        raise BadLink
    try:
        told = _signer().unsign_object(token)
        owner, series, until = told["u"], told["s"], told["t"]
    except (BadSignature, ValueError, KeyError, TypeError):
        raise BadLink from None
    if owner != user.pk or series != _series(user) or now.timestamp() >= until:
        raise BadLink
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


def _series(user: User) -> int:
    return Box.objects.filter(user=user).values_list("link_series", flat=True).first() or 0


def _signer() -> Signer:
    return Signer(salt="voicemail.call-back")
