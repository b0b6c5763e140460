"""Contacts read as people: together with what the other books of a shelf say of the same person.

Who was read lately is kept, with his numbers, for the same people are found at every key that is
pressed: as long as none of his contacts has changed, which they tell.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from django.conf import settings

from bluetel.accounts.models import User
from bluetel.rows import columns_of, many_of, objects_of, one_of, one_of_texts
from contacts.colleagues import extensions_of, person_of_user
from contacts.rules import Number, Person, number_of
from contacts.selectors import public_id
from contacts.writings import identity_of, lines_of_stored

if TYPE_CHECKING:
    from contacts.shelf import Shelf

KEPT: Final = 20_000
"""People kept read: some 40 MB when full."""


class _Member(NamedTuple):
    """A contact as a search reads it; the last two change whenever one of its numbers does."""

    pk: int
    book: int
    person: int | None
    user: int | None
    name: str
    company: str
    updated_at: str
    digest: str


class Group(NamedTuple):
    """A person: his contacts, the most trusted first, and the BlueTel user he is.

    ``is_own`` when he is in one of the reader's own books.
    """

    members: tuple[_Member, ...]
    user: User | None
    is_own: bool

    @property
    def name(self) -> str:
        """What he is called."""
        return self.members[0].name if self.user is None else self.user.display_name

    @property
    def more(self) -> str:
        """Further text he may be found by."""
        return " ".join([row.company for row in self.members if row.company])

    def has_any_of(self, contacts: Collection[int]) -> bool:
        """Whether one of these contacts is his."""
        return any(row.pk in contacts for row in self.members)

    def is_elsewhere(self, pbx: int | None) -> bool:
        """Whether his telephone is on another PBX than ``pbx``."""
        return self.user is not None and bool(extensions_of(self.user, pbx)[1])


def people_of(ids: Iterable[int], shelf: Shelf, *, viewer: User) -> list[Person]:
    """The people of these contacts in their order, each with what all visible books say of him.

    The viewer himself and disabled accounts are left out.
    """
    return people_in(groups_by_contact(ids, shelf, viewer=viewer).values(), shelf)


def groups_by_contact(ids: Iterable[int], shelf: Shelf, *, viewer: User) -> dict[int, Group]:
    """The same, of whom no number is read yet, each by the first of his contacts among ``ids``."""
    members = _members(list(dict.fromkeys(ids)), shelf)
    users = _users({row.user for group in members.values() for row in group if row.user})
    own = {book for book in shelf.books if shelf.is_own(book)}
    groups = {}
    for pk, group in members.items():
        user = next((users.get(row.user) for row in group if row.user), None) if users else None
        if user is None or (user.pk != viewer.pk and user.is_active):
            is_own = bool(own) and any(row.book in own for row in group)
            groups[pk] = Group(group, user, is_own)
    return groups


def people_in(groups: Collection[Group], shelf: Shelf) -> list[Person]:
    """Each of them with his numbers."""
    if not groups:
        return []
    names = {book: shelf.name_of(book) for book in shelf.books}
    country: str = settings.COUNTRY
    keys = [_key(group, names, country) for group in groups]
    kept = _kept.those(zip(keys, groups, strict=True))
    new = [group for group, person in zip(groups, kept, strict=True) if person is None]
    lines = _lines([row.pk for group in new for row in group.members])
    people = []
    for key, group, known in zip(keys, groups, kept, strict=True):
        person = known
        if person is None:
            person = _person(group, lines, names, shelf.pbx)
            _kept.keep(key, group, person)
        people.append(person)
    return people


def contacts_called(groups: Iterable[Group], numbers: Collection[str]) -> set[int]:
    """Which contacts of these people have one of the numbers, by their digits."""
    contacts = [row.pk for group in groups for row in group.members]
    if not numbers or not contacts:
        return set()
    (among, ids), (called, digits) = one_of(contacts), one_of_texts(numbers)
    statement = (
        "SELECT contact_id FROM contacts_line"  # noqa: S608
        # Not by the index on digits, or a switchboard's number reads all who have it.
        f" WHERE contact_id {among} AND digits || '' {called} AND is_callable"
    )
    return {contact for (contact,) in many_of(statement, [*ids, *digits], width=1)}


_Key = tuple[tuple[int, ...], bool, tuple[str, ...], str]


class _Kept:
    """The people who were found last, at most ``KEPT``, each with his contacts as they were."""

    def __init__(self) -> None:
        self._people: OrderedDict[_Key, tuple[tuple[_Member, ...], Person]] = OrderedDict()
        self._lock = threading.Lock()

    def those(self, groups: Iterable[tuple[_Key | None, Group]]) -> list[Person | None]:
        """Who of these is kept, each in his place; None for the others."""
        found: list[Person | None] = []
        with self._lock:
            for key, group in groups:
                members, person = self._people.get(key, _NOBODY) if key else _NOBODY
                if key and members == group.members:
                    self._people.move_to_end(key)
                    found.append(person)
                else:
                    found.append(None)
        return found

    def keep(self, key: _Key | None, group: Group, person: Person) -> None:
        """Keep somebody in place of who was not found for the longest time."""
        if key is None:
            return
        with self._lock:
            self._people[key] = group.members, person
            if len(self._people) > KEPT:
                self._people.popitem(last=False)


_NOBODY: Final = ((), None)


_kept = _Kept()


def _key(group: Group, names: Mapping[int, str], country: str) -> _Key | None:
    """What somebody is kept by, and how this reader has him.

    None of a BlueTel user, whose account has numbers too, and of a contact without a digest.
    """
    if group.user is not None:
        return None
    books = []
    for row in group.members:
        if not row.digest:
            return None
        books.append(names[row.book])
    return tuple(row.pk for row in group.members), group.is_own, tuple(books), country


_MEMBERS: Final = (
    # To tell one time from another its text will do, which psycopg doesn't have to read.
    "SELECT id, book_id, person_id, user_id, name, company, CAST(updated_at AS text), digest"
    " FROM contacts_contact"
)


def _members(ids: Sequence[int], shelf: Shelf) -> dict[int, tuple[_Member, ...]]:
    """The contacts, together with those of the same persons; each person once."""
    found = {one.pk: one for one in _members_with("id", ids, shelf)}
    by_person: dict[int | None, list[_Member]] = defaultdict(list)
    persons = {one.person for one in found.values() if one.person is not None}
    for one in _members_with("person_id", persons, shelf):
        by_person[one.person].append(one)
    place = {book: at for at, book in enumerate(shelf.books)}
    groups: dict[int, tuple[_Member, ...]] = {}
    for pk in ids:
        if pk not in found:
            continue
        one = found[pk]
        if one.person is None:
            groups[pk] = (one,)
        elif group := by_person.pop(one.person, []):
            group.sort(key=lambda member: (place[member.book], member.pk))
            groups[pk] = tuple(group)
    return groups


def _members_with(column: str, values: Collection[int], shelf: Shelf) -> Iterator[_Member]:
    if not values or not shelf.books:
        return iter(())
    (among, ids), (within, books) = one_of(values), one_of(shelf.books)
    where = f"{column} {among} AND book_id {within}"
    rows = many_of(f"{_MEMBERS} WHERE {where}", [*ids, *books], width=8)
    return map(_Member._make, rows)


def _lines(contacts: Sequence[int]) -> Mapping[int, list[Number]]:
    """What can be called, by contact, the preferred number first."""
    found: dict[int, list[Number]] = defaultdict(list)
    if contacts:
        country: str = settings.COUNTRY
        among, ids = one_of(contacts)
        statement = (
            "SELECT contact_id, label, number, digits, national FROM contacts_line"  # noqa: S608
            f" WHERE contact_id {among} AND is_callable"
            " ORDER BY contact_id, is_preferred DESC, position"
        )
        for contact, label, number, digits, national in many_of(statement, ids, width=5):
            lines = lines_of_stored(number, digits, national)
            found[contact].append(number_of(label, number, country, lines=lines))
    return found


def _users(ids: Collection[int]) -> dict[int, User]:
    """The users as they are now: an account may have changed since it was indexed."""
    if not ids:
        return {}
    among, values = one_of(ids)
    return {user.pk: user for user in objects_of(User, f"{_USERS} {among}", values)}


_USERS: Final = f"SELECT {columns_of(User, 'accounts_user')} FROM accounts_user WHERE id"  # noqa: S608


def _person(
    group: Group, lines: Mapping[int, list[Number]], names: Mapping[int, str], pbx: int | None
) -> Person:
    user = group.user
    live = person_of_user(user, pbx=pbx) if user is not None else None
    elsewhere = live.extension_elsewhere if live is not None else ""
    undialled = identity_of(elsewhere, settings.COUNTRY) if elsewhere else None
    numbers: dict[str, Number] = {}
    for row in group.members:
        name = names[row.book]
        for number in live.numbers if row.user and live is not None else lines.get(row.pk, ()):
            if number.identity == undialled:
                continue
            before = numbers.get(number.identity)
            if before is None:
                numbers[number.identity] = number._replace(books=(name,))
            elif name not in before.books:
                numbers[number.identity] = before._replace(books=(*before.books, name))
    return Person(
        name=group.name,
        numbers=tuple(numbers.values()),
        contact_id=public_id(group.members[0].pk, user.pk if user else None),
        user_id=str(user.pk) if user is not None else None,
        more=group.more,
        is_own=group.is_own,
        extension_elsewhere=elsewhere,
    )
