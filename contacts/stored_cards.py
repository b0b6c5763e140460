"""The cards that are stored, read back whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from contacts import models
from contacts.card import Card, Photo
from contacts.models import Contact, Email, Line
from contacts.records import card_of


def card_by_id(contact: int, *, with_photo: bool = True) -> Card:
    """The card of a contact's rows, with everything an edit must not lose."""
    return cards_by_id([contact], with_photo=with_photo)[contact]


def cards_by_id(contacts: Collection[int], *, with_photo: bool = True) -> dict[int, Card]:
    """The cards of contacts, by id."""
    rows = Contact.objects.filter(pk__in=contacts)
    lines: dict[int, list[Line]] = defaultdict(list)
    for line in Line.objects.filter(contact__in=contacts):
        lines[line.contact_id].append(line)
    emails: dict[int, list[Email]] = defaultdict(list)
    for email in Email.objects.filter(contact__in=contacts):
        emails[email.contact_id].append(email)
    photos: dict[int, Photo] = {}
    if with_photo:
        photos = {
            row.contact_id: Photo(media_type=row.media_type, content=bytes(row.content))
            for row in models.Photo.objects.filter(contact__in=contacts)
        }
    return {
        row.pk: card_of(row, lines[row.pk], emails[row.pk], photo=photos.get(row.pk))
        for row in rows
    }
