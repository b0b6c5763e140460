"""Who may see what of whom: the book of audiences, and what the hub makes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presence.hub import WINDOW, Hub
from presence.messages import GoneMessage, Known, PresenceMessage, visible_record
from presence.privacy import Audience, Hidden, PrivacyBook
from tests.unit.presence.test_hub import DrivenClock, FakeSocket, known, links

NOBODY: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("audience", "viewer", "expected"),
    [
        pytest.param(Audience(), "bo", Hidden.NOTHING, id="everyone"),
        pytest.param(Audience(phone=NOBODY), "bo", Hidden.PHONE, id="phone for nobody"),
        pytest.param(Audience(im=NOBODY), "bo", Hidden.IM, id="chat for nobody"),
        pytest.param(Audience(NOBODY, NOBODY), "bo", Hidden.BOTH, id="nothing for nobody"),
        pytest.param(Audience(im=frozenset({"bo"})), "bo", Hidden.NOTHING, id="for me"),
        pytest.param(Audience(im=frozenset({"cy"})), "bo", Hidden.IM, id="for another"),
        pytest.param(Audience(NOBODY, NOBODY), "ada", Hidden.NOTHING, id="himself"),
    ],
)
def test_what_of_ada_is_hidden(audience: Audience, viewer: str, expected: Hidden) -> None:
    assert PrivacyBook({"ada": audience}).hidden(viewer, "ada") is expected


def test_where_it_is_mutual_who_hides_does_not_see() -> None:
    book = PrivacyBook({"ada": Audience(phone=frozenset({"cy"}))}, is_mutual=True)
    assert book.hidden("ada", "bo") is Hidden.PHONE
    assert book.hidden("ada", "cy") is Hidden.NOTHING
    assert book.hidden("bo", "cy") is Hidden.NOTHING
    assert PrivacyBook(book.audiences).hidden("ada", "bo") is Hidden.NOTHING


@pytest.mark.parametrize(
    ("hidden", "phone", "im", "message", "since"),
    [
        pytest.param(
            Hidden.NOTHING, "busy", "available", "Here", "2026-11-24T11:00:00Z", id="nothing"
        ),
        pytest.param(
            Hidden.PHONE, "offline", "available", "Here", "2026-11-24T10:00:00Z", id="the phone"
        ),
        pytest.param(Hidden.IM, "busy", "offline", "", "2026-11-24T11:00:00Z", id="chat"),
        pytest.param(Hidden.BOTH, "offline", "offline", "", None, id="both"),
    ],
)
def test_what_is_left_of_a_record(
    hidden: Hidden, phone: str, im: str, message: str, since: str | None
) -> None:
    seen = visible_record(known("ada", "busy")["person"], hidden)
    assert (seen["phone"], seen["im"], seen["message"], seen["since"]) == (
        phone,
        im,
        message,
        since,
    )
    assert (seen["phone_since"] is None) is bool(hidden & Hidden.PHONE)
    assert (seen["im_since"] is None) is bool(hidden & Hidden.IM)


class Room:
    """A hub with Ada and Bo, whose pages are given by name."""

    def __init__(self, book: PrivacyBook) -> None:
        self.clock = DrivenClock()
        self.hub = Hub(self.clock, on_user=lambda user: None)
        self.hub.heed(links())
        self.hub.learn([known("ada"), known("bo")])
        self.hub.keep_private(book)

    def page(self, user_id: str, *, watch: list[str] | None) -> FakeSocket:
        socket = FakeSocket(user_id)
        self.hub.join(socket)
        self.hub.watch(socket, watch)
        return socket

    def change(self, one: Known) -> None:
        self.hub.take(PresenceMessage(type="presence", people=[one]))
        self.clock.advance(WINDOW * 2)

    def set_link(self, *, is_up: bool) -> None:
        self.hub.heed(links(silent=not is_up))
        self.clock.advance(WINDOW * 2)


def person(frame: dict[str, Any], user_id: str = "ada") -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in frame["people"] if one["user_id"] == user_id)
    return found


HIDES_ALL = PrivacyBook({"ada": Audience(NOBODY, NOBODY)})


@pytest.mark.parametrize(
    "watch", [pytest.param(["ada"], id="one"), pytest.param(None, id="everybody")]
)
def test_a_hidden_person_reads_offline_and_sends_nothing(watch: list[str] | None) -> None:
    room = Room(HIDES_ALL)
    bo = room.page("bo", watch=watch)
    (snapshot,) = bo.frames()
    assert person(snapshot)["phone"] == person(snapshot)["im"] == "offline"
    for revision, phone in enumerate(("ringing", "busy", "available"), start=1):
        room.change(known("ada", phone, revision=revision))
    assert bo.texts == []


def test_a_hidden_person_reads_offline_while_the_pbx_is_down_and_sends_nothing_then() -> None:
    room = Room(HIDES_ALL)
    bo = room.page("bo", watch=["ada"])
    bo.texts.clear()
    room.set_link(is_up=False)
    assert [frame["type"] for frame in bo.frames()] == ["pbx"]
    room.hub.resync(bo)
    assert person(bo.frames()[0])["phone"] == "offline"


def test_a_hidden_person_sends_nothing_after_a_pbx_that_is_not_his_was_down() -> None:
    room = Room(HIDES_ALL)
    room.change(known("ada", "busy", revision=20, pbx=None, im_by="bluetel"))
    bo = room.page("bo", watch=["ada"])
    room.set_link(is_up=False)
    room.set_link(is_up=True)
    bo.texts.clear()
    room.change(known("ada", "available", revision=32, pbx=None, im_by="bluetel"))
    assert bo.texts == []


def test_who_may_see_one_half_hears_of_that_half_only() -> None:
    room = Room(PrivacyBook({"ada": Audience(phone=NOBODY)}))
    bo = room.page("bo", watch=["ada"])
    bo.texts.clear()
    room.change(known("ada", "ringing", revision=1))
    assert bo.texts == []
    changed = known("ada", "ringing", revision=2)
    changed["person"]["im"] = "away"
    room.change(changed)
    seen = person(bo.frames()[0])
    assert (seen["phone"], seen["im"]) == ("offline", "away")


def test_everybody_sees_himself_and_the_others_see_him_too() -> None:
    room = Room(PrivacyBook({"ada": Audience(frozenset({"cy"}), frozenset({"cy"}))}))
    for user_id in ("ada", "cy"):
        page = room.page(user_id, watch=["ada"])
        assert person(page.frames()[0])["phone"] == "available"


def test_who_is_hidden_from_now_on_reads_offline_at_once_and_back() -> None:
    room = Room(PrivacyBook())
    bo, ada = room.page("bo", watch=["ada"]), room.page("ada", watch=["ada"])
    bo.texts.clear()
    ada.texts.clear()
    before = room.hub.revision
    room.hub.keep_private(HIDES_ALL)
    room.clock.advance(WINDOW * 2)
    (frame,) = bo.frames()
    assert person(frame)["im"] == "offline"
    assert frame["revision"] > before
    assert ada.texts == []
    room.hub.keep_private(PrivacyBook())
    room.clock.advance(WINDOW * 2)
    assert person(bo.frames()[0])["im"] == "available"


def test_the_same_book_again_says_nothing() -> None:
    room = Room(HIDES_ALL)
    bo = room.page("bo", watch=None)
    bo.texts.clear()
    room.hub.keep_private(PrivacyBook(dict(HIDES_ALL.audiences)))
    assert bo.texts == []


def test_there_are_at_most_four_encodings_of_a_person() -> None:
    room = Room(PrivacyBook({"ada": Audience(frozenset({"bo", "cy"}), frozenset({"bo", "di"}))}))
    for viewer in ("bo", "cy", "di", "ed", "fay", "gus"):
        room.page(viewer, watch=["ada"])
    assert len(room.hub._records._texts["ada"]) == 4


PEOPLE = ["ada", "bo", "cy"]
audiences = st.none() | st.frozensets(st.sampled_from(PEOPLE))
books = st.builds(
    PrivacyBook,
    st.dictionaries(st.sampled_from(PEOPLE), st.builds(Audience, audiences, audiences)),
    st.booleans(),
)
phones = st.sampled_from(["available", "busy", "ringing", "offline"])
changes = st.lists(st.tuples(st.sampled_from(PEOPLE), phones) | st.booleans() | books, max_size=10)


@given(books, changes, st.sampled_from(["ada", "bo", "cy", "di"]), st.booleans())
def test_a_snapshot_and_what_came_after_it_is_a_fresh_snapshot(
    book: PrivacyBook, story: list[Any], viewer: str, watches_all: bool
) -> None:
    room = Room(book)
    room.hub.learn([known("cy")])
    page = room.page(viewer, watch=None if watches_all else PEOPLE)
    kept: dict[str, Any] = {}
    for revision, step in enumerate(story, start=2):
        if isinstance(step, PrivacyBook):
            room.hub.keep_private(step)
        elif isinstance(step, bool):
            room.set_link(is_up=step)
        else:
            room.change(known(*step, revision=revision))
    room.clock.advance(WINDOW * 2)
    for frame in page.frames():
        if frame["type"].startswith("presence."):
            kept |= {one["user_id"]: one for one in frame["people"]}
    room.hub.resync(page)
    fresh = {one["user_id"]: one for one in page.frames()[0]["people"]}
    assert kept == fresh


@pytest.mark.parametrize(
    "watch", [pytest.param(["ada"], id="one"), pytest.param(None, id="everybody")]
)
def test_who_was_let_in_takes_nobody_along_who_saw_the_same_before(
    watch: list[str] | None,
) -> None:
    room = Room(HIDES_ALL)
    pages = {name: room.page(name, watch=watch) for name in ("bo", "cy", "di")}
    room.hub.keep_private(PrivacyBook({"ada": Audience(frozenset({"bo"}), frozenset({"bo"}))}))
    room.change(known("ada", "ringing", revision=1))
    pages["late"] = room.page("cy", watch=watch)
    shown = {
        name: [person(frame)["phone"] for frame in page.frames()] for name, page in pages.items()
    }
    hidden = ["offline"]
    assert shown == {
        "bo": ["offline", "available", "ringing"],
        "cy": hidden,
        "di": hidden,
        "late": hidden,
    }


@given(books, changes, st.booleans())
def test_of_those_who_watch_the_same_each_sees_what_he_may(
    book: PrivacyBook, story: list[Any], watches_all: bool
) -> None:
    room = Room(book)
    room.hub.learn([known("cy")])
    watch = None if watches_all else PEOPLE
    pages = {name: room.page(name, watch=watch) for name in ("di", *PEOPLE, "ed")}
    phones_now = dict.fromkeys(PEOPLE, "available")
    is_up = True
    for revision, step in enumerate(story, start=2):
        if isinstance(step, PrivacyBook):
            room.hub.keep_private(step)
            book = step
        elif isinstance(step, bool):
            room.set_link(is_up=step)
            is_up = step
        else:
            room.change(known(*step, revision=revision))
            phones_now[step[0]] = step[1]
    room.clock.advance(WINDOW * 2)
    for viewer, page in pages.items():
        kept: dict[str, str] = {}
        for frame in page.frames():
            kept |= {one["user_id"]: one["phone"] for one in frame.get("people", ())}
        assert kept == {
            name: "offline"
            if book.hidden(viewer, name) & Hidden.PHONE
            else phones_now[name]
            if is_up
            else "unknown"
            for name in PEOPLE
        }


@given(books, st.sampled_from(["bo", "cy", "di"]), st.lists(phones, min_size=1, max_size=5))
def test_what_is_hidden_makes_no_difference(
    book: PrivacyBook, viewer: str, story: list[str]
) -> None:
    """Noninterference: one who may see nothing of Ada gets the same bytes whatever she does."""
    if book.hidden(viewer, "ada") is not Hidden.BOTH:
        return
    room = Room(book)
    page = room.page(viewer, watch=["ada"])
    for revision, phone in enumerate(story, start=1):
        room.change(known("ada", phone, revision=revision))
    assert len(page.texts) == 1
    assert json.loads(page.texts[0])["people"][0]["phone"] == "offline"


def test_the_gone_are_dropped_from_every_encoding() -> None:
    room = Room(HIDES_ALL)
    room.page("bo", watch=["ada"])
    room.hub.take(GoneMessage(type="gone", users=["ada"]))
    assert "ada" not in room.hub._records._texts
