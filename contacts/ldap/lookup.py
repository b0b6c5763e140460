"""Asking the directory while somebody types, for those who are not in the index."""

from __future__ import annotations

from dataclasses import dataclass

from bluetel.ldap.attributes import NUMBER_FIELDS, Field
from bluetel.ldap.client import LdapClient, Session
from bluetel.ldap.entries import Answer
from bluetel.ldap.filters import all_of
from contacts.ldap.person import LdapPerson, person_of
from contacts.ldap.reader import Cursor, CursorUnusable, changed_since
from contacts.ldap.terms import Term, filter_for, is_exact, is_loose_worthwhile, matches, parse_term

_READ_FIELDS = (
    Field.ID,
    Field.LOGIN,
    Field.NAME,
    Field.GIVEN_NAME,
    Field.FAMILY_NAME,
    Field.EMAIL,
    Field.COMPANY,
    *NUMBER_FIELDS,
)
"""What somebody is found and shown by while somebody types."""
CHANGED_AT_MOST = 50


@dataclass(frozen=True, slots=True)
class LookupResult:
    """Who was found, as far as a search shows him; not ``complete`` when the directory had more."""

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


def lately_changed(client: LdapClient, cursor: Cursor) -> LookupResult:
    """Everybody who came or changed since ``cursor``, if they are few and the server can tell.

    Raises :class:`~bluetel.ldap.errors.LdapError` within about a second and a half.
    """
    return client.ask(lambda session: _changed(session, cursor))


def _changed(session: Session, cursor: Cursor) -> LookupResult:
    # One name may lead to several controllers, each with change numbers of its own.
    root = session.root_now() if cursor.authority else session.root
    try:
        since = changed_since(session, cursor, root=root)
    except CursorUnusable:
        return LookupResult(complete=False)
    answer = session.search(
        all_of((session.person_filter, since)),
        attributes=session.attributes.names(*_READ_FIELDS),
        limit=CHANGED_AT_MOST,
    )
    return LookupResult(_people(session, answer), complete=answer.complete)


def _people(session: Session, answer: Answer) -> tuple[LdapPerson, ...]:
    people = (
        person_of(entry, attributes=session.attributes, photo_limit=0) for entry in answer.entries
    )
    return tuple(person for person in people if person is not None)


def _search(session: Session, term: Term, *, limit: int, loose: bool) -> LookupResult:
    attributes = session.attributes
    # What a loose filter finds is mostly somebody else: look through more of it.
    answer = session.search(
        all_of((session.person_filter, filter_for(term, attributes=attributes, loose=loose))),
        attributes=attributes.names(*_READ_FIELDS),
        limit=limit * 4 if loose else limit,
    )
    people = [person for person in _people(session, answer) if matches(term, person)]
    ranked = sorted(
        people,
        key=lambda person: (not is_exact(term, person), person.name.casefold(), person.id),
    )
    return LookupResult(tuple(ranked[:limit]), complete=answer.complete and len(people) <= limit)
