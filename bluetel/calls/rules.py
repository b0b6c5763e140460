"""What may be dialled, how often, and why a call ended. ``docs/dial-policy.md`` is the prose."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final, assert_never

from bluetel.telephony.numbers import Number, NumberKind, Tariff
from bluetel.telephony.types import CallState, Direction

# Åland (AX) is a part of the Union with a region code of its own.
_EUROPEAN_UNION = (
    "AT AX BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
)
_REST_OF_EEA = "IS LI NO"
_NEIGHBOURS = "GB CH US CA"

DEFAULT_REGIONS: Final = frozenset(f"{_EUROPEAN_UNION} {_REST_OF_EEA} {_NEIGHBOURS}".split())
"""Where people may call unless the administrator says otherwise, by libphonenumber's region."""

_SHOWN_NUMBER = re.compile(r"\+?[0-9*#][0-9*# ().\-/]*")

SATELLITE_CODES: Final = ("870", "881", "882", "883")
PREMIUM_CODE: Final = "979"


class Rule(StrEnum):
    """The rule a number is refused by."""

    CODE = "code"
    OWN_NUMBER = "own_number"
    PREMIUM = "premium"
    SHARED_COST = "shared_cost"
    SATELLITE = "satellite"
    UNIVERSAL = "universal"
    COUNTRY = "country"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class DialPolicy:
    """The house's rules. ``allowed_regions`` of None means the defaults and the site's country."""

    site_country: str
    allowed_regions: frozenset[str] | None = None
    allowed_codes: frozenset[str] = frozenset()

    @property
    def regions(self) -> frozenset[str]:
        """Where public numbers may lie."""
        if self.allowed_regions is None:
            return DEFAULT_REGIONS | {self.site_country}
        return self.allowed_regions


@dataclass(frozen=True, slots=True)
class Allowed:
    """The call may go out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The call may not go out; ``detail`` is the region or country code where the rule has one."""

    rule: Rule
    detail: str = ""


Verdict = Allowed | Refused

_TARIFF_RULES = MappingProxyType(
    {
        Tariff.PREMIUM: Rule.PREMIUM,
        Tariff.SHARED_COST: Rule.SHARED_COST,
        Tariff.UNKNOWN: Rule.UNKNOWN,
    }
)


def judge(number: Number, *, policy: DialPolicy, own_extensions: Collection[str]) -> Verdict:
    """Whether ``number`` may be dialled; holds for clicks and for forward targets alike.

    ``own_extensions`` are the caller's own numbers, as keypad digits or E.164.
    """
    match number.kind:
        case NumberKind.EMERGENCY:
            return Allowed()
        case NumberKind.CODE:
            listed = number.digits in policy.allowed_codes
            return Allowed() if listed else Refused(rule=Rule.CODE)
        case NumberKind.EXTENSION | NumberKind.SHORT | NumberKind.PUBLIC:
            if number.digits in own_extensions or number.e164 in own_extensions:
                return Refused(rule=Rule.OWN_NUMBER)
            return _judge_place(number, policy) or _judge_tariff(number.tariff)
        case _:
            assert_never(number.kind)


def _judge_place(number: Number, policy: DialPolicy) -> Refused | None:
    if number.kind is not NumberKind.PUBLIC:
        return None
    for code in SATELLITE_CODES:
        if number.digits.startswith(code):
            return Refused(rule=Rule.SATELLITE, detail=f"+{code}")
    if number.region == "001":
        is_premium = number.digits.startswith(PREMIUM_CODE)
        rule = Rule.PREMIUM if is_premium else Rule.UNIVERSAL
        return Refused(rule=rule, detail=f"+{number.digits[:3]}")
    if number.region is None:
        return Refused(rule=Rule.UNKNOWN)
    if number.region not in policy.regions:
        return Refused(rule=Rule.COUNTRY, detail=number.region)
    return None


def _judge_tariff(tariff: Tariff) -> Verdict:
    rule = _TARIFF_RULES.get(tariff)
    return Refused(rule=rule) if rule else Allowed()


