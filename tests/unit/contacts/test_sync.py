from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluetel.fetch.errors import BadAnswer, NotAllowed
from contacts import sync
from contacts.card import Card, digest
from contacts.sync import Choice, Clash
from contacts.sync_round import Report, run
from tests.unit.contacts.two_sides import FOLDER, Book, Crash, Server, World


class Sides:
    """A book and a server that agree on one card."""

    def __init__(self, **server: bool) -> None:
        self.world = World()
        self.book, self.server = Book(self.world), Server(self.world, **server)
        self.book.add("u1")
        self.round()
        (self.key,) = self.book.shown()
        (self.href,) = self.server.cards
        self.server.writes.clear()
        self.server.fetched.clear()

    def round(self, *, allow_mass_removal: bool = False) -> Report:
        return run(self.book, self.server, allow_mass_removal=allow_mass_removal)

    @property
    def row(self) -> sync.Row:
        return self.book.rows[self.key]

    def agree(self) -> bool:
        ours = {self.book.cards[key].uid: self.book.cards[key].name for key in self.book.shown()}
        return ours == self.server.values()


@pytest.fixture
def sides() -> Sides:
    return Sides()


# --- One side ---------------------------------------------------------------------------------


def test_a_new_card_of_ours_is_created_there(sides: Sides) -> None:
    assert sides.agree()
    assert sides.href == f"{FOLDER}u1.vcf"
    assert sides.row.base_etag


def test_nothing_new_costs_one_listing(sides: Sides) -> None:
    report = sides.round()

    assert report == Report()
    assert report.is_settled
    assert (sides.server.writes, sides.server.fetched) == ([], [])


@pytest.mark.parametrize("has_tokens", [True, False], ids=["tokens", "listings"])
def test_each_sides_changes_reach_the_other(has_tokens: bool) -> None:
    sides = Sides(has_tokens=has_tokens)
    sides.book.edit(sides.key)
    sides.round()
    assert sides.agree()

    sides.server.edit(sides.href)
    new = sides.server.add("u2")
    sides.round()
    assert sides.agree()

    sides.server.remove(sides.href)
    report = sides.round()
    assert sides.agree()
    assert report.removed_here == 1

    (key,) = sides.book.shown()
    sides.book.delete(key)
    sides.round()
    assert (sides.book.rows, sides.server.cards) == ({}, {})
    assert sides.server.writes[-1] == ("delete", new)


def test_an_edit_that_is_taken_back_sends_nothing(sides: Sides) -> None:
    before = sides.row
    card = sides.book.cards[sides.key]
    sides.book.edit(sides.key)
    sides.book.cards[sides.key] = card
    sides.book.rows[sides.key] = before

    assert sides.round().is_settled
    assert sides.server.writes == []


def test_a_new_entity_tag_of_the_same_content_is_no_edit(sides: Sides) -> None:
    sides.server.touch(sides.href)
    sides.book.edit(sides.key)

    report = sides.round()

    assert report.clashes == 0
    assert sides.agree()


def test_a_card_that_the_server_moves_stays_the_same_here(sides: Sides) -> None:
    sides.server.move(sides.href)

    assert sides.round().removed_here == 0
    assert sides.book.shown() == [sides.key]
    assert sides.row.href in sides.server.cards


def test_a_card_that_both_sides_imported_is_one(sides: Sides) -> None:
    sides.book.add("u2")
    name = sides.book.cards[sides.book.shown()[-1]].name
    sides.server._set(f"{FOLDER}imported.vcf", Card(uid="u2", name=name))

    sides.round()

    assert len(sides.book.shown()) == 2
    assert len(sides.server.cards) == 2


def test_what_can_not_be_read_is_fetched_once_and_left_alone(sides: Sides) -> None:
    href = sides.server.add("broken")
    whole_fetch = sides.server.fetch

    def fetch(hrefs: list[str]) -> object:
        for batch in whole_fetch(hrefs):
            yield [
                sync.Fetched(href=one.href, etag=one.etag, card=None) if one.href == href else one
                for one in batch
            ]

    sides.server.fetch = fetch  # type: ignore[method-assign, assignment]
    sides.server.has_tokens = False

    assert sides.round().unreadable == 1
    assert sides.round().unreadable == 0
    assert href in sides.server.cards


def test_a_book_without_write_permission_is_only_read(sides: Sides) -> None:
    sides.server.is_writable = False
    sides.book.edit(sides.key)
    sides.server.add("u2")

    report = sides.round()

    assert (report.pulled, sides.server.writes) == (1, [])


