"""One round of a two-way sync, between two ports: the server's address book and ours.

Pull in batches, each stored as it comes, then removals, then our own edits. Blocking; run by the
job port in the background. The rules are :mod:`contacts.sync`'s.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from bluetel.fetch.errors import BadAnswer, NotAllowed, TooLarge
from bluetel.fetch.webdav import ChangedMeanwhile
from contacts import sync
from contacts.card import Card, digest

logger = logging.getLogger(__name__)

BATCH = 50
"""Writes that are announced together, and recorded together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a book remembers of its sync."""

    rows: Sequence[sync.Row]
    token: str = ""
    ignored: Mapping[str, str] = field(default_factory=dict)
    """Entity tags by href of what is no readable card."""


class LocalBook(Protocol):
    """Our side. Each call is a transaction of its own, and none spans a network call."""

    def state(self) -> State:
        """All rows and the token; deleted ones too, while the server may have them."""

    def card(self, row: sync.Row) -> Card | None:
        """The card as it is now; None if it was deleted meanwhile."""

    def apply(self, steps: Sequence[sync.Step]) -> None:
        """Do them all or none; what :class:`~contacts.sync.Save` says about edits holds."""

    def save_token(self, token: str) -> None:
        """Keep the server's token: everything before it is stored."""


class RemoteBook(Protocol):
    """The server's side; raises the errors of :mod:`bluetel.fetch`."""

    @property
    def folder(self) -> str:
        """The path new cards go into."""

    @property
    def is_writable(self) -> bool:
        """Whether the user may change anything there."""

    def changes(self, token: str) -> tuple[sync.Listing, str]:
        """What changed since the token, and the next token."""

    def fetch(self, hrefs: Sequence[str]) -> Iterator[list[sync.Fetched]]:
        """These cards, in batches."""

    def create(self, href: str, card: Card) -> str:
        """Write a new card; answers its entity tag or nothing; may raise ChangedMeanwhile."""

    def replace(self, href: str, card: Card, *, etag: str) -> str:
        """Write over that version; answers and raises as :meth:`create`."""

    def delete(self, href: str, *, etag: str) -> None:
        """Remove that version; may raise ChangedMeanwhile."""


@dataclass(slots=True)
class Report:
    """What a round did, for the book's page."""

    pulled: int = 0
    removed_here: int = 0
    pushed: int = 0
    removed_there: int = 0
    clashes: int = 0
    unreadable: int = 0
    raced: int = 0
    """Changed on the server meanwhile: not written, looked at again."""
    refused: list[tuple[str, str]] = field(default_factory=list)
    """(key, why) of cards that the server doesn't take."""
    held: int = 0
    """Removals that wait for the user's word, for they are most of the book."""

    @property
    def is_settled(self) -> bool:
        """Whether another round right now would find nothing to do."""
        return not (self.pulled or self.pushed or self.removed_there or self.raced)


def run(local: LocalBook, remote: RemoteBook, *, allow_mass_removal: bool = False) -> Report:
    """One round; whatever error ends it, what was done is kept and the next round goes on.

    ``allow_mass_removal`` is the user's word that the server's emptiness is meant.
    """
    report = Report()
    state = local.state()
    listing, token = remote.changes(state.token)
    matcher = sync.Matcher(state.rows, listing)
    for batch in remote.fetch(sync.wanted(state.rows, listing, ignored=state.ignored)):
        steps = [
            step
            for fetched in batch
            if (step := sync.arrived(matcher.row_of(fetched), fetched)) is not None
        ]
        local.apply(steps)
        _count(steps, report)
    gone = sync.removals(state.rows, listing, matcher=matcher, allow_mass=allow_mass_removal)
    if gone.steps:
        local.apply(gone.steps)
        _count(gone.steps, report)
    report.held = len(gone.held)
    if remote.is_writable:
        _push(local, remote, report)
    if not report.held:
        local.save_token(token)
    else:
        logger.warning(
            "%d of %d cards are gone from the server; held", report.held, len(state.rows)
        )
    return report


def _count(steps: Sequence[sync.Step], report: Report) -> None:
    for step in steps:
        match step:
            case sync.Ignore():
                report.unreadable += 1
            case sync.Remove(before=row):
                report.removed_here += not row.is_deleted
            case sync.Save(after=row, content=content):
                report.clashes += row.clash is not None
                report.pulled += content is not None


def _push(local: LocalBook, remote: RemoteBook, report: Report) -> None:
    rows = [row for row in local.state().rows if sync.to_write(row) is not None]
    for start in range(0, len(rows), BATCH):
        done: list[sync.Step] = []
        try:
            for row, card in _announced(local, rows[start : start + BATCH], remote.folder):
                try:
                    done += _write(remote, row, card, report)
                except ChangedMeanwhile:
                    report.raced += 1
                    done += _look_again(remote, row, report)
                except (BadAnswer, NotAllowed, TooLarge) as error:
                    if isinstance(error, NotAllowed) and error.status == 401:
                        raise
                    report.refused.append((row.key, str(error)))
        finally:
            if done:
                local.apply(done)


def _announced(
    local: LocalBook, rows: Sequence[sync.Row], folder: str
) -> list[tuple[sync.Row, Card | None]]:
    """The rows with what is to be written, after the book noted it."""
    ready: list[tuple[sync.Row, Card | None]] = []
    steps: list[sync.Step] = []
    for row in rows:
        if row.is_deleted:
            ready.append((row, None))
        elif (card := local.card(row)) is not None:
            sent = sync.about_to_send(replace(row, digest=digest(card)), folder=folder)
            steps.append(sync.Save(before=row, after=sent))
            ready.append((sent, card))
    if steps:
        local.apply(steps)
    return ready


def _write(remote: RemoteBook, row: sync.Row, card: Card | None, report: Report) -> list[sync.Step]:
    if card is None:
        remote.delete(row.href, etag=row.base_etag)
        report.removed_there += 1
        return [sync.Remove(before=row)]
    if row.base_etag:
        etag = remote.replace(row.href, card, etag=row.base_etag)
    else:
        etag = remote.create(row.href, card)
    report.pushed += 1
    if etag:
        return [sync.written(row, etag=etag)]
    again = [fetched for batch in remote.fetch([row.href]) for fetched in batch]
    return [step for fetched in again for step in sync.reread(row, fetched)]


def _look_again(remote: RemoteBook, row: sync.Row, report: Report) -> list[sync.Step]:
    """After a refused write: what the server has now. No listing may ever name it again."""
    now = [fetched for batch in remote.fetch([row.href]) for fetched in batch]
    step = sync.arrived(row, now[0]) if now else sync.vanished(row)
    if step is None:
        report.refused.append((row.key, "what the server has can't be read"))
        return []
    _count([step], report)
    return [step]
