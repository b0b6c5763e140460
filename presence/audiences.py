"""Choosing who may see one's phone and chat status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from bluetel.accounts.models import User
from presence.live import publish_from_sync
from presence.messages import PrivacyMessage
from presence.models import AudienceChoice, Group
from presence.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime


PEOPLE_LIMIT = 500


def people_of(ids: Iterable[str]) -> list[int]:
    """The ids of active users among ``ids``, in their order, once each.

    Raises :class:`Refused` (``invalid_request``) for one that is none, and for too many.
    """
    wanted = list(dict.fromkeys(str(one) for one in ids))
    if len(wanted) > PEOPLE_LIMIT:
        raise Refused("invalid_request", _("%(limit)s people at most.") % {"limit": PEOPLE_LIMIT})
    numbers = [int(one) for one in wanted if one.isascii() and one.isdecimal() and len(one) < 19]
    there = set(User.objects.filter(is_active=True, pk__in=numbers).values_list("pk", flat=True))
    if len(numbers) != len(wanted) or there != set(numbers):
        raise Refused("invalid_request", _("Somebody in this list is not known here."))
    return numbers


def choose_audience(
    user: User,
    axis: str,
    kind: str,
    *,
    now: datetime,
    people: Sequence[str] = (),
    groups: Sequence[str] = (),
) -> None:
    """Let the audience of ``kind`` see the user's phone or chat status, and nobody else.

    Lists that don't belong to the kind are kept for when it is chosen again. Raises
    :class:`Refused` (``invalid_request``) for what isn't there: a kind, a person, a group of his.
    """
    if axis not in AudienceChoice.Axis.values or kind not in AudienceChoice.Kind.values:
        raise Refused("invalid_request", _("There is no such audience."))
    wanted = [str(pk) for pk in people_of(people)]
    own = {str(pk) for pk in Group.objects.filter(owner=user).values_list("pk", flat=True)}
    if not own.issuperset(map(str, groups)):
        raise Refused("invalid_request", _("A group in this list is none of yours."))
    with transaction.atomic():
        AudienceChoice.objects.update_or_create(
            user=user,
            axis=axis,
            defaults={
                "kind": kind,
                "people": wanted,
                "groups": list(dict.fromkeys(map(str, groups))),
                "touched_at": now,
            },
        )
        publish_from_sync(PrivacyMessage(type="privacy"))


def touch_groups(user_id: int, *, now: datetime) -> None:
    """Somebody's groups changed, and so who is in his audiences."""
    touched = AudienceChoice.objects.filter(
        user_id=user_id, kind=AudienceChoice.Kind.GROUPS
    ).update(touched_at=now)
    if touched:
        publish_from_sync(PrivacyMessage(type="privacy"))
