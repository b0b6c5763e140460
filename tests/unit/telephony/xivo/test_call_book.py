"""Calls put together from phone events: repeated, reordered, partial ones too."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from bluetel.telephony.types import Call, CallId, CallState, Direction, PbxUserId
from bluetel.telephony.xivo import hints
from bluetel.telephony.xivo.call_book import CallBook
from bluetel.telephony.xivo.messages import PhoneEvent, PhoneStep

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
USER = PbxUserId("ines")


def step(
    kind: PhoneStep,
    *,
    linked: str = "1.1",
    unique: str = "1.1",
    number: str = "1042",
    name: str = "",
    is_outgoing: bool | None = None,
) -> PhoneEvent:
    return PhoneEvent(
        step=kind,
        linked_id=linked,
        unique_id=unique,
        number=number,
        name=name,
        is_outgoing=is_outgoing,
    )


class Story:
    """A book, and a clock that goes on by a second with each event."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}
        self.book = CallBook(USER, peer_code=self.codes.get)
        self.now = START

    def tell(self, *events: PhoneEvent) -> list[Call]:
        changed: list[Call] = []
        for event in events:
            self.now += timedelta(seconds=1)
            changed += self.book.apply(event, now=self.now)
        return changed

    def phone(self, code: int) -> list[Call]:
        self.now += timedelta(seconds=1)
        return self.book.note_own_phone(code, now=self.now)

    def states(self) -> list[CallState]:
        return [call.state for call in self.book.calls()]


@pytest.fixture
def story() -> Story:
    return Story()


def test_a_call_dialled_on_the_handset_goes_its_way(story: Story) -> None:
    told = story.tell(
        step(PhoneStep.DIALING),
        step(PhoneStep.ESTABLISHED, name="Tom Hargreaves"),
        step(PhoneStep.ON_HOLD),
        step(PhoneStep.ESTABLISHED),
        step(PhoneStep.RELEASED),
    )

    assert [call.state for call in told] == [
        CallState.RINGING_PEER,
        CallState.TALKING,
        CallState.HELD,
        CallState.TALKING,
        CallState.ENDED,
    ]
    ended = told[-1]
    assert (ended.direction, ended.cause, ended.name) == (Direction.OUTGOING, 16, "Tom Hargreaves")
    assert ended.answered_at == START + timedelta(seconds=2)
    assert ended.ended_at == START + timedelta(seconds=5)


@pytest.mark.parametrize("begins", [PhoneStep.DIALING, PhoneStep.RINGING])
def test_a_click_rings_the_own_phone_first_whichever_event_tells_it(
    story: Story, begins: PhoneStep
) -> None:
    story.book.click("1042", now=story.now)
    (call,) = story.tell(step(begins, name="somebody"))
    assert (call.state, call.direction) == (CallState.RINGING_SELF, Direction.OUTGOING)
    assert (call.number, call.name) == ("1042", "")
    story.phone(hints.RINGING)
    assert story.states() == [CallState.RINGING_SELF]
    if begins is PhoneStep.DIALING:
        story.phone(hints.IN_USE)
    else:
        story.tell(step(PhoneStep.DIALING))

    assert story.states() == [CallState.RINGING_PEER]


def test_a_repeated_beginning_of_a_click_is_not_a_pick_up(story: Story) -> None:
    story.book.click("1042", now=story.now)
    story.tell(step(PhoneStep.DIALING), step(PhoneStep.DIALING), step(PhoneStep.DIALING))

    assert story.states() == [CallState.RINGING_SELF]


def test_a_click_that_came_to_nothing_colours_no_later_call(story: Story) -> None:
    story.book.click("1042", now=story.now)
    story.now += timedelta(seconds=20)
    (call,) = story.tell(step(PhoneStep.RINGING, is_outgoing=False))

    assert call.direction is Direction.INCOMING


def test_empty_fields_erase_nothing(story: Story) -> None:
    story.tell(step(PhoneStep.RINGING, number="0199004217", name="Hélène", is_outgoing=False))
    story.tell(step(PhoneStep.ESTABLISHED, number=""))

    (call,) = story.book.calls()
    assert (call.number, call.name) == ("0199004217", "Hélène")


def test_another_number_takes_the_name_with_it(story: Story) -> None:
    story.tell(step(PhoneStep.DIALING, name="Tom"), step(PhoneStep.ESTABLISHED, number="1043"))

    (call,) = story.book.calls()
    assert (call.number, call.name) == ("1043", "")


def test_a_release_is_known_by_the_leg_s_id_too(story: Story) -> None:
    story.tell(step(PhoneStep.ESTABLISHED, linked="1.1", unique="1.2"))
    (ended,) = story.tell(step(PhoneStep.RELEASED, linked="9.9", unique="1.2"))

    assert not ended.is_live
    assert story.book.calls() == []


def test_a_release_nobody_knows_is_passed_over(story: Story) -> None:
    assert story.tell(step(PhoneStep.RELEASED)) == []


def test_what_comes_late_wakes_no_ended_call(story: Story) -> None:
    story.tell(step(PhoneStep.DIALING), step(PhoneStep.RELEASED))

    assert story.tell(step(PhoneStep.ESTABLISHED), step(PhoneStep.RELEASED)) == []


