"""Reading the contact base as somebody may see it.

Nothing here reads a contact without asking for whom: only the books of his shelf are looked into.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice
from string import ascii_lowercase
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from bluetel.accounts.models import User
from bluetel.rows import columns_of, many_of, moment, objects_of, places
from contacts.colleagues import person_of_user
from contacts.models import Contact
from contacts.rules import Person
from contacts.shelf import Shelf, shelf_of
from contacts.writings import identity_of

if TYPE_CHECKING:
    from django.db.models import QuerySet

CALLS_REMEMBERED: Final = 200
HALF_LIFE: Final = timedelta(days=14)
"""A call counts half after so long."""


Position = tuple[str, int]
"""A place in lists: the folded name, and the id for those who have the same."""


_CALLED: Final = """
SELECT number, created_at FROM calls_call WHERE user_id = %s AND direction = 'outgoing'
 ORDER BY created_at DESC LIMIT %s
"""


def called_by(viewer: User, *, now: datetime) -> dict[str, float]:
    """How often and lately ``viewer`` called which number, by the digits that identify it."""
    called: dict[str, float] = defaultdict(float)
    country: str = settings.COUNTRY
    for number, at in many_of(_CALLED, [viewer.pk, CALLS_REMEMBERED], width=2):
        called[identity_of(number, country)] += 0.5 ** ((now - moment(at)) / HALF_LIFE)
    called.pop("", None)
    return dict(called)


def in_order(
    books: Sequence[int],
    *,
    after: Position | None = None,
    before: Position | None = None,
    limit: int,
    shelf: Shelf | None = None,
) -> list[Contact]:
    """Contacts of ``books`` in the order of lists: from behind ``after`` on, or up to ``before``.

    With a ``shelf``, each person once: as the most trusted of its books has him.
    """
    is_backwards = before is not None
    pages = []
    for place, book in enumerate(books):
        rows = Contact.objects.filter(book=book, is_group=False).select_related("book")
        if before is not None:
            name, pk = before
            rows = rows.filter(Q(sort_name__lt=name) | Q(sort_name=name, pk__lt=pk))
        elif after is not None:
            name, pk = after
            rows = rows.filter(Q(sort_name__gt=name) | Q(sort_name=name, pk__gt=pk))
        if shelf is not None and place:
            trusted = Contact.objects.filter(person=OuterRef("person"), book__in=books[:place])
            rows = rows.exclude(Q(person__isnull=False) & Exists(trusted))
        order = ("-sort_name", "-pk") if is_backwards else ("sort_name", "pk")
        pages.append(rows.order_by(*order)[:limit])
    merged = heapq.merge(*pages, key=position_of, reverse=is_backwards)
    found = list(islice(merged, limit))
    return found[::-1] if is_backwards else found


def letters_in(books: Sequence[int]) -> list[str]:
    """With which letters, folded and in capitals, the names in these books begin."""
    return [
        letter.upper()
        for letter in ascii_lowercase
        if Contact.objects.filter(
            book__in=books, is_group=False, sort_name__gte=letter, sort_name__lt=f"{letter}~"
        ).exists()
    ]


def position_of(contact: Contact) -> Position:
    """Where a contact stands in lists."""
    return contact.sort_name, contact.pk


def colleagues_by_pbx_id(pbx: int, pbx_user_ids: Iterable[str]) -> dict[str, Person]:
    """The BlueTel users behind people of the PBX, by the PBX's id, as others on it see them."""
    ids = sorted(set(pbx_user_ids))
    if not ids:
        return {}
    statement = f"{_ON_PBX} ({places(ids)})"
    users = objects_of(User, statement, [pbx, *ids])
    return {user.pbx_user_id: person_of_user(user, pbx=pbx) for user in users}


_ON_PBX: Final = (
    f"SELECT {columns_of(User, 'accounts_user')} FROM accounts_user"  # noqa: S608
    " WHERE is_active AND pbx_id = %s AND pbx_user_id IN"
)


def find_contact(viewer: User, contact_id: str) -> Contact | None:
    """A contact that ``viewer`` may see, by its id or ``user-<id>``; None for all others."""
    contacts = visible_contacts(viewer)
    kind, dash, number = contact_id.rpartition("-")
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        return None
    if dash and kind == "user":
        return contacts.filter(user=int(number)).first()
    return None if dash else contacts.filter(pk=number).first()


def contacts_by_id(contact_ids: Iterable[str], shelf: Shelf) -> dict[str, int]:
    """The contacts of a shelf that public ids name; ids of others are left out."""
    users: list[int] = []
    others: list[int] = []
    for one in contact_ids:
        kind, dash, number = one.rpartition("-")
        if number.isascii() and number.isdecimal() and len(number) < 19:
            if dash and kind == "user":
                users.append(int(number))
            elif not dash:
                others.append(int(number))
    rows = Contact.objects.filter(Q(user__in=users) | Q(pk__in=others), book__in=shelf.ids)
    return {
        name: pk
        for pk, user in rows.values_list("pk", "user")
        for name in (str(pk), f"user-{user}" if user else "")
        if name
    }


def visible_contacts(viewer: User) -> QuerySet[Contact]:
    """All contacts of the books that ``viewer`` may see."""
    return Contact.objects.filter(book__in=shelf_of(viewer).ids).select_related("book")


def public_id(contact: int, user: int | None) -> str:
    """How a contact is called in addresses and in the API."""
    return f"user-{user}" if user else str(contact)
