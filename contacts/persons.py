"""Keeping persons together: whose contacts are whose, by the rules of :mod:`contacts.joining`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from django.db import connection, transaction

from bluetel.accounts.models import User
from contacts.joining import TOO_MANY, Known, Level, partner_of
from contacts.models import Book, Contact, Distinct, Email, Line, Person

if TYPE_CHECKING:
    from django.db.models import QuerySet

MOST_ROUNDS: Final = 12
FEW: Final = 10
"""Contacts of which is asked first whether there is anything to decide."""

AT_ONCE: Final = 500

LEVELS: Final = {
    Book.Kind.COLLEAGUES: Level.COLLEAGUES,
    Book.Kind.DIRECTORY: Level.DIRECTORY,
    Book.Kind.SHARED: Level.SHARED,
    Book.Kind.PERSONAL: Level.PERSONAL,
}


def join(ids: Iterable[int]) -> None:
    """Decide anew to whom contacts belong, and those that they may have to do with.

    Call it inside the transaction that changed them.
    """
    changed = set(ids)
    if not changed or (len(changed) <= FEW and _are_alone(changed)):
        return
    known = _with_partners(changed)
    _store(_decided(known), known)


def join_book(book: int) -> None:
    """Decide anew for a whole book, some contacts at a time: who sees it has changed."""
    last = 0
    while True:
        rows = Contact.objects.filter(book=book, pk__gt=last).order_by("pk")
        batch = list(rows.values_list("pk", flat=True)[:AT_ONCE])
        if not batch:
            return
        last = batch[-1]
        with transaction.atomic():
            join(batch)


def known_contacts(contacts: QuerySet[Contact]) -> dict[int, Known]:
    """Contacts by id, as far as joining goes."""
    rows = list(
        contacts.values_list(
            "pk", "name", "same_as", "book", "book__kind", "book__owner", "book__group"
        )
    )
    ids = [row[0] for row in rows]
    emails = _grouped(Email.objects.filter(contact__in=ids).values_list("contact", "key"))
    numbers = _grouped(
        Line.objects.filter(contact__in=ids, is_callable=True).values_list("contact", "digits")
    )
    groups = _grouped(
        User.groups.through.objects.filter(user__in={row[5] for row in rows} - {None}).values_list(
            "user", "group"
        )
    )
    return {
        pk: Known(
            id=pk,
            level=LEVELS[Book.Kind(kind)],
            book=book,
            name=name,
            emails=frozenset(emails.get(pk, ())),
            numbers=frozenset(numbers.get(pk, ())),
            owner=owner,
            group=group,
            groups=frozenset(groups.get(owner, ())),
            same_as=same_as,
        )
        for pk, name, same_as, book, kind, owner, group in rows
    }


_COMPANY: Final = """
SELECT 1 FROM contacts_contact
 WHERE id IN ({ids}) AND (person_id IS NOT NULL OR same_as_id IS NOT NULL)
UNION ALL SELECT 1 FROM contacts_contact WHERE same_as_id IN ({ids})
UNION ALL SELECT 1 FROM contacts_email AS mine JOIN contacts_email AS other
 ON other.key = mine.key AND other.contact_id <> mine.contact_id WHERE mine.contact_id IN ({ids})
UNION ALL SELECT 1 FROM contacts_line AS mine JOIN contacts_line AS other
 ON other.digits = mine.digits AND other.contact_id <> mine.contact_id
 WHERE mine.contact_id IN ({ids}) AND mine.is_callable AND other.is_callable
