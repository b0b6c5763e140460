"""Two sides of a sync in memory, each with a person at it, and crashes where a test wants them.

``live`` on the table of :class:`World` holds every value somebody wrote that nobody who saw it has
replaced or deleted since: what a sync must not lose.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bluetel.fetch.webdav import ChangedMeanwhile
from contacts import sync, sync_round
from contacts.card import Card, digest

FOLDER = "/books/ours/"


class Crash(Exception):
    """The process died here."""


@dataclass
class World:
    """The clock of values and crashes that both sides share."""

    live: set[str] = field(default_factory=set)
    crash_in: int | None = None
    _values: Iterator[int] = field(default_factory=itertools.count)

    def new_value(self) -> str:
        value = f"v{next(self._values)}"
        self.live.add(value)
        return value

    def step(self) -> None:
        """A point where the process may die."""
        if self.crash_in is not None:
            self.crash_in -= 1
            if self.crash_in < 0:
                self.crash_in = None
                raise Crash


class Book:
    """Our side: :class:`contacts.sync_round.LocalBook`, and a user who edits it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rows: dict[str, sync.Row] = {}
        self.cards: dict[str, Card] = {}
        self.theirs: dict[str, Card] = {}
        self.ignored: dict[str, str] = {}
        self.token = ""
        self._keys = itertools.count()

    # The port.

    def state(self) -> sync_round.State:
        return sync_round.State(
            rows=list(self.rows.values()), token=self.token, ignored=dict(self.ignored)
        )

    def card(self, row: sync.Row) -> Card | None:
        now = self.rows.get(row.key)
        return None if now is None or now.is_deleted else self.cards[row.key]

    def apply(self, steps: Sequence[sync.Step]) -> None:
        self.world.step()
        for step in steps:
            self._apply(step)
        self.world.step()

    def save_token(self, token: str) -> None:
        self.world.step()
        self.token = token

    def _apply(self, step: sync.Step) -> None:
        match step:
            case sync.Ignore(href=href, etag=etag):
                self.ignored[href] = etag
            case sync.Remove(before=before):
                if self.rows.get(before.key) == before:
                    del self.rows[before.key]
                    self.theirs.pop(before.key, None)
            case sync.Save(before=None, after=after, content=content):
                assert content is not None
                key = f"k{next(self._keys)}"
                self.rows[key] = replace(after, key=key)
                self.cards[key] = content
            case sync.Save(before=before, after=after, content=content, theirs=theirs):
                assert before is not None
                now = self.rows.get(before.key)
                if now is None or _known(now) != _known(before):
                    return
                if content is not None:
                    if (now.digest, now.is_deleted) != (before.digest, before.is_deleted):
                        return
                    self.cards[before.key] = content
                    assert after.digest == digest(content)
                    self.rows[before.key] = after
                else:
                    self.rows[before.key] = replace(
                        after, digest=now.digest, is_deleted=now.is_deleted
                    )
                if theirs is not None:
                    self.theirs[before.key] = theirs
                else:
                    self.theirs.pop(before.key, None)

    # The user.

    def shown(self) -> list[str]:
        return [key for key, row in self.rows.items() if not row.is_deleted]

    def add(self, uid: str) -> None:
        card = Card(uid=uid, name=self.world.new_value())
        key = f"k{next(self._keys)}"
        self.rows[key] = sync.Row(key=key, uid=uid, digest=digest(card))
        self.cards[key] = card

    def edit(self, key: str) -> None:
        self.world.live.discard(self.cards[key].name)
        self.cards[key] = replace(self.cards[key], name=self.world.new_value())
        self.rows[key] = replace(self.rows[key], digest=digest(self.cards[key]))

    def delete(self, key: str) -> None:
        self.world.live.discard(self.cards[key].name)
        row = self.rows[key]
        if row.base_etag or row.sent_digest or row.clash:
            self.rows[key] = replace(row, is_deleted=True)
        else:
            del self.rows[key]

    def clashes(self) -> list[str]:
        return [key for key, row in self.rows.items() if row.clash is not None]

    def choose(self, key: str, choice: sync.Choice, *, new_uid: str) -> None:
        row, theirs, mine = self.rows[key], self.theirs.get(key), self.cards[key]
        if choice is sync.Choice.MINE and theirs is not None:
            self.world.live.discard(theirs.name)
        if choice is sync.Choice.THEIRS:
            self.world.live.discard(mine.name)
        for step in sync.resolved(row, choice, mine=mine, theirs=theirs, new_uid=new_uid):
            self._apply(step)

    def values(self) -> set[str]:
        """Every value that can still be seen, those kept beside ours included."""
        shown = {self.cards[key].name for key in self.shown()}
        return shown | {card.name for card in self.theirs.values()}


