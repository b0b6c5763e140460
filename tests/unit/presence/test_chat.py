"""Whose choice the status on the PBX is, and what ought to stand there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from bluetel.telephony.types import ChatState, LineState, PbxUserId, Presence
from presence.chat import Whose, Written, wanted, whose
from presence.person import Standing
from presence.rules import ON_PBX, resolve_im

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Claim:
    source: str
    value: str
    message: str = ""
    ref: str = ""
    starts: datetime = NOON
    ends: datetime | None = None


def holding(chat: ChatState, message: str = "", *, at: datetime | None = NOON + SECOND) -> Presence:
    return Presence(
        user=PbxUserId("ada"),
        phone=LineState.AVAILABLE,
        chat=chat,
        message=message,
        chosen_at=at,
    )


BUSY_OF_OURS = Written(ChatState.BUSY, "", NOON)


@pytest.mark.parametrize(
    ("presence", "written", "expected"),
    [
        pytest.param(
            holding(ChatState.NEVER_CHOSEN, at=None), Written(), Whose.OURS, id="nobody's choice"
        ),
        pytest.param(
            holding(ChatState.AVAILABLE), Written(), Whose.OURS, id="available before our first"
        ),
        pytest.param(holding(ChatState.AWAY), Written(), Whose.HIS, id="away before our first"),
        pytest.param(holding(ChatState.BUSY), BUSY_OF_OURS, Whose.OURS, id="what we wrote"),
        pytest.param(
            holding(ChatState.BUSY, "In a call"), BUSY_OF_OURS, Whose.OURS, id="with other words"
        ),
        pytest.param(holding(ChatState.AVAILABLE), BUSY_OF_OURS, Whose.HIS, id="another"),
        pytest.param(
            holding(ChatState.AVAILABLE, at=NOON), BUSY_OF_OURS, Whose.OLD, id="from before"
        ),
        pytest.param(
            holding(ChatState.AVAILABLE, at=None), BUSY_OF_OURS, Whose.HIS, id="without a time"
        ),
        pytest.param(
            holding(ChatState.AVAILABLE), Written(None, "", NOON), Whose.HIS, id="his next choice"
        ),
    ],
)
def test_whose_choice_it_is(presence: Presence, written: Written, expected: Whose) -> None:
    assert whose(presence, written) is expected


def standing(presence: Presence, *claims: Claim, has_page: bool = True) -> Standing:
    return Standing(
        pbx=1,
        pbx_user=presence.user,
        presence=presence,
        has_page=has_page,
        decision=resolve_im(claims, NOON, is_there=has_page),
    )


@pytest.mark.parametrize(
    ("state", "chat"),
    [
        pytest.param("available", ChatState.AVAILABLE, id="available"),
        pytest.param("away", ChatState.AWAY, id="away"),
        pytest.param("busy", ChatState.BUSY, id="busy"),
        pytest.param("offline", ChatState.INVISIBLE, id="offline is invisible"),
    ],
)
def test_each_status_has_its_word_on_the_pbx(state: str, chat: ChatState) -> None:
    never = holding(ChatState.NEVER_CHOSEN, at=None)
    found = wanted(standing(never, Claim("manual", state)), Written())
    assert found == (chat, "")


def test_the_message_goes_along_unless_he_hides() -> None:
    there = holding(ChatState.AVAILABLE)
    away = wanted(standing(there, Claim("manual", "away", "At lunch")), Written())
    hidden = wanted(standing(there, Claim("manual", "offline", "At lunch")), Written())
    assert away == (ChatState.AWAY, "At lunch")
    assert hidden == (ChatState.INVISIBLE, "")


def test_what_stands_there_already_is_not_written() -> None:
    there = standing(holding(ChatState.BUSY), Claim("calendar", "busy"))
    assert wanted(there, BUSY_OF_OURS) is None


def test_a_choice_made_there_stays() -> None:
    there = standing(holding(ChatState.AWAY, "Out"), Claim("manual", "away", "Out", ON_PBX))
    assert wanted(there, Written(ChatState.AVAILABLE, "", NOON)) is None


def test_automatic_is_available_without_the_message() -> None:
    there = standing(holding(ChatState.AWAY, "Out"))
    assert wanted(there, Written(ChatState.AWAY, "Out", NOON)) == (ChatState.AVAILABLE, "")
    assert wanted(there, Written(None, "", NOON)) == (ChatState.AVAILABLE, "")


def test_what_he_says_himself_while_available_stays() -> None:
    there = standing(holding(ChatState.AVAILABLE, "Ask me"))
    assert wanted(there, Written(ChatState.AVAILABLE, "", NOON)) is None


def test_who_never_chose_is_left_alone_until_he_opens_a_page() -> None:
    never = holding(ChatState.NEVER_CHOSEN, at=None)
    assert wanted(standing(never, has_page=False), Written()) is None
    assert wanted(standing(never, has_page=True), Written()) == (ChatState.AVAILABLE, "")


# --- A PBX that follows ------------------------------------------------------------------------


def following(presence: Presence, *claims: Claim, has_page: bool = True) -> Standing:
    return replace(standing(presence, *claims, has_page=has_page), is_follower=True)


def test_a_follower_is_told_each_state_once_whatever_stands_there() -> None:
    there = following(holding(ChatState.AVAILABLE), Claim("manual", "busy", "Writing"))
    assert wanted(there, Written()) == (ChatState.BUSY, "Writing")
    assert wanted(there, Written(ChatState.BUSY, "Writing")) is None


def test_a_follower_is_not_told_what_it_held_before_we_ever_wrote() -> None:
    there = following(holding(ChatState.AVAILABLE))
    assert wanted(there, Written()) is None
    assert wanted(there, Written(ChatState.BUSY)) == (ChatState.AVAILABLE, "")


def test_a_follower_is_told_nothing_of_what_is_unknown() -> None:
    there = following(holding(ChatState.AVAILABLE), Claim("session", "unknown"))
    assert wanted(there, Written(ChatState.BUSY)) is None


def test_who_never_chose_on_a_follower_is_left_alone_until_he_opens_a_page() -> None:
    never = holding(ChatState.NEVER_CHOSEN, at=None)
    assert wanted(following(never, has_page=False), Written()) is None
    assert wanted(following(never), Written()) == (ChatState.AVAILABLE, "")
