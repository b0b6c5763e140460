"""Call legs become whole calls, whatever order and however often their events come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluetel.telephony.types import (
    Call,
    CallId,
    CallState,
    ConversationId,
    Direction,
    PbxUserId,
)
from bluetel.telephony.wazo import calls as module
from bluetel.telephony.wazo.calls import CallBook, calls_of
from bluetel.telephony.wazo.legs import (
    CallMissed,
    Leg,
    LegEnded,
    LegHeld,
    LegNews,
    LegSeen,
    Phase,
    supersedes,
)
from tests.unit.telephony.wazo.transcripts import ALICE, BOB, CALL_TRANSCRIPTS, CAROL, news

T0 = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ME, PEER, THIRD = PbxUserId("me"), PbxUserId("peer"), PbxUserId("third")
CONVERSATION = ConversationId("c")

N = TypeVar("N")


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def leg(
    leg_id: str = "c.0",
    *,
    user: PbxUserId | None = ME,
    phase: Phase = Phase.RINGING,
    is_caller: bool = True,
    talks_to: Iterable[str] = (),
    conversation: str = "c",
    **more: Any,
) -> Leg:
    made = Leg(
        id=CallId(leg_id),
        conversation=ConversationId(conversation),
        user=user,
        phase=phase,
        is_caller=is_caller,
        peer_number="1002",
        peer_name="Nadia",
        talks_to=frozenset(talks_to),
        created_at=T0,
    )
    return replace(made, **more)


def own(phase: Phase = Phase.RINGING, **more: Any) -> Leg:
    return leg("c.0", user=ME, phase=phase, is_caller=True, **more)


def peer(phase: Phase = Phase.RINGING, **more: Any) -> Leg:
    return leg("c.1", user=PEER, phase=phase, is_caller=False, **more)


def told(book: CallBook, said: Sequence[LegNews]) -> dict[PbxUserId, Call]:
    """Tell everything and give each person's last call."""
    last = {}
    for piece in said:
        for call in book.apply(piece):
            last[call.user] = call
    return last


def final(said: Iterable[LegNews]) -> dict[PbxUserId, Call]:
    return told(CallBook(), list(said))


def states(said: Iterable[LegNews], user: str) -> list[CallState]:
    """The states one person's call goes through, each once."""
    book = CallBook()
    seen: list[CallState] = []
    for piece in said:
        for call in book.apply(piece):
            if call.user == user and (not seen or seen[-1] is not call.state):
                seen.append(call.state)
    return seen


