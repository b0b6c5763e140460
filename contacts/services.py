"""Changing the contact base on somebody's behalf: contacts, books, who is whom."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import IntegrityError, transaction

from bluetel.calls.numbering import plan_of
from bluetel.telephony.numbers import NumberPlan
from contacts import storing
from contacts.drafts import Draft, Problem, problems_of, written
from contacts.errors import ContactNotFound, NotMergeable, ReadOnly, UnknownBook, Unusable
from contacts.joining import may_join
from contacts.merging import merged
from contacts.models import Book, Contact, Distinct
from contacts.persons import join, known_contacts
from contacts.remote_rounds import touch
from contacts.selectors import find_contact
from contacts.shelf import may_edit, shelf_of
from contacts.stored_cards import card_by_id, cards_by_id
from contacts.writings import is_number

if TYPE_CHECKING:
    from bluetel.accounts.models import User
    from contacts.card import Card

PERSONAL = "personal"


def default_book(user: User) -> Book:
    """The user's own book, made when he first needs it."""
    own = Book.objects.filter(owner=user, is_default=True)
    try:
        with transaction.atomic():
            return own.first() or Book.objects.create(
                kind=Book.Kind.PERSONAL, owner=user, is_default=True
            )
    except IntegrityError:  # two of his pages at once
        return own.get()


def book_for(user: User, name: str) -> Book:
    """The book that ``name`` means for this user: ``personal`` or an id; he must see it.

    Raises :class:`~contacts.errors.UnknownBook`.
    """
    if name == PERSONAL:
        return default_book(user)
    if name.isascii() and name.isdecimal() and len(name) < 19:
        book = shelf_of(user).books.get(int(name))
        if book is not None:
            return book
    raise UnknownBook(name[:20])


def create(user: User, draft: Draft, *, book: str = PERSONAL, now: datetime) -> Contact:
    """A new contact; raises ``UnknownBook``, ``ReadOnly`` and ``Unusable``."""
    where = _writable(user, book_for(user, book))
    card = _card(user, None, draft)
    contact = storing.add(where, [card], now=now)[0]
    touch(where.pk)
    return contact


def update(
    user: User, contact_id: str, draft: Draft, *, book: str | None = None, now: datetime
) -> Contact:
    """Change what ``draft`` speaks of, and the book if one is given.

    Raises ``ContactNotFound``, ``ReadOnly``, ``UnknownBook`` and ``Unusable``; nothing has changed
    then.
    """
    contact = own_contact(user, contact_id)
    where = contact.book if book is None else _writable(user, book_for(user, book))
    card = _card(user, card_by_id(contact.pk), draft)
    if where.pk == contact.book_id:
        storing.change(where, {contact.pk: card}, now=now)
    else:
        storing.move(contact, card, where, now=now)
        touch(contact.book_id)
    touch(where.pk)
    return Contact.objects.select_related("book").get(pk=contact.pk)


def own_contact(user: User, contact_id: str) -> Contact:
    """A contact that the user may change; raises ``ContactNotFound`` and ``ReadOnly``."""
    contact = find_contact(user, contact_id)
    if contact is None:
        raise ContactNotFound
    if not may_edit(user, contact.book):
        raise ReadOnly
    return contact


def say_same(user: User, one: str, other: str, *, now: datetime) -> Contact:
    """Make two contacts one person; gives the contact that is left, or leads.

    In one book the later becomes part of the earlier one; in different books each stays as its
    book has it and the two hang together from now on. Raises ``ContactNotFound``, ``ReadOnly``
    when the user may not change the one that follows, and ``NotMergeable``.
    """
    first, second = _pair(user, one, other)
    with transaction.atomic():
        _forget_distinct(user, first, second)
        if first.book_id == second.book_id:
            _merge(first, second, now=now)
        else:
            Contact.objects.filter(pk=first.pk).update(same_as=second)
            known = known_contacts(Contact.objects.filter(pk__in=[first.pk, second.pk]))
            if not may_join(known[first.pk], known[second.pk]):
                raise NotMergeable
            join([first.pk, second.pk])
    return second


def say_distinct(user: User, one: str, other: str) -> None:
    """Keep two contacts apart from now on; raises as :func:`say_same`."""
    first, second = _pair(user, one, other)
    with transaction.atomic():
        Distinct.objects.get_or_create(user=user, one=first, other=second)
        Contact.objects.filter(pk=first.pk, same_as=second).update(same_as=None)
        join([first.pk, second.pk])


def set_apart(user: User, contact_id: str) -> Contact:
    """Take a contact out of the person that it was joined with; raises as :func:`own_contact`."""
    contact = own_contact(user, contact_id)
    others = list(
        Contact.objects.filter(person=contact.person_id, book__in=shelf_of(user).ids).exclude(
            pk=contact.pk
        )
        if contact.person_id
        else ()
    )
    with transaction.atomic():
        for other in others:
            Distinct.objects.get_or_create(user=user, one=contact, other=other)
        ids = [contact.pk, *(other.pk for other in others)]
        Contact.objects.filter(pk=contact.pk, same_as__in=ids).update(same_as=None)
        Contact.objects.filter(pk__in=ids, same_as=contact).update(same_as=None)
        join(ids)
    return contact


def _forget_distinct(user: User, one: Contact, other: Contact) -> None:
    pair = [one, other]
    Distinct.objects.filter(user=user, one__in=pair, other__in=pair).delete()


def _merge(later: Contact, earlier: Contact, *, now: datetime) -> None:
    cards = cards_by_id([later.pk, earlier.pk])
    country: str = settings.COUNTRY
    card = merged(cards[earlier.pk], cards[later.pk], country=country)
    storing.change(earlier.book, {earlier.pk: card}, now=now)
    storing.remove(later.book, [later.pk])
    touch(earlier.book_id)


def plan_for(user: User) -> NumberPlan:
    """How numbers are read for this user."""
    return plan_of(user.pbx) if user.pbx else NumberPlan()


def _pair(user: User, one: str, other: str) -> tuple[Contact, Contact]:
    """The two, first the one that the user may change; of two, the one of the later source."""
    found = [find_contact(user, contact_id) for contact_id in (one, other)]
    first, second = found
    if first is None or second is None or first.pk == second.pk:
        raise ContactNotFound
    place = {book: at for at, book in enumerate(shelf_of(user).books)}
    later, earlier = sorted(
        (first, second), key=lambda contact: (place[contact.book_id], contact.pk), reverse=True
    )
    if not may_edit(user, later.book):
        raise ReadOnly
    return later, earlier


def _writable(user: User, book: Book) -> Book:
    if not may_edit(user, book):
        raise ReadOnly
    return book


def _card(user: User, card: Card | None, draft: Draft) -> Card:
    country: str = settings.COUNTRY
    plan = plan_for(user)
    problems = problems_of(draft, before=card, country=country, plan=plan)
    if problems:
        raise Unusable(problems)
    result = written(card, draft, is_number=lambda text: is_number(text, country, [plan]))
    if isinstance(result, Problem):
        raise Unusable([result])
    return result
