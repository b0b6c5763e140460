"""The chat status on a PBX that keeps one: whose choice it is, and what ought to stand there; pure.

The PBX holds one state for each person and doesn't say who set it. So what we last wrote is kept:
an equal state is ours, any other is the person's own choice, made in another program
(reference/availability.md §4b).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

from bluetel.telephony.types import ChatState
from presence.rules import ON_PBX, ImState

if TYPE_CHECKING:
    from bluetel.telephony.types import Presence
    from presence.person import Standing

STATE_OF = {
    ImState.AVAILABLE: ChatState.AVAILABLE,
    ImState.AWAY: ChatState.AWAY,
    ImState.BUSY: ChatState.BUSY,
    ImState.OFFLINE: ChatState.INVISIBLE,
}
IM_OF = {chat: im for im, chat in STATE_OF.items()}


@dataclass(frozen=True, slots=True)
class Written:
    """What we last wrote for somebody.

    ``seen_at`` is the newest choice we know of, his or ours, by the PBX's clock.
    """

    state: ChatState | None = None
    message: str = ""
    seen_at: datetime | None = None


class Whose(Enum):
    """Who chose what stands on the PBX."""

    OURS = "ours"
    HIS = "his"
    OLD = "old"
    """What stood there before our last write: an event that was under way."""


def whose(presence: Presence, written: Written) -> Whose:
    """Who chose the status in ``presence``.

    Before our first write, *available* and nothing at all are nobody's news.
    """
    if presence.chat is ChatState.NEVER_CHOSEN:
        return Whose.OURS
    if (
        written.seen_at is not None
        and presence.chosen_at is not None
        and presence.chosen_at <= written.seen_at
    ):
        return Whose.OLD
    if written.state is None and written.seen_at is None:
        return Whose.OURS if presence.chat is ChatState.AVAILABLE else Whose.HIS
    return Whose.OURS if presence.chat is written.state else Whose.HIS


def wanted(standing: Standing, written: Written) -> tuple[ChatState, str] | None:
    """The state and message to write now; None while the right ones stand there.

    Automatic is *available* without a message. Who never chose anything is left alone until he
    opens a page.
    """
    if standing.is_follower:
        return _followed(standing, written)
    presence, decision = standing.presence, standing.decision
    there = presence.chat, presence.message
    if decision.winner is None:
        if presence.chat is ChatState.NEVER_CHOSEN and not standing.has_page:
            return None
        is_his_message = (
            presence.chat is ChatState.AVAILABLE and presence.message != written.message
        )
        wanted = ChatState.AVAILABLE, presence.message if is_his_message else ""
    elif decision.winner.ref == ON_PBX:
        return None
    else:
        wanted = STATE_OF[decision.status], decision.message
    return wanted if wanted != there else None


def _followed(standing: Standing, written: Written) -> tuple[ChatState, str] | None:
    """The same where the PBX follows somebody else's word.

    Each state is written once. What is chosen on the PBX afterwards stands until the next one: two
    programs that both insist would write for ever. Who is not there the PBX sees by itself.
    """
    presence, decision = standing.presence, standing.decision
    if decision.status is ImState.UNKNOWN:
        return None
    if decision.winner is not None:
        wanted = STATE_OF[decision.status], decision.message
    elif presence.chat is ChatState.NEVER_CHOSEN and not standing.has_page:
        return None
    else:
        wanted = ChatState.AVAILABLE, ""
    if wanted == (written.state, written.message):
        return None
    if written.state is None and wanted == (presence.chat, presence.message):
        return None
    return wanted
