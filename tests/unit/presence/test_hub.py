from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluetel.calls.messages import CallRecord
from presence.hub import AT_ONCE, WINDOW, Hub
from presence.live import call_message
from presence.messages import (
    GoneMessage,
    Known,
    LinkMessage,
    PagesWanted,
    PersonRecord,
    PresenceMessage,
    SessionMessage,
    UserMessage,
)
from presence.person import EPOCH_BITS
from presence.recent import KEPT, Recent
from presence.states import Link, Links

PBX = 1
EPOCH = 5
BASE = EPOCH << EPOCH_BITS
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class DrivenClock:
    """Time passes only in ``advance``."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._count = 0

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], object], /) -> None:
        self._count += 1
        heapq.heappush(self._due, (self.now + delay, self._count, callback))

    def advance(self, seconds: float) -> None:
        until = self.now + seconds
        while self._due and self._due[0][0] <= until + 1e-9:
            due, _, callback = heapq.heappop(self._due)
            self.now = max(self.now, due)
            callback()
        self.now = max(self.now, until)

    def run_next(self) -> None:
        """Do what is due first, and nothing else."""
        due, _, callback = heapq.heappop(self._due)
        self.now = max(self.now, due)
        callback()

    def be_busy(self, seconds: float) -> None:
        """Let time pass with the loop at something else."""
        self.now += seconds

    @property
    def is_idle(self) -> bool:
        return not self._due


def told(sockets: Iterable[FakeSocket]) -> int:
    """How many of them were sent something."""
    return sum(1 for socket in sockets if socket.texts)


class FakeSocket:
    """Keeps what it is given; ``is_busy`` is the test's."""

    def __init__(self, user_id: str = "me", *, pbx: int | None = PBX, session: str = "s1") -> None:
        self.user_id = user_id
        self.pbx = pbx
        self.session = session
        self.is_busy = False
        self.texts: list[str] = []
        self.checks = 0
        self.is_ended = False

    def push(self, frame: str) -> None:
        self.texts.append(frame)

    def check_session(self) -> None:
        self.checks += 1

    def end(self) -> None:
        self.is_ended = True

    def frames(self) -> list[dict[str, Any]]:
        """What came since the last time."""
        texts, self.texts = self.texts, []
        return [json.loads(text) for text in texts]

    def states(self) -> list[list[tuple[str, str]]]:
        """Of each presence frame that came since the last time: (user, phone)."""
        return [
            [(person["user_id"], person["phone"]) for person in frame["people"]]
            for frame in self.frames()
            if frame["type"].startswith("presence.")
        ]


def known(
    user_id: str,
    phone: str = "available",
    *,
    revision: int = 0,
    pbx: int | None = PBX,
    im_by: str = "pbx",
) -> Known:
    record = PersonRecord(
        user_id=user_id,
        name=f"User {user_id}",
        phone=phone,  # type: ignore[typeddict-item]
        im="available",
        message="Here",
        since="2026-11-24T11:00:00Z",
        phone_since="2026-11-24T11:00:00Z",
        im_since="2026-11-24T10:00:00Z",
    )
    return Known(revision=BASE + revision, pbx=pbx, im_by=im_by, person=record)


def links(*, is_up: bool = True, epoch: int = EPOCH, silent: bool = False) -> Links:
    link = Link(pbx=PBX, is_up=is_up, since=NOON, revision=BASE + 1)
    return Links(
        by_pbx={PBX: link}, epoch=epoch, silent_since=NOON + timedelta(hours=1) if silent else None
    )


def link_message(*, is_up: bool, revision: int) -> LinkMessage:
    return LinkMessage(
        type="link", pbx=PBX, is_up=is_up, since="2026-11-24T13:00:00Z", revision=BASE + revision
    )


