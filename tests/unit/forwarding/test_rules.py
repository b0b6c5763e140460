from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from bluetel.telephony.types import Forward
from forwarding.blocks import Meeting, Suppression, block_at, part, unite
from forwarding.days_ahead import forecast
from forwarding.rules import (
    Decision,
    Override,
    Own,
    Reason,
    RouteKind,
    Rules,
    Situation,
    Source,
    Target,
    claims_at,
    decide,
    edges,
    resolve_route,
    route_at,
)
from presence.rules import ImSource, ImState

VOICEMAIL = Target(kind=RouteKind.VOICEMAIL, destination="*971001")
MOBILE = Target(kind=RouteKind.NUMBER, destination="0639984172")
MINE = Own(forward=Forward(enabled=True, destination="1042"))
OFF = Own(forward=Forward(enabled=False, destination="1042"))


def at(clock: str) -> datetime:
    hours, minutes = clock.split(":")
    return datetime(2026, 11, 24, int(hours), int(minutes), tzinfo=UTC)


def meeting(starts: str, ends: str, uid: str = "") -> Meeting:
    return Meeting(uid=uid or f"{starts}-{ends}", starts=at(starts), ends=at(ends))


@dataclass(frozen=True)
class Status:
    value: str
    starts: datetime
    ends: datetime | None = None
    source: str = ImSource.MANUAL
    message: str = ""
    ref: str = ""


def by_hand(value: str, since: str, until: str | None = None) -> Status:
    return Status(value, at(since), at(until) if until else None)


def situation(
    *meetings: Meeting,
    own: Own | None = None,
    calendar: Target | None = VOICEMAIL,
    im: Target | None = MOBILE,
    busy: bool = True,
    status: Status | None = None,
    override: Override | None = None,
) -> Situation:
    return Situation(
        own=own or Own(),
        rules=Rules(set_im_busy=busy, calendar=calendar, im=im),
        blocks=unite(meetings),
        im_claims=(status,) if status else (),
        override=override,
    )


def shown(decision: Decision) -> tuple[str, str, str, str | None]:
    until = decision.until
    return (
        decision.route.reason.value,
        decision.route.source.value,
        decision.route.destination,
        f"{until:%H:%M}" if until else None,
    )


# --- Blocks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("meetings", "blocks"),
    [
        pytest.param([], [], id="none"),
        pytest.param([("10:00", "11:00")], [("10:00", "11:00")], id="one"),
        pytest.param(
            [("10:00", "11:00"), ("10:30", "12:00")], [("10:00", "12:00")], id="overlapping"
        ),
        pytest.param(
            [("10:00", "12:00"), ("10:30", "11:00")], [("10:00", "12:00")], id="contained"
        ),
        pytest.param([("10:00", "11:00"), ("11:00", "12:00")], [("10:00", "12:00")], id="touching"),
        pytest.param(
            [("10:00", "11:00"), ("11:01", "12:00")],
            [("10:00", "11:00"), ("11:01", "12:00")],
            id="a minute apart",
        ),
        pytest.param([("10:00", "10:00")], [], id="without length"),
        pytest.param([("11:00", "10:00")], [], id="backwards"),
        pytest.param(
            [("14:00", "15:00"), ("10:00", "11:00")],
            [("10:00", "11:00"), ("14:00", "15:00")],
            id="in order",
        ),
    ],
)
def test_meetings_make_blocks(
    meetings: list[tuple[str, str]], blocks: list[tuple[str, str]]
) -> None:
    made = unite(meeting(*times) for times in meetings)
    assert [(block.starts, block.ends) for block in made] == [
        (at(starts), at(ends)) for starts, ends in blocks
    ]


def test_a_gap_under_a_minute_is_bridged() -> None:
    first = meeting("10:00", "11:00")
    second = replace(meeting("11:01", "12:00"), starts=at("11:00") + timedelta(seconds=59))
    assert len(unite([first, second])) == 1


def test_a_block_names_its_occurrences_once_though_two_calendars_have_them() -> None:
    (block,) = unite([meeting("10:00", "11:00", "a"), meeting("10:00", "11:00", "a")])
    assert len(block.keys) == 1


def test_a_block_holds_from_its_start_up_to_but_not_at_its_end() -> None:
    blocks = unite([meeting("10:00", "11:00")])
    assert block_at(blocks, at("10:00")) is blocks[0]
    assert block_at(blocks, at("10:59")) is blocks[0]
    assert block_at(blocks, at("11:00")) is None
    assert block_at(blocks, at("09:59")) is None


@pytest.mark.parametrize(
    ("suppression", "is_suppressed"),
    [
        pytest.param(Suppression(uid="a", starts=at("10:00")), True, id="this meeting"),
        pytest.param(Suppression(uid="a", starts=at("10:30")), False, id="it was moved"),
        pytest.param(Suppression(uid="a"), True, id="its series"),
        pytest.param(Suppression(uid="b"), False, id="another series"),
        pytest.param(
            Suppression(uid="a", recurrence_id="x", starts=at("10:00")),
            False,
            id="another instance",
        ),
    ],
)
def test_a_suppression_covers_what_it_names(suppression: Suppression, is_suppressed: bool) -> None:
    counting, suppressed = part([meeting("10:00", "11:00", "a")], [suppression])
    assert (len(counting), len(suppressed)) == ((0, 1) if is_suppressed else (1, 0))


