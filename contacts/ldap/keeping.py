"""The company directory as a book of the contact base, kept up by the readings of ``reader``.

What changed is read every five minutes; once a day everybody is compared, which also sees who is
gone. A directory that fails is asked less and less often, and what was read stays.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from bluetel.ldap.errors import LdapError, Reason
from bluetel.rows import rows_of
from contacts import storing
from contacts.card import (
    EMAIL_LIMIT,
    Card,
    CardEmail,
    CardNumber,
    Label,
    Photo,
    many_lines,
    one_line,
)
from contacts.ldap.reader import Cursor, CursorUnusable, Reading, read_all, read_changes, repair
from contacts.models import Book, Contact, DirectoryState

if TYPE_CHECKING:
    from bluetel.ldap.client import LdapClient
    from bluetel.ldap.config import LdapConfig
    from contacts.ldap.person import LdapPerson

logger = logging.getLogger(__name__)

EVERY: Final = timedelta(minutes=5)
REPAIR_EVERY: Final = timedelta(days=1)
AT_MOST: Final = timedelta(hours=1)
ROUND: Final = timedelta(minutes=30)
"""After so long without a sign, whoever was reading is dead."""
PARTIAL: Final = "partial"
EMPTIED: Final = "emptied"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one reading did to the book; ``error`` is empty when all went well."""

    read: int = 0
    removed: int = 0
    people: int = 0
    error: str = ""


def directory_state() -> DirectoryState:
    """The one row of the directory, made with its book when first asked for."""
    try:
        with transaction.atomic():
            book, _new = Book.objects.get_or_create(kind=Book.Kind.DIRECTORY)
            return DirectoryState.objects.get_or_create(book=book)[0]
    except IntegrityError:  # two processes at once
        return DirectoryState.objects.get(book__kind=Book.Kind.DIRECTORY)


def read_until(config: LdapConfig) -> Cursor | None:
    """Up to where the book holds everybody of this directory; None when it doesn't."""
    for position, authority, scope, error in rows_of(_STATE):
        if position and scope == scope_of(config) and error not in {PARTIAL, EMPTIED}:
            return Cursor(position, authority)
    return None


_STATE: Final = "SELECT position, authority, scope, error FROM contacts_directorystate"


def scope_of(config: LdapConfig) -> str:
    """What tells whether a reading was by the same settings: where people are and how they look."""
    changes = sorted(config.attribute_changes.items())
    said = (
        [str(server) for server in config.servers],
        config.bind_dn, config.base, config.person_filter, config.schema, changes,
    )  # fmt: skip
    return hashlib.sha256(repr(said).encode()).hexdigest()


def is_due(*, now: datetime) -> bool:
    """Whether it is time for the next reading, and nobody is at it."""
    state = directory_state()
    is_free = state.working_until is None or state.working_until <= now
    return is_free and (state.due_at is None or state.due_at <= now)


def read_directory(client: LdapClient, *, now: datetime, whole: bool = False) -> Outcome | None:
    """Bring the book up to date; with ``whole``, compare everybody. None when somebody is at it.

    What goes wrong is noted on the row; what was read until then stays.
    """
    state = directory_state()
    free = Q(working_until=None) | Q(working_until__lte=now)
    if not DirectoryState.objects.filter(free, pk=state.pk).update(working_until=now + ROUND):
        return None
    keeper = _Keeper(state.book, now=now)
    reading: Reading | None = None
    error = "failed"
    try:
        reading = _read(client, state, keeper, whole=whole, now=now)
        keeper.forget(reading.gone)
        error = PARTIAL if reading.partial else EMPTIED if reading.emptied else ""
    except LdapError as problem:
        error = problem.reason.value
    finally:
        _note(state, reading, scope=scope_of(client.config), error=error, now=now)
    return Outcome(
        read=keeper.taken,
        removed=len(reading.gone) if reading else 0,
        people=state.people,
        error=error,
    )


def error_text(code: str) -> str:
    """Why the directory isn't read as it should be, and what to do; empty for no error."""
    texts: dict[str, str] = {
        "": "",
        Reason.UNREACHABLE: _("No server of the directory can be reached."),
        Reason.TIMED_OUT: _("The directory didn't answer in time."),
        Reason.CERTIFICATE: _("The directory's certificate isn't valid: see BLUETEL_LDAP_CA_FILE."),
        Reason.UNREADABLE: _("The directory gave an answer that makes no sense."),
        Reason.BUSY: _("Too many questions to the directory are under way."),
        Reason.CREDENTIALS: _("The directory doesn't take BlueTel's account and password."),
        Reason.REFUSED: _(
            "The directory refuses the reading: see BLUETEL_LDAP_BASE and the rights."
        ),
        PARTIAL: _("A limit of the server cut the reading short; nobody was removed."),
        EMPTIED: _("The directory suddenly holds nobody; nobody was removed."),
    }
    return texts.get(code) or (_("The reading failed; the log says why.") if code else "")