class Bench:
    """A hub that knows users a to e, with an engine on duty and its PBX heard."""

    def __init__(self) -> None:
        self.clock = DrivenClock()
        self.opened: list[str] = []
        self.hub = Hub(self.clock, on_user=self.opened.append)
        self.revision = 10
        self.hub.learn(known(user_id, revision=2) for user_id in "abcde")
        self.hub.heed(links())

    def socket(self, watch: Iterable[str] | None = (), **about: Any) -> FakeSocket:
        """A socket that watches, its snapshot read."""
        socket = FakeSocket(**about)
        self.hub.join(socket)
        self.hub.watch(socket, watch)
        socket.texts.clear()
        return socket

    def happen(self, **phones: str) -> None:
        """One message: these users' phones change."""
        people = []
        for user_id, phone in phones.items():
            self.revision += 4
            people.append(known(user_id, phone, revision=self.revision))
        self.hub.take(PresenceMessage(type="presence", people=people))


@pytest.fixture
def bench() -> Bench:
    return Bench()


# --- Watching -------------------------------------------------------------------------------------


def test_before_the_first_watch_nothing_about_people_is_sent(bench: Bench) -> None:
    socket = FakeSocket()
    bench.hub.join(socket)
    bench.happen(a="busy")
    bench.hub.take(link_message(is_up=False, revision=99))
    bench.hub.resync(socket)
    bench.clock.advance(1)
    assert socket.frames() == []


def test_a_watch_is_answered_by_one_snapshot_of_exactly_those_people(bench: Bench) -> None:
    socket = FakeSocket()
    bench.hub.join(socket)
    bench.hub.watch(socket, ["b", "nobody", "a", "b"])
    (frame,) = socket.frames()
    assert frame["type"] == "presence.snapshot"
    assert [person["user_id"] for person in frame["people"]] == ["b", "a"]
    assert frame["revision"] == bench.hub.revision


def test_everybody_can_be_watched(bench: Bench) -> None:
    socket = FakeSocket()
    bench.hub.join(socket)
    bench.hub.watch(socket, None)
    assert [user for user, _ in socket.states()[0]] == list("abcde")
    bench.happen(e="ringing")
    assert socket.states() == [[("e", "ringing")]]


def test_a_second_snapshot_of_everybody_is_not_made_anew_and_is_never_old(bench: Bench) -> None:
    one, two = bench.socket(None), FakeSocket()
    bench.hub.join(two)
    bench.hub.watch(two, None)
    bench.hub.resync(one)
    assert one.texts[0] is two.texts[0]
    bench.happen(a="busy")
    bench.hub.resync(two)
    assert dict(two.states()[-1])["a"] == "busy"


def test_a_watch_replaces_the_one_before(bench: Bench) -> None:
    socket = bench.socket(["a"])
    bench.hub.watch(socket, ["b"])
    socket.frames()
    bench.happen(a="busy")
    bench.happen(b="ringing")
    assert socket.states() == [[("b", "ringing")]]


def test_watching_everybody_gives_way_to_watching_some(bench: Bench) -> None:
    socket = bench.socket(None)
    bench.hub.watch(socket, ["b"])
    socket.frames()
    bench.happen(a="busy")
    assert socket.frames() == []


def test_a_resync_sends_all_that_is_watched_once_more(bench: Bench) -> None:
    socket = bench.socket(["a", "b"])
    bench.happen(a="busy")
    socket.frames()
    bench.hub.resync(socket)
    assert socket.states() == [[("a", "busy"), ("b", "available")]]


def test_a_socket_that_left_gets_nothing_and_may_ask_for_nothing(bench: Bench) -> None:
    socket = bench.socket(["a"])
    bench.happen(a="busy")
    socket.frames()
    bench.hub.leave(socket)
    bench.hub.leave(socket)
    bench.happen(a="ringing")
    bench.hub.watch(socket, ["a"])
    bench.hub.resync(socket)
    bench.hub.drained(socket)
    bench.clock.advance(1)
    assert socket.frames() == []