# --- Both sides ---------------------------------------------------------------------------------


def test_a_card_edited_on_both_sides_keeps_both_values(sides: Sides) -> None:
    sides.book.edit(sides.key)
    sides.server.edit(sides.href)
    mine, theirs = sides.book.cards[sides.key], sides.server.cards[sides.href][1]

    first, second = sides.round(), sides.round()

    assert (first.clashes, second.clashes) == (1, 0)
    assert sides.row.clash is Clash.EDITED_BOTH
    assert sides.book.cards[sides.key] == mine
    assert sides.book.theirs[sides.key] == theirs
    assert sides.server.cards[sides.href][1] == theirs


def test_the_same_edit_on_both_sides_is_no_clash(sides: Sides) -> None:
    sides.book.edit(sides.key)
    sides.server._set(sides.href, sides.book.cards[sides.key])

    assert sides.round().clashes == 0
    assert sides.server.writes == []


def test_a_clash_shows_the_newest_of_the_other_side(sides: Sides) -> None:
    sides.book.edit(sides.key)
    sides.server.edit(sides.href)
    sides.round()
    sides.server.edit(sides.href)
    sides.round()

    assert sides.book.theirs[sides.key] == sides.server.cards[sides.href][1]


CHOICES = [
    pytest.param(Choice.MINE, id="mine"),
    pytest.param(Choice.THEIRS, id="theirs"),
    pytest.param(Choice.BOTH, id="both"),
]


@pytest.mark.parametrize("choice", CHOICES)
def test_the_users_choice_ends_a_clash_of_edits(sides: Sides, choice: Choice) -> None:
    sides.book.edit(sides.key)
    sides.server.edit(sides.href)
    mine, theirs = sides.book.cards[sides.key].name, sides.server.cards[sides.href][1].name
    sides.round()

    sides.book.choose(sides.key, choice, new_uid="copy")
    sides.round()

    expected = {
        Choice.MINE: {"u1": mine},
        Choice.THEIRS: {"u1": theirs},
        Choice.BOTH: {"u1": theirs, "copy": mine},
    }
    assert sides.server.values() == expected[choice]
    assert sides.agree()
    assert sides.book.clashes() == []


@pytest.mark.parametrize("choice", CHOICES)
def test_the_users_choice_ends_a_clash_of_our_deletion(sides: Sides, choice: Choice) -> None:
    sides.book.delete(sides.key)
    sides.server.edit(sides.href)
    theirs = sides.server.cards[sides.href][1].name
    sides.round()
    assert sides.row.clash is Clash.DELETED_HERE
    assert sides.server.values() == {"u1": theirs}

    sides.book.choose(sides.key, choice, new_uid="copy")
    sides.round()

    assert sides.server.values() == ({} if choice is Choice.MINE else {"u1": theirs})
    assert sides.agree()


@pytest.mark.parametrize("choice", CHOICES)
def test_the_users_choice_ends_a_clash_of_their_deletion(sides: Sides, choice: Choice) -> None:
    sides.book.edit(sides.key)
    mine = sides.book.cards[sides.key].name
    sides.server.remove(sides.href)
    sides.round()
    assert sides.row.clash is Clash.DELETED_THERE

    sides.book.choose(sides.key, choice, new_uid="copy")
    sides.round()

    assert sides.server.values() == ({} if choice is Choice.THEIRS else {"u1": mine})
    assert sides.agree()


def test_a_card_deleted_on_both_sides_is_forgotten(sides: Sides) -> None:
    sides.book.delete(sides.key)
    sides.server.remove(sides.href)

    sides.round()

    assert sides.book.rows == {}


def during(sides: Sides, what: str, act: Callable[[], None]) -> None:
    """Let somebody act in the middle of a round, just before one of its calls."""
    original = getattr(sides.server, what)

    def acting(*args: object, **kwargs: object) -> object:
        setattr(sides.server, what, original)
        act()
        return original(*args, **kwargs)

    setattr(sides.server, what, acting)


@pytest.mark.parametrize(
    ("act", "clash"),
    [
        pytest.param("edit", Clash.EDITED_BOTH, id="edited"),
        pytest.param("remove", Clash.DELETED_THERE, id="deleted"),
    ],
)
def test_a_change_between_listing_and_writing_is_a_clash(
    sides: Sides, act: str, clash: Clash
) -> None:
    sides.book.edit(sides.key)
    during(sides, "replace", lambda: getattr(sides.server, act)(sides.href))

    report = sides.round()

    assert report.raced == 1
    assert sides.row.clash is clash
    assert sides.world.live <= sides.book.values()