class TestRecorded:
    def test_a_click_to_call_rings_the_own_phone_then_the_peers_then_they_talk(self) -> None:
        said = news("call_admin_wildcard")
        assert states(said, ALICE) == [
            CallState.RINGING_SELF,
            CallState.RINGING_PEER,
            CallState.TALKING,
            CallState.ENDED,
        ]
        assert states(said, BOB) == [
            CallState.RINGING_SELF,
            CallState.TALKING,
            CallState.ENDED,
        ]

    def test_a_finished_click_to_call_is_whole_on_both_sides(self) -> None:
        calls = final(news("call_admin_wildcard"))
        alice, bob = calls[PbxUserId(ALICE)], calls[PbxUserId(BOB)]
        assert (alice.direction, alice.number, alice.name) == (
            Direction.OUTGOING,
            "1002",
            "Bob Durand",
        )
        assert (bob.direction, bob.number, bob.name) == (
            Direction.INCOMING,
            "1001",
            "Alice Martin",
        )
        assert (alice.id, alice.conversation) == ("1795333711.0", "1795333711.0")
        assert (bob.id, bob.conversation) == ("1795333713.1", "1795333711.0")
        assert (alice.cause, bob.cause) == (16, 16)
        assert alice.reached is bob.reached is CallState.TALKING
        assert alice.started_at == datetime(2026, 11, 22, 7, 48, 31, 680000, tzinfo=UTC)
        # Alice picked her own phone up two seconds before Bob picked up his.
        assert alice.answered_at == bob.answered_at
        assert alice.answered_at == datetime(2026, 11, 22, 7, 48, 35, 482225, tzinfo=UTC)
        assert alice.ended_at == datetime(2026, 11, 22, 7, 48, 39, 20358, tzinfo=UTC)

    @pytest.mark.parametrize("name", CALL_TRANSCRIPTS)
    def test_the_first_time_told_of_an_answer_is_the_true_one(self, name: str) -> None:
        book = CallBook()
        first: dict[PbxUserId, datetime] = {}
        last: dict[PbxUserId, Call] = {}
        for piece in news(name):
            for call in book.apply(piece):
                last[call.user] = call
                if call.answered_at is not None:
                    first.setdefault(call.user, call.answered_at)
        assert first == {
            user: call.answered_at for user, call in last.items() if call.answered_at is not None
        }

    def test_a_number_dialled_on_the_handset_rings_the_peer_at_once(self) -> None:
        assert states(news("call_hold_admin_wildcard"), ALICE) == [
            CallState.RINGING_PEER,
            CallState.TALKING,
            CallState.ENDED,
        ]

    def test_a_hold_shows_on_the_side_that_holds(self) -> None:
        said = news("call_hold_admin_wildcard")
        assert states(said, CAROL) == [
            CallState.RINGING_SELF,
            CallState.TALKING,
            CallState.HELD,
            CallState.TALKING,
            CallState.ENDED,
        ]
        assert CallState.HELD not in states(said, ALICE)

    def test_a_declined_call_was_never_talked_on_though_an_announcement_answered(self) -> None:
        said = news("call_declined_admin_wildcard")
        assert states(said, ALICE) == [CallState.RINGING_PEER, CallState.ENDED]
        alice = final(said)[PbxUserId(ALICE)]
        assert (alice.reached, alice.cause, alice.answered_at) == (
            CallState.RINGING_PEER,
            17,
            None,
        )

    def test_the_callee_of_a_missed_call_was_only_rung(self) -> None:
        carol = final(news("call_missed_admin_wildcard"))[PbxUserId(CAROL)]
        assert (carol.reached, carol.direction) == (
            CallState.RINGING_SELF,
            Direction.INCOMING,
        )

    def test_a_caller_who_gives_up_ended_it_normally(self) -> None:
        alice = final(news("call_missed_admin_wildcard"))[PbxUserId(ALICE)]
        assert (alice.reached, alice.cause) == (CallState.RINGING_PEER, 16)

    def test_a_call_to_who_is_not_to_be_disturbed_ends_busy(self) -> None:
        said = news("call_to_dnd_admin_wildcard")
        alice = final(said)[PbxUserId(ALICE)]
        assert (alice.reached, alice.cause) == (CallState.RINGING_PEER, 17)
        assert states(said, ALICE) == [CallState.RINGING_PEER, CallState.ENDED]

    def test_a_forwarded_call_is_talked_on_with_whom_it_led_to(self) -> None:
        calls = final(news("call_forwarded_admin_wildcard"))
        assert PbxUserId(CAROL) not in calls
        alice = calls[PbxUserId(ALICE)]
        assert (alice.number, alice.name) == ("1002", "Bob Durand")
        assert (alice.reached, alice.cause) == (CallState.TALKING, 16)
        assert alice.answered_at == calls[PbxUserId(BOB)].answered_at

    def test_an_attended_transfer_leaves_one_call_for_each_of_the_three(self) -> None:
        said = news("transfer_admin_wildcard")
        calls = final(said)
        assert {user: call.id for user, call in calls.items()} == {
            ALICE: "1795333803.5",
            BOB: "1795333804.6",
            CAROL: "1795333809.9",
        }
        assert {call.reached for call in calls.values()} == {CallState.TALKING}
        assert calls[PbxUserId(ALICE)].name == "Carol Leroy"
        assert states(said, BOB) == [
            CallState.RINGING_SELF,
            CallState.TALKING,
            CallState.ENDED,
        ]
        assert CallState.RINGING_PEER not in states(said, ALICE)[1:]

    @pytest.mark.parametrize("name", CALL_TRANSCRIPTS)
    def test_all_of_a_finished_conversation_is_ended(self, name: str) -> None:
        book = CallBook()
        told(book, news(name))
        assert book.live() == []


