"""The source that is always there: the people who use BlueTel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from contacts.selectors import colleagues_matching
from contacts.sources import MAX_PEOPLE, Found, State

if TYPE_CHECKING:
    from bluetel.accounts.models import User
    from contacts.rules import Question


class Colleagues:
    """BlueTel users on the viewer's PBX, read from the database."""

    @property
    def name(self) -> str:
        """As the page calls it."""
        return _("Colleagues")

    def search(self, viewer: User, asked: Question) -> Found:
        """Colleagues by name, e-mail, extension or mobile number."""
        return Found(state=State.OK, people=colleagues_matching(viewer, asked, limit=MAX_PEOPLE))