def test_our_edit_while_theirs_is_fetched_is_a_clash(sides: Sides) -> None:
    sides.server.edit(sides.href)
    apply = sides.book.apply

    def edit_first(steps: list[sync.Step]) -> None:
        sides.book.apply = apply  # type: ignore[method-assign]
        sides.book.edit(sides.key)
        apply(steps)

    sides.book.apply = edit_first  # type: ignore[method-assign, assignment]
    sides.round()
    sides.round()

    assert sides.row.clash is Clash.EDITED_BOTH
    assert sides.world.live <= sides.book.values()


def test_an_edit_while_ours_is_sent_is_sent_next(sides: Sides) -> None:
    sides.book.edit(sides.key)
    during(sides, "replace", lambda: sides.book.edit(sides.key))
    sides.round()
    assert not sides.agree()

    assert sides.round().clashes == 0
    assert sides.agree()


@pytest.mark.parametrize(
    "server",
    [
        pytest.param({"tells_etags": False}, id="no-entity-tag"),
        pytest.param({"rewrites": True}, id="rewrites-what-it-is-given"),
    ],
)
def test_a_write_without_entity_tag_is_read_again(server: dict[str, bool]) -> None:
    sides = Sides(**server)
    sides.book.edit(sides.key)
    sides.round()

    assert sides.agree()
    assert sides.book.cards[sides.key] == sides.server.cards[sides.href][1]
    assert sides.round().is_settled


def test_an_edit_while_ours_is_sent_to_a_server_that_rewrites_is_no_clash() -> None:
    sides = Sides(rewrites=True)
    sides.book.edit(sides.key)
    during(sides, "replace", lambda: sides.book.edit(sides.key))
    sides.round()
    mine = sides.book.cards[sides.key].name

    assert sides.round().clashes == 0
    assert sides.server.values() == {"u1": mine}


# --- Trouble ------------------------------------------------------------------------------------


def test_a_card_that_the_server_does_not_take_stops_no_other(sides: Sides) -> None:
    create = sides.server.create

    def refuse(href: str, card: Card) -> str:
        if card.uid == "bad":
            raise BadAnswer(507)
        return create(href, card)

    sides.server.create = refuse  # type: ignore[method-assign]
    sides.book.add("bad")
    sides.book.add("good")

    report = sides.round()

    assert [why for _, why in report.refused] == ["answered 507"]
    assert "good" in sides.server.values()


def test_a_password_that_no_longer_works_ends_the_round(sides: Sides) -> None:
    def refuse(href: str, card: Card) -> str:
        raise NotAllowed(401, origin="https://x.test")

    sides.server.create = refuse  # type: ignore[method-assign]
    sides.book.add("u2")

    with pytest.raises(NotAllowed):
        sides.round()


@pytest.mark.parametrize("count", [sync.MASS - 2, sync.MASS])
def test_a_server_that_comes_back_empty_is_not_believed_at_once(sides: Sides, count: int) -> None:
    for number in range(count):
        sides.book.add(f"more{number}")
    sides.round()
    for href in list(sides.server.cards):
        sides.server.remove(href)

    report = sides.round()

    if count + 1 < sync.MASS:
        assert sides.book.shown() == []
    else:
        assert (report.held, len(sides.book.shown())) == (count + 1, count + 1)
        assert sides.round().held == count + 1
        assert sides.round(allow_mass_removal=True).removed_here == count + 1
        assert sides.book.shown() == []


@pytest.mark.parametrize("crash_in", range(12))
def test_an_interrupted_write_is_no_clash_afterwards(sides: Sides, crash_in: int) -> None:
    sides.book.edit(sides.key)
    sides.book.add("u2")
    sides.world.crash_in = crash_in
    with contextlib.suppress(Crash):
        sides.round()
    sides.world.crash_in = None
    sides.book.edit(sides.key)

    sides.round()
    report = sides.round()

    assert sides.book.clashes() == []
    assert sides.agree()
    assert report.is_settled


@pytest.mark.parametrize("crash_in", range(6))
def test_a_deletion_after_an_interrupted_write_is_no_clash(sides: Sides, crash_in: int) -> None:
    sides.book.edit(sides.key)
    sides.world.crash_in = crash_in
    with contextlib.suppress(Crash):
        sides.round()
    sides.world.crash_in = None
    sides.book.delete(sides.key)

    sides.round()

    assert (sides.book.rows, sides.server.cards) == ({}, {})


