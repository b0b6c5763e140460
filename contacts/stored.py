"""The source that is always there: all books of the contact base, by their index."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts import colleagues
from contacts.index.query import propose
from contacts.rules import match
from contacts.selectors import called_by, contacts_with, people_by_contact, shelf_of
from contacts.sources import MAX_PEOPLE, Found, State

if TYPE_CHECKING:
    from datetime import datetime

    from bluetel.accounts.models import User
    from contacts.rules import Person, Question
    from contacts.selectors import Shelf

OFTEN_CALLED: Final = 30
"""So many of the numbers one calls are looked at first, whoever else answers."""


class StoredContacts:
    """Personal and shared books, the directory and the colleagues, as far as one may see them."""

    @property
    def name(self) -> str:
        """As the page calls it."""
        return _("Contacts")

    def search(self, viewer: User, asked: Question) -> Found:
        """Whom the index proposes, and whom the viewer often calls if they answer."""
        now = timezone.now()
        shelf = _fresh_shelf(viewer, now=now)
        called = called_by(viewer, now=now)
        often = heapq.nlargest(OFTEN_CALLED, called, key=called.__getitem__)
        here, elsewhere = shelf.parted()
        # Apart, so that very many on another PBX leave room for one's own.
        proposed = dict.fromkeys(propose(asked, here))
        there = dict.fromkeys(propose(asked, elsewhere))
        looked_at = [*proposed, *contacts_with(often, shelf), *there]
        proposed |= there
        found = people_by_contact(looked_at, shelf, viewer=viewer)
        country: str = settings.COUNTRY
        people = [
            person
            for contact, person in found.items()
            if (contact in proposed and not _is_called_so_elsewhere(asked, person))
            or match(asked, person, country=country) is not None
        ]
        return Found(state=State.OK, people=people[:MAX_PEOPLE], called=called)


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
