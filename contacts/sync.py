"""Two-way sync of an address book: what to do, from what each side has. Pure.

Each card has a :class:`Row` that remembers the last agreement: the entity tag the server had and
the digest of the content both had. Against it, an edit on either side shows. What changed on one
side goes to the other; what changed on both is a clash: the server's version is kept beside ours,
and nothing is written either way until the user chooses (:func:`resolved`).

It may be interrupted anywhere. A row says what is about to be sent (``sent_digest``) before it is
sent, so that after a crash our own half-recorded write isn't taken for somebody else's. The sync
token is saved last, so whatever was not done is listed again. docs/contact-sync.md tells it in
prose, with its guarantees.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from urllib.parse import quote

from contacts.card import Card, digest

MASS = 10
"""From this many removals on, and when they are more than half of the book, the user is asked."""


class Clash(StrEnum):
    """What was done on both sides."""

    EDITED_BOTH = "edited_both"
    DELETED_HERE = "deleted_here"
    """Deleted here, edited on the server."""
    DELETED_THERE = "deleted_there"
    """Edited here, deleted on the server."""


class Choice(StrEnum):
    """What the user wants of a clash."""

    MINE = "mine"
    THEIRS = "theirs"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The state of one card: ours (``digest``, ``is_deleted``) and of the last agreement.

    ``key`` is the book's own name for it, empty before it is stored. ``base_etag`` is empty while
    the server doesn't have the card as far as we know. A deleted card's row stays, marked, until
    the server's is gone too.
    """

    key: str = ""
    uid: str = ""
    href: str = ""
    digest: str = ""
    is_deleted: bool = False
    base_etag: str = ""
    base_digest: str = ""
    sent_digest: str = ""
    clash: Clash | None = None
    clash_etag: str = ""
    clash_digest: str = ""

    @property
    def is_edited(self) -> bool:
        """Whether ours differs from what was agreed."""
        return not self.is_deleted and self.digest != self.base_digest

    @property
    def seen_etag(self) -> str:
        """The newest server version we have, agreed or kept beside ours."""
        return self.clash_etag or self.base_etag


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What the server says changed; if ``is_complete``, what is not in ``etags`` is gone."""

    etags: Mapping[str, str]
    removed: frozenset[str] = frozenset()
    is_complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One card as it is on the server; None when it can't be read as a card."""

    href: str
    etag: str
    card: Card | None

    @property
    def digest(self) -> str:
        """The content's digest; empty of what can't be read."""
        return digest(self.card) if self.card is not None else ""


# --- What the book is told to do ----------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Save:
    """Make the row ``after``; ``before`` None: it is new, and the book gives it a key.

    It is done only while what the sync knows of the row is still as ``before`` says. ``content``
    replaces ours, and then ``digest`` and ``is_deleted`` must be as before too: an edit made
    meanwhile wins, and the push finds out about the server's version. Without ``content`` those
    two are not written. ``theirs`` is kept beside ours; without it, whatever was kept goes.
    """

    before: Row | None
    after: Row
    content: Card | None = None
    theirs: Card | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """Forget the row and what it stands for, while ours is still as ``before`` says."""

    before: Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """Remember that this version on the server is no card, so it isn't fetched each time."""

    href: str
    etag: str


Step = Save | Remove | Ignore


class Write(StrEnum):
    """What is to be done on the server."""

    CREATE = "create"
    REPLACE = "replace"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Removals:
    """What the server's removals mean; ``held`` wait for the user, for they look like an accident.

    A server that comes back empty after a bad restore must not empty this book too.
    """

    steps: Sequence[Step] = ()
    held: Sequence[Step] = field(default=())


# --- From the server ----------------------------------------------------------------------------


def wanted(rows: Iterable[Row], listing: Listing, *, ignored: Mapping[str, str]) -> list[str]:
    """The hrefs whose content must be fetched: new ones, and versions not seen yet."""
    seen = {row.href: row.seen_etag for row in rows if row.href}
    seen.update(ignored)
    return [href for href, etag in listing.etags.items() if not etag or seen.get(href) != etag]


