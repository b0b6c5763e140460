"""The chat status of a person, line by line of docs/presence.md."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence.rules import ImDecision, ImSource, resolve_im


@dataclass(frozen=True)
class Claim:
    source: str
    value: str
    starts: datetime
    ends: datetime | None = None
    message: str = ""
    ref: str = ""


def at(clock: str) -> datetime:
    hours, minutes = clock.split(":")
    return datetime(2026, 11, 24, int(hours), int(minutes), tzinfo=UTC)


def by_hand(value: str, since: str, until: str | None = None, message: str = "") -> Claim:
    return Claim("manual", value, at(since), at(until) if until else None, message)


def meeting(since: str, until: str) -> Claim:
    return Claim("calendar", "busy", at(since), at(until))


IDLE = Claim("idle", "away", at("09:00"))
TEN = meeting("10:00", "11:00")


def said(decision: ImDecision) -> tuple[str, str, str | None]:
    until = decision.until.strftime("%H:%M") if decision.until else None
    return decision.status.value, decision.source.value, until


@pytest.mark.parametrize(
    ("claims", "is_there", "expected"),
    [
        pytest.param([], True, ("available", "session", None), id="there"),
        pytest.param([], False, ("offline", "session", None), id="not there"),
        pytest.param([IDLE], True, ("away", "idle", None), id="idle"),
        pytest.param([IDLE], False, ("offline", "session", None), id="nobody idles who is gone"),
        pytest.param([TEN, IDLE], True, ("busy", "calendar", "11:00"), id="a meeting beats idle"),
        pytest.param([TEN], False, ("busy", "calendar", "11:00"), id="a meeting without a page"),
        pytest.param(
            [by_hand("away", "09:00", "10:45"), TEN],
            True,
            ("away", "manual", "10:45"),
            id="Away by hand before the meeting keeps winning",
        ),
        pytest.param(
            [by_hand("offline", "09:00"), TEN],
            True,
            ("offline", "manual", None),
            id="Offline by hand before the meeting keeps winning",
        ),
        pytest.param(
            [by_hand("busy", "09:00"), TEN],
            True,
            ("busy", "manual", None),
            id="Busy by hand before the meeting keeps winning",
        ),
        pytest.param(
            [by_hand("available", "09:00"), TEN],
            True,
            ("busy", "calendar", "11:00"),
            id="Available by hand before the meeting gives way",
        ),
        pytest.param(
            [by_hand("available", "10:10"), TEN],
            True,
            ("available", "manual", None),
            id="Available by hand during the meeting holds",
        ),
        pytest.param(
            [by_hand("available", "10:00"), TEN],
            True,
            ("available", "manual", None),
            id="Available by hand at the meeting's first moment holds",
        ),
        pytest.param(
            [by_hand("available", "10:10"), TEN, meeting("11:30", "12:00")],
            True,
            ("available", "manual", "11:30"),
            id="and until the next meeting",
        ),
        pytest.param(
            [by_hand("available", "09:00"), IDLE],
            True,
            ("available", "manual", None),
            id="by hand beats idle",
        ),
        pytest.param(
            [by_hand("available", "09:00", "10:00"), IDLE],
            True,
            ("away", "idle", None),
            id="an expired choice counts no more, at its very end",
        ),
        pytest.param(
            [meeting("11:00", "12:00")],
            True,
            ("available", "session", "11:00"),
            id="what is still to come sets the end",
        ),
    ],
)
def test_half_past_ten(
    claims: list[Claim], is_there: bool, expected: tuple[str, str, str | None]
) -> None:
    now = at("10:00") if any(claim.ends == at("10:00") for claim in claims) else at("10:30")
    assert said(resolve_im(claims, now, is_there=is_there)) == expected


def test_a_meeting_holds_from_its_first_moment_up_to_its_end() -> None:
    moment = timedelta(microseconds=1)
    times = [at("10:00") - moment, at("10:00"), at("11:00") - moment, at("11:00")]
    found = [resolve_im([TEN], time, is_there=True).status.value for time in times]
    assert found == ["available", "busy", "busy", "available"]


def test_an_edited_meeting_does_not_undo_available() -> None:
    chosen = by_hand("available", "10:10")
    for ends in ("10:50", "11:30", "14:00"):
        assert resolve_im([chosen, meeting("10:00", ends)], at("10:30")).status == "available"


def test_a_moved_meeting_is_a_new_one() -> None:
    chosen = by_hand("available", "10:10")
    assert resolve_im([chosen, meeting("10:20", "11:00")], at("10:30")).status == "busy"


def test_of_two_choices_the_later_counts() -> None:
    both = [by_hand("busy", "09:00"), by_hand("away", "09:30")]
    assert resolve_im(both, at("10:30")).status == "away"


def test_the_losers_are_named_in_their_order() -> None:
    chosen = by_hand("away", "09:00")
    decision = resolve_im([IDLE, TEN, chosen], at("10:30"), is_there=True)
    assert (decision.winner, decision.losers) == (chosen, (TEN, IDLE))


def test_the_message_goes_with_the_winner_and_not_with_offline() -> None:
    away = by_hand("away", "09:00", message="Back at two")
    gone = by_hand("offline", "09:00", message="Back at two")
    assert resolve_im([away], at("10:30")).message == "Back at two"
    assert resolve_im([gone], at("10:30")).message == ""


claims_at_random = st.lists(
    st.builds(
        lambda source, value, start, length: Claim(
            source,
            value,
            at("08:00") + timedelta(minutes=start),
            None if length is None else at("08:00") + timedelta(minutes=start + length),
        ),
        st.sampled_from(["manual", "calendar", "idle"]),
        st.sampled_from(["available", "busy", "away", "offline"]),
        st.integers(0, 60),
        st.none() | st.integers(1, 60),
    ),
    max_size=6,
)


@given(claims_at_random, st.integers(0, 130), st.booleans())
def test_the_reason_holds_until_it_says_and_no_longer(
    claims: list[Claim], minute: int, is_there: bool
) -> None:
    now = at("08:00") + timedelta(minutes=minute)
    decision = resolve_im(claims, now, is_there=is_there)
    for later in range(minute, 130):
        time = at("08:00") + timedelta(minutes=later)
        if decision.until is not None and time >= decision.until:
            changed = resolve_im(claims, decision.until, is_there=is_there)
            assert changed.winner is not decision.winner
            return
        assert resolve_im(claims, time, is_there=is_there).winner is decision.winner


@given(claims_at_random, st.permutations(range(6)), st.booleans())
def test_the_order_of_claims_does_not_matter(
    claims: list[Claim], order: list[int], is_there: bool
) -> None:
    shuffled = [claims[index] for index in order if index < len(claims)]
    first, second = (
        resolve_im(some, at("08:40"), is_there=is_there) for some in (claims, shuffled)
    )
    assert (first.source, first.until) == (second.source, second.until)


def test_the_sources_are_in_their_order() -> None:
    assert list(ImSource) == ["manual", "calendar", "idle", "session"]