def settled(calls: Iterable[Call]) -> set[tuple[object, ...]]:
    """What a snapshot can know of living calls: it has no history."""
    return {
        (c.user, c.id, c.conversation, c.state, c.direction, c.number, c.name, c.muted)
        for c in calls
    }


def snapshot_after(said: Sequence[LegNews]) -> list[Leg]:
    """What ``GET /calls`` would list after these events, told in order."""
    living: dict[CallId, Leg] = {}
    for piece in said:
        match piece:
            case LegSeen(leg=seen):
                living[seen.id] = seen
            case LegHeld(id=leg_id, held=held):
                living[leg_id] = replace(living[leg_id], on_hold=held)
            case LegEnded(leg=ended):
                living.pop(ended.id, None)
            case CallMissed():
                pass
    return list(living.values())


@st.composite
def shuffled(draw: st.DrawFn, pieces: Sequence[N]) -> list[N]:
    """These pieces in any order, some of them several times."""
    again = draw(st.lists(st.sampled_from(range(len(pieces))), max_size=len(pieces)))
    return [*draw(st.permutations([*pieces, *(pieces[index] for index in again)]))]


class TestOrder:
    @given(data=st.data(), name=st.sampled_from(CALL_TRANSCRIPTS))
    @settings(max_examples=150)
    def test_any_shuffle_and_duplication_ends_in_what_a_snapshot_shows(
        self, data: st.DataObject, name: str
    ) -> None:
        said = news(name)
        until = data.draw(st.integers(1, len(said)), label="cut after")
        book = CallBook()
        told(book, data.draw(shuffled(said[:until])))
        assert settled(book.live()) == settled(calls_of(snapshot_after(said[:until])))

    @given(data=st.data(), name=st.sampled_from(CALL_TRANSCRIPTS))
    @settings(max_examples=150)
    def test_any_shuffle_and_duplication_ends_as_the_true_order_does(
        self, data: st.DataObject, name: str
    ) -> None:
        said = news(name)
        until = data.draw(st.integers(1, len(said)), label="cut after")
        assert final(data.draw(shuffled(said[:until]))) == final(said[:until])

    @given(data=st.data(), name=st.sampled_from(CALL_TRANSCRIPTS))
    @settings(max_examples=75)
    def test_a_snapshot_and_the_events_since_end_as_all_events_do(
        self, data: st.DataObject, name: str
    ) -> None:
        said = news(name)
        read_after = data.draw(st.integers(0, len(said)), label="snapshot after")
        heard_from = data.draw(st.integers(0, read_after), label="heard from")
        book = CallBook()
        book.reconcile(snapshot_after(said[:read_after]))
        told(book, said[heard_from:])
        everything = CallBook()
        told(everything, said)
        assert settled(book.live()) == settled(everything.live())

    @pytest.mark.parametrize("name", CALL_TRANSCRIPTS)
    def test_hearing_everything_again_changes_nothing(self, name: str) -> None:
        book = CallBook()
        told(book, news(name))
        assert told(book, news(name)) == {}

    def test_a_stale_record_brings_no_ended_call_back(self) -> None:
        book = CallBook()
        told(book, [LegSeen(leg=own(), at=at(0)), LegEnded(leg=own(cause=16), at=at(5))])
        assert book.apply(LegSeen(leg=own(), at=at(1))) == []
        assert book.live() == []

    def test_a_leg_heard_of_only_by_its_end_is_an_ended_call(self) -> None:
        (call,) = CallBook().apply(LegEnded(leg=own(Phase.UP, cause=16), at=at(1)))
        assert (call.state, call.number) == (CallState.ENDED, "1002")

    def test_a_late_record_does_not_undo_a_newer_one(self) -> None:
        calls = final(
            [
                LegSeen(leg=peer(Phase.UP, muted=True), at=at(2)),
                LegSeen(leg=peer(Phase.UP, muted=False), at=at(1)),
            ]
        )
        assert calls[PEER].muted

    def test_of_two_records_of_one_moment_the_one_that_knows_more_counts(self) -> None:
        more = LegSeen(leg=own(Phase.UP, peer_name="Nadia"), at=at(1))
        less = LegSeen(leg=own(Phase.UP, peer_name=""), at=at(1))
        assert final([more, less])[ME].name == final([less, more])[ME].name == "Nadia"

    def test_the_autumn_night_does_not_freeze_a_call(self) -> None:
        calls = final(
            [
                LegSeen(leg=peer(Phase.UP, muted=True), at=at(3599)),
                LegSeen(leg=peer(Phase.UP, muted=False), at=at(0)),
            ]
        )
        assert not calls[PEER].muted

    @pytest.mark.parametrize(
        ("new", "known", "expected"),
        [
            pytest.param(at(1), None, True, id="first"),
            pytest.param(None, None, True, id="first, without a time"),
            pytest.param(None, at(0), False, id="without a time after one with"),
            pytest.param(at(1), at(0), True, id="later"),
            pytest.param(at(0), at(0), True, id="same time"),
            pytest.param(at(0), at(60), False, id="a minute older"),
            pytest.param(at(0), at(61), True, id="more than a minute older"),
        ],
    )
    def test_the_newer_envelope_time_wins(
        self, new: datetime | None, known: datetime | None, *, expected: bool
    ) -> None:
        assert supersedes(new, known) is expected


