"""Reading the people that BlueTel itself knows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.conf import settings

from bluetel.accounts.models import User
from contacts.rules import Person, Question, match

if TYPE_CHECKING:
    from django.db.models import QuerySet

_COLUMNS = ("pk", "first_name", "last_name", "username", "extension", "mobile", "email")


def colleagues_matching(viewer: User, asked: Question) -> list[Person]:
    """The viewer's colleagues on his PBX who answer; himself and disabled accounts left out."""
    if viewer.pbx_id is None:
        return []
    users = User.objects.filter(pbx=viewer.pbx_id, is_active=True).exclude(pk=viewer.pk)
    country = settings.COUNTRY
    return [one for one in _people(users) if match(asked, one, country=country) is not None]


def colleagues_by_pbx_id(pbx: int, pbx_user_ids: Iterable[str]) -> dict[str, Person]:
    """The BlueTel users behind people of the PBX, by the PBX's id."""
    users = User.objects.filter(pbx=pbx, is_active=True, pbx_user_id__in=set(pbx_user_ids))
    ids = dict(users.values_list("pk", "pbx_user_id"))
    people = {person.user_id: person for person in _people(users)}
    return {ids[pk]: people[str(pk)] for pk in ids if str(pk) in people}


def _people(users: QuerySet[User]) -> Iterable[Person]:
    for pk, first, last, username, extension, mobile, email in users.values_list(*_COLUMNS):
        entered = (("extension", extension), ("mobile", mobile))
        yield Person(
            name=f"{first} {last}".strip() or username,
            numbers=tuple((label, number) for label, number in entered if number),
            contact_id=f"user-{pk}",
            user_id=str(pk),
            more=email,
        )
