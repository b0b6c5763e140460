"""Accounts at address-book servers: added, looked through, their books kept here or left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypedDict

from django.db import transaction

from bluetel.fetch.door import origin_of
from bluetel.fetch.errors import FetchError, NotAllowed
from bluetel.fetch.exchange import Credentials
from contacts import storing, sync
from contacts.card import NAME_LIMIT, one_line
from contacts.carddav import address_books
from contacts.models import Book, CardDavAccount, RemoteBook
from contacts.remote_errors import NO_BOOKS, code_of
from contacts.remote_store import StoredBook

if TYPE_CHECKING:
    from bluetel.accounts.models import User
    from bluetel.fetch.door import Door

MOST_BOOKS = 100
MOST_ACCOUNTS = 20


class FoundBook(TypedDict):
    """An address book of a server, as it was when last looked."""

    url: str
    name: str
    is_writable: bool


class AccountRefused(Exception):
    """The account can't be used as it was written; ``code`` is one of ``remote_errors``.

    ``origin`` is another server the address leads to, when that is why.
    """

    def __init__(self, code: str, *, origin: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.origin = origin


def add_account(
    user: User, *, url: str, username: str, password: str, door: Door
) -> CardDavAccount:
    """Look for address books with these; raises :class:`AccountRefused` when there are none.

    Asks the network, so call it outside transactions.
    """
    address = url.strip()
    if "://" not in address:
        address = f"https://{address}"
    found = _look(door, address, Credentials(username=username, password=password))
    return CardDavAccount.objects.create(
        user=user, url=address, username=username, password=password, found=found
    )


def look_again(account: CardDavAccount, *, door: Door) -> None:
    """See which address books the account has now; what went wrong is noted on it."""
    try:
        account.found = _look(door, account.url, credentials_of(account))
        account.error = ""
    except AccountRefused as refused:
        account.error = refused.code
    account.save(update_fields=["found", "error"])


def change_password(account: CardDavAccount, password: str, *, door: Door) -> None:
    """Take another password if the server does; raises :class:`AccountRefused`."""
    credentials = Credentials(username=account.username, password=password)
    account.found = _look(door, account.url, credentials)
    account.password, account.error = password, ""
    account.save(update_fields=["found", "password", "error"])


def credentials_of(account: CardDavAccount) -> Credentials:
    """What opens the account."""
    return Credentials(username=account.username, password=account.password)


def keep_books(account: CardDavAccount, urls: Sequence[str], *, now: datetime) -> None:
    """Keep exactly these of the account's books here; the rest is left (:func:`leave_book`)."""
    wanted = set(urls)
    for remote in list(account.books.select_related("book")):
        if remote.url not in wanted:
            leave_book(remote, now=now)
    kept = set(account.books.values_list("url", flat=True))
    for found in account.found:
        if found["url"] in wanted - kept:
            _keep(account, found, now=now)


def leave_book(remote: RemoteBook, *, now: datetime) -> bool:
    """Stop keeping a book equal; whether it stays here as a book of its own.

    It does when something in it is not on the server: nobody's writing is lost. The server's book
    is left as it is.
    """
    with transaction.atomic():
        rows = StoredBook(remote, now=now).state().rows
        is_needed = any(row.clash is not None or sync.to_write(row) is not None for row in rows)
        book = remote.book
        remote.delete()
        if is_needed:
            Book.objects.filter(pk=book.pk).update(is_read_only=False)
        else:
            storing.remove_book(book)
    return is_needed


def remove_account(account: CardDavAccount, *, now: datetime) -> int:
    """Forget an account and its books; how many of them stay here (:func:`leave_book`)."""
    books = list(account.books.select_related("book"))
    stay = sum(leave_book(remote, now=now) for remote in books)
    account.delete()
    return stay


def _keep(account: CardDavAccount, found: FoundBook, *, now: datetime) -> None:
    with transaction.atomic():
        book = Book.objects.create(
            kind=Book.Kind.PERSONAL,
            owner=account.user,
            name=found["name"],
            is_read_only=not found["is_writable"],
        )
        RemoteBook.objects.create(
            book=book,
            account=account,
            url=found["url"],
            is_writable=found["is_writable"],
            due_at=now,
        )


def _look(door: Door, url: str, credentials: Credentials) -> list[FoundBook]:
    try:
        books = address_books(door, url, credentials=credentials)
    except FetchError as error:
        refused_by = error.origin if isinstance(error, NotAllowed) else ""
        elsewhere = refused_by if refused_by and refused_by != origin_of(url) else ""
        raise AccountRefused(code_of(error), origin=elsewhere) from error
    if not books:
        raise AccountRefused(NO_BOOKS)
    return [
        FoundBook(
            url=book.url,
            name=one_line(book.name, limit=NAME_LIMIT),
            is_writable=book.is_writable,
        )
        for book in books[:MOST_BOOKS]
    ]
