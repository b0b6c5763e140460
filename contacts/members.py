"""The contacts of people as a search reads them: those asked for, with what other books have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from bluetel.rows import many_of, one_of, one_of_texts

if TYPE_CHECKING:
    from contacts.shelf import Shelf

PER_NUMBER: Final = 4
"""So many contacts for each number one calls: a switchboard's may be everybody's."""


class Member(NamedTuple):
    """A contact; the last two change whenever one of its numbers does."""

    pk: int
    book: int
    person: int | None
    user: int | None
    name: str
    company: str
    updated_at: str
    digest: str


class Members(NamedTuple):
    """Who was found, each person once, by the first of his contacts; his most trusted one first.

    ``dialled`` are the contacts with one of the numbers that were asked for, None if there may be
    more of them.
    """

    by_contact: Mapping[int, tuple[Member, ...]]
    dialled: Collection[int] | None


_COLUMNS: Final = (
    # To tell one time from another its text will do, which psycopg doesn't have to read.
    "contact.id, contact.book_id, contact.person_id, contact.user_id, contact.name,"
    " contact.company, CAST(contact.updated_at AS text), contact.digest"
)
_WIDTH: Final = 9
_CONTACTS: Final = f"SELECT {_COLUMNS}, 0 FROM contacts_contact AS contact WHERE"  # noqa: S608


def members_of(ids: Sequence[int], shelf: Shelf, *, numbers: Collection[str] = ()) -> Members:
    """These contacts, and those with one of ``numbers`` by its digits, of the books of a shelf.

    Each together with the other contacts of the same person.
    """
    found: dict[int, Member] = {}
    dialled: list[int] = []
    for *columns, is_dialled in _asked_for(ids, shelf, numbers):
        member = Member._make(columns)
        found[member.pk] = member
        if is_dialled:
            dialled.append(member.pk)
    by_person = _of_same_persons(found.values(), shelf)
    place = {book: at for at, book in enumerate(shelf.books)}
    groups: dict[int, tuple[Member, ...]] = {}
    for pk in dict.fromkeys([*ids, *dialled]):
        if pk not in found:
            continue
        one = found[pk]
        if one.person is None:
            groups[pk] = (one,)
        elif group := by_person.pop(one.person, []):
            group.sort(key=lambda member: (place[member.book], member.pk))
            groups[pk] = tuple(group)
    are_all = len(dialled) < len(numbers) * PER_NUMBER or not numbers
    return Members(groups, set(dialled) if are_all else None)


def _asked_for(
    ids: Sequence[int], shelf: Shelf, numbers: Collection[str]
) -> Sequence[Sequence[object]]:
    """In one trip to the database. The last column tells who was found by a number."""
    if not shelf.books:
        return []
    within, books = one_of(shelf.books)
    parts, values = [], []
    if ids:
        among, asked = one_of(ids)
        parts.append(f"{_CONTACTS} contact.id {among} AND contact.book_id {within}")
        values += [*asked, *books]
    if numbers:
        among, asked = one_of_texts(numbers)
        parts.append(
            f"SELECT {_COLUMNS}, 1 FROM (SELECT contact_id FROM contacts_line"  # noqa: S608
            f" WHERE book_id {within} AND digits {among} AND is_callable LIMIT %s) AS line"
            " JOIN contacts_contact AS contact ON contact.id = line.contact_id"
        )
        values += [*books, *asked, len(numbers) * PER_NUMBER]
    return many_of(" UNION ALL ".join(parts), values, width=_WIDTH) if parts else []


def _of_same_persons(members: Collection[Member], shelf: Shelf) -> dict[int | None, list[Member]]:
    found: dict[int | None, list[Member]] = defaultdict(list)
    persons = {one.person for one in members if one.person is not None}
    if persons:
        (among, ids), (within, books) = one_of(persons), one_of(shelf.books)
        where = f"contact.person_id {among} AND contact.book_id {within}"
        for *columns, _ in many_of(f"{_CONTACTS} {where}", [*ids, *books], width=_WIDTH):
            one = Member._make(columns)
            found[one.person].append(one)
    return found
