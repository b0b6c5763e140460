"""A mail belongs to the right message or to none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from voicemail.matching import Left, Sent, pairs

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def sent(number: int, after: float, *, caller: str = "1", box: str = "9", serial: int = 0) -> Sent:
    return Sent(number, box, caller, NOON + timedelta(seconds=after), serial)


def left(number: int, after: float, lasts: float = 4, *, caller: str = "1", box: str = "9") -> Left:
    begun = NOON + timedelta(seconds=after)
    return Left(number, box, caller, begun, begun + timedelta(seconds=lasts))


def test_a_mail_sent_at_the_end_of_a_message_is_about_it() -> None:
    assert pairs([sent(1, 4)], [left(7, 0)]) == {1: 7}
    assert pairs([sent(1, 6)], [left(7, 0)]) == {1: 7}


def test_another_caller_box_or_hour_is_another_message() -> None:
    assert pairs([sent(1, 4, caller="2")], [left(7, 0)]) == {}
    assert pairs([sent(1, 4, box="8")], [left(7, 0)]) == {}
    assert pairs([sent(1, 3600)], [left(7, 0)]) == {}


def test_a_mail_that_names_no_box_is_about_the_callers_message() -> None:
    assert pairs([sent(1, 4, box="")], [left(7, 0)]) == {1: 7}


def test_two_of_one_caller_within_ten_seconds_go_to_their_own() -> None:
    messages = [left(7, 0, 3), left(8, 9, 2)]
    assert pairs([sent(1, 3), sent(2, 11)], messages) == {1: 7, 2: 8}
    assert pairs([sent(2, 11), sent(1, 3)], messages[::-1]) == {1: 7, 2: 8}


def test_of_two_close_messages_a_single_mail_between_them_is_about_none() -> None:
    assert pairs([sent(1, 5)], [left(7, 0, 4), left(8, 6, 4)]) == {}


def test_two_mails_between_two_messages_keep_their_order() -> None:
    messages = [left(7, 0, 2), left(8, 4, 2)]
    assert pairs([sent(1, 3), sent(2, 4)], messages) == {1: 7, 2: 8}


def test_mails_of_one_second_are_told_apart_by_their_number_or_not_at_all() -> None:
    messages = [left(7, 0, 2), left(8, 1, 4)]
    assert pairs([sent(1, 2, serial=2), sent(2, 2, serial=1)], messages) == {1: 8, 2: 7}
    assert pairs([sent(1, 2), sent(2, 2)], messages) == {}


@given(
    st.lists(st.tuples(st.integers(6, 40), st.integers(1, 5)), min_size=1, max_size=6),
    st.data(),
)
def test_whatever_is_missing_no_mail_goes_to_a_wrong_message(
    gaps: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Messages of one caller, some seconds apart; mails come at their end or a second later."""
    at = 0
    messages, mails = [], []
    for number, (gap, lasts) in enumerate(gaps):
        at += gap
        messages.append(left(number, at, lasts))
        late = data.draw(st.integers(0, 1))
        mails.append(sent(number, at + lasts + late, serial=number))
        at += lasts
    arrived = data.draw(st.lists(st.sampled_from(mails), unique=True))
    for mail, message in pairs(arrived, messages).items():
        assert mail == message
    assert len(pairs(mails, messages)) == len(mails)