LIMIT 1
"""


def _are_alone(ids: Collection[int]) -> bool:
    """Whether these contacts hang together with nobody and share nothing: as most new ones."""
    statement = _COMPANY.format(ids=", ".join(["%s"] * len(ids)))
    with connection.cursor() as cursor:
        cursor.execute(statement, [*ids] * 4)
        return cursor.fetchone() is None


def _with_partners(changed: set[int]) -> dict[int, Known]:
    """The changed contacts and all that hang together with them by persons, numbers, addresses.

    All of them, for who is left out would lose a partner that isn't looked at. They are few: what
    very many share ties nobody.
    """
    known = known_contacts(Contact.objects.filter(pk__in=changed))
    fresh = known
    for _ in range(MOST_ROUNDS):
        others = (_near(fresh) | _sharers(fresh.values())) - known.keys()
        if not others:
            break
        fresh = known_contacts(Contact.objects.filter(pk__in=others))
        known |= fresh
    return known


def _near(known: Mapping[int, Known]) -> set[int]:
    """The other contacts of their persons, and those of which somebody said that they are one."""
    persons = Contact.objects.filter(pk__in=known).exclude(person=None)
    near = {one.same_as for one in known.values() if one.same_as}
    # Two questions, for one with an "or" between them reads the whole table.
    for contacts in (
        Contact.objects.filter(person__in=set(persons.values_list("person", flat=True))),
        Contact.objects.filter(same_as__in=known.keys()),
    ):
        near |= set(contacts.values_list("pk", flat=True))
    return near


def _sharers(known: Iterable[Known]) -> set[int]:
    emails: set[str] = set()
    numbers: set[str] = set()
    for one in known:
        emails |= one.emails
        numbers |= one.numbers
    found = _grouped(Email.objects.filter(key__in=emails).values_list("key", "contact"))
    found |= _grouped(
        Line.objects.filter(digits__in=numbers, is_callable=True).values_list("digits", "contact")
    )
    return {pk for contacts in found.values() if len(contacts) <= TOO_MANY for pk in contacts}


def _decided(known: Mapping[int, Known]) -> dict[int, int]:
    """Whom each contact joins, for those that join somebody."""
    by_key: dict[str, list[Known]] = defaultdict(list)
    for one in known.values():
        for key in _keys(one):
            by_key[key].append(one)
    distinct = defaultdict(set)
    rows = Distinct.objects.filter(one__in=known).values_list("one", "other")
    for one_id, other_id in [
        *rows,
        *Distinct.objects.filter(other__in=known).values_list("other", "one"),
    ]:
        distinct[one_id].add(other_id)
    decided = {}
    for one in known.values():
        others = {
            other.id: other
            for key in _keys(one)
            if len(by_key[key]) <= TOO_MANY
            for other in by_key[key]
        }
        if one.same_as is not None and one.same_as in known:
            others[one.same_as] = known[one.same_as]
        others.pop(one.id, None)
        partner = partner_of(one, others.values(), distinct=distinct[one.id])
        if partner is not None:
            decided[one.id] = partner
    return decided


def _keys(one: Known) -> Iterable[str]:
    return (*(f"e{email}" for email in one.emails), *(f"n{number}" for number in one.numbers))


def _store(decided: Mapping[int, int], known: Mapping[int, Known]) -> None:
    """Write the persons: each tree of partners is one; who is alone is none."""
    members: dict[int, set[int]] = defaultdict(set)
    for pk in known:
        root = pk
        while root in decided:
            root = decided[root]
        members[root].add(pk)
    rows = Contact.objects.filter(pk__in=known).values_list("pk", "person")
    current: dict[int, int | None] = dict(rows)
    kept: set[int] = set()
    for root in sorted(members):
        together = members[root]
        before = {one for pk in together if (one := current[pk]) is not None} - kept
        person: int | None = None
        if len(together) > 1:
            person = min(before) if before else Person.objects.create().pk
            kept.add(person)
        moved = [pk for pk in together if current[pk] != person]
        if moved:
            Contact.objects.filter(pk__in=moved).update(person=person)
    _drop_empty({person for person in current.values() if person is not None} - kept)


def _drop_empty(persons: Collection[int]) -> None:
    if persons:
        Person.objects.filter(pk__in=persons, contacts=None).delete()


def _grouped(rows: Iterable[tuple[Any, Any]]) -> dict[Any, set[Any]]:
    """The second of each pair, by the first."""
    found: dict[Any, set[Any]] = defaultdict(set)
    for key, value in rows:
        found[key].add(value)
    return found