class Matcher:
    """Finds the row that something on the server belongs to.

    By href; else by identifier among the rows that are not on the server (ours was imported, or
    created in an interrupted round), or no longer under their href (the server moved it).
    """

    def __init__(self, rows: Iterable[Row], listing: Listing) -> None:
        self._by_href: dict[str, Row] = {}
        self._free: dict[str, Row] = {}
        for row in rows:
            if row.href:
                self._by_href[row.href] = row
            if row.is_deleted and not (row.seen_etag or row.sent_digest):
                continue
            if row.uid and (not row.seen_etag or is_gone(row, listing)):
                self._free.setdefault(row.uid, row)
        self._taken: set[str] = set()

    def row_of(self, fetched: Fetched) -> Row | None:
        """The row, under the href it is found at; None: it is new here."""
        row = self._by_href.get(fetched.href)
        if row is None and fetched.card is not None and fetched.card.uid:
            row = self._free.pop(fetched.card.uid, None)
            if row is not None and row.key in self._taken:
                row = None
        if row is None:
            return None
        self._free.pop(row.uid, None)
        self._taken.add(row.key)
        return row

    def is_taken(self, row: Row) -> bool:
        """Whether something fetched belonged to it, so that it isn't gone."""
        return row.key in self._taken


def is_gone(row: Row, listing: Listing) -> bool:
    """Whether the listing says that the server doesn't have the row's card any more."""
    if not row.href:
        return False
    return row.href in listing.removed or (listing.is_complete and row.href not in listing.etags)


def arrived(row: Row | None, fetched: Fetched) -> Step | None:
    """What a card that was fetched means for its row; None: nothing new."""
    if fetched.card is None:
        # Unreadable, but nothing to lose by: ours, if any, isn't overwritten with it.
        return Ignore(href=fetched.href, etag=fetched.etag) if row is None else None
    there = fetched.digest
    if row is None:
        new = Row(
            uid=fetched.card.uid,
            href=fetched.href,
            digest=there,
            base_etag=fetched.etag,
            base_digest=there,
        )
        return Save(before=None, after=new, content=fetched.card)
    agreed = replace(
        row,
        href=fetched.href,
        base_etag=fetched.etag,
        base_digest=there,
        sent_digest="",
        clash=None,
        clash_etag="",
        clash_digest="",
    )
    if row.is_deleted:
        ours_or_known = there in {row.base_digest, row.sent_digest}
        return (
            Save(before=row, after=agreed)
            if ours_or_known
            else _clash(row, Clash.DELETED_HERE, fetched)
        )
    if there in {row.digest, row.base_digest, row.sent_digest}:
        # The same on both sides, or the server still has what we started from, or what we sent.
        return Save(before=row, after=agreed)
    if not row.is_edited:
        return Save(before=row, after=replace(agreed, digest=there), content=fetched.card)
    return _clash(row, Clash.EDITED_BOTH, fetched)


def _clash(row: Row, clash: Clash, fetched: Fetched) -> Save:
    after = replace(
        row,
        href=fetched.href,
        clash=clash,
        clash_etag=fetched.etag,
        clash_digest=fetched.digest,
    )
    return Save(before=row, after=after, theirs=fetched.card)


def removals(
    rows: Sequence[Row], listing: Listing, *, matcher: Matcher, allow_mass: bool
) -> Removals:
    """What it means that cards are gone from the server; to be asked after all were fetched."""
    gone = [row for row in rows if is_gone(row, listing) and not matcher.is_taken(row)]
    steps = [step for row in gone if (step := vanished(row)) is not None]
    lost = [step for step in steps if isinstance(step, Remove) and not step.before.is_deleted]
    known = sum(1 for row in rows if row.base_etag and not row.is_deleted)
    if allow_mass or len(lost) < MASS or len(lost) * 2 <= known:
        return Removals(steps=steps)
    return Removals(steps=[step for step in steps if step not in lost], held=lost)