def test_somebody_unknown_is_sent_once_he_is_known(bench: Bench) -> None:
    socket = bench.socket(["new"])
    bench.happen(new="available")
    assert socket.states() == [[("new", "available")]]


def test_who_is_gone_is_in_no_snapshot(bench: Bench) -> None:
    socket = bench.socket(["a", "b"])
    bench.hub.take(GoneMessage(type="gone", users=["a"]))
    bench.hub.resync(socket)
    assert socket.states() == [[("b", "available")]]


# --- What an event costs --------------------------------------------------------------------------


def test_the_first_change_is_sent_at_once(bench: Bench) -> None:
    socket = bench.socket(["a"])
    bench.happen(a="busy")
    assert socket.states() == [[("a", "busy")]]


def test_changes_within_the_window_come_in_one_frame_the_newest_of_each(bench: Bench) -> None:
    socket = bench.socket(["a", "b"])
    bench.happen(a="ringing")
    socket.frames()
    bench.happen(a="busy")
    bench.happen(b="ringing")
    bench.happen(a="available")
    assert socket.frames() == []
    bench.clock.advance(WINDOW)
    assert socket.states() == [[("b", "ringing"), ("a", "available")]]


def test_a_window_is_as_long_as_the_writing_before_it_took(bench: Bench) -> None:
    socket = bench.socket(["a", "b"])
    bench.happen(a="ringing")
    bench.clock.be_busy(3 * WINDOW)
    bench.clock.advance(0)
    bench.happen(b="ringing")
    bench.clock.advance(2 * WINDOW)
    assert socket.states() == [[("a", "ringing")]]
    bench.clock.advance(WINDOW)
    assert socket.states() == [[("b", "ringing")]]


def test_many_are_told_a_part_at_a_time(bench: Bench) -> None:
    sockets = [bench.socket(["a"]) for _ in range(2 * AT_ONCE)]
    bench.happen(a="ringing")
    assert told(sockets) == AT_ONCE
    bench.clock.advance(0)
    assert told(sockets) == 2 * AT_ONCE


def test_between_parts_of_a_storm_the_loop_has_half_as_long_as_a_part_took(bench: Bench) -> None:
    sockets = [bench.socket(["a"]) for _ in range(3 * AT_ONCE)]
    bench.happen(a="ringing")
    bench.happen(a="busy")
    bench.clock.advance(0)
    for socket in sockets:
        socket.texts.clear()
    bench.clock.advance(WINDOW - 0.001)
    assert told(sockets) == 0
    bench.clock.be_busy(0.001)
    bench.happen(a="available")
    bench.clock.run_next()
    assert told(sockets) == AT_ONCE
    bench.clock.be_busy(0.01)
    bench.clock.advance(0.004)
    assert told(sockets) == AT_ONCE
    bench.clock.advance(0.002)
    assert told(sockets) > AT_ONCE


def test_who_waits_for_his_turn_is_told_the_newest_of_all_that_came_meanwhile(bench: Bench) -> None:
    sockets = [bench.socket(["a", "b"]) for _ in range(2 * AT_ONCE)]
    bench.happen(a="ringing")
    bench.happen(a="busy", b="busy")
    bench.clock.advance(0)
    assert sockets[-1].states() == [[("a", "busy"), ("b", "busy")]]
    assert sockets[0].states() == [[("a", "ringing")]]
    bench.clock.advance(WINDOW)
    assert sockets[0].states() == [[("a", "busy"), ("b", "busy")]]


def test_who_leaves_or_turns_away_while_he_waits_for_his_turn_is_not_told(bench: Bench) -> None:
    sockets = [bench.socket(["a"]) for _ in range(AT_ONCE + 2)]
    bench.happen(a="ringing")
    bench.hub.leave(sockets[-1])
    bench.hub.watch(sockets[-2], ["b"])
    sockets[-2].texts.clear()
    bench.clock.advance(1)
    assert sockets[-1].texts == sockets[-2].texts == []
    bench.happen(b="busy")
    assert sockets[-2].states() == [[("b", "busy")]]