# --- Where calls go -------------------------------------------------------------------------------

A = meeting("10:00", "11:00")


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        pytest.param(situation(), ("own", "own", "", None), id="nothing"),
        pytest.param(
            situation(own=MINE), ("own_forward", "manual", "1042", None), id="own forward"
        ),
        pytest.param(
            situation(A), ("meeting", "calendar", "*971001", "11:00"), id="meeting to voicemail"
        ),
        pytest.param(
            situation(A, own=MINE),
            ("meeting", "calendar", "*971001", "11:00"),
            id="a meeting covers the own forward",
        ),
        pytest.param(
            situation(A, calendar=None),
            ("busy_by_calendar", "im", "0639984172", "11:00"),
            id="busy by the calendar",
        ),
        pytest.param(
            situation(A, calendar=None, busy=False),
            ("own", "own", "", None),
            id="a meeting nobody wants anything of",
        ),
        pytest.param(
            situation(A, calendar=None, im=None), ("own", "own", "", None), id="no rule for calls"
        ),
        pytest.param(
            situation(status=by_hand("busy", "09:00")),
            ("busy_by_hand", "im", "0639984172", None),
            id="busy by hand",
        ),
        pytest.param(
            situation(A, status=by_hand("busy", "09:00")),
            ("busy_by_hand", "im", "0639984172", None),
            id="busy by hand outranks the meeting",
        ),
        pytest.param(
            situation(A, status=by_hand("busy", "09:00", "10:30")),
            ("busy_by_hand", "im", "0639984172", "10:30"),
            id="busy by hand for a while",
        ),
        pytest.param(
            situation(A, im=None, status=by_hand("busy", "09:00")),
            ("meeting", "calendar", "*971001", "11:00"),
            id="busy by hand without a rule",
        ),
        pytest.param(
            situation(A, calendar=None, status=by_hand("away", "09:00")),
            ("own", "own", "", None),
            id="away by hand rests the rule",
        ),
        pytest.param(
            situation(A, calendar=None, status=by_hand("offline", "10:00")),
            ("own", "own", "", None),
            id="offline by hand rests the rule",
        ),
        pytest.param(
            situation(A, calendar=None, status=by_hand("available", "09:00")),
            ("busy_by_calendar", "im", "0639984172", "11:00"),
            id="available from before gives way to the meeting",
        ),
        pytest.param(
            situation(A, status=by_hand("away", "09:00")),
            ("meeting", "calendar", "*971001", "11:00"),
            id="away by hand doesn't touch the calendar's rule",
        ),
        pytest.param(
            situation(A, own=Own(do_not_disturb=True)),
            ("do_not_disturb", "manual", "", None),
            id="do not disturb comes first",
        ),
    ],
)
def test_what_decides_at_ten(case: Situation, expected: tuple[str, str, str, str | None]) -> None:
    assert shown(decide(case, at("10:00"))) == expected


def test_own_calls_last_until_the_meeting() -> None:
    assert decide(situation(A), at("09:59")).until == at("10:00")


def test_losers_are_told_in_their_order() -> None:
    case = situation(A, status=by_hand("busy", "09:00"))
    losing = decide(case, at("10:00")).route.losing
    assert [claim.reason for claim in losing] == [Reason.MEETING]
    case = situation(A, own=Own(do_not_disturb=True))
    losing = decide(case, at("10:00")).route.losing
    assert [(claim.reason, claim.source) for claim in losing] == [
        (Reason.MEETING, Source.CALENDAR),
        (Reason.BUSY_BY_CALENDAR, Source.IM),
    ]


def test_a_target_that_can_not_be_used_loses_to_the_next() -> None:
    broken = Target(kind=RouteKind.VOICEMAIL, problem="no_voicemail")
    route = decide(situation(A, calendar=broken), at("10:00")).route
    assert route.reason is Reason.BUSY_BY_CALENDAR
    route = decide(situation(A, calendar=broken, im=None, own=MINE), at("10:00")).route
    assert (route.reason, route.forward(MINE.forward)) == (Reason.OWN_FORWARD, MINE.forward)


# --- Overrides ------------------------------------------------------------------------------------


def override_of(case: Situation, clock: str) -> Override:
    refs = {ref for claim in claims_at(case, at(clock)) for ref in claim.refs}
    return Override(refs=frozenset(refs))


def test_an_override_holds_to_the_end_of_the_block() -> None:
    override = override_of(situation(A), "10:00")
    case = situation(A, own=MINE, override=override)
    assert shown(decide(case, at("10:40"))) == ("override", "manual", "1042", "11:00")
    assert shown(decide(case, at("11:00"))) == ("own_forward", "manual", "1042", None)


