"""The company directory as a source of the search, for those who are not read in yet.

Asked in the background (:mod:`contacts.asking`); a server that hangs delays nobody. Who is in the
index already is left out here: the index has him with all that is known of him. So once everybody
is read in, only who came since is asked for, once for all that is typed in some seconds: nearly
nobody, while each text would find fifty people whom the index has found.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils.translation import gettext as _

from bluetel.ldap.client import client_for
from bluetel.ldap.errors import LdapError
from bluetel.rows import one_of_texts, rows_of
from contacts.asking import Asker, Kept, Memory, key_of
from contacts.ldap.keeping import read_until
from contacts.ldap.lookup import LookupResult, lately_changed, lookup
from contacts.ldap.terms import matches, parse_term
from contacts.rules import MACHINES, Person, number_of
from contacts.sources import MAX_PEOPLE, Found, State

if TYPE_CHECKING:
    from bluetel.accounts.models import User
    from bluetel.ldap.client import LdapClient
    from bluetel.ldap.config import LdapConfig
    from contacts.ldap.person import LdapPerson
    from contacts.ldap.reader import Cursor
    from contacts.rules import Question

logger = logging.getLogger(__name__)

DEADLINE: Final = 1.5
WORKERS: Final = 2
CHANGES_KEPT: Final = 5
"""Seconds after which whoever came into the directory is found."""
FAILURE_KEPT: Final = 60
"""Seconds in which each text is asked, where what changed was not to be had: it may take a server
without an index of it too long."""


class LdapDirectory:
    """The directory of the settings; one object serves a whole process.

    ``clock`` is monotonic, in seconds; ``executor`` runs the questions and bounds how many run.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        executor: Executor | None = None,
        client_of: Callable[[LdapConfig], LdapClient] = client_for,
    ) -> None:
        self._client_of = client_of
        executor = executor or ThreadPoolExecutor(WORKERS, thread_name_prefix="ldap")
        self._texts = Asker["LdapPerson"](deadline=DEADLINE, clock=clock, executor=executor)
        self._changes = Asker["LookupResult"](
            deadline=DEADLINE,
            clock=clock,
            executor=executor,
            store=Memory(clock),
            seconds=CHANGES_KEPT,
            failure_seconds=FAILURE_KEPT,
        )
        self._changed_last: tuple[str, Sequence[LookupResult]] = "", ()

    @property
    def name(self) -> str:
        """As the page calls it."""
        return _("Company directory")

    def search(self, viewer: User, asked: Question, *, nobody_yet: bool = False) -> Found | None:
        """Whom the directory has answered with by now; asks it when nobody has.

        Where ``nobody_yet`` is found it is asked for the text itself, for somebody may have become
        visible without having changed.
        """
        config: LdapConfig | None = settings.LDAP_CONFIG
        term = parse_term(asked.text, country=config.country) if config is not None else None
        if config is None or term is None:
            return None
        state, people = self._changed(config) or (State.FAILED, ())
        people = [person for person in people if matches(term, person)]
        if state is State.FAILED or (nobody_yet and not people and state is State.OK):
            state, people = self._texts.answer(
                key_of("ldap", asked.text),
                partial(_ask, self._client_of, config, asked.text),
                told=_told,
            )
        return Found(state=state, people=_unknown(people))

    def _changed(self, config: LdapConfig) -> Kept[LdapPerson] | None:
        """Who came or changed since everybody was read in; None when that is not all to ask for."""
        key = f"{config.servers[0]} {config.base}"
        kept = self._changes.kept(key)
        if kept is None:
            cursor = read_until(config)
            if cursor is None:
                return None
            ask = partial(_ask_for_changes, self._client_of, config, cursor)
            state = self._changes.ask(key, ask, told=_told)
            known, last = self._changed_last
            kept = state, last if known == key else ()
        state, results = kept
        if state is State.OK:
            self._changed_last = key, results
        if not all(result.complete for result in results):
            return None
        return state, [person for result in results for person in result.people]


def _ask(
    client_of: Callable[[LdapConfig], LdapClient], config: LdapConfig, text: str
) -> Sequence[LdapPerson]:
    return lookup(client_of(config), text).people[:MAX_PEOPLE]


def _ask_for_changes(
    client_of: Callable[[LdapConfig], LdapClient], config: LdapConfig, cursor: Cursor
) -> Sequence[LookupResult]:
    return [lately_changed(client_of(config), cursor)]


def _told(error: BaseException | None) -> None:
    # A directory that doesn't answer is logged by its client, once.
    if error is not None and not isinstance(error, LdapError):
        logger.error("the directory gave something unreadable", exc_info=error)


_KNOWN: Final = (
    "SELECT contact.source_id FROM contacts_book AS book"
    " JOIN contacts_contact AS contact ON contact.book_id = book.id"
    # The index is on those that have one.
    " WHERE book.kind = 'directory' AND contact.source_id <> '' AND contact.source_id {}"
)


def _unknown(people: Sequence[LdapPerson]) -> list[Person]:
    if not people:
        return []
    among, ids = one_of_texts([person.id for person in people])
    known = {known for (known,) in rows_of(_KNOWN.format(among), ids)}
    return [_person(person) for person in people if person.id not in known]


def _person(person: LdapPerson) -> Person:
    return Person(
        name=person.name,
        numbers=tuple(
            number_of(label, number, settings.COUNTRY)
            for label, number in person.numbers
            if label not in MACHINES
        ),
        contact_id=None,
        user_id=None,
        more=" ".join((person.company, *person.emails)),
    )
