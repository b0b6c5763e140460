"""The people who use BlueTel, as a book of the contact base.

The book follows the users' table. Whoever changes a user marks it, and it is brought up to date
before it is read again; names and numbers shown are always the table's own.
"""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.db import IntegrityError, transaction

from bluetel.accounts.models import User
from contacts import storing
from contacts.card import Card, CardEmail, CardNumber, Label, one_line
from contacts.models import Book, Contact
from contacts.rules import Person

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

logger = logging.getLogger(__name__)

FIELDS: Final = ("first_name", "last_name", "username", "extension", "mobile", "email")
WATCHED: Final = frozenset({*FIELDS, "pbx", "pbx_id", "is_active"})


def person_of_user(user: User) -> Person:
    """A user as the search shows him."""
    entered = (("extension", user.extension), ("mobile", user.mobile))
    return Person(
        name=user.display_name,
        numbers=tuple((label, number) for label, number in entered if number),
        contact_id=f"user-{user.pk}",
        user_id=str(user.pk),
        more=user.email,
    )


def book_of(pbx: int) -> Book:
    """The book of a PBX's users, made when it is first asked for."""
    try:
        with transaction.atomic():
            return Book.objects.get_or_create(
                pbx_id=pbx, defaults={"kind": Book.Kind.COLLEAGUES, "is_stale": True}
            )[0]
    except IntegrityError:
        return Book.objects.get(pbx=pbx)


def mark(user: User, fields: Iterable[str] | None = None) -> None:
    """Note that a user has changed, in ``fields`` if they are known."""
    if fields is not None and not WATCHED & set(fields):
        return
    Book.objects.filter(kind=Book.Kind.COLLEAGUES, is_stale=False).update(is_stale=True)


def keep_up(pbx: int, *, now: datetime) -> None:
    """Bring a PBX's colleagues up to date if somebody has changed."""
    state = Book.objects.filter(pbx=pbx).values_list("is_stale", flat=True).first()
    if state is None or state:
        sync(book_of(pbx), now=now)


def sync(book: Book, *, now: datetime) -> int:
    """Bring the book of a PBX's users up to date; how many contacts came, changed or went."""
    # First, so that a change from now on marks it again.
    Book.objects.filter(pk=book.pk).update(is_stale=False)
    users = {str(row["pk"]): row for row in _rows(book)}
    known = {
        source_id: (pk, marker)
        for pk, source_id, marker in Contact.objects.filter(book=book).values_list(
            "pk", "source_id", "marker"
        )
    }
    new = [_arrival(row) for key, row in users.items() if key not in known]
    changed = {
        known[key][0]: _arrival(row)
        for key, row in users.items()
        if key in known and known[key][1] != _marker(row)
    }
    gone = [pk for key, (pk, _) in known.items() if key not in users]
    storing.remove(book, gone)
    storing.change(book, changed, now=now)
    storing.add(book, new, now=now)
    return len(new) + len(changed) + len(gone)


def _rows(book: Book) -> Iterable[Mapping[str, Any]]:
    return list(User.objects.filter(pbx=book.pbx_id, is_active=True).values("pk", *FIELDS))


def _arrival(row: Mapping[str, Any]) -> storing.Arrival:
    first, last = row["first_name"], row["last_name"]
    numbers = ((Label.EXTENSION, row["extension"]), (Label.MOBILE, row["mobile"]))
    card = Card(
        name=one_line(f"{first} {last}".strip() or row["username"]),
        given_name=one_line(first),
        family_name=one_line(last),
        numbers=tuple(
            CardNumber(number=number, label=label) for label, number in numbers if number
        ),
        emails=(CardEmail(address=row["email"]),) if row["email"] else (),
    )
    return storing.Arrival(card=card, source_id=str(row["pk"]), marker=_marker(row), user=row["pk"])


def _marker(row: Mapping[str, Any]) -> str:
    text = "\n".join(str(row[field]) for field in FIELDS)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
