"""Asking the directory while somebody types, for those who are not in the index."""

from __future__ import annotations

from dataclasses import dataclass

from bluetel.ldap.attributes import Field
from bluetel.ldap.client import LdapClient, Session
from bluetel.ldap.filters import all_of
from contacts.ldap.person import LdapPerson, person_of
from contacts.ldap.terms import Term, filter_for, is_exact, is_loose_worthwhile, matches, parse_term

_READ_FIELDS = tuple(field for field in Field if field is not Field.PHOTO)


@dataclass(frozen=True, slots=True)
class LookupResult:
    """Who was found, without photos; ``complete`` is False when the directory had more."""

    people: tuple[LdapPerson, ...] = ()
    complete: bool = True


def lookup(client: LdapClient, text: str) -> LookupResult:
    """The people whom ``text`` names or whose number it is part of.

    Too short (1 character, 2 digits), too long (over 100) and nonsensical terms find nobody and
    ask nobody. Raises :class:`~bluetel.ldap.errors.LdapError` within about a second and a half.
    """
    term = parse_term(text, country=client.config.country)
    if term is None:
        return LookupResult()
    limit = client.config.lookup_limit
    found = client.ask(lambda session: _search(session, term, limit=limit, loose=False))
    if not found.people and found.complete and is_loose_worthwhile(term):
        found = client.ask(lambda session: _search(session, term, limit=limit, loose=True))
    return found


def _search(session: Session, term: Term, *, limit: int, loose: bool) -> LookupResult:
    attributes = session.attributes
    # What a loose filter finds is mostly somebody else: look through more of it.
    answer = session.search(
        all_of((session.person_filter, filter_for(term, attributes=attributes, loose=loose))),
        attributes=attributes.names(*_READ_FIELDS),
        limit=limit * 4 if loose else limit,
    )
    people = tuple(
        person
        for entry in answer.entries
        if (person := person_of(entry, attributes=attributes, photo_limit=0)) is not None
        and matches(term, person)
    )
    ranked = sorted(
        people,
        key=lambda person: (not is_exact(term, person), person.name.casefold(), person.id),
    )
    return LookupResult(tuple(ranked[:limit]), complete=answer.complete and len(people) <= limit)
