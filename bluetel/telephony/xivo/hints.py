"""The numbers that XUC gives phone states, as line states (``reference/xivo.md`` §3.1); pure."""

from __future__ import annotations

from bluetel.telephony.types import LineState

IDLE, IN_USE, BUSY, UNREACHABLE, RINGING, RINGING_IN_USE, ON_HOLD = 0, 1, 2, 4, 8, 9, 16
IN_USE_ON_HOLD = 17
"""Asterisk's own sum, which the vendor's table leaves out."""

DEACTIVATED, UNEXISTING, ERROR = -1, -2, -99

_STATES: dict[int, LineState | None] = {
    IDLE: LineState.AVAILABLE,
    IN_USE: LineState.TALKING,
    BUSY: LineState.TALKING,
    UNREACHABLE: LineState.UNAVAILABLE,
    RINGING: LineState.RINGING,
    RINGING_IN_USE: LineState.RINGING,
    ON_HOLD: LineState.HOLDING,
    IN_USE_ON_HOLD: LineState.HOLDING,
    DEACTIVATED: None,
    UNEXISTING: LineState.UNAVAILABLE,
    ERROR: None,
}

NAMES = {
    "AVAILABLE": IDLE,
    "CALLING": IN_USE,
    "BUSY": BUSY,
    "INDISPONIBLE": UNREACHABLE,
    "RINGING": RINGING,
    "BUSY_AND_RINGING": RINGING_IN_USE,
    "ONHOLD": ON_HOLD,
    "DEACTIVATED": DEACTIVATED,
    "UNEXISTING": UNEXISTING,
    "ERROR": ERROR,
}
"""The vendor's names; ``PhoneStatusUpdate`` may carry one instead of its number."""


def line_state(code: int) -> LineState | None:
    """What a phone does; None where XUC doesn't know it, or says what nobody has documented."""
    return _STATES.get(code)


def code_of(value: object) -> int | None:
    """A code given as a number, as its text, or by the vendor's name; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if not isinstance(value, str):
        return None
    if value in NAMES:
        return NAMES[value]
    try:
        return int(value)
    except ValueError:
        return None


def is_in_call(code: int | None) -> bool:
    """Whether the handset is up, whatever else rings."""
    return code in {IN_USE, BUSY, RINGING_IN_USE, ON_HOLD, IN_USE_ON_HOLD}


def is_ringing(code: int | None) -> bool:
    """Whether the phone rings, whatever else is done on it."""
    return code in {RINGING, RINGING_IN_USE}
