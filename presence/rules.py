"""What a person's states are, from what the PBX and the pages say; pure.

The words are those of the API. DESIGN §5 has the rules, docs/presence.md tells them in full.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from bluetel.telephony.types import ChatState, LineState

if TYPE_CHECKING:
    from collections.abc import Iterable

MESSAGE_LIMIT = 250
CLOCK_STEP = timedelta(seconds=60)
LONG_SILENCE = timedelta(minutes=20)


class PhoneState(StrEnum):
    """What a phone shows to colleagues."""

    AVAILABLE = "available"
    BUSY = "busy"
    RINGING = "ringing"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


class ImState(StrEnum):
    """What a person shows to colleagues in chat."""

    AVAILABLE = "available"
    BUSY = "busy"
    AWAY = "away"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


_MERGE_ORDER = list(LineState)
_CHAT = {
    ChatState.AVAILABLE: ImState.AVAILABLE,
    ChatState.AWAY: ImState.AWAY,
    ChatState.BUSY: ImState.BUSY,
    # Nobody may tell an invisible person from one who has gone, nor from one who never came.
    ChatState.INVISIBLE: ImState.OFFLINE,
    ChatState.NEVER_CHOSEN: ImState.OFFLINE,
}


def merge_lines(states: Iterable[LineState]) -> LineState:
    """The state of somebody with several lines: the most urgent; without one, unavailable."""
    return min(states, key=_MERGE_ORDER.index, default=LineState.UNAVAILABLE)


def phone_state(line: LineState | None, *, do_not_disturb: bool) -> PhoneState:
    """The phone's state; ``line`` is None while nothing is known, as when the link is down.

    An unplugged phone, or none, is offline whatever else is set. Do-not-disturb reads busy, but
    a phone that rings all the same (its owner clicked to call) rings.
    """
    match line:
        case None:
            return PhoneState.UNKNOWN
        case LineState.UNAVAILABLE:
            return PhoneState.OFFLINE
        case LineState.RINGING:
            return PhoneState.RINGING
        case LineState.AVAILABLE:
            return PhoneState.BUSY if do_not_disturb else PhoneState.AVAILABLE
        case _:  # progressing, holding, talking
            return PhoneState.BUSY


def im_state(chat: ChatState | None, *, is_connected: bool, has_page: bool) -> ImState:
    """The chat state; ``chat`` is None while nothing is known.

    A chosen status counts while its owner is there: ``is_connected`` says that the PBX sees a chat
    session of his, ``has_page`` that he has a BlueTel page open.
    """
    if chat is None:
        return ImState.UNKNOWN
    if not (is_connected or has_page):
        return ImState.OFFLINE
    return _CHAT[chat]


def own_im_state(*, has_page: bool) -> ImState:
    """The chat state of somebody without a PBX: there while a page of his is open."""
    return ImState.AVAILABLE if has_page else ImState.OFFLINE


def shown_message(message: str, im: ImState) -> str:
    """The status message colleagues see.

    Somebody who reads offline shows none: a message beside some offline people and not beside
    others would tell who is invisible.
    """
    if im in {ImState.OFFLINE, ImState.UNKNOWN}:
        return ""
    return message[:MESSAGE_LIMIT]


def is_newer(
    at: datetime | None,
    received: datetime,
    *,
    than: datetime | None,
    than_received: datetime | None,
) -> bool:
    """Whether an event about somebody overrules what an earlier one said of him.

    ``at`` and ``than`` are the envelopes' times, ``received`` and ``than_received`` those of our
    own clock. The newer envelope wins; equal times go by arrival. Envelope times are local to the
    PBX: in the autumn night, or when its clock is set, they step back. So an envelope that is more
    than :data:`CLOCK_STEP` older is no late one but a changed clock, and so is any older one that
    comes after :data:`LONG_SILENCE`: an event at 02:30:00 an hour after one at 02:30:30.
    """
    if at is None or than is None or than_received is None:
        return True
    return at >= than or than - at > CLOCK_STEP or received - than_received > LONG_SILENCE
