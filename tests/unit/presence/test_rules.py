from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluetel.telephony.types import ChatState, LineState
from presence import rules
from presence.rules import ImState, PhoneState

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("lines", "merged"),
    [
        pytest.param([], LineState.UNAVAILABLE, id="no line"),
        pytest.param(["available", "ringing", "talking"], LineState.RINGING, id="ringing first"),
        pytest.param(["holding", "progressing"], LineState.PROGRESSING, id="progressing second"),
        pytest.param(["talking", "holding"], LineState.HOLDING, id="holding third"),
        pytest.param(["available", "talking"], LineState.TALKING, id="talking fourth"),
        pytest.param(["unavailable", "available"], LineState.AVAILABLE, id="available fifth"),
        pytest.param(["unavailable"], LineState.UNAVAILABLE, id="unavailable last"),
    ],
)
def test_the_most_urgent_line_counts(lines: list[str], merged: LineState) -> None:
    assert rules.merge_lines([LineState(line) for line in lines]) is merged


@given(st.permutations(list(LineState)))
def test_the_order_of_lines_does_not_matter(lines: list[LineState]) -> None:
    assert rules.merge_lines(lines) is LineState.RINGING


@pytest.mark.parametrize(
    ("line", "plain", "with_dnd"),
    [
        pytest.param(None, "unknown", "unknown", id="nothing known"),
        pytest.param(LineState.UNAVAILABLE, "offline", "offline", id="unplugged or no line"),
        pytest.param(LineState.AVAILABLE, "available", "busy", id="available"),
        pytest.param(LineState.RINGING, "ringing", "ringing", id="ringing"),
        pytest.param(LineState.PROGRESSING, "busy", "busy", id="calling out"),
        pytest.param(LineState.HOLDING, "busy", "busy", id="holding"),
        pytest.param(LineState.TALKING, "busy", "busy", id="talking"),
    ],
)
def test_a_phone_shows(line: LineState | None, plain: str, with_dnd: str) -> None:
    assert rules.phone_state(line, do_not_disturb=False) is PhoneState(plain)
    assert rules.phone_state(line, do_not_disturb=True) is PhoneState(with_dnd)


@pytest.mark.parametrize(
    ("chat", "shown"),
    [
        pytest.param(ChatState.AVAILABLE, ImState.AVAILABLE, id="available"),
        pytest.param(ChatState.AWAY, ImState.AWAY, id="away"),
        pytest.param(ChatState.BUSY, ImState.BUSY, id="busy"),
        pytest.param(ChatState.INVISIBLE, ImState.OFFLINE, id="invisible"),
        pytest.param(ChatState.NEVER_CHOSEN, ImState.OFFLINE, id="nobody's choice"),
        pytest.param(None, ImState.UNKNOWN, id="nothing known"),
    ],
)
@pytest.mark.parametrize(
    ("is_connected", "has_page"),
    [
        pytest.param(True, False, id="by a chat session"),
        pytest.param(False, True, id="by a page"),
    ],
)
def test_a_chosen_status_shows_while_its_owner_is_there(
    chat: ChatState | None, shown: ImState, is_connected: bool, has_page: bool
) -> None:
    assert rules.im_state(chat, is_connected=is_connected, has_page=has_page) is shown


@pytest.mark.parametrize("chat", list(ChatState), ids=str)
def test_who_is_not_there_reads_offline_whatever_he_chose(chat: ChatState) -> None:
    assert rules.im_state(chat, is_connected=False, has_page=False) is ImState.OFFLINE


@pytest.mark.parametrize(
    ("has_page", "shown"),
    [
        pytest.param(True, ImState.AVAILABLE, id="page open"),
        pytest.param(False, ImState.OFFLINE, id="no page"),
    ],
)
def test_without_a_pbx_an_open_page_is_being_there(has_page: bool, shown: ImState) -> None:
    assert rules.own_im_state(has_page=has_page) is shown


@pytest.mark.parametrize("im", [ImState.OFFLINE, ImState.UNKNOWN], ids=str)
def test_who_reads_offline_shows_no_message(im: ImState) -> None:
    assert rules.shown_message("Back at two", im) == ""


def test_a_message_is_cut_at_250_characters() -> None:
    assert rules.shown_message("x" * 300, ImState.BUSY) == "x" * 250


def newer(at: datetime | None, than: datetime | None, *, waited: timedelta = SECOND) -> bool:
    return rules.is_newer(at, NOON + waited, than=than, than_received=NOON)


@pytest.mark.parametrize(
    ("step", "is_newer"),
    [
        pytest.param(timedelta(seconds=5), True, id="later"),
        pytest.param(timedelta(0), True, id="the same moment goes by arrival"),
        pytest.param(timedelta(microseconds=-1), False, id="a moment earlier"),
        pytest.param(timedelta(seconds=-60), False, id="a minute earlier"),
        pytest.param(timedelta(seconds=-60.1), True, id="more than a minute is a changed clock"),
        pytest.param(timedelta(hours=-1), True, id="the autumn hour"),
    ],
)
def test_the_newer_envelope_wins(step: timedelta, is_newer: bool) -> None:
    assert newer(NOON + step, NOON) is is_newer


def test_an_older_envelope_after_a_long_silence_is_a_changed_clock() -> None:
    at_half_past_two_again = NOON - timedelta(seconds=30)
    assert newer(at_half_past_two_again, NOON, waited=timedelta(hours=1))


@pytest.mark.parametrize(
    ("at", "than"),
    [pytest.param(None, NOON, id="this one"), pytest.param(NOON, None, id="the earlier one")],
)
def test_events_without_a_time_go_by_arrival(at: datetime | None, than: datetime | None) -> None:
    assert newer(at, than)


def test_the_first_event_is_always_news() -> None:
    assert rules.is_newer(NOON, NOON, than=None, than_received=None)
