"""What the databases write differently, as one shape: the database that there is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from django.db import connection

from contacts.index import postgresql, sqlite
from contacts.index.statement import Put, Range, Select

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper


class Database(Protocol):
    """The modules :mod:`contacts.index.sqlite` and :mod:`contacts.index.postgresql`.

    Each says more of what it does. Limits are of each range.
    """

    IN_ONE_TRIP: bool

    def entries(self, ranges: Sequence[Range], *, limit: int) -> Select:
        """The first contacts of each range, behind the place of the range among them."""

    def by_words(
        self,
        ranges: Sequence[Range],
        wanted: Sequence[str],
        marks: Sequence[str],
        terms: Sequence[str],
        *,
        limit: int,
        enough: int,
    ) -> Iterator[list[int]]:
        """Contacts of which an entry is like all that are ``wanted``; then by words."""

    def by_number(
        self, ranges: Sequence[Range], digits: str, *, limit: int, enough: int
    ) -> Iterator[list[int]]:
        """Contacts by the beginning of a number; if too few, with ``digits`` anywhere in one."""

    def for_each(self, ranges: Sequence[Range], inner: str, *more: str | int) -> Select:
        """What ``inner`` finds in each range, behind the place of the range among them."""

    def part_of_number(self, books: Sequence[int], digits: str, *, limit: int) -> Select:
        """Contacts with ``digits`` anywhere in a number."""

    def with_words(self, mark: str, terms: Sequence[str], *, limit: int) -> Select:
        """The first contacts of one mark that have a word for each of ``terms``."""

    def hold(self, cursor: CursorWrapper, book: int, /) -> None:
        """Let nobody else change the entries of a book until the transaction ends."""

    def change(
        self, cursor: CursorWrapper, book: int, /, *, gone: Sequence[Put], new: Sequence[Put]
    ) -> None:
        """Take entries of a book out and put others in."""

    def forget(self, cursor: CursorWrapper, *, first: int, past: int) -> None:
        """Take out all entries of the scopes from ``first`` on, before ``past``."""


DATABASES: Final[Mapping[str, Database]] = {"sqlite": sqlite, "postgresql": postgresql}


def here() -> Database:
    """The one we are connected to."""
    return DATABASES[connection.vendor]