def test_after_a_quiet_window_a_change_is_sent_at_once_again(bench: Bench) -> None:
    socket = bench.socket(["a"])
    bench.happen(a="ringing")
    bench.clock.advance(WINDOW)
    socket.frames()
    bench.happen(a="busy")
    assert socket.states() == [[("a", "busy")]]


def test_one_sockets_window_does_not_delay_another(bench: Bench) -> None:
    one, two = bench.socket(["a"]), bench.socket(["b"])
    bench.happen(a="ringing")
    bench.happen(b="ringing")
    assert one.states() == [[("a", "ringing")]]
    assert two.states() == [[("b", "ringing")]]


def test_several_people_of_one_message_come_in_one_frame(bench: Bench) -> None:
    socket = bench.socket(["a", "b", "c"])
    bench.happen(a="busy", b="busy", c="busy")
    assert [len(states) for states in socket.states()] == [3]


def test_a_frame_is_made_once_for_all_who_lack_the_same(bench: Bench) -> None:
    sockets = [bench.socket(["a", "b"]) for _ in range(50)]
    bench.happen(a="busy")
    first = sockets[0].texts[0]
    assert all(socket.texts[0] is first for socket in sockets)
    bench.happen(b="busy")
    bench.clock.advance(WINDOW)
    second = sockets[0].texts[1]
    assert all(socket.texts[1] is second for socket in sockets)


def test_a_change_reaches_its_watchers_and_nobody_else(bench: Bench) -> None:
    watching = [bench.socket(["a"]) for _ in range(3)]
    others = [bench.socket(["b"]) for _ in range(200)]
    bench.happen(a="busy")
    bench.clock.advance(1)
    assert [len(socket.texts) for socket in watching] == [1, 1, 1]
    assert not any(socket.texts for socket in others)


def test_without_watchers_nothing_is_made_and_no_timer_runs(bench: Bench) -> None:
    bench.socket(["b"])
    for phone in ("ringing", "busy", "available"):
        bench.happen(a=phone)
    assert bench.clock.is_idle


def test_after_a_storm_each_socket_holds_the_last_state(bench: Bench) -> None:
    sockets = [bench.socket(["a", "b"]) for _ in range(5)]
    for index in range(200):
        bench.happen(**{"ab"[index % 2]: ("busy", "ringing", "available")[index % 3]})
        bench.clock.advance(0.002)
    bench.happen(a="offline", b="busy")
    bench.clock.advance(WINDOW)
    for socket in sockets:
        kept = [dict(states) for states in socket.states()]
        assert len(kept) < 15
        assert {**kept[-2], **kept[-1]} == {"a": "offline", "b": "busy"}


def test_a_socket_that_does_not_read_costs_a_set_of_ids(bench: Bench) -> None:
    slow, quick = bench.socket(["a"]), bench.socket(["a"])
    slow.is_busy = True
    for index in range(100):
        bench.happen(a="busy" if index % 2 else "ringing")
        bench.clock.advance(WINDOW)
    assert slow.texts == []
    assert len(quick.texts) == 100
    slow.is_busy = False
    bench.hub.drained(slow)
    assert slow.states() == [[("a", "busy")]]
    bench.hub.drained(slow)
    assert slow.texts == []


# --- Late and foreign news ------------------------------------------------------------------------


def test_an_older_state_changes_nothing(bench: Bench) -> None:
    socket = bench.socket(["a"])
    bench.happen(a="busy")
    socket.frames()
    bench.hub.learn([known("a", "ringing", revision=3)])
    bench.clock.advance(WINDOW)
    assert socket.frames() == []


def test_a_deposed_engine_is_not_heard(bench: Bench) -> None:
    socket = bench.socket(["a"])
    bench.hub.heed(links(epoch=EPOCH + 1))
    socket.frames()
    bench.happen(a="busy")
    bench.hub.take(link_message(is_up=True, revision=50))
    bench.clock.advance(WINDOW)
    assert socket.frames() == []