def test_a_first_sync_that_is_interrupted_goes_on_where_it_was() -> None:
    world = World()
    book, server = Book(world), Server(world)
    for number in range(20):
        server.add(f"u{number}")
    world.crash_in = 12
    with pytest.raises(Crash):
        run(book, server)
    stored = len(book.shown())
    server.fetched.clear()

    run(book, server)

    assert 0 < stored < 20
    assert len(server.fetched) == 20 - stored
    assert len(book.shown()) == 20


# --- Anything at all ------------------------------------------------------------------------------

ACTIONS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(
                [
                    *["add", "edit", "delete", "their add", "their edit", "their delete"],
                    *["their touch", "their move", "their copy", "sync", "sync", "sync"],
                    *["choose", "lose tokens"],
                ]
            ),
            st.integers(0, 5),
        ),
        st.tuples(st.just("crash"), st.integers(0, 15)),
    ),
    max_size=40,
)


def at(items: list[str], number: int) -> str | None:
    return items[number % len(items)] if items else None


def we_do(book: Book, server: Server, what: str, number: int) -> None:
    """What our user does, as far as he can now."""
    mine = at(book.shown(), number)
    free = at([key for key in book.shown() if book.rows[key].clash is None], number)
    clashing = at(book.clashes(), number)
    if what == "add" and all(row.uid != f"u{number}" for row in book.rows.values()):
        book.add(f"u{number}")
    elif what == "edit" and mine:
        book.edit(mine)
    elif what == "delete" and free:
        book.delete(free)
    elif what == "choose" and clashing:
        copy = f"copy-of-{clashing}-{len(server.history)}"
        book.choose(clashing, list(Choice)[number % 3], new_uid=copy)


def they_do(book: Book, server: Server, what: str, number: int) -> None:
    """What another client, or the server, does."""
    theirs, mine = at(sorted(server.cards), number), at(book.shown(), number)
    if what == "their add":
        server.add(f"t{number}")
    elif what == "their copy" and mine and book.rows[mine].uid not in server.values():
        server.add(book.rows[mine].uid)
    elif what == "lose tokens":
        server.has_tokens = False
    elif theirs and what == "their edit":
        server.edit(theirs)
    elif theirs and what == "their delete":
        server.remove(theirs)
    elif theirs and what == "their touch":
        server.touch(theirs)
    elif theirs and what == "their move":
        server.move(theirs)


def happen(book: Book, server: Server, what: str, number: int) -> None:
    """One thing that happens."""
    if what in {"sync", "crash"}:
        server.world.crash_in = number if what == "crash" else None
        with contextlib.suppress(Crash):
            run(book, server, allow_mass_removal=True)
        server.world.crash_in = None
    elif what in {"add", "edit", "delete", "choose"}:
        we_do(book, server, what, number)
    else:
        they_do(book, server, what, number)


@settings(max_examples=150)
@given(ACTIONS, st.booleans(), st.booleans(), st.booleans())
def test_random_edits_on_both_sides_converge_and_lose_nothing(
    actions: list[tuple[str, int]], has_tokens: bool, tells_etags: bool, rewrites: bool
) -> None:
    world = World()
    book = Book(world)
    server = Server(world, has_tokens=has_tokens, tells_etags=tells_etags, rewrites=rewrites)
    for what, number in actions:
        happen(book, server, what, number)
        seen = book.values() | set(server.names())
        assert world.live <= seen, f"lost after {what}"

    for _ in range(4):
        run(book, server, allow_mass_removal=True)
        for key in book.clashes():
            book.choose(key, Choice.BOTH, new_uid=f"last-copy-of-{key}")
    last = run(book, server, allow_mass_removal=True)

    assert last.is_settled
    assert book.clashes() == []
    ours = sorted(book.cards[key].name for key in book.shown())
    assert ours == sorted(server.names())
    assert world.live <= set(ours)
    server.writes.clear()
    run(book, server)
    assert server.writes == []


def test_an_href_is_safe_whatever_the_identifier() -> None:
    assert sync.href_for("a1-B_2", folder="/b/") == "/b/a1-B_2.vcf"
    for uid in ("../../etc/passwd", "a/b", "urn:uuid:1", "é", "x" * 200, ""):
        href = sync.href_for(uid, folder="/b")
        assert href.startswith("/b/")
        assert href.removeprefix("/b/").removesuffix(".vcf").isalnum()


def test_rows_know_whether_they_were_edited() -> None:
    card = Card(name="A")
    row = sync.Row(key="k", digest=digest(card), base_digest=digest(card))

    assert not row.is_edited
    assert sync.to_write(row) is None
