"""The search of the contact list: people rather than numbers, those without a number too.

By his extension on another PBX somebody is found here as well, though it can't be called.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from contacts.entries import Entry, EntryNumber, Origin, entries_of
from contacts.index.query import propose
from contacts.rules import question
from contacts.search import SOURCES, SourceState, rows_for
from contacts.selectors import contacts_by_id
from contacts.shelf import shelf_of
from contacts.sources import MAX_ROWS

if TYPE_CHECKING:
    from bluetel.accounts.models import User
    from contacts.rules import Question, Row
    from contacts.shelf import Shelf
    from contacts.sources import Source

MOST: Final = 60
"""People of one answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Who answers, best first; ``is_cut`` when there may be more."""

    people: Sequence[Entry]
    sources: Sequence[SourceState] = ()
    is_cut: bool = False


def find_people(
    viewer: User, text: str, *, book: int | None = None, sources: Sequence[Source] = SOURCES
) -> Finding:
    """The people that ``text`` finds, of one ``book`` if it is given. Never waits."""
    asked = question(text)
    shelf = shelf_of(viewer)
    if asked is None or (book is not None and book not in shelf.books):
        return Finding(people=())
    if book is not None:
        ids = propose(asked, [book], only_callable=False, limit=MOST)
        people = entries_of(ids, shelf, viewer=viewer)
        return Finding(people=people[:MOST], is_cut=len(people) > MOST)
    rows, states = rows_for(viewer, asked, sources=sources)
    people = _people_of_rows(rows, shelf, viewer=viewer)
    people += _without_number(asked, shelf, viewer=viewer, known={entry.id for entry in people})
    is_cut = len(rows) >= MAX_ROWS or len(people) > MOST
    return Finding(people=people[:MOST], sources=states, is_cut=is_cut)


def _people_of_rows(rows: Iterable[Row], shelf: Shelf, *, viewer: User) -> list[Entry]:
    """The people in the order of their best numbers; a far directory's are not in any book."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.person.contact_id or f"name {row.person.name}"].append(row)
    contacts = contacts_by_id(groups, shelf)
    entries = {
        part.contact.pk: entry
        for entry in entries_of(list(contacts.values()), shelf, viewer=viewer)
        for part in entry.parts
    }
    found: dict[int, Entry] = {}
    for key, group in groups.items():
        entry = entries[contacts[key]] if key in contacts else _far_entry(group)
        found.setdefault(id(entry), entry)
    return list(found.values())


def _far_entry(rows: Sequence[Row]) -> Entry:
    """Somebody whom only a directory far away knows: without a card of his own."""
    first = rows[0]
    return Entry(
        id="",
        name=first.person.name,
        user_id=first.person.user_id,
        numbers=tuple(
            EntryNumber(
                number=row.number.entered,
                kind=row.kind.value,
                own_label=row.number.label if row.number.label != row.kind.value else "",
                is_callable=True,
                origins=tuple(Origin(book=source) for source in row.sources),
            )
            for row in rows
        ),
        sources=first.sources,
    )


def _without_number(asked: Question, shelf: Shelf, *, viewer: User, known: set[str]) -> list[Entry]:
    ids = propose(asked, shelf.ids, only_callable=False, limit=MOST)
    found = entries_of(ids, shelf, viewer=viewer)
    return [
        entry
        for entry in found
        if entry.id not in known and (not entry.calls or entry.is_elsewhere)
    ]