def test_the_revision_only_grows(bench: Bench) -> None:
    socket = bench.socket(["a", "b"])
    for is_up in (False, True, False, True):
        bench.hub.heed(links(silent=not is_up))
        bench.clock.advance(WINDOW)
    bench.happen(a="busy")
    bench.clock.advance(WINDOW)
    revisions = [frame["revision"] for frame in socket.frames() if "revision" in frame]
    assert revisions == sorted(set(revisions))
    assert len(revisions) == 5


def test_a_foreign_message_raises_and_leaves_the_hub_as_it_was(bench: Bench) -> None:
    with pytest.raises(KeyError):
        bench.hub.take({"text": "hello"})  # type: ignore[arg-type]
    socket = bench.socket(["a"])
    bench.hub.take(PagesWanted(type="pages_wanted"))
    bench.happen(a="busy")
    assert socket.states() == [[("a", "busy")]]


# --- Links ----------------------------------------------------------------------------------------


def test_a_lost_pbx_turns_its_watched_people_unknown_and_says_so(bench: Bench) -> None:
    bench.hub.learn([known("admin", revision=5, pbx=None)])
    socket = bench.socket(["a", "admin"])
    bench.hub.take(link_message(is_up=False, revision=40))
    pbx, changes = socket.frames()
    assert pbx == {"type": "pbx", "state": "down", "since": "2026-11-24T13:00:00Z"}
    (person,) = changes["people"]
    assert person["user_id"] == "a"
    assert (person["phone"], person["im"], person["message"]) == ("unknown", "unknown", "")
    assert person["since"] == person["phone_since"] == "2026-11-24T13:00:00Z"


def test_a_pbx_that_is_heard_again_shows_its_people_as_they_are_now(bench: Bench) -> None:
    socket = bench.socket(["a"])
    bench.hub.take(link_message(is_up=False, revision=40))
    bench.revision = 44
    bench.happen(a="busy")
    bench.clock.advance(WINDOW)
    assert socket.states() == [[("a", "unknown")]]
    bench.hub.take(link_message(is_up=True, revision=60))
    pbx, changes = socket.frames()
    assert pbx["state"] == "up"
    assert changes["people"][0]["phone"] == "busy"


def test_who_comes_while_the_pbx_is_down_is_told_after_the_snapshot(bench: Bench) -> None:
    bench.hub.take(link_message(is_up=False, revision=40))
    socket = FakeSocket()
    bench.hub.join(socket)
    bench.hub.watch(socket, None)
    snapshot, pbx = socket.frames()
    assert {person["phone"] for person in snapshot["people"]} == {"unknown"}
    assert (pbx["type"], pbx["state"]) == ("pbx", "down")


def test_without_an_engine_nobody_is_heard_and_its_return_shows_them_again(bench: Bench) -> None:
    socket = bench.socket(["a"])
    bench.hub.heed(links(silent=True))
    pbx, changes = socket.frames()
    assert (pbx["state"], pbx["since"]) == ("down", "2026-11-24T13:00:00Z")
    assert changes["people"][0]["phone"] == "unknown"
    bench.clock.advance(WINDOW)
    bench.hub.heed(links())
    assert socket.frames()[1]["people"][0]["phone"] == "available"


