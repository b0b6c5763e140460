"""Reading the contact base as somebody may see it.

Nothing here reads a contact without asking for whom: only the books of his shelf are looked into.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from string import ascii_lowercase
from typing import TYPE_CHECKING, Final, NamedTuple

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from bluetel.accounts.models import User
from bluetel.rows import columns_of, many_of, moment, objects_of, places
from contacts.colleagues import extensions_of, person_of_user
from contacts.models import Contact, Line
from contacts.rules import Person
from contacts.shelf import Shelf, shelf_of
from contacts.writings import identity_in, identity_of, lines_of, lines_of_stored

if TYPE_CHECKING:
    from django.db.models import QuerySet

CALLS_REMEMBERED: Final = 200
HALF_LIFE: Final = timedelta(days=14)
"""A call counts half after so long."""


Position = tuple[str, int]
"""A place in lists: the folded name, and the id for those who have the same."""


def people_of(ids: Iterable[int], shelf: Shelf, *, viewer: User) -> list[Person]:
    """The people of these contacts in their order, each with what all visible books say of him.

    The viewer himself and disabled accounts are left out.
    """
    return people_in(groups_by_contact(ids, shelf, viewer=viewer).values(), shelf)


def groups_by_contact(ids: Iterable[int], shelf: Shelf, *, viewer: User) -> dict[int, Group]:
    """The same, of whom no number is read yet, each by the first of his contacts among ``ids``."""
    members = _members(list(dict.fromkeys(ids)), shelf)
    users = _users({row.user for group in members.values() for row in group if row.user})
    groups = {}
    for pk, group in members.items():
        user = next((users.get(row.user) for row in group if row.user), None)
        if user is None or (user.pk != viewer.pk and user.is_active):
            groups[pk] = Group(group, user, any(shelf.is_own(row.book) for row in group))
    return groups


def people_in(groups: Collection[Group], shelf: Shelf) -> list[Person]:
    """Each of them with his numbers."""
    if not groups:
        return []
    lines = _lines([row.pk for group in groups for row in group.members])
    names = {book: shelf.name_of(book) for book in shelf.books}
    return [_person(group, lines, names, shelf.pbx) for group in groups]


_CALLED: Final = """
SELECT number, created_at FROM calls_call WHERE user_id = %s AND direction = 'outgoing'
 ORDER BY created_at DESC LIMIT %s
