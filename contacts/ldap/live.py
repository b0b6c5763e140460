"""The company directory as a source of the search, for those who are not read in yet.

Asked in the background (:mod:`contacts.asking`); a server that hangs delays nobody. Who is in the
index already is left out here: the index has him with all that is known of him.
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
from contacts.asking import Asker, key_of
from contacts.ldap.lookup import lookup
from contacts.ldap.terms import parse_term
from contacts.models import Book, Contact
from contacts.rules import MACHINES, Person, number_of
from contacts.sources import MAX_PEOPLE, Found

if TYPE_CHECKING:
    from bluetel.accounts.models import User
    from bluetel.ldap.client import LdapClient
    from bluetel.ldap.config import LdapConfig
    from contacts.ldap.person import LdapPerson
    from contacts.rules import Question

logger = logging.getLogger(__name__)

DEADLINE: Final = 1.5
WORKERS: Final = 4


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
        self._asker = Asker["LdapPerson"](
            deadline=DEADLINE,
            clock=clock,
            executor=executor or ThreadPoolExecutor(WORKERS, thread_name_prefix="ldap"),
        )

    @property
    def name(self) -> str:
        """As the page calls it."""
        return _("Company directory")

    def search(self, viewer: User, asked: Question) -> Found | None:
        """Whom the directory has answered with by now; asks it when nobody has."""
        config: LdapConfig | None = settings.LDAP_CONFIG
        if config is None or parse_term(asked.text, country=config.country) is None:
            return None
        state, people = self._asker.answer(
            key_of("ldap", asked.text),
            partial(_ask, self._client_of, config, asked.text),
            told=_told,
        )
        return Found(state=state, people=_unknown(people))


def _ask(
    client_of: Callable[[LdapConfig], LdapClient], config: LdapConfig, text: str
) -> Sequence[LdapPerson]:
    return lookup(client_of(config), text).people[:MAX_PEOPLE]


def _told(error: BaseException | None) -> None:
    # A directory that doesn't answer is logged by its client, once.
    if error is not None and not isinstance(error, LdapError):
        logger.error("the directory gave something unreadable", exc_info=error)


def _unknown(people: Sequence[LdapPerson]) -> list[Person]:
    known = set(
        Contact.objects.filter(
            book__kind=Book.Kind.DIRECTORY, source_id__in=[person.id for person in people]
        ).values_list("source_id", flat=True)
        if people
        else ()
    )
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
