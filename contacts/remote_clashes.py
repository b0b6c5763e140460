"""Cards that were changed on both sides: both versions, and the user's choice between them."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from contacts import sync
from contacts.card import Card, differences
from contacts.errors import ContactNotFound
from contacts.models import RemoteCard
from contacts.remote_rounds import touch
from contacts.remote_store import StoredBook, row_of
from contacts.stored_cards import card_by_id
from contacts.vcard import read_card

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from bluetel.accounts.models import User
    from contacts.models import Book


@dataclass(frozen=True, slots=True, kw_only=True)
class Clashing:
    """One card in two versions; None where it was deleted. ``differs`` names fields of a card."""

    id: int
    kind: sync.Clash
    book: Book
    mine: Card | None
    theirs: Card | None

    @property
    def name(self) -> str:
        """Whom it is about."""
        shown = self.mine or self.theirs
        return shown.name if shown else ""

    @property
    def differs(self) -> tuple[str, ...]:
        """In what the two differ; empty when one side has deleted it."""
        return differences(self.mine, self.theirs) if self.mine and self.theirs else ()


def count_clashes(user: User) -> int:
    """How many cards wait for the user's choice."""
    return _clashing(user).count()


def clashes_of(
    user: User, *, contacts: Collection[int] | None = None, limit: int = 50
) -> Iterator[Clashing]:
    """The cards that wait, oldest first; those of ``contacts`` if they are given."""
    rows = _clashing(user).select_related("contact", "remote__book").order_by("pk")
    if contacts is not None:
        rows = rows.filter(contact__in=contacts)
    for card in rows[:limit]:
        yield Clashing(
            id=card.pk,
            kind=sync.Clash(card.clash),
            book=card.remote.book,
            mine=card_by_id(card.contact_id) if card.contact_id else None,
            theirs=read_card(card.theirs) if card.theirs else None,
        )


def choose(user: User, card_id: int, choice: sync.Choice, *, now: datetime) -> bool:
    """Do what the user wants of a clash; the next round writes it to the server.

    False when the card has changed meanwhile, so that it must be looked at again. Raises
    :class:`~contacts.errors.ContactNotFound`.
    """
    card = _clashing(user).select_related("contact", "remote__book").filter(pk=card_id).first()
    if card is None:
        raise ContactNotFound
    theirs = read_card(card.theirs) if card.theirs else None
    if card.contact_id:
        mine = card_by_id(card.contact_id)
    else:
        mine = read_card(card.last) if card.last else Card(name="")
    steps = sync.resolved(row_of(card), choice, mine=mine, theirs=theirs, new_uid=str(uuid.uuid4()))
    StoredBook(card.remote, now=now).apply(steps)
    touch(card.remote_id)
    return not _clashing(user).filter(pk=card_id).exists()


def _clashing(user: User) -> QuerySet[RemoteCard]:
    return RemoteCard.objects.filter(remote__account__user=user).exclude(clash="")
