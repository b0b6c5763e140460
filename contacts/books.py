"""Address books on somebody's behalf: made, named, shared with a group, taken away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from contacts import storing
from contacts.card import NAME_LIMIT, one_line
from contacts.drafts import Problem, Reason
from contacts.errors import ReadOnly, UnknownBook, Unusable
from contacts.models import Book
from contacts.shelf import shelf_of

if TYPE_CHECKING:
    from django.contrib.auth.models import Group

    from bluetel.accounts.models import User


def visible_book(user: User, book_id: int) -> Book:
    """A book that the user may see; raises ``UnknownBook``."""
    book = shelf_of(user).books.get(book_id)
    if book is None:
        raise UnknownBook(str(book_id))
    return book


def may_manage(user: User, book: Book) -> bool:
    """Whether ``user`` may rename, share and delete the book: it is his."""
    own = {Book.Kind.PERSONAL, Book.Kind.SHARED}
    return book.kind in own and book.owner_id == user.pk


def groups_of(user: User) -> Sequence[Group]:
    """With whom the user may share."""
    return list(user.groups.order_by("name"))


def create_book(
    user: User, *, name: str, group: int | None = None, members_may_edit: bool = True
) -> Book:
    """A new book of the user's, shared with a group of his if one is given.

    Raises ``Unusable`` for a name that is none and a group that is not his.
    """
    shared_with = _group(user, group)
    return Book.objects.create(
        kind=Book.Kind.SHARED if shared_with else Book.Kind.PERSONAL,
        name=_name(name),
        owner=user,
        group=shared_with,
        members_may_edit=members_may_edit,
    )


def change_book(
    user: User, book_id: int, *, name: str, group: int | None, members_may_edit: bool
) -> Book:
    """Rename a book, and share it or keep it to oneself; the default book is nobody else's.

    Raises ``UnknownBook``, ``ReadOnly`` and ``Unusable``.
    """
    book = _managed(user, book_id)
    shared_with = _group(user, group)
    if book.is_default and shared_with is not None:
        raise Unusable([Problem("group", Reason.DEFAULT_BOOK)])
    book.name = _name(name) if not book.is_default else ""
    book.group = shared_with
    book.kind = Book.Kind.SHARED if shared_with else Book.Kind.PERSONAL
    book.members_may_edit = members_may_edit
    book.save()
    return book


def delete_book(user: User, book_id: int) -> None:
    """Take a book away with its contacts; the default book stays.

    Raises ``UnknownBook`` and ``ReadOnly``.
    """
    book = _managed(user, book_id)
    if book.is_default:
        raise ReadOnly
    storing.remove_book(book)


def _managed(user: User, book_id: int) -> Book:
    book = visible_book(user, book_id)
    if not may_manage(user, book):
        raise ReadOnly
    return book


def _name(text: str) -> str:
    name = one_line(text, limit=NAME_LIMIT + 1)
    if not name:
        raise Unusable([Problem("name", Reason.NO_NAME)])
    if len(name) > NAME_LIMIT:
        raise Unusable([Problem("name", Reason.TOO_LONG, limit=NAME_LIMIT)])
    return name


def _group(user: User, group: int | None) -> Group | None:
    if group is None:
        return None
    found = user.groups.filter(pk=group).first()
    if found is None:
        raise Unusable([Problem("group", Reason.GROUP)])
    return found
