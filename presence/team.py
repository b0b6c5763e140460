"""Whom a user sees first: his favourites and the groups he arranges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max, Q
from django.utils.translation import gettext as _

from bluetel.accounts.models import User
from bluetel.telephony.text import safe_text
from presence.audiences import people_of, touch_groups
from presence.models import Favourite, Group, GroupMember
from presence.refusals import Refused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

NAME_LIMIT = 60
GROUPS_LIMIT = 50


def set_favourites(user: User, ids: Sequence[str]) -> None:
    """Have these people, in this order, and nobody else. Raises :class:`Refused`."""
    people = [pk for pk in people_of(ids) if pk != user.pk]
    with transaction.atomic():
        Favourite.objects.filter(owner=user).delete()
        Favourite.objects.bulk_create(
            Favourite(owner=user, person_id=pk, position=index) for index, pk in enumerate(people)
        )


def mark_favourite(user: User, person: str, *, is_favourite: bool) -> None:
    """Add somebody at the end, or take him out. Raises :class:`Refused`."""
    stars = Favourite.objects.filter(owner=user)
    if not is_favourite:
        if person.isascii() and person.isdecimal() and len(person) < 19:
            stars.filter(person_id=int(person)).delete()
        return
    (pk,) = people_of([person])
    if pk != user.pk:
        last = stars.aggregate(last=Max("position"))["last"]
        position = 0 if last is None else last + 1
        Favourite.objects.get_or_create(owner=user, person_id=pk, defaults={"position": position})


def make_group(user: User, name: str) -> Group:
    """A new group at the end; an equal name gives the one there is. Raises :class:`Refused`."""
    name = _checked_name(name)
    count = Group.objects.filter(owner=user).count()
    if count >= GROUPS_LIMIT:
        raise Refused("invalid_request", _("%(limit)s groups at most.") % {"limit": GROUPS_LIMIT})
    group, _made = Group.objects.get_or_create(owner=user, name=name, defaults={"position": count})
    return group


def rename_group(group: Group, name: str) -> None:
    """Give a group another name. Raises :class:`Refused` when another group has it."""
    name = _checked_name(name)
    others = Group.objects.filter(owner=group.owner_id, name=name).exclude(pk=group.pk)
    if others.exists():
        raise Refused("invalid_request", _("You have a group of this name already."))
    group.name = name
    group.save(update_fields=["name"])


def delete_group(group: Group, *, now: datetime) -> None:
    """Dissolve a group; its people stay who they are."""
    owner = group.owner_id
    with transaction.atomic():
        group.delete()
        touch_groups(owner, now=now)


def set_group_people(group: Group, ids: Sequence[str], *, now: datetime) -> None:
    """Have these people in a group and nobody else. Raises :class:`Refused`."""
    people = people_of(ids)
    with transaction.atomic():
        GroupMember.objects.filter(group=group).exclude(person__in=people).delete()
        GroupMember.objects.bulk_create(
            [GroupMember(group=group, person_id=pk) for pk in people], ignore_conflicts=True
        )
        touch_groups(group.owner_id, now=now)


def move_group(group: Group, *, up: bool) -> None:
    """Let a group and its neighbour change places."""
    with transaction.atomic():
        order = list(Group.objects.select_for_update().filter(owner=group.owner_id))
        index = order.index(group)
        other = index - 1 if up else index + 1
        if 0 <= other < len(order):
            order[index], order[other] = order[other], order[index]
        for position, one in enumerate(order):
            one.position = position
        Group.objects.bulk_update(order, ["position"])


def _checked_name(name: str) -> str:
    text = safe_text(name, limit=NAME_LIMIT)
    if not text:
        raise Refused("invalid_request", _("Give the group a name."))
    return text


def find_person(text: str, *, pbx: int | None) -> str:
    """The id of the one user with this extension or name, as somebody on ``pbx`` calls him.

    Raises :class:`Refused` for any other.
    """
    wanted = " ".join(text.split())
    users = User.objects.filter(is_active=True)
    found = list(users.filter(extension=wanted)) if wanted else []
    found = [user for user in found if user.pbx_id == pbx] or found
    if not found:
        first = wanted.split(" ")[0]
        found = [
            user
            for user in users.filter(Q(first_name__istartswith=first) | Q(username__iexact=wanted))
            if wanted.casefold() in {user.display_name.casefold(), user.username.casefold()}
        ]
    if len(found) != 1:
        raise Refused(
            "invalid_request",
            _("“%(text)s” is nobody here, or more than one. Give the extension.")
            % {"text": wanted[:60]},
        )
    return str(found[0].pk)
