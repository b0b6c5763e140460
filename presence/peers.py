"""Whom one has on the telephone, as far as he is a colleague."""

from __future__ import annotations

from typing import TYPE_CHECKING

from presence.selectors import records_for

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bluetel.accounts.models import User
    from bluetel.calls.messages import CallRecord
    from presence.messages import PersonRecord

COLLEAGUE = "user-"
"""How a colleague's contact id begins; ``static/js/call-peer.js`` goes by it too."""


class CallWithPeer(dict[str, object]):
    """A call's record with ``peer``, the colleague at its other end, or None."""


def colleagues_among(user: User, contact_ids: Iterable[str | None]) -> dict[str, PersonRecord]:
    """The presence of the colleagues among contacts, by contact id, as ``user`` may see it."""
    ids = {one.removeprefix(COLLEAGUE) for one in contact_ids if one and one.startswith(COLLEAGUE)}
    found = records_for(user, ids) if ids else {}
    return {f"{COLLEAGUE}{user_id}": record for user_id, record in found.items()}


def with_peers(user: User, calls: Iterable[CallRecord]) -> list[CallWithPeer]:
    """These calls of the user's, each with its peer."""
    calls = list(calls)
    peers = colleagues_among(user, (call["contact_id"] for call in calls))
    return [CallWithPeer(call, peer=peers.get(call["contact_id"] or "")) for call in calls]
