"""Proving who somebody is: find the one entry of a login, try the password on it, read its groups.

Everything but the password check is done with the service's own bind, so a person needs no right
to search. A refusal never says whether the login or the password was wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bluetel.ldap.attributes import Field, Schema
from bluetel.ldap.client import LdapClient, Session
from bluetel.ldap.config import Grant, GrantKind
from bluetel.ldap.entries import Entry
from bluetel.ldap.errors import EntryMissing
from bluetel.ldap.filters import all_of, any_of, equals

LOGIN_LIMIT = 256
PASSWORD_LIMIT = 1024

# Active Directory's rule that follows groups within groups; servers that don't know it take the
# condition as undefined, so it adds nothing there.
_IN_CHAIN = ":1.2.840.113556.1.4.1941:"


@dataclass(frozen=True, slots=True)
class DirectoryIdentity:
    """Somebody whose password the directory took, and what his groups give him here."""

    dn: str
    email: str
    given_name: str
    family_name: str
    grants: frozenset[Grant]


class Refusal(StrEnum):
    """Why nobody was let in; for the administrator's log alone."""

    UNKNOWN = "no such login, or several entries of that login"
    PASSWORD = "wrong password, or an account that is locked or disabled"  # noqa: S105
    NO_EMAIL = "the entry has no e-mail address"
    SHARED_EMAIL = "another entry has the same e-mail address"
    GROUP = "in no group that may sign in"


def sign_in(client: LdapClient, login: str, *, password: str) -> DirectoryIdentity | Refusal:
    """Who this is, or why not; raises :class:`~bluetel.ldap.errors.LdapError` when unknown.

    ``login`` is a login name or an e-mail address of the directory.
    """
    login = login.strip()
    if not login or not password or len(login) > LOGIN_LIMIT or len(password) > PASSWORD_LIMIT:
        return Refusal.UNKNOWN
    entry = client.ask(lambda session: _find(session, login))
    if entry is None:
        return Refusal.UNKNOWN
    if not client.verify(entry.dn, password=password):
        return Refusal.PASSWORD
    return client.ask(lambda session: _identity(session, entry, groups=client.config.groups))


def _find(session: Session, login: str) -> Entry | None:
    names = session.attributes.names(Field.LOGIN, Field.EMAIL)
    answer = session.search(
        all_of((session.person_filter, any_of(equals(name, login) for name in names))),
        attributes=session.attributes.names(
            Field.LOGIN, Field.EMAIL, Field.GIVEN_NAME, Field.FAMILY_NAME
        ),
        limit=2,
    )
    # A login that is somebody's mail address and somebody else's name belongs to neither.
    return answer.entries[0] if len(answer.entries) == 1 and answer.complete else None


def _identity(
    session: Session, entry: Entry, *, groups: tuple[tuple[str, tuple[Grant, ...]], ...]
) -> DirectoryIdentity | Refusal:
    email = entry.text(*session.attributes[Field.EMAIL]).strip().lower()
    if "@" not in email:
        return Refusal.NO_EMAIL
    if _is_shared(session, email):
        # In many directories people edit their own address: it must not make them a colleague.
        return Refusal.SHARED_EMAIL
    grants = frozenset(
        grant for dn, given in groups if _is_member(session, entry, group=dn) for grant in given
    )
    gate = Grant(GrantKind.SIGN_IN)
    if gate not in grants and any(gate in given for _, given in groups):
        return Refusal.GROUP
    return DirectoryIdentity(
        dn=entry.dn,
        email=email,
        given_name=entry.text(*session.attributes[Field.GIVEN_NAME]),
        family_name=entry.text(*session.attributes[Field.FAMILY_NAME]),
        grants=grants,
    )


def _is_shared(session: Session, email: str) -> bool:
    filter_text = any_of(equals(name, email) for name in session.attributes[Field.EMAIL])
    answer = session.search(filter_text, attributes=("1.1",), limit=2)
    return len(answer.entries) != 1 or not answer.complete


def _is_member(session: Session, entry: Entry, *, group: str) -> bool:
    """Asked of the group, and of the person where the directory keeps ``memberOf``."""
    login = entry.text(*session.attributes[Field.LOGIN])
    conditions = [equals("member", entry.dn), equals("uniqueMember", entry.dn)]
    if login:
        conditions.append(equals("memberUid", login))
    try:
        answer = session.search(any_of(conditions), attributes=("1.1",), base=group, scope="BASE")
    except EntryMissing:
        return False
    if answer.entries:
        return True
    conditions = [equals("memberOf", group)]
    if session.schema is Schema.ACTIVE_DIRECTORY:
        conditions.append(equals(f"memberOf{_IN_CHAIN}", group))
    answer = session.search(any_of(conditions), attributes=("1.1",), base=entry.dn, scope="BASE")
    return bool(answer.entries)
