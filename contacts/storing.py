"""Writing contacts: rows, index and who is whom, all in one transaction.

Every change of a contact goes through here, one card or a directory of them: what is found is
what is stored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import transaction

from bluetel.calls.numbering import number_plans
from contacts.index import store as index
from contacts.models import Book, Contact, Email, Line, Photo, RemoteBook
from contacts.persons import join
from contacts.records import (
    emails_of_card,
    fill,
    lines_of_card,
    texts_of,
)
from contacts.tombstones import bury

if TYPE_CHECKING:
    from bluetel.telephony.numbers import NumberPlan
    from contacts.card import Card
    from contacts.index.postings import Texts

BATCH: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A card on its way into a book; ``source_id`` and ``marker`` are a directory's own.

    ``id`` is that of a contact which comes back.
    """

    card: Card
    source_id: str = ""
    marker: str = ""
    user: int | None = None
    id: int | None = None


def add(book: Book, cards: Iterable[Card | Arrival], *, now: datetime) -> list[Contact]:
    """New contacts of ``book``, with everything that finds them."""
    arrivals = [card if isinstance(card, Arrival) else Arrival(card=card) for card in cards]
    added: list[Contact] = []
    for start in range(0, len(arrivals), BATCH):
        with transaction.atomic():
            added += _add(book, arrivals[start : start + BATCH], now=now)
    return added


def change(book: Book, cards: Mapping[int, Card | Arrival], *, now: datetime) -> None:
    """Give contacts of ``book``, by id, other cards; ids that are not in it are passed over."""
    ids = sorted(cards)
    for start in range(0, len(ids), BATCH):
        with transaction.atomic():
            _change(book, {pk: cards[pk] for pk in ids[start : start + BATCH]}, now=now)


def remove(book: Book, ids: Collection[int]) -> int:
    """Take contacts out of ``book``; how many there were."""
    removed = 0
    wanted = sorted(ids)
    for start in range(0, len(wanted), BATCH):
        with transaction.atomic():
            removed += _remove(book, wanted[start : start + BATCH])
    return removed


def move(contact: Contact, card: Card, book: Book, *, now: datetime) -> None:
    """Put a contact with ``card`` into another book; it keeps its id."""
    with transaction.atomic():
        index.hold([contact.book_id, book.pk])
        texts = texts_by_id([contact])[contact.pk]
        index.change(contact.book_id, {contact.pk: (texts, None)})
        bury([contact.pk])
        Contact.objects.filter(pk=contact.pk).update(book=book, same_as=None)
        _change(book, {contact.pk: card}, now=now, is_indexed=False)


def remove_book(book: Book) -> None:
    """Take a book away with all that is in it; a server's copy of it stays as it is."""
    with transaction.atomic():
        RemoteBook.objects.filter(book=book).delete()
        remove(book, list(Contact.objects.filter(book=book).values_list("pk", flat=True)))
        index.forget_book(book.pk)
        book.delete()


def texts_by_id(contacts: Iterable[Contact]) -> dict[int, Texts]:
    """What contacts are found by, as their rows are now."""
    found = list(contacts)
    emails: dict[int, list[str]] = defaultdict(list)
    ids = [contact.pk for contact in found]
    rows = Email.objects.filter(contact__in=ids).order_by("contact", "position")
    for contact, address in rows.values_list("contact", "address"):
        emails[contact].append(address)
    callable_ids = set(
        Line.objects.filter(contact__in=ids, is_callable=True).values_list("contact", flat=True)
    )
    return {
        contact.pk: texts_of(
            contact, emails.get(contact.pk, ()), is_callable=contact.pk in callable_ids
        )
        for contact in found
    }


def _add(book: Book, arrivals: Sequence[Arrival], *, now: datetime) -> list[Contact]:
    country: str = settings.COUNTRY
    plans = number_plans()
    contacts = []
    after = []
    for arrival in arrivals:
        contact = Contact(
            id=arrival.id,
            book=book,
            user_id=arrival.user,
            source_id=arrival.source_id,
            marker=arrival.marker,
            updated_at=now,
        )
        after.append(fill(contact, arrival.card, country=country, plans=plans))
        contacts.append(contact)
    Contact.objects.bulk_create(contacts)
    cards = {contact.pk: arrival.card for contact, arrival in zip(contacts, arrivals, strict=True)}
    _write_parts(book, cards, plans)
    texts = zip(cards, after, strict=True)
    index.change(book.pk, {pk: (None, now_found_by) for pk, now_found_by in texts})
    join(cards)
    return contacts


def _change(
    book: Book, cards: Mapping[int, Card | Arrival], *, now: datetime, is_indexed: bool = True
) -> None:
    contacts = list(Contact.objects.select_for_update().filter(book=book, pk__in=cards))
    before = texts_by_id(contacts) if is_indexed else {}
    country: str = settings.COUNTRY
    plans = number_plans()
    new: dict[int, Card] = {}
    after: dict[int, Texts] = {}
    for contact in contacts:
        given = cards[contact.pk]
        arrival = given if isinstance(given, Arrival) else None
        new[contact.pk] = arrival.card if arrival else given  # type: ignore[assignment]
        after[contact.pk] = fill(contact, new[contact.pk], country=country, plans=plans)
        if arrival:
            contact.source_id, contact.marker = arrival.source_id, arrival.marker
        contact.updated_at = now
        contact.version += 1
        contact.save()
    ids = list(new)
    Line.objects.filter(contact__in=ids).delete()
    Email.objects.filter(contact__in=ids).delete()
    Photo.objects.filter(contact__in=ids).delete()
    _write_parts(book, new, plans)
    index.change(book.pk, {pk: (before.get(pk), after[pk]) for pk in ids})
    join(ids)


def _remove(book: Book, ids: Sequence[int]) -> int:
    contacts = list(Contact.objects.filter(book=book, pk__in=ids))
    found = [contact.pk for contact in contacts]
    index.change(book.pk, {pk: (texts, None) for pk, texts in texts_by_id(contacts).items()})
    left = list(
        Contact.objects.filter(person__in={contact.person_id for contact in contacts} - {None})
        .exclude(pk__in=found)
        .values_list("pk", flat=True)
    )
    bury(found)
    Contact.objects.filter(pk__in=found).delete()
    join(left)
    return len(found)


def _write_parts(book: Book, cards: Mapping[int, Card], plans: Collection[NumberPlan]) -> None:
    """Numbers, addresses and pictures of cards by contact."""
    country: str = settings.COUNTRY
    Line.objects.bulk_create(
        line
        for pk, card in cards.items()
        for line in lines_of_card(card, contact=pk, book=book.pk, country=country, plans=plans)
    )
    Email.objects.bulk_create(
        email for pk, card in cards.items() for email in emails_of_card(card, contact=pk)
    )
    Photo.objects.bulk_create(
        Photo(contact_id=pk, media_type=card.photo.media_type, content=card.photo.content)
        for pk, card in cards.items()
        if card.photo
    )