def retry_after(times: Sequence[datetime], *, now: datetime, per_minute: int) -> timedelta | None:
    """How long to wait before one more call, or None when it may go now.

    ``times`` are those of the calls already placed, in any order. At most ``per_minute`` calls lie
    in any 60 s; a time in the future (a clock that stepped back) counts as now.
    """
    minute = timedelta(minutes=1)
    recent = sorted(min(time, now) for time in times if now - time < minute)
    if len(recent) < per_minute:
        return None
    return recent[len(recent) - per_minute] + minute - now


class EndReason(StrEnum):
    """Why a call ended, in the API's words."""

    HUNG_UP = "hung_up"
    CANCELLED = "cancelled"
    YOU_DID_NOT_ANSWER = "you_did_not_answer"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    FAILED = "failed"


# Q.850 causes. Asterisk ends calls it has no better word for with 0 or 31, and Wazo says 127 where
# the caller gave up while it rang (recorded); all of these say "nothing special happened".
_NORMAL: Final = frozenset({0, 16, 31, 127})
_NOT_TAKEN: Final = MappingProxyType(
    {
        17: EndReason.BUSY,
        18: EndReason.NO_ANSWER,
        19: EndReason.NO_ANSWER,
        21: EndReason.REFUSED,
    }
)
_UNREACHABLE: Final = frozenset({1, 3, 20, 27})
_ANSWERED_ELSEWHERE: Final = 26


def end_reason(
    *, reached: CallState, cause: int | None, cancelled_by_user: bool, direction: Direction
) -> EndReason:
    """Why the user's call ended, from how far it came and the PBX's Q.850 cause, if it gives one.

    ``cancelled_by_user`` is his own hang-up on the page.
    """
    match reached:
        case CallState.TALKING | CallState.HELD:
            return _after_talking(cause, cancelled_by_user=cancelled_by_user)
        case CallState.RINGING_SELF if direction is Direction.INCOMING:
            return _own_phone_rung(cause, cancelled_by_user=cancelled_by_user)
        case CallState.RINGING_SELF:
            return _own_phone_first(cause, cancelled_by_user=cancelled_by_user)
        case CallState.RINGING_PEER | CallState.ENDED:
            return _peer_rung(cause, cancelled_by_user=cancelled_by_user)
        case _:
            assert_never(reached)


def _after_talking(cause: int | None, *, cancelled_by_user: bool) -> EndReason:
    """It was talked on: whoever hung up, it ended well, unless the line broke."""
    if cancelled_by_user or cause is None or cause in _NORMAL or cause in _NOT_TAKEN:
        return EndReason.HUNG_UP
    return EndReason.FAILED


def _own_phone_rung(cause: int | None, *, cancelled_by_user: bool) -> EndReason:
    """A call came in and was never picked up."""
    if cancelled_by_user or cause is None or cause in _NOT_TAKEN or cause == _ANSWERED_ELSEWHERE:
        return EndReason.YOU_DID_NOT_ANSWER
    if cause in _NORMAL:
        return EndReason.CANCELLED
    return EndReason.UNREACHABLE if cause in _UNREACHABLE else EndReason.FAILED


def _own_phone_first(cause: int | None, *, cancelled_by_user: bool) -> EndReason:
    """The user clicked, and his own phone was never picked up."""
    if cancelled_by_user:
        return EndReason.CANCELLED
    if cause is None or cause in _NORMAL or cause in _NOT_TAKEN or cause == _ANSWERED_ELSEWHERE:
        return EndReason.YOU_DID_NOT_ANSWER
    return EndReason.UNREACHABLE if cause in _UNREACHABLE else EndReason.FAILED


def _peer_rung(cause: int | None, *, cancelled_by_user: bool) -> EndReason:
    """The other side was called and nobody talked."""
    if cancelled_by_user or cause in _NORMAL:
        return EndReason.CANCELLED
    if cause in _UNREACHABLE:
        return EndReason.UNREACHABLE
    return _NOT_TAKEN.get(cause, EndReason.FAILED) if cause is not None else EndReason.FAILED


def number_of_caller(text: str) -> str:
    """What can be called back of the number a PBX shows; empty when it was withheld.

    PBXs write ``anonymous``, ``unknown``, ``private`` or nothing for such a caller.
    """
    number = text.strip()
    return number[:64] if _SHOWN_NUMBER.fullmatch(number) else ""
