"""The demo's accounts, whose password everybody knows: outside the demo nobody comes in by them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import Error as DatabaseTrouble

from bluetel.accounts.models import User

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger(__name__)


def is_open_here(user: User) -> bool:
    """Whether this process lets an account in: by password, session, token and live socket."""
    return bool(settings.DEMO) or not user.is_demo


def mark(users: Iterable[int]) -> None:
    """Make these users accounts of the demo."""
    User.objects.filter(pk__in=users, is_demo=False).update(is_demo=True)


def tell_of_closed() -> None:
    """Say in the log that the demo's accounts are here and closed, if they are."""
    try:
        count = User.objects.filter(is_demo=True).count()
    except DatabaseTrouble:
        return  # whoever needs the database next says what is wrong with it
    if count and not settings.DEMO:
        logger.warning(
            "%d accounts here were made by the demo: nobody can sign in with them while "
            "BLUETEL_DEMO is not set. Delete them, or use another BLUETEL_DATA_DIR",
            count,
        )
