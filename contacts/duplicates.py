"""Contacts that look like the same person, for the reader to decide.

Proposed are pairs of which he may change one, that share an address, a number or the whole name
and have not been told apart before (:func:`contacts.joining.look_alike`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import connection

from contacts.entries import Entry, entries_of
from contacts.joining import Known, look_alike, may_join
from contacts.models import Contact
from contacts.persons import known_contacts
from contacts.shelf import may_edit, shelf_of

if TYPE_CHECKING:
    from bluetel.accounts.models import User
    from contacts.shelf import Shelf

MOST: Final = 20
LOOKED_AT: Final = 400
"""Pairs that are judged at most: a switchboard's number pairs everybody with everybody."""

_SHARES: Final = (
    "contacts_contact AS mine {then} contacts_contact AS other ON other.sort_name = mine.sort_name",
    (
        "contacts_contact AS mine {then} contacts_email AS a ON a.contact_id = mine.id"
        " {then} contacts_email AS b ON b.key = a.key AND b.id <> a.id"
        " {then} contacts_contact AS other ON other.id = b.contact_id"
    ),
    (
        "contacts_contact AS mine {then} contacts_line AS a ON a.contact_id = mine.id"
        " AND a.digits <> '' AND a.is_callable"
        " {then} contacts_line AS b ON b.digits = a.digits AND b.id <> a.id AND b.is_callable"
        " {then} contacts_contact AS other ON other.id = b.contact_id"
    ),
)
_THEN: Final = {"sqlite": "CROSS JOIN", "postgresql": "JOIN"}
"""SQLite reads the tables in this order: from the reader's contacts by indexes to the others."""
_UNDECIDED: Final = (
    "mine.id <> other.id"
    " AND (mine.person_id IS NULL OR other.person_id IS NULL OR mine.person_id <> other.person_id)"
    " AND NOT EXISTS (SELECT 1 FROM contacts_distinct AS apart"
    " WHERE (apart.one_id = mine.id AND apart.other_id = other.id)"
    " OR (apart.one_id = other.id AND apart.other_id = mine.id))"
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """Two entries that may be one person."""

    one: Entry
    other: Entry


def proposals(viewer: User, *, only: Collection[int] = (), limit: int = MOST) -> list[Proposal]:
    """Pairs to decide about; with ``only``, those that one of these contacts is in."""
    shelf = shelf_of(viewer)
    editable = [pk for pk, book in shelf.books.items() if may_edit(viewer, book)]
    if not editable:
        return []
    pairs = list(dict.fromkeys(_pairs(editable, shelf.ids, only)))
    known = known_contacts(Contact.objects.filter(pk__in={pk for pair in pairs for pk in pair}))
    found: list[Proposal] = []
    seen: set[frozenset[str]] = set()
    for pair in pairs:
        if len(found) >= limit:
            break
        one, other = (known[pk] for pk in pair)
        if not look_alike(one, other) or not _may_become_one(one, other, editable, shelf):
            continue
        entries = entries_of([one.id, other.id], shelf, viewer=viewer)
        key = frozenset(entry.id for entry in entries)
        if len(entries) == 2 and key not in seen:
            seen.add(key)
            found.append(Proposal(*entries))
    return found


def _pairs(
    editable: Sequence[int], visible: Sequence[int], only: Collection[int]
) -> Iterable[tuple[int, int]]:
    """(smaller id, greater id) of contacts that share something and are not joined.

    With ``only`` a pair begins with one of them, so that a card costs what its lines do.
    """
    column, begun = ("id", list(only)) if only else ("book_id", list(editable))
    first, seen = _places(begun), _places(visible)
    for shares in _SHARES:
        tables = shares.format(then=_THEN[connection.vendor])
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT mine.id, other.id FROM {tables}"  # noqa: S608 — placeholders only
                f" WHERE mine.{column} IN ({first}) AND other.book_id IN ({seen})"
                f" AND {_UNDECIDED} LIMIT {LOOKED_AT}",
                [*begun, *visible],
            )
            for one, other in cursor.fetchall():
                yield min(one, other), max(one, other)


def _places(values: Collection[int]) -> str:
    return ", ".join(["%s"] * len(values))


def _may_become_one(one: Known, other: Known, editable: Collection[int], shelf: Shelf) -> bool:
    """Whether the later of the two is the reader's to change and may follow the earlier."""
    if one.book == other.book:
        return one.book in editable
    place = {book: at for at, book in enumerate(shelf.books)}
    earlier, later = sorted((one, other), key=lambda known: place[known.book])
    return later.book in editable and may_join(later, earlier)
