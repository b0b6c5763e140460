"""Contacts read as people: together with what the other books of a shelf say of the same person.

Who was read lately is kept, with his numbers, for the same people are found at every key that is
pressed: as long as none of his contacts has changed, which they tell.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from django.conf import settings

from bluetel.accounts.models import User
from bluetel.rows import columns_of, many_of, objects_of, one_of, one_of_texts
from contacts.colleagues import extensions_of, person_of_user
from contacts.members import Member, members_of
from contacts.rules import Number, Person, number_of
from contacts.selectors import public_id
from contacts.writings import identity_of, lines_of_stored

if TYPE_CHECKING:
    from contacts.shelf import Shelf

KEPT: Final = 20_000
"""People kept read: some 40 MB when full."""


class Group(NamedTuple):
    """A person: his contacts, the most trusted first, and the BlueTel user he is.

    ``is_own`` when he is in one of the reader's own books.
    """

    members: tuple[Member, ...]
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


class Groups(NamedTuple):
    """People, each by the first of his contacts that were asked for.

    ``dialled`` as in :class:`contacts.members.Members`.
    """

    by_contact: Mapping[int, Group]
    dialled: Collection[int] | None


def people_of(ids: Iterable[int], shelf: Shelf, *, viewer: User) -> list[Person]:
    """The people of these contacts in their order, each with what all visible books say of him.

    The viewer himself and disabled accounts are left out.
    """
    return people_in(groups_of(ids, shelf, viewer=viewer).by_contact.values(), shelf)


def groups_of(
    ids: Iterable[int], shelf: Shelf, *, viewer: User, numbers: Collection[str] = ()
) -> Groups:
    """The same, and behind them those with one of ``numbers``; no number is read yet."""
    members = members_of(list(dict.fromkeys(ids)), shelf, numbers=numbers)
    found = members.by_contact
    users = _users({row.user for group in found.values() for row in group if row.user})
    own = {book for book in shelf.books if shelf.is_own(book)}
    groups = {}
    for pk, group in found.items():
        user = next((users.get(row.user) for row in group if row.user), None) if users else None
        if user is None or (user.pk != viewer.pk and user.is_active):
            is_own = bool(own) and any(row.book in own for row in group)
            groups[pk] = Group(group, user, is_own)
    return Groups(groups, members.dialled)


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
        self._people: OrderedDict[_Key, tuple[tuple[Member, ...], Person]] = OrderedDict()
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
