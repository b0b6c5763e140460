"""Deleting a contact, and having it back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import Q

from bluetel.accounts.models import User
from contacts import storing, sync
from contacts.errors import ContactNotFound, ReadOnly
from contacts.models import Contact, Deletion, Distinct, RemoteCard
from contacts.persons import join
from contacts.remote_rounds import touch
from contacts.services import own_contact
from contacts.shelf import may_edit, shelf_of
from contacts.stored_cards import card_by_id
from contacts.vcard import read_card, write_card

KEPT: Final = timedelta(days=1)
"""For so long a contact can be had back."""


def delete(user: User, contact_id: str, *, now: datetime) -> Deletion:
    """Take a contact away; raises ``ContactNotFound`` and ``ReadOnly``."""
    with transaction.atomic():
        _lock([own_contact(user, contact_id).pk])
        contact = own_contact(user, contact_id)  # or somebody else was quicker
        remote = RemoteCard.objects.filter(contact=contact).first()
        card = card_by_id(contact.pk)
        said = _said_of(contact.pk)
        storing.remove(contact.book, [contact.pk])
        # A card that the server never had is forgotten with its contact.
        is_known = remote is not None and RemoteCard.objects.filter(pk=remote.pk).exists()
        deletion = Deletion.objects.create(
            user=user,
            book=contact.book,
            contact_id=contact.pk,
            card=write_card(card),
            said=said,
            remote=remote if is_known else None,
            deleted_at=now,
        )
    touch(contact.book_id)
    return deletion


def restore(user: User, deletion_id: int, *, now: datetime) -> Contact:
    """Put a contact back where it was, with the id it had, and what was said of it.

    Raises ``ContactNotFound`` when there is nothing to put back any more, and ``ReadOnly`` when the
    user may not change the book any more.
    """
    mine = Deletion.objects.select_related("book").filter(user=user, pk=deletion_id)
    with transaction.atomic():
        # Contacts, then what the sync knows, then the deletion, as a round locks them.
        before = mine.first()
        others = _lock(_others(before.said)) if before else set()
        row = _lock_remote(before.remote_id) if before and before.remote_id else None
        deletion = mine.select_for_update(of=("self",)).first()
        if deletion is None or deletion.deleted_at < now - KEPT:
            raise ContactNotFound
        if Contact.objects.filter(pk=deletion.contact_id).exists():
            raise ContactNotFound
        book = shelf_of(user).books.get(deletion.book_id)
        if book is None or not may_edit(user, book):
            raise ReadOnly
        arrival = storing.Arrival(card=read_card(deletion.card), id=deletion.contact_id)
        (contact,) = storing.add(book, [arrival], now=now)
        if row is not None:
            _take_up(row, contact)
        _say_again(contact, deletion.said, among=others)
        deletion.delete()
    touch(book.pk)
    return contact


def forget_old(*, now: datetime) -> None:
    """Let go of what can't be had back any more."""
    old = Deletion.objects.filter(deleted_at__lt=now - KEPT)
    if old.exists():  # most times nothing is to be written
        old.delete()


def _lock(contacts: Collection[int]) -> set[int]:
    """Those of them that are there, locked in the order everybody locks them in."""
    rows = Contact.objects.select_for_update().filter(pk__in=contacts).order_by("pk")
    return set(rows.values_list("pk", flat=True))


def _lock_remote(remote: int) -> RemoteCard | None:
    return RemoteCard.objects.select_for_update().filter(pk=remote, contact=None).first()


def _take_up(row: RemoteCard, contact: Contact) -> None:
    """Go on with what the sync knows of the card, as if it had been edited.

    So the next round writes it. When a round is deleting it on the server at this moment, the user
    is asked, rather than that it goes a second time.
    """
    row.contact, row.base_digest, row.last = contact, "", ""
    if row.clash == sync.Clash.DELETED_HERE:
        row.clash = sync.Clash.EDITED_BOTH
    row.save()


def _said_of(contact: int) -> dict[str, Any]:
    """What people have said of who a contact is, in the shape of ``Deletion.said``."""
    apart = Distinct.objects.filter(Q(one=contact) | Q(other=contact))
    return {
        "distinct": [list(row) for row in apart.values_list("user", "one", "other")],
        "same": [
            list(row)
            for row in Contact.objects.filter(
                Q(pk=contact, same_as__isnull=False) | Q(same_as=contact)
            ).values_list("pk", "same_as")
        ],
    }


def _others(said: Mapping[str, Any]) -> set[int]:
    """All contacts that are spoken of."""
    pairs = [*said.get("same", []), *(pair for _, *pair in said.get("distinct", []))]
    return {pk for pair in pairs for pk in pair}


def _say_again(contact: Contact, said: Mapping[str, Any], *, among: Collection[int]) -> None:
    """Let hold again what was said, as far as the others are still there and say nothing else."""
    there = {contact.pk, *among}
    users = set(
        User.objects.filter(pk__in=[user for user, *_ in said.get("distinct", [])]).values_list(
            "pk", flat=True
        )
    )
    Distinct.objects.bulk_create(
        [
            Distinct(user_id=user, one_id=one, other_id=other)
            for user, one, other in said.get("distinct", [])
            if user in users and {one, other} <= there
        ],
        ignore_conflicts=True,
    )
    for one, other in said.get("same", []):
        if {one, other} <= there:
            Contact.objects.filter(pk=one, same_as=None).update(same_as=other)
    join(there)