def _known(row: sync.Row) -> sync.Row:
    return replace(row, digest="", is_deleted=False)


class Server:
    """The other side: :class:`contacts.sync_round.RemoteBook`, and other clients that edit it."""

    folder = FOLDER
    is_writable = True

    def __init__(
        self,
        world: World,
        *,
        has_tokens: bool = True,
        tells_etags: bool = True,
        rewrites: bool = False,
    ) -> None:
        self.world = world
        self.has_tokens, self.tells_etags, self.rewrites = has_tokens, tells_etags, rewrites
        self.cards: dict[str, tuple[str, Card]] = {}
        self.history: list[str] = []
        self.writes: list[tuple[str, str]] = []
        self.fetched: list[str] = []
        self._etags = itertools.count(1)

    # The port.

    def changes(self, token: str) -> tuple[sync.Listing, str]:
        self.world.step()
        following = f"t{len(self.history)}" if self.has_tokens else ""
        if not token or not self.has_tokens:
            etags = {href: etag for href, (etag, _) in self.cards.items()}
            return sync.Listing(etags=etags, is_complete=True), following
        touched = set(self.history[int(token[1:]) :])
        listing = sync.Listing(
            etags={href: self.cards[href][0] for href in touched if href in self.cards},
            removed=frozenset(href for href in touched if href not in self.cards),
            is_complete=False,
        )
        return listing, following

    def fetch(self, hrefs: Sequence[str]) -> Iterator[list[sync.Fetched]]:
        for start in range(0, len(hrefs), 2):
            self.world.step()
            batch = [href for href in hrefs[start : start + 2] if href in self.cards]
            self.fetched += batch
            yield [
                sync.Fetched(href=href, etag=self.cards[href][0], card=self.cards[href][1])
                for href in batch
            ]

    def create(self, href: str, card: Card) -> str:
        self.world.step()
        if href in self.cards:
            raise ChangedMeanwhile
        return self._put(href, card)

    def replace(self, href: str, card: Card, *, etag: str) -> str:
        self.world.step()
        if href not in self.cards or self.cards[href][0] != etag:
            raise ChangedMeanwhile
        return self._put(href, card)

    def delete(self, href: str, *, etag: str) -> None:
        self.world.step()
        if href in self.cards:
            if self.cards[href][0] != etag:
                raise ChangedMeanwhile
            self.remove(href, by_sync=True)
        self.writes.append(("delete", href))
        self.world.step()

    def _put(self, href: str, card: Card) -> str:
        if self.rewrites:
            card = replace(card, kept=("X-SERVER:was here",))
        etag = self._set(href, card)
        self.writes.append(("put", href))
        self.world.step()
        return etag if self.tells_etags and not self.rewrites else ""

    def _set(self, href: str, card: Card) -> str:
        etag = f'"{next(self._etags)}"'
        self.cards[href] = (etag, card)
        self.history.append(href)
        return etag

    # Other clients.

    def add(self, uid: str, href: str = "") -> str:
        href = href or f"{FOLDER}their-{uid}.vcf"
        if href not in self.cards:
            self._set(href, Card(uid=uid, name=self.world.new_value()))
        return href

    def edit(self, href: str) -> None:
        _, card = self.cards[href]
        self.world.live.discard(card.name)
        self._set(href, replace(card, name=self.world.new_value()))

    def touch(self, href: str) -> None:
        """The same content under a new entity tag."""
        self._set(href, self.cards[href][1])

    def move(self, href: str) -> None:
        """What a server does that renames everything, or a client that moves a card."""
        _, card = self.cards.pop(href)
        self.history.append(href)
        self._set(f"{FOLDER}moved-{len(self.history)}.vcf", card)

    def remove(self, href: str, *, by_sync: bool = False) -> None:
        _, card = self.cards.pop(href)
        self.history.append(href)
        if not by_sync:
            self.world.live.discard(card.name)

    def values(self) -> Mapping[str, str]:
        """The names by identifier."""
        return {card.uid: card.name for _, card in self.cards.values()}

    def names(self) -> list[str]:
        """Every card's name."""
        return [card.name for _, card in self.cards.values()]
