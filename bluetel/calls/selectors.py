"""Reading calls; nobody reads another's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bluetel.calls.errors import CallNotFound
from bluetel.calls.models import Call

if TYPE_CHECKING:
    from bluetel.accounts.models import User


def live_calls(user: User) -> list[Call]:
    """The user's calls that go on, newest first."""
    return list(
        Call.objects.filter(user=user).exclude(state=Call.State.ENDED).order_by("-created_at")
    )


def call_of(user: User, call_id: str) -> Call:
    """One of the user's own calls, live or lately ended; raises ``CallNotFound``."""
    if call_id.isascii() and call_id.isdecimal() and len(call_id) < 19:
        call = Call.objects.select_related("user", "pbx").filter(user=user, pk=call_id).first()
        if call is not None:
            return call
    raise CallNotFound