EVENTS = (
    step(PhoneStep.DIALING),
    step(PhoneStep.ESTABLISHED),
    step(PhoneStep.RELEASED),
)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_in_any_order_and_twice_over_the_call_ends(story: Story, order: tuple[int, ...]) -> None:
    told = story.tell(*(EVENTS[place] for place in order for _ in range(2)))
    story.tell(step(PhoneStep.RELEASED))

    assert story.book.calls() == []
    assert sum(not call.is_live for call in told) <= 1


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (hints.IN_USE, 17),
        (hints.BUSY, 17),
        (hints.UNREACHABLE, 20),
        (hints.IDLE, 19),
        (None, 19),
        (hints.RINGING, 19),
        (hints.RINGING_IN_USE, 19),
    ],
)
def test_why_a_call_was_not_taken_is_read_off_the_peer_s_phone(
    story: Story, code: int | None, cause: int
) -> None:
    if code is not None:
        story.codes["1042"] = code
    told = story.tell(step(PhoneStep.DIALING), step(PhoneStep.RELEASED))

    assert told[-1].cause == cause


@pytest.mark.parametrize(
    ("code", "cause"),
    [(hints.IN_USE, 19), (hints.UNREACHABLE, 20), (hints.IDLE, 19), (hints.RINGING_IN_USE, 19)],
)
def test_who_was_rung_was_not_busy_whatever_he_does_at_the_end(
    story: Story, code: int, cause: int
) -> None:
    story.tell(step(PhoneStep.DIALING))
    story.codes["1042"] = hints.RINGING
    story.book.note_ringing("1042")
    story.codes["1042"] = code
    told = story.tell(step(PhoneStep.RELEASED))

    assert told[-1].cause == cause


def test_a_ringing_that_is_told_before_the_own_call_s_step_counts(story: Story) -> None:
    story.codes["1042"] = hints.RINGING
    story.tell(step(PhoneStep.DIALING))
    story.codes["1042"] = hints.IN_USE

    assert story.tell(step(PhoneStep.RELEASED))[-1].cause == 19


def test_another_s_ringing_before_the_own_phone_is_up_says_nothing(story: Story) -> None:
    story.book.click("1042", now=story.now)
    story.tell(step(PhoneStep.DIALING))
    story.codes["1042"] = hints.RINGING
    story.book.note_ringing("1042")
    story.codes["1042"] = hints.IN_USE
    story.phone(hints.RINGING)
    story.phone(hints.IN_USE)

    assert story.tell(step(PhoneStep.RELEASED))[-1].cause == 17


def test_a_call_that_failed_is_not_called_unanswered(story: Story) -> None:
    told = story.tell(step(PhoneStep.DIALING), step(PhoneStep.FAILURE))

    assert told[-1].cause == 41


def test_a_call_that_is_passed_back_is_one_more(story: Story) -> None:
    first = [step(kind, unique="1.2") for kind in (PhoneStep.RINGING, PhoneStep.ESTABLISHED)]
    story.tell(*first, step(PhoneStep.RELEASED, unique="1.2"))

    story.tell(step(PhoneStep.RINGING, unique="1.5"), *first)
    assert [(call.id, call.state) for call in story.book.calls()] == [
        ("1.5", CallState.RINGING_SELF)
    ]

    story.tell(step(PhoneStep.ESTABLISHED, unique="1.5"))
    assert story.states() == [CallState.TALKING]
    story.tell(step(PhoneStep.RELEASED, unique="1.5"), step(PhoneStep.RINGING, unique="1.5"))
    assert story.states() == []


def test_a_snapshot_ends_what_it_lacks_and_adds_what_is_new(story: Story) -> None:
    story.tell(step(PhoneStep.ESTABLISHED, linked="1.1", unique="1.1"))
    changed = story.book.reconcile(
        [step(PhoneStep.ESTABLISHED, linked="2.1", unique="2.1")], now=story.now
    )

    assert {(call.id, call.is_live) for call in changed} == {
        (CallId("2.1"), True),
        (CallId("1.1"), False),
    }


def test_a_third_person_who_is_asked_is_no_call_of_its_own(story: Story) -> None:
    story.tell(step(PhoneStep.ESTABLISHED))
    story.book.consult("1043")
    told = story.tell(
        step(PhoneStep.ON_HOLD),
        step(PhoneStep.DIALING, linked="2.1", unique="2.1", number="1043", is_outgoing=True),
        step(PhoneStep.ESTABLISHED, linked="2.1", unique="2.1", number="1043"),
    )

    assert story.book.is_consulting()
    assert [call.id for call in told] == [CallId("1.1")]
    assert len(story.book.calls()) == 1


def test_a_call_without_events_is_followed_by_the_own_phone(story: Story) -> None:
    placed = story.book.begin_blind("1042", now=story.now)
    assert placed.state is CallState.RINGING_SELF
    story.phone(hints.RINGING)
    (talking,) = story.phone(hints.IN_USE)
    assert talking.state is CallState.RINGING_PEER
    (ended,) = story.phone(hints.IDLE)

    assert (ended.id, ended.is_live, ended.cause) == (placed.id, False, None)


def test_a_call_without_any_sign_is_let_go_after_a_minute(story: Story) -> None:
    story.book.begin_blind("1042", now=story.now)
    assert story.book.expire(now=story.now + timedelta(seconds=59)) == []

    assert len(story.book.expire(now=story.now + timedelta(seconds=60))) == 1


def test_events_that_come_after_all_keep_the_call_s_name(story: Story) -> None:
    placed = story.book.begin_blind("1042", now=story.now)
    story.tell(step(PhoneStep.DIALING), step(PhoneStep.ESTABLISHED))
    (ended,) = story.tell(step(PhoneStep.RELEASED))

    assert (ended.id, ended.conversation) == (placed.id, placed.conversation)
    assert ended.reached is CallState.TALKING
