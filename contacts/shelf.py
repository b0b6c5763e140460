"""The books that somebody may see, what they are called for him, and which he may change.

Personal books are their owner's, shared ones their group's; the directory and the colleagues are
everybody's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _

from bluetel.rows import columns_of, objects_of
from contacts.models import Book
from contacts.persons import LEVELS

if TYPE_CHECKING:
    from bluetel.accounts.models import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """The books somebody on ``pbx`` may see, by id, the most trusted first."""

    books: Mapping[int, Book]
    pbx: int | None

    @property
    def ids(self) -> list[int]:
        """The ids of the books."""
        return list(self.books)

    def parted(self) -> tuple[list[int], list[int]]:
        """The same, and apart from them those of the books of other PBXs' people."""
        elsewhere = [pk for pk, book in self.books.items() if is_elsewhere(book, self.pbx)]
        return [pk for pk in self.books if pk not in elsewhere], elsewhere

    def name_of(self, book: int) -> str:
        """What the book is called for this reader."""
        return book_name(self.books[book], self.pbx)

    @property
    def has_fresh_colleagues(self) -> bool:
        """Whether colleagues have books, and no user has changed since they were written."""
        books = [book for book in self.books.values() if book.kind == Book.Kind.COLLEAGUES]
        return bool(books) and not any(book.is_stale for book in books)

    def is_own(self, book: int) -> bool:
        """Whether the book is the reader's or his groups', rather than the company's."""
        return self.books[book].kind in OWN_KINDS


OWN_KINDS: Final = {Book.Kind.PERSONAL, Book.Kind.SHARED}


_BOOKS: Final = f"SELECT {columns_of(Book, 'book')} FROM contacts_book AS book WHERE"  # noqa: S608
_OWN_GROUPS: Final = "SELECT group_id FROM accounts_user_groups WHERE user_id = %s"
_VISIBLE: Final = " UNION ALL ".join(
    f"{_BOOKS} {which}"
    for which in (
        "owner_id = %s AND kind IN ('personal', 'shared')",
        f"kind = 'shared' AND group_id IN ({_OWN_GROUPS})",
        "kind = 'directory'",
        "kind = 'colleagues'",
    )
)
"""Each by an index; one question with "or" would read all books of the house."""


def shelf_of(viewer: User) -> Shelf:
    """The books ``viewer`` may see."""
    found = objects_of(Book, _VISIBLE, [viewer.pk, viewer.pk])
    pbx: int | None = viewer.pbx_id
    books = sorted(found, key=lambda book: _trust(book, pbx))
    return Shelf(books={book.pk: book for book in books}, pbx=pbx)


def is_elsewhere(book: Book, pbx: int | None) -> bool:
    """Whether it is the book of people whom somebody on ``pbx`` can't call by their extension."""
    is_of_pbx = book.kind == Book.Kind.COLLEAGUES and book.pbx_id is not None
    return is_of_pbx and book.pbx_id != pbx


def book_name(book: Book, pbx: int | None) -> str:
    """What a book is called in the language of the reader, who is on ``pbx``."""
    if is_elsewhere(book, pbx):
        return _("Colleagues on %(pbx)s") % {"pbx": book.name}
    if book.kind == Book.Kind.COLLEAGUES:
        return _("Colleagues") if book.pbx_id is not None else _("Colleagues without a phone")
    if book.kind == Book.Kind.DIRECTORY:
        return book.name or _("Company directory")
    if book.is_default:
        return _("My contacts")
    return book.name or _("Address book")


def may_edit(viewer: User, book: Book) -> bool:
    """Whether ``viewer``, who sees the book, may change what is in it."""
    if book.is_read_only:
        return False
    if book.kind == Book.Kind.PERSONAL:
        return book.owner_id == viewer.pk
    is_owner = book.owner_id == viewer.pk
    return book.kind == Book.Kind.SHARED and (book.members_may_edit or is_owner)


def _trust(book: Book, pbx: int | None) -> tuple[int, bool, int]:
    return LEVELS[Book.Kind(book.kind)], book.pbx_id != pbx, book.pk