def test_without_an_engine_nobody_hears_an_xmpp_server_either(bench: Bench) -> None:
    everywhere = (
        known("a", revision=50, im_by="xmpp"),
        known("b", revision=50, pbx=None, im_by="xmpp"),
    )
    bench.hub.learn(everywhere)
    bench.hub.learn([known("c", revision=50, pbx=None, im_by="bluetel")])
    socket = bench.socket(["a", "b", "c"])
    bench.hub.take(link_message(is_up=False, revision=60))
    (_pbx, changes) = socket.frames()
    assert [(one["user_id"], one["phone"], one["im"]) for one in changes["people"]] == [
        ("a", "unknown", "available")
    ]
    bench.clock.advance(WINDOW)
    bench.hub.heed(links(silent=True))
    (changes,) = socket.frames()
    assert [(one["user_id"], one["im"], one["message"]) for one in changes["people"]] == [
        ("a", "unknown", ""),
        ("b", "unknown", ""),
    ]
    assert {one["im_since"] for one in changes["people"]} == {"2026-11-24T13:00:00Z"}
    bench.clock.advance(WINDOW)
    bench.hub.heed(links())
    (changes,) = (one for one in socket.frames() if one["type"] != "pbx")
    assert {one["im"] for one in changes["people"]} == {"available"}


def test_without_a_readable_database_nobody_is_heard(bench: Bench) -> None:
    socket = bench.socket(["a"])
    bench.hub.go_silent("2026-11-24T14:00:00Z")
    assert socket.frames()[1]["people"][0]["since"] == "2026-11-24T14:00:00Z"


def test_a_row_older_than_the_last_message_does_not_undo_it(bench: Bench) -> None:
    socket = bench.socket(["a"])
    bench.hub.take(link_message(is_up=False, revision=40))
    socket.frames()
    bench.hub.heed(links(is_up=True))
    bench.clock.advance(WINDOW)
    assert socket.frames() == []


def test_a_new_engines_word_counts_before_its_lease_is_read(bench: Bench) -> None:
    socket = bench.socket(["a"])
    bench.hub.heed(links(silent=True))
    bench.clock.advance(WINDOW)
    socket.frames()
    bench.hub.take(link_message(is_up=True, revision=1 << EPOCH_BITS))
    assert socket.frames()[0]["state"] == "up"


def test_a_pbx_is_not_heard_until_the_new_engine_has_said_so(bench: Bench) -> None:
    socket = bench.socket(["a"])
    bench.hub.heed(links(epoch=EPOCH + 1))
    assert socket.frames()[0]["state"] == "down"


# --- One user's own -------------------------------------------------------------------------------


def call(state: str) -> CallRecord:
    return CallRecord(
        id="1",
        state=state,
        direction="outgoing",
        number="1002",
        shown="1002",
        dialed="1002",
        name="",
        contact_id=None,
        started_at=None,
        answered_at=None,
        ended_at=None,
        end_reason=None,
        held=False,
        muted=False,
        device=None,
        emergency=False,
    )


def test_a_call_is_told_to_all_pages_of_its_user_and_to_no_other(bench: Bench) -> None:
    mine = [FakeSocket("7"), FakeSocket("7")]
    other = FakeSocket("8")
    for socket in (*mine, other):
        bench.hub.join(socket)
    bench.hub.take(call_message(7, call("talking")))
    assert [socket.frames()[0]["call"]["state"] for socket in mine] == ["talking", "talking"]
    assert other.frames() == []


def test_every_state_of_a_call_is_sent_in_order(bench: Bench) -> None:
    socket = bench.socket(["a"], user_id="7")
    for state in ("ringing_self", "talking", "ended"):
        bench.hub.take(call_message(7, call(state)))
    assert [frame["call"]["state"] for frame in socket.frames()] == [
        "ringing_self",
        "talking",
        "ended",
    ]


def routing(user: str, destination: str) -> UserMessage:
    frame: Any = {"type": "routing", "destination": destination}
    return UserMessage(type="user", user=user, frame=frame)


def test_a_page_is_told_what_its_user_was_told_while_it_was_loading(bench: Bench) -> None:
    for user, destination in (("7", "1001"), ("7", "1002"), ("8", "1003")):
        bench.hub.take(routing(user, destination))
    bench.hub.take(call_message(7, call("talking")))
    bench.clock.advance(2)
    page, older = FakeSocket("7"), FakeSocket("7")
    for socket, age in ((page, 1.5), (older, 2.5)):
        bench.hub.join(socket)
        bench.hub.watch(socket, [], age=age)
    assert [frame["type"] for frame in page.frames()] == ["presence.snapshot"]
    _, told = older.frames()
    assert told == {"type": "routing", "destination": "1002"}


