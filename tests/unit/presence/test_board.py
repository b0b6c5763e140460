from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluetel.telephony.types import (
    ChatState,
    DoNotDisturbChanged,
    LineState,
    PbxUserId,
    Presence,
    PresenceChanged,
)
from presence.board import Board
from presence.messages import record_of
from presence.person import Member, Person
from presence.rules import ImState, PhoneState

PBX = 1
OTHER_PBX = 2
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ADA, BO, CY = PbxUserId("ada"), PbxUserId("bo"), PbxUserId("cy")
MEMBERS = [
    Member(user_id="1", name="Ada", pbx=PBX, pbx_user=ADA),
    Member(user_id="2", name="Bo", pbx=PBX, pbx_user=BO),
    Member(user_id="3", name="Cy", pbx=OTHER_PBX, pbx_user=CY),
    Member(user_id="4", name="Admin"),
]
SECOND = timedelta(seconds=1)


def presence(user: PbxUserId, phone: str = "available", **facts: object) -> Presence:
    return replace(Presence(user=user, phone=LineState(phone), connected=True), **facts)  # type: ignore[arg-type]


def full_board() -> Board:
    board = Board(epoch=7)
    board.enrol(MEMBERS, at=NOON)
    board.load(PBX, [presence(ADA), presence(BO)], asked=[ADA, BO], at=NOON)
    board.load(OTHER_PBX, [presence(CY)], asked=[CY], at=NOON)
    return board


def shown(board: Board, user_id: str) -> Person:
    person = board.person(user_id)
    assert person is not None
    return person


def changed(user: PbxUserId, at: datetime | None, phone: str, **facts: object) -> PresenceChanged:
    return PresenceChanged(presence=presence(user, phone, **facts), at=at)


# --- Snapshot and events --------------------------------------------------------------------------


def test_before_a_snapshot_nothing_is_known() -> None:
    board = Board(epoch=1)
    board.enrol(MEMBERS, at=NOON)
    assert shown(board, "1").phone is PhoneState.UNKNOWN
    assert shown(board, "1").im is ImState.UNKNOWN


def test_a_snapshot_gives_the_people_whose_state_it_changed() -> None:
    board = full_board()
    again = board.load(PBX, [presence(ADA, "ringing"), presence(BO)], asked=[ADA, BO], at=NOON)
    assert [person.user_id for person in again] == ["1"]
    assert again[0].phone is PhoneState.RINGING


def test_somebody_the_pbx_does_not_know_is_unknown() -> None:
    board = full_board()
    board.load(PBX, [presence(ADA)], asked=[ADA, BO], at=NOON)
    assert shown(board, "2").phone is PhoneState.UNKNOWN


def test_a_snapshot_touches_only_the_people_asked_about() -> None:
    board = full_board()
    assert board.load(PBX, [presence(ADA, "ringing")], asked=[BO], at=NOON)[0].user_id == "2"
    assert shown(board, "1").phone is PhoneState.AVAILABLE


def test_a_snapshot_of_strangers_changes_nothing() -> None:
    stranger = PbxUserId("stranger")
    assert full_board().load(PBX, [presence(stranger)], asked=[stranger], at=NOON) == []


def test_a_double_event_changes_nothing_the_second_time() -> None:
    board = full_board()
    event = changed(ADA, NOON, "ringing")
    assert len(board.apply(PBX, event, received=NOON)) == 1
    assert board.apply(PBX, event, received=NOON + SECOND) == []


def test_a_late_event_changes_nothing() -> None:
    board = full_board()
    board.apply(PBX, changed(ADA, NOON + SECOND, "talking"), received=NOON)
    assert board.apply(PBX, changed(ADA, NOON, "ringing"), received=NOON) == []
    assert shown(board, "1").phone is PhoneState.BUSY


