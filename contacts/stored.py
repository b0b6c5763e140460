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
from contacts.selectors import called_by, contacts_with, people_of, shelf_of
from contacts.sources import MAX_PEOPLE, Found, State

if TYPE_CHECKING:
    from bluetel.accounts.models import User
    from contacts.rules import Question

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
        if viewer.pbx_id is not None:
            colleagues.keep_up(viewer.pbx_id, now=now)
        shelf = shelf_of(viewer)
        called = called_by(viewer, now=now)
        ids = propose(asked, shelf.ids)
        often = heapq.nlargest(OFTEN_CALLED, called, key=called.__getitem__)
        known = [pk for pk in contacts_with(often, shelf) if pk not in set(ids)]
        people = people_of(ids, shelf, viewer=viewer)
        country: str = settings.COUNTRY
        people += [
            person
            for person in people_of(known, shelf, viewer=viewer)
            if match(asked, person, country=country) is not None
        ]
        return Found(state=State.OK, people=people[:MAX_PEOPLE], called=called)