class TestStates:
    @pytest.mark.parametrize(
        ("legs", "expected"),
        [
            pytest.param([own(Phase.NEW)], CallState.RINGING_SELF, id="originated"),
            pytest.param([own()], CallState.RINGING_SELF, id="own phone rings"),
            pytest.param([own(Phase.DIALLING)], CallState.RINGING_PEER, id="dialled by hand"),
            pytest.param([own(Phase.UP)], CallState.RINGING_PEER, id="own phone picked up"),
            pytest.param([own(Phase.UP), peer()], CallState.RINGING_PEER, id="peer rings"),
            pytest.param([own(Phase.UP), peer(Phase.UP)], CallState.TALKING, id="peer picked up"),
            pytest.param(
                [own(Phase.UP, talks_to=["trunk"])], CallState.TALKING, id="talks to a trunk"
            ),
            pytest.param(
                [own(Phase.UP, bridges=("b",))], CallState.TALKING, id="alone in a conference"
            ),
            pytest.param(
                [own(Phase.UP), leg("c.1", user=None, phase=Phase.UP, is_caller=False)],
                CallState.TALKING,
                id="a trunk leg is up",
            ),
            pytest.param(
                [own(Phase.UP), leg("c.2", user=ME, phase=Phase.UP)],
                CallState.RINGING_PEER,
                id="a second line of his own is no peer",
            ),
            pytest.param([own(Phase.UP, on_hold=True)], CallState.HELD, id="on hold"),
            pytest.param(
                [own(Phase.RINGING, on_hold=True)], CallState.RINGING_SELF, id="held too early"
            ),
        ],
    )
    def test_a_callers_state(self, legs: list[Leg], expected: CallState) -> None:
        calls = {call.user: call for call in calls_of(legs)}
        assert calls[ME].state is expected

    @pytest.mark.parametrize(
        ("phase", "expected"),
        [
            (Phase.NEW, CallState.RINGING_SELF),
            (Phase.RINGING, CallState.RINGING_SELF),
            (Phase.DIALLING, CallState.RINGING_SELF),
            (Phase.UP, CallState.TALKING),
        ],
    )
    def test_a_callees_state(self, phase: Phase, expected: CallState) -> None:
        (call,) = calls_of([peer(phase)])
        assert (call.state, call.direction) == (expected, Direction.INCOMING)
        assert call.reached is expected

    def test_a_call_transferred_away_is_still_talked_on_by_who_consults(self) -> None:
        calls = calls_of([own(Phase.UP), peer(Phase.UP), leg("c.3", user=THIRD, is_caller=False)])
        assert {call.user: call.state for call in calls} == {
            ME: CallState.TALKING,
            PEER: CallState.TALKING,
            THIRD: CallState.RINGING_SELF,
        }

    def test_a_local_channels_legs_are_nobodys_and_never_counted(self) -> None:
        half = leg("c.7", user=None, phase=Phase.UP, is_caller=False, is_local=True)
        book = CallBook()
        told_of = book.reconcile([own(Phase.UP), half])
        assert [call.state for call in told_of] == [CallState.RINGING_PEER]

    def test_two_lines_ringing_at_once_are_one_call(self) -> None:
        book = CallBook()
        told(
            book,
            [
                LegSeen(leg=peer(), at=at(0)),
                LegSeen(leg=leg("c.2", user=PEER, is_caller=False), at=at(0)),
            ],
        )
        assert [call.id for call in book.live()] == ["c.1"]

    def test_the_line_that_was_picked_up_stands_for_the_call(self) -> None:
        last = final(
            [
                LegSeen(leg=peer(), at=at(0)),
                LegSeen(leg=leg("c.2", user=PEER, is_caller=False), at=at(0)),
                LegSeen(leg=leg("c.2", user=PEER, is_caller=False, phase=Phase.UP), at=at(1)),
                LegEnded(leg=peer(cause=26), at=at(1)),
            ]
        )
        assert (last[PEER].id, last[PEER].state) == ("c.2", CallState.TALKING)

    def passed_back(self) -> list[LegNews]:
        """The peer talks, is gone, and is rung once more in the same conversation."""
        again = leg("c.4", user=PEER, is_caller=False, created_at=at(20))
        return [
            LegSeen(leg=own(Phase.UP, talks_to=["c.1"], answered_at=at(1)), at=at(2)),
            LegSeen(leg=peer(Phase.UP, answered_at=at(2)), at=at(2)),
            LegEnded(leg=peer(Phase.UP, answered_at=at(2), cause=16, ended_at=at(9)), at=at(9)),
            LegSeen(leg=again, at=at(20)),
        ]

    def test_who_is_passed_back_to_has_one_more_call(self) -> None:
        last = final(self.passed_back())[PEER]
        assert (last.id, last.state) == ("c.4", CallState.RINGING_SELF)
        assert (last.reached, last.answered_at) == (CallState.RINGING_SELF, None)

    def test_the_end_of_the_second_call_is_told_as_its_own(self) -> None:
        end = leg("c.4", user=PEER, is_caller=False, created_at=at(20), cause=16, ended_at=at(25))
        last = final([*self.passed_back(), LegEnded(leg=end, at=at(25))])[PEER]
        assert (last.id, last.state) == ("c.4", CallState.ENDED)
        assert last.reached is CallState.RINGING_SELF

    @given(data=st.data())
    def test_a_call_passed_back_ends_as_a_snapshot_in_any_order(self, data: st.DataObject) -> None:
        said = self.passed_back()
        book = CallBook()
        told(book, data.draw(shuffled(said)))
        assert settled(book.live()) == settled(calls_of(snapshot_after(said)))

    def test_of_two_legs_the_older_stands_for_the_call(self) -> None:
        later = leg("c.00", created_at=at(5))
        undated = leg("c.000", created_at=None)
        assert [call.id for call in calls_of([later, own()])] == ["c.0"]
        assert [call.id for call in calls_of([undated, own()])] == ["c.000"]

    def test_a_leg_keeps_the_conversation_it_was_first_seen_in(self) -> None:
        book = CallBook()
        told(book, [LegSeen(leg=peer(Phase.UP), at=at(0))])
        moved = replace(peer(Phase.UP, muted=True), conversation=ConversationId("d"))
        (call,) = book.apply(LegSeen(leg=moved, at=at(1)))
        assert (call.conversation, call.muted) == (CONVERSATION, True)