def test_do_not_disturb_alone_shows_busy_and_back() -> None:
    board = full_board()
    on = DoNotDisturbChanged(user=ADA, enabled=True, at=NOON)
    assert board.apply(PBX, on, received=NOON)[0].phone is PhoneState.BUSY
    off = DoNotDisturbChanged(user=ADA, enabled=False, at=NOON + SECOND)
    assert board.apply(PBX, off, received=NOON)[0].phone is PhoneState.AVAILABLE


def test_an_older_presence_does_not_undo_a_newer_do_not_disturb() -> None:
    board = full_board()
    board.apply(PBX, DoNotDisturbChanged(user=ADA, enabled=True, at=NOON + SECOND), received=NOON)
    board.apply(PBX, changed(ADA, NOON, "available"), received=NOON)
    assert shown(board, "1").phone is PhoneState.BUSY


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(changed(PbxUserId("stranger"), NOON, "ringing"), id="presence"),
        pytest.param(
            DoNotDisturbChanged(user=PbxUserId("stranger"), enabled=True), id="do not disturb"
        ),
    ],
)
def test_a_stranger_changes_nothing(event: PresenceChanged | DoNotDisturbChanged) -> None:
    assert full_board().apply(PBX, event, received=NOON) == []


def test_the_same_id_on_another_pbx_is_another_person() -> None:
    board = full_board()
    assert board.apply(OTHER_PBX, changed(ADA, NOON, "ringing"), received=NOON) == []


def test_an_event_after_a_snapshot_may_be_older_than_one_before_it() -> None:
    """The PBX's clock may have been set while the stream was down."""
    board = full_board()
    board.apply(PBX, changed(ADA, NOON, "talking"), received=NOON)
    board.load(PBX, [presence(ADA)], asked=[ADA], at=NOON)
    late = changed(ADA, NOON - 30 * SECOND, "ringing")
    assert board.apply(PBX, late, received=NOON)[0].phone is PhoneState.RINGING


def test_the_autumn_night_loses_no_event() -> None:
    """At 03:00 the PBX's clock says 02:00 again; a call goes on through it."""
    board = full_board()
    night = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)  # 03:00 summer time, 02:00 winter time
    story = [
        (timedelta(minutes=-29, seconds=-30), timedelta(minutes=30, seconds=30), "ringing"),
        (timedelta(minutes=-29, seconds=-20), timedelta(minutes=30, seconds=40), "talking"),
        # An hour later the local clock shows ten seconds before that.
        (timedelta(minutes=30, seconds=30), timedelta(minutes=30, seconds=30), "available"),
        (timedelta(minutes=31), timedelta(minutes=31), "ringing"),
    ]
    local_two = datetime(2026, 10, 25, 2, 0, tzinfo=UTC)  # what the envelope says, zone unknown
    seen = []
    for real, local, phone in story:
        event = changed(ADA, local_two + local, phone)
        seen += board.apply(PBX, event, received=night + real)
    assert [person.phone.value for person in seen] == ["ringing", "busy", "available", "ringing"]


def test_a_link_that_goes_down_leaves_its_own_people_unknown_and_nobody_else() -> None:
    board = full_board()
    lost = board.link_down(PBX, at=NOON + SECOND)
    assert {person.user_id for person in lost} == {"1", "2"}
    assert all(person.phone is PhoneState.UNKNOWN for person in lost)
    assert all(person.im is ImState.UNKNOWN for person in lost)
    assert shown(board, "3").phone is PhoneState.AVAILABLE
    assert board.link_down(PBX, at=NOON + SECOND) == []


# --- What is shown --------------------------------------------------------------------------------


def test_times_say_since_when_each_state_holds() -> None:
    board = full_board()
    board.apply(PBX, changed(ADA, NOON, "ringing"), received=NOON + SECOND)
    assert shown(board, "1").phone_since == NOON + SECOND
    assert shown(board, "1").im_since == NOON


