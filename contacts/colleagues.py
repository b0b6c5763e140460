"""The people who use BlueTel, as books: one for each PBX, one for who has none.

The books follow the users' table. Whoever changes a user marks them, and they are brought up to
date before they are read again; names and numbers shown are always the table's own.

Everybody sees all of them. An extension is a number of its own PBX only: to who is on another it is
no number to dial, and who has no PBX has none.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction

from bluetel.accounts.models import Pbx, User
from contacts import storing
from contacts.card import Card, CardEmail, CardNumber, Label, one_line
from contacts.models import Book, Contact
from contacts.rules import Person, number_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

logger = logging.getLogger(__name__)

FIELDS: Final = ("first_name", "last_name", "username", "extension", "mobile", "email")
WATCHED: Final = frozenset({*FIELDS, "pbx", "pbx_id", "is_active"})


def extensions_of(user: User, pbx: int | None) -> tuple[str, str]:
    """A user's extension as somebody on ``pbx`` can dial it, and as he can't: one is empty."""
    if user.pbx_id is None:
        return "", ""
    return (user.extension, "") if user.pbx_id == pbx else ("", user.extension)


def person_of_user(user: User, *, pbx: int | None) -> Person:
    """A user as the search shows him to somebody on ``pbx``."""
    extension, elsewhere = extensions_of(user, pbx)
    entered = (("extension", extension), ("mobile", user.mobile))
    return Person(
        name=user.display_name,
        numbers=tuple(
            number_of(label, number, settings.COUNTRY) for label, number in entered if number
        ),
        extension_elsewhere=elsewhere,
        contact_id=f"user-{user.pk}",
        user_id=str(user.pk),
        more=user.email,
    )


def book_of(pbx: int | None) -> Book:
    """The book of a PBX's users, or of who has none; made when it is first asked for."""
    books = Book.objects.filter(kind=Book.Kind.COLLEAGUES, pbx=pbx)
    book = books.first()
    if book is not None:
        return book
    try:
        with transaction.atomic():
            return Book.objects.create(kind=Book.Kind.COLLEAGUES, pbx_id=pbx, is_stale=True)
    except IntegrityError:
        return books.get()


def mark(user: User, fields: Iterable[str] | None = None) -> None:
    """Note that a user has changed, in ``fields`` if they are known."""
    if fields is None or WATCHED & set(fields):
        mark_all()


def mark_all() -> None:
    """Note that the books may no longer be as the users are."""
    Book.objects.filter(kind=Book.Kind.COLLEAGUES, is_stale=False).update(is_stale=True)


def keep_up(*, now: datetime) -> None:
    """Bring all books of colleagues up to date if somebody has changed."""
    states = list(Book.objects.filter(kind=Book.Kind.COLLEAGUES).values_list("is_stale", flat=True))
    if states and not any(states):
        return
    try:
        sync(*_books(), now=now)
    except IntegrityError:
        mark_all()  # another process writes the same: whoever reads next looks again


def sync(*books: Book, now: datetime) -> int:
    """Bring books of users up to date; how many contacts came, changed or went."""
    changes = [_change_of(book) for book in books]
    # Who has moved to another PBX leaves the one book before he comes into the other.
    for one in changes:
        storing.remove(one.book, one.gone)
    for one in changes:
        storing.change(one.book, one.changed, now=now)
        storing.add(one.book, one.new, now=now)
    return sum(len(one.new) + len(one.changed) + len(one.gone) for one in changes)


def _books() -> list[Book]:
    """Every book that has somebody, or is to have."""
    there = Book.objects.filter(kind=Book.Kind.COLLEAGUES).values_list("pbx", flat=True)
    wanted = User.objects.filter(is_active=True).order_by().values_list("pbx", flat=True)
    return [book_of(pbx) for pbx in dict.fromkeys([*there, *wanted.distinct()])]


@dataclass(frozen=True, slots=True)
class _Change:
    """What a book lacks, by contact where there is one."""

    book: Book
    new: list[storing.Arrival]
    changed: dict[int, storing.Arrival]
    gone: list[int]


def _change_of(book: Book) -> _Change:
    names = Pbx.objects.filter(pk=book.pbx_id or 0).values_list("name", flat=True)
    # First, so that a change from now on marks it again.
    Book.objects.filter(pk=book.pk).update(is_stale=False, name=names.first() or "")
    users = {str(row["pk"]): row for row in _rows(book)}
    known = {
        source_id: (pk, marker)
        for pk, source_id, marker in Contact.objects.filter(book=book).values_list(
            "pk", "source_id", "marker"
        )
    }
    return _Change(
        book=book,
        new=[_arrival(row) for key, row in users.items() if key not in known],
        changed={
            known[key][0]: _arrival(row)
            for key, row in users.items()
            if key in known and known[key][1] != _marker(row)
        },
        gone=[pk for key, (pk, _) in known.items() if key not in users],
    )


def _rows(book: Book) -> Iterable[Mapping[str, Any]]:
    rows = User.objects.filter(pbx=book.pbx_id, is_active=True).values("pk", *FIELDS)
    return rows if book.pbx_id is not None else [{**row, "extension": ""} for row in rows]


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
