"""The contact base's work in the background."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from bluetel.fetch.site import site_door
from bluetel.ldap.client import client_for
from bluetel.work.jobs import job
from contacts import importing, persons, remote_rounds
from contacts.ldap.keeping import read_directory


@job
def read_company_directory(*, whole: bool = False) -> None:
    """Read what changed in the company directory; with ``whole``, compare everybody."""
    if settings.LDAP_CONFIG is not None:
        read_directory(client_for(settings.LDAP_CONFIG), now=timezone.now(), whole=whole)


def read_directory_soon(*, whole: bool = False) -> None:
    """Have the directory read as soon as a runner is free; once, however often it is asked for."""
    read_company_directory.enqueue(key="contacts-directory", whole=whole)


@job
def join_book(*, book: int) -> None:
    """Decide anew which contacts of a book are whose."""
    persons.join_book(book)


def join_book_soon(book: int) -> None:
    """Have that decided as soon as a runner is free, for other people see the book now."""
    join_book.enqueue(key=f"contacts-join:{book}", book=book)


@job
def compare_book(*, book: int) -> None:
    """Compare one book with its server."""
    remote_rounds.compare(book, now=timezone.now(), door=site_door())


def compare_soon(book: int) -> None:
    """Have a book compared as soon as a runner is free; once, however often it is asked for."""
    compare_book.enqueue(key=f"contacts-book:{book}", book=book)


@job
def read_import(*, run: int) -> None:
    """Bring a file into its book, from where an earlier try has stopped."""
    importing.carry_on(run, clock=timezone.now)


def read_import_soon(run: int) -> None:
    """Have a file read as soon as a runner is free."""
    read_import.enqueue(key=f"contacts-import:{run}", run=run)