"""


def called_by(viewer: User, *, now: datetime) -> dict[str, float]:
    """How often and lately ``viewer`` called which number, by the digits that identify it."""
    called: dict[str, float] = defaultdict(float)
    country: str = settings.COUNTRY
    for number, at in many_of(_CALLED, [viewer.pk, CALLS_REMEMBERED], width=2):
        called[identity_of(number, country)] += 0.5 ** ((now - moment(at)) / HALF_LIFE)
    called.pop("", None)
    return dict(called)


def in_order(
    books: Sequence[int],
    *,
    after: Position | None = None,
    before: Position | None = None,
    limit: int,
    shelf: Shelf | None = None,
) -> list[Contact]:
    """Contacts of ``books`` in the order of lists: from behind ``after`` on, or up to ``before``.

    With a ``shelf``, each person once: as the most trusted of its books has him.
    """
    is_backwards = before is not None
    pages = []
    for place, book in enumerate(books):
        rows = Contact.objects.filter(book=book, is_group=False).select_related("book")
        if before is not None:
            name, pk = before
            rows = rows.filter(Q(sort_name__lt=name) | Q(sort_name=name, pk__lt=pk))
        elif after is not None:
            name, pk = after
            rows = rows.filter(Q(sort_name__gt=name) | Q(sort_name=name, pk__gt=pk))
        if shelf is not None and place:
            trusted = Contact.objects.filter(person=OuterRef("person"), book__in=books[:place])
            rows = rows.exclude(Q(person__isnull=False) & Exists(trusted))
        order = ("-sort_name", "-pk") if is_backwards else ("sort_name", "pk")
        pages.append(rows.order_by(*order)[:limit])
    merged = heapq.merge(*pages, key=position_of, reverse=is_backwards)
    found = list(islice(merged, limit))
    return found[::-1] if is_backwards else found


def letters_in(books: Sequence[int]) -> list[str]:
    """With which letters, folded and in capitals, the names in these books begin."""
    return [
        letter.upper()
        for letter in ascii_lowercase
        if Contact.objects.filter(
            book__in=books, is_group=False, sort_name__gte=letter, sort_name__lt=f"{letter}~"
        ).exists()
    ]


def position_of(contact: Contact) -> Position:
    """Where a contact stands in lists."""
    return contact.sort_name, contact.pk


def contacts_with(numbers: Collection[str], shelf: Shelf) -> list[int]:
    """Ids of visible contacts that have one of these numbers, by their digits."""
    if not numbers or not shelf.books:
        return []
    rows = Line.objects.filter(book__in=shelf.ids, digits__in=numbers, is_callable=True)
    return list(rows.order_by().values_list("contact", flat=True)[: len(numbers) * 4])


def contacts_called(groups: Iterable[Group], numbers: Collection[str]) -> set[int]:
    """Which contacts of these people have one of the numbers, by their digits."""
    contacts = [row.pk for group in groups for row in group.members]
    if not numbers or not contacts:
        return set()
    statement = (
        "SELECT contact_id FROM contacts_line"  # noqa: S608
        # Not by the index on digits, or a switchboard's number reads all who have it.
        f" WHERE contact_id IN ({places(contacts)}) AND digits || '' IN ({places(numbers)})"
        " AND is_callable"
    )
    return {contact for (contact,) in many_of(statement, [*contacts, *numbers], width=1)}


def colleagues_by_pbx_id(pbx: int, pbx_user_ids: Iterable[str]) -> dict[str, Person]:
    """The BlueTel users behind people of the PBX, by the PBX's id, as others on it see them."""
    ids = sorted(set(pbx_user_ids))
    if not ids:
        return {}
    statement = f"{_ON_PBX} ({places(ids)})"
    users = objects_of(User, statement, [pbx, *ids])
    return {user.pbx_user_id: person_of_user(user, pbx=pbx) for user in users}


_ON_PBX: Final = (
    f"SELECT {columns_of(User, 'accounts_user')} FROM accounts_user"  # noqa: S608
    " WHERE is_active AND pbx_id = %s AND pbx_user_id IN"
)


def find_contact(viewer: User, contact_id: str) -> Contact | None:
    """A contact that ``viewer`` may see, by its id or ``user-<id>``; None for all others."""
    contacts = visible_contacts(viewer)
    kind, dash, number = contact_id.rpartition("-")
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        return None
    if dash and kind == "user":
        return contacts.filter(user=int(number)).first()
    return None if dash else contacts.filter(pk=number).first()


def contacts_by_id(contact_ids: Iterable[str], shelf: Shelf) -> dict[str, int]:
    """The contacts of a shelf that public ids name; ids of others are left out."""
    users: list[int] = []
    others: list[int] = []
    for one in contact_ids:
        kind, dash, number = one.rpartition("-")
        if number.isascii() and number.isdecimal() and len(number) < 19:
            if dash and kind == "user":
                users.append(int(number))
            elif not dash:
                others.append(int(number))
    rows = Contact.objects.filter(Q(user__in=users) | Q(pk__in=others), book__in=shelf.ids)
    return {
        name: pk
        for pk, user in rows.values_list("pk", "user")
        for name in (str(pk), f"user-{user}" if user else "")
        if name
    }


def visible_contacts(viewer: User) -> QuerySet[Contact]:
    """All contacts of the books that ``viewer`` may see."""
    return Contact.objects.filter(book__in=shelf_of(viewer).ids).select_related("book")


def public_id(contact: int, user: int | None) -> str:
    """How a contact is called in addresses and in the API."""
    return f"user-{user}" if user else str(contact)


class _Member(NamedTuple):
    """A contact as a search reads it."""

    pk: int
    book: int
    person: int | None
    user: int | None
    name: str
    company: str