class TestHold:
    def test_a_hold_heard_before_the_leg_is_kept_for_it(self) -> None:
        calls = final(
            [
                LegHeld(id=CallId("c.1"), held=True, at=at(2)),
                LegSeen(leg=peer(Phase.UP), at=at(1)),
            ]
        )
        assert calls[PEER].state is CallState.HELD

    def test_a_resume_undoes_it_and_a_late_hold_does_not_come_back(self) -> None:
        calls = final(
            [
                LegSeen(leg=peer(Phase.UP), at=at(1)),
                LegHeld(id=CallId("c.1"), held=False, at=at(4)),
                LegHeld(id=CallId("c.1"), held=True, at=at(3)),
            ]
        )
        assert calls[PEER].state is CallState.TALKING

    def test_holds_of_legs_never_seen_are_forgotten_in_time(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "MOST_UNKNOWN", 2)
        calls = final(
            [
                LegHeld(id=CallId("c.1"), held=True, at=at(2)),
                LegHeld(id=CallId("x.1"), held=True, at=at(2)),
                LegHeld(id=CallId("x.2"), held=True, at=at(2)),
                LegSeen(leg=peer(Phase.UP), at=at(1)),
            ]
        )
        assert calls[PEER].state is CallState.TALKING


class TestCause:
    def ended(
        self,
        cause: int | None,
        *,
        phase: Phase = Phase.UP,
        missed: str = "",
        others: Sequence[LegNews] = (),
    ) -> int | None:
        said: list[LegNews] = [LegSeen(leg=own(phase), at=at(0)), *others]
        if missed:
            said.append(CallMissed(conversation=CONVERSATION, reason=missed))
        said.append(LegEnded(leg=own(phase, cause=cause, ended_at=at(9)), at=at(9)))
        return final(said)[ME].cause

    def test_an_own_phone_that_was_not_picked_up_keeps_its_cause(self) -> None:
        assert self.ended(127, phase=Phase.RINGING) == 127

    @pytest.mark.parametrize("cause", [17, 19, 21, 1, 34])
    def test_a_clear_cause_of_the_own_leg_is_believed(self, cause: int) -> None:
        assert self.ended(cause, missed="busy") == cause

    @pytest.mark.parametrize("cause", [16, 127, None])
    def test_a_vague_cause_gives_way_to_the_peers(self, cause: int | None) -> None:
        refused = LegEnded(leg=peer(cause=21, ended_at=at(3)), at=at(3))
        assert self.ended(cause, others=[refused]) == 21

    def test_of_several_peers_the_last_one_decides(self) -> None:
        first = LegEnded(leg=peer(cause=17, ended_at=at(3)), at=at(3))
        last = LegEnded(leg=leg("c.2", user=THIRD, cause=20, ended_at=at(4)), at=at(4))
        assert self.ended(16, others=[last, first]) == 20

    def test_a_peers_own_vague_cause_says_nothing(self) -> None:
        cancelled = LegEnded(leg=peer(cause=127, ended_at=at(3)), at=at(3))
        assert self.ended(16, others=[cancelled]) == 16

    @pytest.mark.parametrize(
        ("reason", "cause"),
        [("busy", 17), ("dnd", 17), ("no-answer", 19), ("phone-unreachable", 20)],
    )
    def test_the_pbx_says_why_a_call_was_missed(self, reason: str, cause: int) -> None:
        assert self.ended(16, missed=reason) == cause

    def test_a_forward_is_no_reason_to_end_where_it_rang_somebody(self) -> None:
        rung = LegEnded(leg=peer(cause=127, ended_at=at(3)), at=at(3))
        assert self.ended(16, missed="unconditional-forward", others=[rung]) == 16

    def test_a_forward_that_rang_nobody_led_to_a_box_so_nobody_answered(self) -> None:
        assert self.ended(16, missed="unconditional-forward") == 19

    def test_who_hangs_up_his_own_handset_ended_it_normally(self) -> None:
        assert self.ended(127, phase=Phase.DIALLING) == 16

    def test_after_talking_the_own_cause_stands(self) -> None:
        assert self.ended(127, others=[LegSeen(leg=peer(Phase.UP), at=at(1))]) == 127

    def test_the_first_of_two_ends_gives_the_time(self) -> None:
        first = own(Phase.UP, cause=17, ended_at=at(5))
        second = own(Phase.UP, cause=16, ended_at=at(6))
        for order in ([first, second], [second, first]):
            call = final([LegEnded(leg=one, at=at(7)) for one in order])[ME]
            assert (call.ended_at, call.cause) == (at(5), 17)

    def test_a_missed_call_of_a_conversation_never_seen_is_nobodys(self) -> None:
        assert CallBook().apply(CallMissed(conversation=CONVERSATION, reason="busy")) == []