def _read(
    client: LdapClient, state: DirectoryState, keeper: _Keeper, *, whole: bool, now: datetime
) -> Reading:
    known = keeper.markers
    if not known or state.scope != scope_of(client.config):
        # What is known was read by other settings, so that markers tell nothing, until all of it
        # has been read. Who is left out goes with the daily comparison: they may be a mistake.
        state.scope = state.position = state.authority = ""
        state.save(update_fields=["scope", "position", "authority"])
        reading = read_all(client, keeper.take, known=known)
        return reading if whole else replace(reading, gone=frozenset())
    must_repair = state.repaired_at is None or state.repaired_at + REPAIR_EVERY <= now
    if state.position and not whole and not must_repair:
        cursor = Cursor(state.position, state.authority)
        try:
            return read_changes(
                client, keeper.take, known=known, cursor=cursor, now=now, last=state.read_at
            )
        except CursorUnusable as reason:
            logger.info("the directory is compared as a whole: %s", reason)
    reading = repair(client, keeper.take, known=known)
    if not reading.partial:
        state.repaired_at = now
    return reading


def _note(
    state: DirectoryState, reading: Reading | None, *, scope: str, error: str, now: datetime
) -> None:
    if error and not state.error:
        logger.warning("the company directory is not read: %s", error)
    elif state.error and not error:
        logger.info("the company directory is read again")
    state.working_until, state.error = None, error
    state.people = Contact.objects.filter(book=state.book_id).count()
    if reading is None:
        state.failures += 1
    else:
        state.failures, state.read_at = 0, now
        if not error:  # else whom it didn't reach is still as an earlier reading saw him
            state.scope = scope
        # Who was read for the first time has been compared as a whole.
        state.repaired_at = state.repaired_at or (None if reading.partial else now)
        if reading.cursor is not None:
            state.position, state.authority = reading.cursor.position, reading.cursor.authority
    times: int = 2 ** min(state.failures, 10)
    state.due_at = now + min(EVERY * times, AT_MOST)
    state.save()


class _Keeper:
    """Puts people into the book, a page at a time, each page in a transaction of its own."""

    def __init__(self, book: Book, *, now: datetime) -> None:
        self._book = book
        self._now = now
        self.taken = 0
        rows = Contact.objects.filter(book=book).values_list("source_id", "pk", "marker")
        self._ids: dict[str, int] = {}
        self.markers: Mapping[str, str] = {}
        markers: dict[str, str] = {}
        for source_id, pk, marker in rows:
            self._ids[source_id] = pk
            markers[source_id] = marker
        self.markers = markers

    def take(self, page: Collection[LdapPerson]) -> None:
        """Add who is new, change who is known."""
        by_id = {person.id: person for person in page}
        known = {pid: person for pid, person in by_id.items() if pid in self._ids}
        new = [person for pid, person in by_id.items() if pid not in self._ids]
        storing.change(
            self._book,
            {self._ids[pid]: _arrival(person) for pid, person in known.items()},
            now=self._now,
        )
        added = storing.add(self._book, [_arrival(person) for person in new], now=self._now)
        self._ids.update({contact.source_id: contact.pk for contact in added})
        self.taken += len(by_id)

    def forget(self, gone: Collection[str]) -> None:
        """Remove who is gone."""
        storing.remove(self._book, [self._ids[pid] for pid in gone])


def _arrival(person: LdapPerson) -> storing.Arrival:
    photo = person.photo
    return storing.Arrival(
        source_id=person.id,
        marker=person.marker,
        card=Card(
            name=one_line(person.name),
            given_name=one_line(person.given_name),
            family_name=one_line(person.family_name),
            company=one_line(person.company),
            department=one_line(person.department),
            title=one_line(person.title),
            assistant=one_line(person.assistant),
            note=many_lines(person.note),
            numbers=tuple(
                CardNumber(number=number, label=Label(label)) for label, number in person.numbers
            ),
            emails=tuple(
                CardEmail(address=one_line(address, limit=EMAIL_LIMIT)) for address in person.emails
            ),
            photo=Photo(media_type=photo.content_type, content=photo.data) if photo else None,
        ),
    )