class Group(NamedTuple):
    """A person: his contacts, the most trusted first, and the BlueTel user he is.

    ``is_own`` when he is in one of the reader's own books.
    """

    members: Sequence[_Member]
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


_MEMBERS: Final = "SELECT id, book_id, person_id, user_id, name, company FROM contacts_contact"


def _members(ids: Sequence[int], shelf: Shelf) -> dict[int, list[_Member]]:
    """The contacts, together with those of the same persons; each person once."""
    found = {one.pk: one for one in _members_with("id", ids, shelf)}
    by_person: dict[int | None, list[_Member]] = defaultdict(list)
    persons = {one.person for one in found.values()} - {None}
    for one in _members_with("person_id", persons, shelf):
        by_person[one.person].append(one)
    place = {book: at for at, book in enumerate(shelf.books)}
    groups: dict[int, list[_Member]] = {}
    for pk in ids:
        if pk not in found:
            continue
        one = found[pk]
        if one.person is None:
            groups[pk] = [one]
        elif group := by_person.pop(one.person, []):
            groups[pk] = sorted(group, key=lambda member: (place[member.book], member.pk))
    return groups


def _members_with(column: str, values: Collection[int | None], shelf: Shelf) -> Iterator[_Member]:
    if not values or not shelf.books:
        return iter(())
    where = f"{column} IN ({places(values)}) AND book_id IN ({places(shelf.books)})"
    rows = many_of(f"{_MEMBERS} WHERE {where}", [*values, *shelf.books], width=6)
    return map(_Member._make, rows)


_Line = tuple[str, str, str]
"""Label, number, and how else it is written, as :func:`contacts.writings.lines_of` has it."""


def _lines(contacts: Sequence[int]) -> Mapping[int, list[_Line]]:
    """What can be called, by contact, the preferred number first."""
    found: dict[int, list[_Line]] = defaultdict(list)
    if contacts:
        statement = (
            "SELECT contact_id, label, number, digits, national FROM contacts_line"  # noqa: S608
            f" WHERE contact_id IN ({places(contacts)}) AND is_callable"
            " ORDER BY contact_id, is_preferred DESC, position"
        )
        for contact, label, number, digits, national in many_of(statement, contacts, width=5):
            found[contact].append((label, number, lines_of_stored(number, digits, national)))
    return found


def _users(ids: Collection[int]) -> dict[int, User]:
    """The users as they are now: an account may have changed since it was indexed."""
    if not ids:
        return {}
    return {user.pk: user for user in objects_of(User, f"{_USERS} ({places(ids)})", [*ids])}


_USERS: Final = f"SELECT {columns_of(User, 'accounts_user')} FROM accounts_user WHERE id IN"  # noqa: S608


def _person(
    group: Group, lines: Mapping[int, list[_Line]], names: Mapping[int, str], pbx: int | None
) -> Person:
    user = group.user
    live = person_of_user(user, pbx=pbx) if user is not None else None
    elsewhere = live.extension_elsewhere if live is not None else ""
    undialled = identity_of(elsewhere, settings.COUNTRY) if elsewhere else None
    numbers: dict[str, tuple[str, str]] = {}
    books: dict[str, tuple[str, ...]] = {}
    read: dict[str, str] = {}
    for row in group.members:
        if row.user and live is not None:
            own = [
                (label, number, lines_of(number, settings.COUNTRY))
                for label, number in live.numbers
            ]
        else:
            own = lines.get(row.pk, [])
        name = names[row.book]
        for label, number, written in own:
            read[number] = written
            digits = identity_in(written)
            if digits == undialled:
                continue
            others = books.get(digits, ())
            if not others:
                numbers[digits] = label, number
            if name not in others:
                books[digits] = (*others, name)
    return Person(
        name=group.name,
        numbers=tuple(numbers.values()),
        contact_id=public_id(group.members[0].pk, user.pk if user else None),
        user_id=str(user.pk) if user is not None else None,
        more=group.more,
        is_own=group.is_own,
        books=books,
        lines=read,
        extension_elsewhere=elsewhere,
    )