def test_an_invisible_person_is_no_different_from_one_who_left() -> None:
    left, hidden = full_board(), full_board()
    left.load(
        PBX,
        [presence(ADA, chat=ChatState.BUSY, message="At lunch", connected=False)],
        asked=[ADA],
        at=NOON,
    )
    hidden.load(
        PBX, [presence(ADA, chat=ChatState.INVISIBLE, message="At lunch")], asked=[ADA], at=NOON
    )
    assert record_of(shown(left, "1")) == record_of(shown(hidden, "1"))


def test_a_hostile_message_is_shown_as_one_plain_line() -> None:
    board = full_board()
    text = "Back\nat \u202etwo\x00"
    board.load(PBX, [presence(ADA, chat=ChatState.AWAY, message=text)], asked=[ADA], at=NOON)
    assert shown(board, "1").message == "Back at two"


def test_a_page_makes_its_user_be_there() -> None:
    board = full_board()
    board.load(PBX, [presence(ADA, chat=ChatState.AWAY, connected=False)], asked=[ADA], at=NOON)
    assert shown(board, "1").im is ImState.OFFLINE
    assert board.page("1", is_open=True, at=NOON)[0].im is ImState.AWAY
    assert board.page("1", is_open=True, at=NOON) == []
    assert board.page("1", is_open=False, at=NOON)[0].im is ImState.OFFLINE


def test_without_a_pbx_there_is_no_phone_and_a_page_is_being_there() -> None:
    board = full_board()
    assert shown(board, "4").phone is PhoneState.OFFLINE
    assert board.page("4", is_open=True, at=NOON)[0].im is ImState.AVAILABLE


def test_the_page_of_a_stranger_changes_nothing() -> None:
    assert full_board().page("99", is_open=True, at=NOON) == []


# --- Who there is ---------------------------------------------------------------------------------


def test_enrolling_the_same_people_again_changes_nothing() -> None:
    assert full_board().enrol(MEMBERS, at=NOON) == []


def test_a_new_name_is_shown_and_the_states_stay() -> None:
    board = full_board()
    renamed = board.enrol([replace(MEMBERS[0], name="Ada L.")], at=NOON + SECOND)
    assert (renamed[0].name, renamed[0].phone) == ("Ada L.", PhoneState.AVAILABLE)
    assert renamed[0].phone_since == NOON


def test_somebody_who_moves_to_another_pbx_is_unknown_there_at_first() -> None:
    board = full_board()
    moved = replace(MEMBERS[0], pbx=OTHER_PBX, pbx_user=PbxUserId("ada2"))
    assert board.enrol([moved], at=NOON)[0].phone is PhoneState.UNKNOWN
    assert board.apply(PBX, changed(ADA, NOON, "ringing"), received=NOON) == []
    assert board.user_id_of(OTHER_PBX, PbxUserId("ada2")) == "1"


def test_a_place_taken_by_somebody_else_is_not_lost_when_its_first_holder_moves() -> None:
    board = full_board()
    board.enrol([replace(MEMBERS[1], pbx_user=ADA)], at=NOON)
    board.enrol([replace(MEMBERS[0], pbx_user=PbxUserId("new"))], at=NOON)
    assert board.user_id_of(PBX, ADA) == "2"


def test_people_who_are_gone_are_forgotten() -> None:
    board = full_board()
    assert board.dismiss(["1", "99"]) == ["1"]
    assert board.person("1") is None
    assert board.user_ids == {"2", "3", "4"}
    assert board.apply(PBX, changed(ADA, NOON, "ringing"), received=NOON) == []


# --- Taking over ----------------------------------------------------------------------------------


def taken_over() -> Board:
    board = Board(epoch=8)
    board.restore([shown(full_board(), user_id) for user_id in ("1", "2", "3", "4")])
    return board


