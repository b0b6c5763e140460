"""Our side of the two-way sync in the database: :class:`contacts.sync_round.LocalBook`."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.db import transaction

from contacts import storing, sync
from contacts.models import Contact, RemoteBook, RemoteCard, UnreadableCard
from contacts.stored_cards import cards_by_id
from contacts.sync_round import State
from contacts.vcard import write_card

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from contacts.card import Card

_AGREEMENT: Final = (
    "uid",
    "href",
    "base_etag",
    "base_digest",
    "sent_digest",
    "clash_etag",
    "clash_digest",
)


class StoredBook:
    """One book that is kept equal with a server's; ``now`` is the time of this round."""

    def __init__(self, remote: RemoteBook, *, now: datetime) -> None:
        self._remote = remote
        self._now = now

    def state(self) -> State:
        """All rows; contacts that came since the last time get theirs first."""
        with transaction.atomic():
            self._take_in_new()
            rows = [row_of(card) for card in self._cards()]
        ignored = dict(self._remote.unreadable.values_list("href", "etag"))
        token = RemoteBook.objects.values_list("token", flat=True).get(pk=self._remote.pk)
        return State(rows=rows, token=token, ignored=ignored)

    def card(self, row: sync.Row) -> Card | None:
        """The card as it is now."""
        contact = self._cards().filter(pk=row.key).values_list("contact", flat=True).first()
        return cards_by_id([contact]).get(contact) if contact else None

    def apply(self, steps: Sequence[sync.Step]) -> None:
        """All steps in one transaction."""
        with transaction.atomic():
            rows = self._locked(_keys(steps))
            new = [step for step in steps if isinstance(step, sync.Save) and step.before is None]
            for step in steps:
                match step:
                    case sync.Ignore(href=href, etag=etag):
                        UnreadableCard.objects.update_or_create(
                            remote=self._remote, href=href, defaults={"etag": etag}
                        )
                    case sync.Remove(before=before):
                        self._remove(rows.get(before.key), before)
                    case sync.Save(before=sync.Row() as before):
                        self._save(rows.get(before.key), before, step)
            self._add(new)
            hrefs = [step.after.href for step in steps if isinstance(step, sync.Save)]
            self._remote.unreadable.filter(href__in=[href for href in hrefs if href]).delete()

    def save_token(self, token: str) -> None:
        """Keep the server's token."""
        RemoteBook.objects.filter(pk=self._remote.pk).update(token=token)

    def _cards(self) -> QuerySet[RemoteCard]:
        return RemoteCard.objects.filter(remote=self._remote).select_related("contact")

    def _locked(self, keys: Iterable[str]) -> dict[str, RemoteCard]:
        """Rows by key, theirs and the contacts' locked, in the order everybody locks them in."""
        wanted = [int(key) for key in keys]
        contacts = Contact.objects.select_for_update().filter(remote__in=wanted).order_by("pk")
        list(contacts.values_list("pk"))
        cards = self._cards().select_for_update(of=("self",)).filter(pk__in=wanted)
        return {str(card.pk): card for card in cards}

    def _take_in_new(self) -> None:
        fresh = list(
            Contact.objects.filter(book=self._remote.book_id, remote=None).only("pk", "uid")
        )
        for contact in fresh:
            if not contact.uid:
                contact.uid = str(uuid.uuid4())
        Contact.objects.bulk_update(fresh, ["uid"], batch_size=storing.BATCH)
        RemoteCard.objects.bulk_create(
            RemoteCard(remote=self._remote, contact=contact, uid=contact.uid) for contact in fresh
        )

    def _add(self, steps: Sequence[sync.Save]) -> None:
        """What is new here, together: most rounds that bring something bring much."""
        contents = [step.content for step in steps if step.content is not None]
        contacts = storing.add(self._remote.book, contents, now=self._now)
        RemoteCard.objects.bulk_create(
            RemoteCard(remote=self._remote, contact=contact, **_columns(step.after))
            for step, contact in zip(steps, contacts, strict=True)
        )

    def _remove(self, card: RemoteCard | None, before: sync.Row) -> None:
        if card is None or row_of(card) != before:
            return
        contact = card.contact_id
        card.delete()
        if contact:
            storing.remove(self._remote.book, [contact])

    def _save(self, card: RemoteCard | None, before: sync.Row, step: sync.Save) -> None:
        if card is None:
            return
        now = row_of(card)
        if _agreement(now) != _agreement(before):
            return
        if step.content is not None:
            if (now.digest, now.is_deleted) != (before.digest, before.is_deleted):
                return
            self._write(card, step.content)
        for name, value in _columns(step.after).items():
            setattr(card, name, value)
        card.theirs = write_card(step.theirs) if step.theirs is not None else ""
        card.save()

    def _write(self, card: RemoteCard, content: Card) -> None:
        if card.contact_id:
            storing.change(self._remote.book, {card.contact_id: content}, now=self._now)
        else:
            card.contact = storing.add(self._remote.book, [content], now=self._now)[0]
            card.last = ""


def row_of(card: RemoteCard) -> sync.Row:
    """A card's row as the sync knows it; ``card.contact`` is read with it."""
    return sync.Row(
        key=str(card.pk),
        digest=card.contact.digest if card.contact else "",
        is_deleted=card.contact is None,
        clash=sync.Clash(card.clash) if card.clash else None,
        **{name: getattr(card, name) for name in _AGREEMENT},
    )


def _columns(row: sync.Row) -> Mapping[str, str]:
    return {name: getattr(row, name) for name in _AGREEMENT} | {"clash": row.clash or ""}


def _agreement(row: sync.Row) -> sync.Row:
    return replace(row, digest="", is_deleted=False)


def _keys(steps: Sequence[sync.Step]) -> Iterator[str]:
    for step in steps:
        if not isinstance(step, sync.Ignore) and step.before is not None:
            yield step.before.key
