"""Call when free: whom a user wants to call once his telephone is free.

A wish never dials. It stands in its owner's pages, where it becomes an offer while the owner may
see that the person's phone is available: who hides his phone never tells. It ends when its owner
calls the person, takes it back, or has waited for :data:`LIFETIME`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from bluetel.accounts.models import User
from bluetel.rows import rows_of
from presence.live import publish_from_sync
from presence.messages import CallWishesFrame, CallWishRecord, PersonRecord, UserMessage, iso
from presence.models import CallWish
from presence.refusals import Refused
from presence.selectors import records_for

if TYPE_CHECKING:
    from datetime import datetime

LIFETIME = timedelta(hours=2)
LIMIT = 20
TAKEN = ("busy", "ringing")


class WishAnswer(CallWishRecord):
    """A wish, and the person as its owner sees him now."""

    person: PersonRecord
    is_free: bool


def wishes_of(user: User, *, now: datetime) -> list[WishAnswer]:
    """The user's wishes, oldest first, each with whether it is an offer now."""
    found = _records(user.pk, now=now)
    people = records_for(user, [wish["user_id"] for wish in found]) if found else {}
    return [
        WishAnswer(
            **wish,
            person=people[wish["user_id"]],
            is_free=people[wish["user_id"]]["phone"] == "available",
        )
        for wish in found
        if wish["user_id"] in people
    ]


def make(user: User, person: str, *, now: datetime) -> None:
    """Want to call somebody when he is free; asking again waits anew.

    Raises :class:`Refused`: ``not_found`` for nobody one can call, ``not_busy`` for a phone that
    is not busy as far as the user may see, ``invalid_request`` for too many.
    """
    record = records_for(user, [person]).get(person)
    users = User.objects.filter(pbx=user.pbx_id).exclude(pk=user.pk).exclude(extension="")
    if record is None or not users.filter(pk=person).exists():
        raise Refused("not_found", _("There is nobody here to call."))
    if record["phone"] not in TAKEN:
        raise Refused(
            "not_busy",
            _("The telephone of %(name)s is not busy now.") % {"name": record["name"]},
        )
    with transaction.atomic():
        CallWish.objects.filter(expires_at__lte=now).delete()
        if CallWish.objects.filter(owner=user).exclude(person=int(person)).count() >= LIMIT:
            raise Refused("invalid_request", _("%(limit)s people at most.") % {"limit": LIMIT})
        CallWish.objects.update_or_create(
            owner=user,
            person_id=int(person),
            defaults={"expires_at": now + LIFETIME},
            create_defaults={"asked_at": now, "expires_at": now + LIFETIME},
        )
        _tell(user.pk, now=now)


def drop(user: User, person: str, *, now: datetime) -> None:
    """Don't want to call him any more; no wish is no error."""
    if person.isascii() and person.isdecimal() and len(person) < 19:
        _delete(user.pk, now=now, person=int(person))


def fulfil(user_id: int, dialed: str, *, now: datetime) -> None:
    """The user is calling this number: whom it belongs to he need not wait for."""
    if not rows_of("SELECT 1 FROM presence_callwish WHERE owner_id = %s LIMIT 1", [user_id]):
        return  # nearly always, and every call asks
    _delete(user_id, now=now, person__extension=dialed, person__pbx=F("owner__pbx"))


def _delete(user_id: int, *, now: datetime, **about: object) -> None:
    wishes = CallWish.objects.filter(owner=user_id, **about)
    if wishes.exists():
        with transaction.atomic():
            wishes.delete()
            _tell(user_id, now=now)


def _records(user_id: int, *, now: datetime) -> list[CallWishRecord]:
    # Who has moved to another PBX is not called by his extension there.
    wishes = CallWish.objects.filter(
        owner=user_id, expires_at__gt=now, person__is_active=True, person__pbx=F("owner__pbx")
    ).select_related("person")
    return [
        CallWishRecord(
            user_id=str(wish.person_id),
            name=wish.person.display_name,
            number=wish.person.extension,
            asked_at=str(iso(wish.asked_at)),
            expires_at=str(iso(wish.expires_at)),
        )
        for wish in wishes
    ]


def _tell(user_id: int, *, now: datetime) -> None:
    """Show the wishes in all pages of their owner."""
    frame = CallWishesFrame(type="call_wishes", wishes=_records(user_id, now=now))
    publish_from_sync(UserMessage(type="user", user=str(user_id), frame=frame))