class TestSnapshot:
    def test_a_call_that_ended_while_nobody_listened_is_ended_without_a_cause(self) -> None:
        book = CallBook()
        told(book, [LegSeen(leg=own(Phase.UP, talks_to=["c.1"]), at=at(0))])
        (call,) = book.reconcile([])
        assert (call.state, call.cause, call.ended_at) == (CallState.ENDED, None, None)
        assert call.reached is CallState.TALKING

    def test_its_real_end_still_fills_in_the_cause(self) -> None:
        book = CallBook()
        told(book, [LegSeen(leg=own(Phase.UP, talks_to=["c.1"]), at=at(0))])
        book.reconcile([])
        end = own(Phase.UP, cause=16, ended_at=at(3))
        (call,) = book.apply(LegEnded(leg=end, at=at(3)))
        assert (call.cause, call.ended_at) == (16, at(3))

    def test_a_call_that_began_meanwhile_appears(self) -> None:
        (call,) = CallBook().reconcile([peer()])
        assert call.state is CallState.RINGING_SELF

    def test_what_was_heard_before_gives_way_to_the_snapshot(self) -> None:
        book = CallBook()
        told(book, [LegSeen(leg=peer(Phase.UP, muted=True, on_hold=True), at=at(9))])
        (call,) = book.reconcile([peer(Phase.UP)])
        assert (call.state, call.muted) == (CallState.TALKING, False)

    def test_an_ended_leg_stays_ended_though_the_snapshot_still_lists_it(self) -> None:
        book = CallBook()
        told(book, [LegSeen(leg=own(), at=at(0)), LegEnded(leg=own(cause=16), at=at(1))])
        assert book.reconcile([own()]) == []

    def test_history_outlives_a_lost_stream(self) -> None:
        book = CallBook()
        told(book, [LegSeen(leg=own(Phase.UP, talks_to=["c.1"], answered_at=at(1)), at=at(1))])
        (call,) = book.reconcile([own(Phase.UP)])
        assert (call.state, call.reached) == (CallState.RINGING_PEER, CallState.TALKING)


