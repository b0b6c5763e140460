"""Bringing the directory into the index: everybody, what has changed since, and a repair.

Three readings, from cheap to thorough. ``read_changes`` lists what changed since a cursor: it
can't see who is gone. ``repair`` lists everybody: it sees removals, and changes that a cursor
missed. Both list ids and markers first, and then read in full only who differs from what the
index knows. ``read_all`` reads everybody in full.

A reading that a limit of the server cut short is *partial*: what came is good, and nobody counts
as gone. Nor does anybody when a directory suddenly holds no people at all, which is a wrong base
or a lost right far more often than an empty company.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bluetel.ldap.attributes import Field, Schema
from bluetel.ldap.client import LdapClient, Session
from bluetel.ldap.entries import Answer, Entry, Root
from bluetel.ldap.errors import DirectoryRefused
from bluetel.ldap.filters import all_of, any_of, at_least, escape_bytes
from contacts.ldap.person import LdapPerson, common_name, id_of, is_dn, marker_of, person_of

OnPage = Callable[[tuple[LdapPerson, ...]], None]

_IDS_PER_QUESTION = 50
_NAMES_KEPT = 20_000
# Clocks of replicas differ; what is read twice for it changes nothing.
_CLOCK_SLACK = timedelta(seconds=60)
_NEXT = timedelta(seconds=1)  # as finely as OpenLDAP notes a time
_TIMES = ("%Y%m%d%H%M%SZ", "%Y%m%d%H%M%S.%fZ")


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a reading came, to be stored as two texts until the next.

    ``position`` is an LDAP time (OpenLDAP) or a change number (Active Directory), and then
    ``authority`` names the domain controller whose number it is.
    """

    position: str
    authority: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one reading brought.

    ``gone`` are known ids that the directory no longer has; ``partial`` tells that a limit of the
    server cut the reading, ``emptied`` that it held nobody, so that nobody was called gone.
    ``unusable`` counts entries without an id or a name. ``cursor`` is None when the directory
    keeps nothing to go on from.
    """

    people: int
    unusable: int = 0
    gone: frozenset[str] = frozenset()
    partial: bool = False
    emptied: bool = False
    cursor: Cursor | None = None


class CursorUnusable(Exception):
    """The cursor is another server's, or from before a restored backup: read everybody."""


def changed_since(session: Session, cursor: Cursor, *, root: Root) -> str:
    """The filter that finds who changed since; ``root`` is what the server says just now.

    Raises :class:`CursorUnusable`.
    """
    if session.schema is Schema.ACTIVE_DIRECTORY:
        if not cursor.position.isdecimal() or cursor.authority != root.authority:
            raise CursorUnusable("the change number is another server's")
        if root.highest_usn is None or int(cursor.position) > root.highest_usn:
            raise CursorUnusable("the server's change number went back")
        first = str(int(cursor.position) + 1)
        return any_of(at_least(name, first) for name in session.attributes[Field.CHANGED])
    if cursor.authority or _time(cursor.position) is None:
        raise CursorUnusable("the cursor is no time")
    return any_of(at_least(name, cursor.position) for name in session.attributes[Field.MODIFIED])


def read_all(client: LdapClient, on_page: OnPage, *, known: Collection[str] = ()) -> Reading:
    """Give everybody to ``on_page``, a page at a time; ``known`` are the ids of the index.

    Raises :class:`~bluetel.ldap.errors.LdapError` when the connection is lost half-way; pages
    given until then are good.
    """
    return client.read(lambda session: _Run(client, session, on_page).everybody(known))


def read_changes(
    client: LdapClient,
    on_page: OnPage,
    *,
    known: Mapping[str, str],
    cursor: Cursor,
    now: datetime | None = None,
    last: datetime | None = None,
) -> Reading:
    """Give everybody changed since ``cursor`` whose marker is not the ``known`` one (by id).

    ``last`` is when the reading before was: with it and ``now`` the cursor may pass by whoever
    changed some time ago. Raises :class:`CursorUnusable`, and
    :class:`~bluetel.ldap.errors.LdapError`.
    """
    return client.read(
        lambda session: _Run(client, session, on_page).changes(known, cursor, now, last)
    )


def repair(client: LdapClient, on_page: OnPage, *, known: Mapping[str, str]) -> Reading:
    """Compare ``known`` (marker by id) with everybody; give who is new or differs.

    Raises :class:`~bluetel.ldap.errors.LdapError`.
    """
    return client.read(lambda session: _Run(client, session, on_page).repair(known))


