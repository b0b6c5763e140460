"""Deleting a contact, and having it back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction

from contacts import storing, sync
from contacts.errors import ContactNotFound, ReadOnly
from contacts.models import Contact, Deletion, RemoteCard
from contacts.remote_rounds import touch
from contacts.selectors import may_edit, shelf_of
from contacts.services import own_contact
from contacts.stored_cards import card_by_id
from contacts.vcard import read_card, write_card

if TYPE_CHECKING:
    from bluetel.accounts.models import User

KEPT: Final = timedelta(days=1)
"""For so long a contact can be had back."""


def delete(user: User, contact_id: str, *, now: datetime) -> Deletion:
    """Take a contact away; raises ``ContactNotFound`` and ``ReadOnly``."""
    contact = own_contact(user, contact_id)
    with transaction.atomic():
        Deletion.objects.filter(deleted_at__lt=now - KEPT).delete()
        remote = RemoteCard.objects.filter(contact=contact).first()
        card = card_by_id(contact.pk)
        storing.remove(contact.book, [contact.pk])
        # A card that the server never had is forgotten with its contact.
        is_known = remote is not None and RemoteCard.objects.filter(pk=remote.pk).exists()
        deletion = Deletion.objects.create(
            user=user,
            book=contact.book,
            contact_id=contact.pk,
            card=write_card(card),
            remote=remote if is_known else None,
            deleted_at=now,
        )
    touch(contact.book_id)
    return deletion


def restore(user: User, deletion_id: int, *, now: datetime) -> Contact:
    """Put a contact back where it was, with the id it had.

    Raises ``ContactNotFound`` when there is nothing to put back any more, and ``ReadOnly`` when the
    user may not change the book any more.
    """
    mine = Deletion.objects.select_related("book").filter(user=user, pk=deletion_id)
    with transaction.atomic():
        deletion = mine.select_for_update(of=("self",)).first()
        if deletion is None or deletion.deleted_at < now - KEPT:
            raise ContactNotFound
        book = shelf_of(user).books.get(deletion.book_id)
        if book is None or not may_edit(user, book):
            raise ReadOnly
        arrival = storing.Arrival(card=read_card(deletion.card), id=deletion.contact_id)
        (contact,) = storing.add(book, [arrival], now=now)
        if deletion.remote_id is not None:
            _take_up(deletion.remote_id, contact)
        deletion.delete()
    touch(book.pk)
    return contact


def _take_up(remote: int, contact: Contact) -> None:
    """Go on with what the sync knows of the card, as if it had been edited.

    So the next round writes it. When a round is deleting it on the server at this moment, the user
    is asked, rather than that it goes a second time.
    """
    row = RemoteCard.objects.select_for_update().filter(pk=remote, contact=None).first()
    if row is None:
        return
    row.contact, row.base_digest, row.last = contact, "", ""
    if row.clash == sync.Clash.DELETED_HERE:
        row.clash = sync.Clash.EDITED_BOTH
    row.save()
