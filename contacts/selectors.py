"""Reading the people that BlueTel itself knows."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings

from bluetel.accounts.models import User
from contacts.rules import REMEMBERED, Person, Question, best_of

if TYPE_CHECKING:
    from django.db.models import QuerySet

_COLUMNS = ("pk", "first_name", "last_name", "username", "extension", "mobile", "email")


def colleagues_matching(viewer: User, asked: Question, *, limit: int) -> list[Person]:
    """The best answers among the viewer's colleagues on his PBX.

    He himself, disabled accounts and people without a number are left out.
    """
    if viewer.pbx_id is None:
        return []
    users = User.objects.filter(pbx=viewer.pbx_id, is_active=True).exclude(pk=viewer.pk)
    callable_users = users.exclude(extension="", mobile="")
    return best_of(asked, _people(callable_users), country=settings.COUNTRY, limit=limit)


def colleagues_by_pbx_id(pbx: int, pbx_user_ids: Iterable[str]) -> dict[str, Person]:
    """The BlueTel users behind people of the PBX, by the PBX's id."""
    users = User.objects.filter(pbx=pbx, is_active=True, pbx_user_id__in=set(pbx_user_ids))
    ids = dict(users.values_list("pk", "pbx_user_id"))
    people = {person.user_id: person for person in _people(users)}
    return {ids[pk]: people[str(pk)] for pk in ids if str(pk) in people}


def _people(users: QuerySet[User]) -> Iterable[Person]:
    return (_person(*row) for row in users.values_list(*_COLUMNS))


@lru_cache(maxsize=REMEMBERED)
def _person(
    pk: int, first: str, last: str, username: str, extension: str, mobile: str, email: str
) -> Person:
    """The same person while his row is the same: made anew for each key pressed it would cost."""
    entered = (("extension", extension), ("mobile", mobile))
    return Person(
        name=f"{first} {last}".strip() or username,
        numbers=tuple((label, number) for label, number in entered if number),
        contact_id=f"user-{pk}",
        user_id=str(pk),
        more=email,
    )