def vanished(row: Row) -> Step | None:
    """What it means that the server doesn't have the row's card any more; None: nothing new."""
    if row.is_deleted:
        return Remove(before=row)
    if not row.seen_etag or row.clash is Clash.DELETED_THERE:
        return None  # it never was there, or the user has been asked already
    if not row.is_edited and row.clash is None:
        return Remove(before=row)
    # Without an agreement ours was made for itself, and stands; else the user is asked.
    clash = Clash.DELETED_THERE if row.base_etag else None
    after = replace(row, clash=clash, clash_etag="", clash_digest="", sent_digest="")
    return Save(before=row, after=after)


# --- To the server ------------------------------------------------------------------------------


def to_write(row: Row) -> Write | None:
    """What the server must be told of the row; None: nothing, or not before the user chose."""
    if row.clash is not None:
        return None
    if row.is_deleted:
        return Write.DELETE if row.base_etag else None
    if not row.is_edited:
        return None
    return Write.REPLACE if row.base_etag else Write.CREATE


def about_to_send(row: Row, *, folder: str) -> Row:
    """The row as it must be saved before its content is sent; it gets an href if it has none."""
    return replace(
        row, href=row.href or href_for(row.uid or row.key, folder=folder), sent_digest=row.digest
    )


def href_for(uid: str, *, folder: str) -> str:
    """Where a new card goes: named by its identifier, so that a repeated write finds it again."""
    name = uid if re.fullmatch(r"[A-Za-z0-9_-]{1,80}", uid) else _short(uid)
    return f"{folder.rstrip('/')}/{quote(name)}.vcf"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def written(row: Row, *, etag: str) -> Save:
    """After a write of ``row.sent_digest`` that the server took and named ``etag``."""
    after = replace(row, base_etag=etag, base_digest=row.sent_digest, sent_digest="")
    return Save(before=row, after=after)


def reread(row: Row, fetched: Fetched) -> list[Step]:
    """After a write whose outcome the server didn't name: what it made of it is agreed on.

    In two steps, so that the agreement stands even if ours was edited meanwhile.
    """
    there = fetched.digest
    agreed = replace(row, base_etag=fetched.etag, base_digest=there, sent_digest="")
    steps: list[Step] = [Save(before=row, after=agreed)]
    if fetched.card is not None and there != row.digest:
        steps.append(Save(before=agreed, after=replace(agreed, digest=there), content=fetched.card))
    return steps


# --- The user's choice --------------------------------------------------------------------------


def resolved(
    row: Row, choice: Choice, *, mine: Card, theirs: Card | None, new_uid: str
) -> list[Step]:
    """What a choice means; the next round writes what it must to the server.

    ``mine`` is the card as it is here (the last one of a deleted card), ``theirs`` the version
    kept beside it. BOTH keeps theirs in its place and makes mine a new card, ``new_uid``.
    """
    free = replace(row, clash=None, clash_etag="", clash_digest="", sent_digest="")
    if theirs is None:
        if choice is Choice.THEIRS:
            return [Remove(before=row)]
        return [Save(before=row, after=replace(free, base_etag="", base_digest=""))]
    agreed = replace(free, base_etag=row.clash_etag, base_digest=row.clash_digest)
    if choice is Choice.MINE:
        return [Save(before=row, after=agreed)]
    taken = replace(agreed, digest=row.clash_digest, is_deleted=False)
    steps: list[Step] = [Save(before=row, after=taken, content=theirs)]
    if choice is Choice.BOTH and not row.is_deleted:
        copy = replace(mine, uid=new_uid)
        steps.append(Save(before=None, after=Row(uid=new_uid, digest=digest(copy)), content=copy))
    return steps