def test_an_override_without_a_forward_lets_calls_through() -> None:
    case = situation(A, own=OFF, override=override_of(situation(A), "10:00"))
    decision = decide(case, at("10:40"))
    assert shown(decision) == ("override", "manual", "", "11:00")
    assert decision.route.kind is RouteKind.OWN


def test_an_override_lasts_though_the_block_grows() -> None:
    override = override_of(situation(A), "10:00")
    case = situation(A, meeting("10:50", "12:00"), own=MINE, override=override)
    assert shown(decide(case, at("11:30"))) == ("override", "manual", "1042", "12:00")


def test_an_override_is_not_for_the_next_meeting() -> None:
    override = override_of(situation(A), "10:00")
    case = situation(A, meeting("14:00", "15:00"), own=MINE, override=override)
    assert decide(case, at("14:00")).route.reason is Reason.MEETING


def test_an_override_of_busy_by_hand_lasts_as_long_as_that() -> None:
    status = by_hand("busy", "09:00")
    override = override_of(situation(status=status), "10:00")
    case = situation(own=MINE, status=status, override=override)
    assert shown(decide(case, at("10:40"))) == ("override", "manual", "1042", None)
    case = situation(own=MINE, status=by_hand("busy", "10:50"), override=override)
    assert decide(case, at("10:55")).route.reason is Reason.BUSY_BY_HAND


def test_do_not_disturb_outranks_an_override() -> None:
    own = Own(forward=MINE.forward, do_not_disturb=True)
    case = situation(A, own=own, override=override_of(situation(A), "10:00"))
    assert decide(case, at("10:40")).route.reason is Reason.DO_NOT_DISTURB


# --- Suppressed -----------------------------------------------------------------------------------


def test_a_suppressed_meeting_is_a_reason_that_wants_nothing() -> None:
    case = replace(situation(), suppressed=unite([A]))
    assert shown(decide(case, at("10:20"))) == ("suppressed", "own", "", "11:00")
    assert edges(case, at("10:20")) == [at("11:00")]
    own = replace(situation(own=MINE), suppressed=unite([A]))
    assert decide(own, at("10:20")).route.reason is Reason.OWN_FORWARD


# --- What the PBX ought to hold, and days ahead ---------------------------------------------------


def test_the_pbx_holds_the_claims_target_or_the_own_forward() -> None:
    assert route_at(situation(A), at("10:00")).forward(MINE.forward) == Forward(
        enabled=True, destination="*971001"
    )
    case = replace(situation(), suppressed=unite([A]))
    assert route_at(case, at("10:00")).forward(OFF.forward) == OFF.forward
    assert resolve_route([], MINE, None, at("10:00")).forward(MINE.forward) == MINE.forward


def test_a_forecast_has_a_segment_for_each_reason() -> None:
    status = by_hand("busy", "13:00", "13:30")
    case = situation(A, meeting("10:30", "12:00"), meeting("14:00", "15:00"), status=status)
    found = forecast(case, at("09:00"), at("16:00"))
    assert [
        (f"{one.starts:%H:%M}", one.decision.route.reason.value, one.decision.im.status)
        for one in found
    ] == [
        ("09:00", "own", ImState.OFFLINE),
        ("10:00", "meeting", ImState.BUSY),
        ("12:00", "own", ImState.OFFLINE),
        ("13:00", "busy_by_hand", ImState.BUSY),
        ("13:30", "own", ImState.OFFLINE),
        ("14:00", "meeting", ImState.BUSY),
        ("15:00", "own", ImState.OFFLINE),
    ]
    assert [one.ends for one in found[:-1]] == [one.starts for one in found[1:]]
    assert found[-1].ends == at("16:00")


def test_edges_that_change_nothing_make_no_segment() -> None:
    case = situation(A, calendar=None, im=None, busy=False)
    assert len(forecast(case, at("09:00"), at("16:00"))) == 1


def test_a_forecast_says_until_when_its_reasons_hold_not_where_it_is_cut() -> None:
    case = situation(A, status=by_hand("away", "08:00"))
    found = forecast(case, at("09:00"), at("10:30"))
    assert [
        (one.decision.until, one.decision.im.source.value, one.decision.im.until) for one in found
    ] == [(at("10:00"), "manual", None), (at("11:00"), "manual", None)]
    (free,) = forecast(situation(), at("09:00"), at("16:00"))
    assert (free.ends, free.decision.until, free.decision.im.until) == (at("16:00"), None, None)


def test_each_segment_of_a_forecast_is_what_would_be_decided_at_its_start() -> None:
    status = by_hand("busy", "13:00", "13:30")
    case = situation(A, meeting("10:30", "12:00"), meeting("14:00", "15:00"), status=status)
    for end in ("10:20", "16:00"):
        found = forecast(case, at("09:00"), at(end))
        assert [one.decision for one in found] == [decide(case, one.starts) for one in found]