class _Run:
    """One reading through one session."""

    def __init__(self, client: LdapClient, session: Session, on_page: OnPage) -> None:
        self._session = session
        self._attributes = session.attributes
        self._photo_limit = client.config.photo_limit
        self._on_page = on_page
        self._names: dict[str, str] = {}
        self._people = 0
        self._unusable = 0
        self._newest: datetime | None = None
        self._started = time.monotonic()

    def everybody(self, known: Collection[str]) -> Reading:
        seen: set[str] = set()
        partial = False
        for page in self._session.pages(self._session.person_filter, attributes=self._wanted()):
            seen.update(self._give(page.entries))
            partial = partial or not page.complete
        return self._reading(seen=seen, known=known, partial=partial, cursor=self._cursor())

    def changes(
        self,
        known: Mapping[str, str],
        cursor: Cursor,
        now: datetime | None,
        last: datetime | None,
    ) -> Reading:
        since = changed_since(self._session, cursor, root=self._session.root)
        _, partial = self._update(all_of((self._session.person_filter, since)), known=known)
        quiet = timedelta()
        if now and last and self._newest and not self._people and not self._unusable:
            # All are known, so the newest change is older than the last reading. A reading that
            # took long, or broke off, would make that too little: so by its own time, too.
            quiet = min(now - last, now - self._newest)
        # After a partial reading the next one starts from the same place.
        reached = cursor if partial else (self._cursor(quiet=quiet) or cursor)
        return Reading(self._people, self._unusable, partial=partial, cursor=reached)

    def repair(self, known: Mapping[str, str]) -> Reading:
        seen, partial = self._update(self._session.person_filter, known=known)
        return self._reading(seen=seen, known=known.keys(), partial=partial, cursor=self._cursor())

    def _update(self, filter_text: str, *, known: Mapping[str, str]) -> tuple[set[str], bool]:
        """List who the filter finds, give who differs; all ids, and whether a limit cut it."""
        fields = self._attributes.names(Field.ID, Field.CHANGED, Field.MODIFIED)
        seen: set[str] = set()
        differing: list[bytes] = []
        partial = False
        for page in self._session.pages(filter_text, attributes=fields):
            partial = partial or not page.complete
            for entry in page.entries:
                self._note_time(entry)
                identifier = id_of(entry, attributes=self._attributes)
                if not identifier:
                    continue
                seen.add(identifier)
                marker = self._marker(entry)
                if not marker or known.get(identifier) != marker:
                    differing.append(self._raw_id(entry))
        for start in range(0, len(differing), _IDS_PER_QUESTION):
            answer = self._read_in_full(differing[start : start + _IDS_PER_QUESTION])
            self._give(answer.entries)
            partial = partial or not answer.complete
        return seen, partial

    def _read_in_full(self, ids: Sequence[bytes]) -> Answer:
        one_of_them = any_of(
            f"({name}={escape_bytes(raw)})" for raw in ids for name in self._attributes[Field.ID]
        )
        return self._session.search(
            all_of((self._session.person_filter, one_of_them)), attributes=self._wanted()
        )

    def _reading(
        self, *, seen: set[str], known: Collection[str], partial: bool, cursor: Cursor | None
    ) -> Reading:
        emptied = not seen and bool(known)
        gone = frozenset() if partial or emptied else frozenset(known) - seen
        return Reading(
            people=self._people,
            unusable=self._unusable,
            gone=gone,
            partial=partial,
            emptied=emptied,
            cursor=None if partial or emptied else cursor,
        )

    def _give(self, entries: Sequence[Entry]) -> set[str]:
        """Hand a page over; the ids on it, unusable entries included (they are not gone)."""
        page: list[LdapPerson] = []
        ids: set[str] = set()
        for entry in entries:
            self._note_time(entry)
            person = person_of(
                entry,
                attributes=self._attributes,
                photo_limit=self._photo_limit,
                authority=self._session.root.authority,
                name_of=self._name_of,
            )
            ids.add(id_of(entry, attributes=self._attributes))
            if person is None:
                self._unusable += 1
                continue
            page.append(person)
            self._remember(entry.dn, person.name)
        self._people += len(page)
        if page:
            self._on_page(tuple(page))
        return ids - {""}

    def _wanted(self) -> tuple[str, ...]:
        return self._attributes.names()

    def _marker(self, entry: Entry) -> str:
        return marker_of(entry, attributes=self._attributes, authority=self._session.root.authority)

    def _raw_id(self, entry: Entry) -> bytes:
        return next(raw for name in self._attributes[Field.ID] for raw in entry.raw(name))

    def _name_of(self, dn: str) -> str:
        if not is_dn(dn):
            return dn
        known = self._names.get(dn.casefold())
        if known is not None:
            return known
        name = common_name(dn) or self._asked_name(dn)
        self._remember(dn, name)
        return name

    def _asked_name(self, dn: str) -> str:
        names = self._attributes[Field.NAME]
        try:
            answer = self._session.search(
                "(objectClass=*)", attributes=names, base=dn, scope="BASE"
            )
        except DirectoryRefused:
            return ""
        return answer.entries[0].text(*names) if answer.entries else ""

    def _remember(self, dn: str, name: str) -> None:
        if len(self._names) < _NAMES_KEPT:
            self._names[dn.casefold()] = name

    def _cursor(self, *, quiet: timedelta = timedelta()) -> Cursor | None:
        """Where the next reading begins; nobody has changed for ``quiet``, as far as is known."""
        root = self._session.root
        if self._session.schema is Schema.ACTIVE_DIRECTORY:
            # Read before the search: what changes meanwhile has a greater number.
            if root.highest_usn is None or not root.authority:
                return None
            return Cursor(str(root.highest_usn), root.authority)
        if self._newest is None:
            return None
        # An entry may have changed after its page was read, and before the newest we saw: not
        # longer ago than this reading took, by the server's clock as by ours.
        took = timedelta(seconds=math.ceil(time.monotonic() - self._started))
        further = min(quiet - took - _CLOCK_SLACK, _NEXT)
        return Cursor((self._newest + further).strftime(_TIMES[0]))

    def _note_time(self, entry: Entry) -> None:
        moment = _time(entry.text(*self._attributes[Field.MODIFIED]))
        if moment is not None and (self._newest is None or moment > self._newest):
            self._newest = moment


def _time(text: str) -> datetime | None:
    """A generalized time (RFC 4517 §3.3.13) in UTC; None when it is none."""
    for layout in _TIMES:
        try:
            return datetime.strptime(text, layout).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None
