"""What the API and the live socket say of where calls go; DESIGN §2 describes it for outsiders."""

from __future__ import annotations

from typing import TypedDict

from presence import messages


class ImRecord(TypedDict):
    """The chat status, what decides it, and until when for that reason."""

    status: str
    source: str
    until: str | None


class LosingRecord(TypedDict):
    """What would decide if what decides now were not there."""

    route: str
    destination: str | None
    source: str
    reason: str
    reason_code: str
    until: str | None
    problem: str


class RoutingRecord(TypedDict):
    """Where calls go, why and until when.

    ``destination`` is exactly what the PBX holds when ``route`` is ``number``. ``applied`` says
    whether the PBX has it, null for another time than now. ``problem`` says why a rule is not
    followed, or that the PBX does not take it; empty when all is well.
    """

    route: str
    destination: str | None
    source: str
    im: ImRecord
    reason: str
    reason_code: str
    until: str | None
    applied: bool | None
    losing: list[LosingRecord]
    in_meeting: bool
    suppressed: bool
    problem: str


class SegmentRecord(RoutingRecord):
    """The same for a stretch of time; ``from`` and ``to`` are set beside."""


class WarningRecord(TypedDict):
    """Something taken as it was asked for that may not do what was meant.

    ``field`` is the path of what it is about, such as ``calendar.number``.
    """

    code: str
    field: str
    message: str


class ForwardRecord(TypedDict):
    """One forward; a disabled one keeps its number."""

    enabled: bool
    destination: str


class ForwardsRecord(TypedDict):
    """The user's own settings."""

    unconditional: ForwardRecord
    busy: ForwardRecord
    no_answer: ForwardRecord
    do_not_disturb: bool


class CalendarRule(TypedDict):
    """What meetings do."""

    set_im_busy: bool
    until_hang_up: bool
    route: str
    number: str
    all_day: str
    tentative: str
    only_with_others: bool


class ImRule(TypedDict):
    """What the status Busy does; ``only_by_hand`` when the user himself has set it."""

    route: str
    number: str
    only_by_hand: bool


class AutomationRecord(TypedDict):
    """A user's rules."""

    calendar: CalendarRule
    im: ImRule


class RoutingFrame(RoutingRecord, messages.RoutingFrame):
    """What holds for the user changed."""