def test_what_an_earlier_engine_showed_stays_until_a_snapshot_says_otherwise() -> None:
    board = taken_over()
    assert board.enrol(MEMBERS, at=NOON + SECOND) == []
    assert shown(board, "1").phone is PhoneState.AVAILABLE
    assert board.page("1", is_open=True, at=NOON) == []
    again = board.load(
        PBX, [presence(ADA), presence(BO, "ringing")], asked=[ADA, BO], at=NOON + SECOND
    )
    assert [person.user_id for person in again] == ["2"]
    assert shown(board, "1").phone_since == NOON


def test_an_event_counts_before_the_snapshot_after_a_takeover() -> None:
    board = taken_over()
    board.enrol(MEMBERS, at=NOON)
    assert board.apply(PBX, changed(ADA, NOON, "ringing"), received=NOON)[0].user_id == "1"


def test_a_later_epoch_outdoes_every_revision_of_an_earlier_one() -> None:
    earlier, later = Board(epoch=7), Board(epoch=8)
    for _ in range(1000):
        earlier.next_revision()
    assert later.next_revision() > earlier.revision


# --- Properties -----------------------------------------------------------------------------------

PHONES = st.sampled_from(list(LineState))
CHATS = st.sampled_from(list(ChatState))
PRESENCES = st.builds(
    Presence,
    user=st.sampled_from([ADA, BO]),
    phone=PHONES,
    do_not_disturb=st.booleans(),
    chat=CHATS,
    message=st.sampled_from(["", "At lunch"]),
    connected=st.booleans(),
)


@st.composite
def histories(draw: st.DrawFn) -> list[PresenceChanged | DoNotDisturbChanged]:
    """What a PBX does within half a minute: whole states, and do-not-disturb by itself."""
    events: list[PresenceChanged | DoNotDisturbChanged] = []
    now = {user: presence(user) for user in (ADA, BO)}
    for index in range(draw(st.integers(0, 12))):
        at = NOON + timedelta(seconds=index * 2)
        if draw(st.booleans()):
            after = draw(PRESENCES)
            events.append(PresenceChanged(presence=after, at=at))
        else:
            user = draw(st.sampled_from([ADA, BO]))
            after = replace(now[user], do_not_disturb=draw(st.booleans()))
            events.append(DoNotDisturbChanged(user=user, enabled=after.do_not_disturb, at=at))
        now[after.user] = after
    return events


def final_states(events: list[PresenceChanged | DoNotDisturbChanged]) -> list[Presence]:
    now = {user: presence(user) for user in (ADA, BO)}
    for event in events:
        if isinstance(event, PresenceChanged):
            now[event.presence.user] = event.presence
        else:
            now[event.user] = replace(now[event.user], do_not_disturb=event.enabled)
    return list(now.values())


def states(board: Board) -> list[tuple[str, str, str]]:
    people = (shown(board, user_id) for user_id in ("1", "2"))
    return [(person.phone.value, person.im.value, person.message) for person in people]


@given(st.data())
def test_a_snapshot_and_any_shuffle_and_doubling_of_events_is_a_fresh_snapshot(
    data: st.DataObject,
) -> None:
    events = data.draw(histories())
    doubled = data.draw(st.lists(st.sampled_from(events))) if events else []
    arriving = data.draw(st.permutations(events + doubled))
    board = full_board()
    for event in arriving:
        board.apply(PBX, event, received=NOON)
    fresh = full_board()
    fresh.load(PBX, final_states(events), asked=[ADA, BO], at=NOON)
    assert states(board) == states(fresh)


@given(histories())
def test_changes_applied_one_by_one_are_the_board(
    events: list[PresenceChanged | DoNotDisturbChanged],
) -> None:
    """Who keeps of each person the greatest revision holds what the board holds."""
    board = full_board()
    kept = {user_id: shown(board, user_id) for user_id in ("1", "2")}
    revision = board.revision
    for event in events:
        for person in board.apply(PBX, event, received=NOON):
            assert person.revision > revision
            revision = person.revision
            kept[person.user_id] = person
    assert kept == {user_id: shown(board, user_id) for user_id in ("1", "2")}
