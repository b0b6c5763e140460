"""The contact base's work in the background."""

from __future__ import annotations

from django.utils import timezone

from bluetel.fetch.site import site_door
from bluetel.work.jobs import job
from contacts import remote_rounds


@job
def compare_book(*, book: int) -> None:
    """Compare one book with its server."""
    remote_rounds.compare(book, now=timezone.now(), door=site_door())


def compare_soon(book: int) -> None:
    """Have a book compared as soon as a runner is free; once, however often it is asked for."""
    compare_book.enqueue(key=f"contacts-book:{book}", book=book)