class TestMemory:
    def test_ended_conversations_are_forgotten_in_time(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "MOST_ENDED", 3)
        book = CallBook()
        for number in range(10):
            one = leg(f"{number}.0", conversation=str(number))
            told(book, [LegSeen(leg=one, at=at(0)), LegEnded(leg=one, at=at(1))])
        assert len(book._legs) == len(book._calls) == len(book._ended) == 3
        assert set(book._tracks) == set(book._conversation_of) == {"7.0", "8.0", "9.0"}

    def test_a_conversation_that_goes_on_with_another_leg_is_not_forgotten(self) -> None:
        book = CallBook()
        told(
            book,
            [
                LegSeen(leg=own(), at=at(0)),
                LegEnded(leg=own(), at=at(1)),
                LegSeen(leg=peer(), at=at(2)),
            ],
        )
        assert not book._ended

    def test_missed_calls_are_forgotten_in_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MOST_ENDED", 3)
        book = CallBook()
        for number in range(10):
            book.apply(CallMissed(conversation=ConversationId(str(number)), reason="busy"))
        assert len(book._missed) == 3

    def test_a_hold_that_only_its_id_named_is_no_call(self) -> None:
        book = CallBook()
        assert book.apply(LegHeld(id=CallId("x"), held=True, at=at(0))) == []
        assert book.reconcile([]) == []
