"""Who is behind a number, as the contact base knows him.

The contact base is built on calls and not the other way round, so it names itself here when the
application starts. Without it numbers have no names, and calls go on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bluetel.accounts.models import User


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody by name; ``contact_id`` is empty when several people have the number."""

    name: str
    contact_id: str


Look = Callable[["User", str], Caller | None]

_looks: list[Look] = []


def look_by(look: Look) -> None:
    """Have callers looked up by ``look``: who of those that a user may see has a number."""
    _looks[:] = [look]


def caller_of(user: User, number: str) -> Caller | None:
    """Whom ``user`` knows by this number."""
    return next((found for look in _looks if number and (found := look(user, number))), None)