def test_what_users_were_told_long_ago_is_forgotten() -> None:
    recent = Recent()
    recent.note("7", "voicemail", "one", at=0.0)
    recent.note("8", "routing", "two", at=1.0)
    recent.note("7", "routing", "three", at=KEPT)
    recent.note("9", "routing", "four", at=KEPT + 1.5)
    assert (len(recent), recent.since("8", 0.0)) == (2, [])
    assert recent.since("7", 0.0) == ["one", "three"]


def test_a_session_that_ends_closes_its_own_sockets_only(bench: Bench) -> None:
    mine, elsewhere = FakeSocket("7", session="s1"), FakeSocket("7", session="s2")
    for socket in (mine, elsewhere):
        bench.hub.join(socket)
    bench.hub.take(SessionMessage(type="session", user="7", session="s1"))
    assert (mine.is_ended, elsewhere.is_ended) == (True, False)


def test_a_changed_user_has_all_his_sessions_looked_at(bench: Bench) -> None:
    sockets = [FakeSocket("7"), FakeSocket("7"), FakeSocket("8")]
    for socket in sockets:
        bench.hub.join(socket)
    bench.hub.take(SessionMessage(type="session", user="7"))
    assert [socket.checks for socket in sockets] == [1, 1, 0]


def test_the_first_page_and_the_last_of_a_user_are_told(bench: Bench) -> None:
    one, two = FakeSocket("7"), FakeSocket("7")
    bench.hub.join(one)
    bench.hub.join(two)
    assert bench.hub.page_count("7") == 2
    bench.hub.leave(one)
    assert bench.opened == ["7"]
    bench.hub.leave(two)
    assert bench.opened == ["7", "7"]
    assert bench.hub.users == []


# --- Property -------------------------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("event"), st.sampled_from("abc"), st.sampled_from(["busy", "ringing"])),
        st.tuples(st.just("wait"), st.sampled_from([0.0, 0.01, 0.05, 0.2]), st.just("")),
        st.tuples(st.just("link"), st.booleans(), st.just("")),
        st.tuples(st.just("busy"), st.booleans(), st.just("")),
        st.tuples(st.just("watch"), st.sampled_from([("a", "b"), ("c", "a"), None]), st.just("")),
    ),
    max_size=25,
)


def take_step(bench: Bench, socket: FakeSocket, kind: str, argument: Any, phone: str) -> None:
    match kind:
        case "event":
            bench.happen(**{argument: phone})
        case "wait":
            bench.clock.advance(argument)
        case "link":
            bench.revision += 4
            bench.hub.take(link_message(is_up=argument, revision=bench.revision))
        case "busy":
            socket.is_busy = argument
            if not socket.is_busy:
                bench.hub.drained(socket)
        case "watch":
            bench.hub.watch(socket, argument)


@given(STEPS)
def test_who_keeps_the_greatest_revision_of_each_person_holds_a_fresh_snapshot(
    steps: list[tuple[str, Any, str]],
) -> None:
    bench = Bench()
    socket = bench.socket()
    kept: dict[str, tuple[int, str]] = {}
    for step in [("watch", ("a", "b", "c"), ""), *steps, ("busy", False, ""), ("wait", 1.0, "")]:
        take_step(bench, socket, *step)
        for frame in socket.frames():
            if frame["type"] == "presence.snapshot":
                kept.clear()
            for person in frame.get("people", ()):
                assert frame["revision"] >= kept.get(person["user_id"], (0, ""))[0]
                kept[person["user_id"]] = (frame["revision"], person["phone"])
    bench.hub.resync(socket)
    fresh = dict(socket.states()[0])
    assert {user_id: phone for user_id, (_, phone) in kept.items()} == fresh
