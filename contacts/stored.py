"""The source that is always there: all books of the contact base, by their index."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts import colleagues
from contacts.index.query import propose
from contacts.people import contacts_called, groups_of, people_in
from contacts.rules import is_spelled, match, may_answer, place_by_name
from contacts.selectors import called_by
from contacts.shelf import shelf_of
from contacts.sources import MAX_PEOPLE, MAX_ROWS, Found, State

if TYPE_CHECKING:
    from datetime import datetime

    from bluetel.accounts.models import User
    from contacts.people import Group
    from contacts.rules import Person, Question
    from contacts.shelf import Shelf

OFTEN_CALLED: Final = 30
"""So many of the numbers one calls are looked at first, whoever else answers."""
AT_ONCE: Final = 40
"""People whose numbers are read together: mostly as many as an answer shows."""


class StoredContacts:
    """Personal and shared books, the directory and the colleagues, as far as one may see them."""

    @property
    def name(self) -> str:
        """As the page calls it."""
        return _("Contacts")

    def search(self, viewer: User, asked: Question, *, nobody_yet: bool = False) -> Found:
        """Whom the index proposes, and whom the viewer often calls if they answer."""
        now = timezone.now()
        shelf = _fresh_shelf(viewer, now=now)
        called = called_by(viewer, now=now)
        often = heapq.nlargest(OFTEN_CALLED, called, key=called.__getitem__)
        # Apart, so that very many on another PBX leave room for one's own.
        proposed = dict.fromkeys([one for some in shelf.parted() for one in propose(asked, some)])
        groups, dialled = groups_of(proposed, shelf, viewer=viewer, numbers=often)
        answering = [groups[one] for one in proposed if one in groups]
        further = [
            group
            for contact, group in groups.items()
            if contact not in proposed and may_answer(asked, group.name, group.more)
        ]
        # Where very many have one of those numbers only some were read, and all of the numbers are
        # asked for again; else only those that are called less.
        unknown = called if dialled is None else called.keys() - often
        found = _most_likely(asked, answering, shelf, called=unknown, dialled=dialled or ())
        unsure = [person for person in found if _is_called_so_elsewhere(asked, person)]
        unsure += people_in(further, shelf)
        country: str = settings.COUNTRY
        people = [person for person in found if not _is_called_so_elsewhere(asked, person)]
        people += [
            one
            for one in unsure
            if match(asked, one, country=country) is not None or is_spelled(asked, one.name)
        ]
        return Found(state=State.OK, people=people[:MAX_PEOPLE], called=called)


def _most_likely(
    asked: Question,
    groups: Sequence[Group],
    shelf: Shelf,
    *,
    called: Collection[str],
    dialled: Collection[int],
) -> list[Person]:
    """Those of ``groups`` whose rows an answer shows, as far as that is known before they are read.

    Who was found by a number may be any of them. Whoever has one of those ``called``, or one of the
    contacts ``dialled``, comes before the others, wherever his name stands.
    """
    if asked.digits or len(groups) <= AT_ONCE:
        return people_in(groups, shelf)
    known = contacts_called(groups, called).union(dialled)
    first = [group for group in groups if group.has_any_of(known)] if known else []
    people = people_in(first, shelf)
    others = sorted(
        [group for group in groups if group not in first] if first else groups,
        key=lambda group: place_by_name(
            asked, group.name, is_own=group.is_own, is_elsewhere=group.is_elsewhere(shelf.pbx)
        ),
    )
    numbers: set[str] = set()
    for start in range(0, len(others), AT_ONCE):
        read = people_in(others[start : start + AT_ONCE], shelf)
        people += read
        # Who is noted twice has his number in one row.
        numbers.update(number.identity for person in read for number in person.numbers)
        if len(numbers) >= MAX_ROWS:
            break
    return people


def _fresh_shelf(viewer: User, *, now: datetime) -> Shelf:
    """The books ``viewer`` may see, with his colleagues as they are now."""
    shelf = shelf_of(viewer)
    if shelf.has_fresh_colleagues:
        return shelf
    colleagues.keep_up(now=now)
    return shelf_of(viewer)


def _is_called_so_elsewhere(asked: Question, person: Person) -> bool:
    """Whether the digits are in an extension of another PBX: to this reader it is no number."""
    return bool(asked.digits) and asked.digits in person.extension_elsewhere
