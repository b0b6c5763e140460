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
from contacts.errors import ContactNotFound, ReadOnly, UnknownBook, Unusable
from contacts.models import Book, Contact, Distinct
from contacts.persons import join
from contacts.remote_rounds import touch
from contacts.selectors import find_contact, may_edit, shelf_of
from contacts.stored_cards import card_by_id

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


def delete(user: User, contact_id: str) -> None:
    """Take a contact away; raises ``ContactNotFound`` and ``ReadOnly``."""
    contact = own_contact(user, contact_id)
    storing.remove(contact.book, [contact.pk])
    touch(contact.book_id)


def own_contact(user: User, contact_id: str) -> Contact:
    """A contact that the user may change; raises ``ContactNotFound`` and ``ReadOnly``."""
    contact = find_contact(user, contact_id)
    if contact is None:
        raise ContactNotFound
    if not may_edit(user, contact.book):
        raise ReadOnly
    return contact


def say_same(user: User, one: str, other: str) -> None:
    """Join two contacts by hand: the one that the user may change follows the other.

    Raises ``ContactNotFound``, and ``ReadOnly`` when he may change neither.
    """
    first, second = _pair(user, one, other)
    with transaction.atomic():
        Distinct.objects.filter(
            user=user, one__in=[first, second], other__in=[first, second]
        ).delete()
        Contact.objects.filter(pk=first.pk).update(same_as=second)
        join([first.pk, second.pk])


def say_distinct(user: User, one: str, other: str) -> None:
    """Keep two contacts apart from now on; raises as :func:`say_same`."""
    first, second = _pair(user, one, other)
    with transaction.atomic():
        Distinct.objects.get_or_create(user=user, one=first, other=second)
        Contact.objects.filter(pk=first.pk, same_as=second).update(same_as=None)
        join([first.pk, second.pk])


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
    problems = problems_of(draft, country=country, plan=plan_for(user))
    if problems:
        raise Unusable(problems)
    result = written(card, draft)
    if isinstance(result, Problem):
        raise Unusable([result])
    return result
