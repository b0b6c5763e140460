"""What the two-way sync remembers of a contact that leaves its book, until the server knows."""

from __future__ import annotations

from collections.abc import Collection

from contacts.models import Contact, RemoteCard
from contacts.stored_cards import cards_by_id
from contacts.vcard import write_card


def bury(contacts: Collection[int]) -> None:
    """Note that these contacts are about to leave their books; call it inside the transaction.

    What the server may have is deleted there by the next round; the last content is kept with the
    row for the case that somebody edits it there meanwhile.
    """
    # Contacts before their rows, as the sync locks them.
    list(Contact.objects.select_for_update().filter(pk__in=contacts).order_by("pk").values("pk"))
    rows = list(RemoteCard.objects.select_for_update().filter(contact__in=contacts))
    if not rows:
        return
    cards = cards_by_id([row.contact_id for row in rows if row.contact_id])
    for row in rows:
        if row.base_etag or row.sent_digest or row.clash:
            row.last = write_card(cards[row.contact_id]) if row.contact_id else row.last
            row.contact = None
            row.save(update_fields=["contact", "last"])
        else:
            row.delete()
