"""The signature on links to call back; how they are read is in :mod:`voicemail.links`.

Apart from it because the mail pipe signs links in a process that must start quickly.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.signing import BadSignature, Signer

from voicemail.models import Box

if TYPE_CHECKING:
    from bluetel.accounts.models import User

LIFETIME = timedelta(days=7)
LONGEST = 2000
PATH = "/voicemail/call-back/"
"""Where the links lead: the address of the route ``voicemail:call-back``."""


class BadLink(Exception):
    """The link is tampered with, expired, revoked, somebody else's, or its message is gone."""


def signed_address(user: User, now: datetime, **about: object) -> str:
    """The whole address of a link that says ``about``."""
    until = int((now + LIFETIME).timestamp())
    told = {"u": user.pk, "s": _series(user), "t": until, **about}
    return f"{settings.ENV.origin}{PATH}{_signer().sign_object(told)}/"


def signed_words(user: User, token: str, *, now: datetime) -> dict[str, Any]:
    """What the link says, if it is good and ``user``'s. Raises :class:`BadLink`."""
    if len(token) > LONGEST:
        raise BadLink
    try:
        told: dict[str, Any] = _signer().unsign_object(token)
        owner, series, until = told["u"], told["s"], told["t"]
    except (BadSignature, ValueError, KeyError, TypeError):
        raise BadLink from None
    if owner != user.pk or series != _series(user) or now.timestamp() >= until:
        raise BadLink
    return told


def _series(user: User) -> int:
    return Box.objects.filter(user=user).values_list("link_series", flat=True).first() or 0


def _signer() -> Signer:
    return Signer(salt="voicemail.call-back")
