"""The PBX's own directory as a source: asked in the background (:mod:`contacts.asking`)."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils.translation import gettext as _

from bluetel.accounts.pbx import backend_for
from bluetel.telephony.errors import TelephonyError
from bluetel.telephony.text import safe_text
from bluetel.telephony.types import Capability, DirectoryEntry, PbxUserId
from contacts.asking import Asker, key_of
from contacts.rules import Match, Person, match, number_of
from contacts.selectors import colleagues_by_pbx_id
from contacts.sources import MAX_PEOPLE, Found, State

if TYPE_CHECKING:
    from bluetel.accounts.models import Pbx, User
    from contacts.rules import Question

logger = logging.getLogger(__name__)

DEADLINE: Final = 1.0
MIN_TERM: Final = 2
"""Wazo's directory has neither pages nor a limit: one letter would fetch everybody."""
WORKERS: Final = 8


class PbxDirectory:
    """The directory of the viewer's PBX; one object serves a whole process.

    ``clock`` is monotonic, in seconds; ``executor`` runs the questions and bounds how many run.
    """

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, executor: Executor | None = None
    ) -> None:
        self._asker = Asker[DirectoryEntry](
            deadline=DEADLINE,
            clock=clock,
            executor=executor or ThreadPoolExecutor(WORKERS, thread_name_prefix="directory"),
        )
        self._lock = threading.Lock()
        self._silent: set[int] = set()

    @property
    def name(self) -> str:
        """As the page calls it."""
        return _("Directory")

    def search(self, viewer: User, asked: Question, *, nobody_yet: bool = False) -> Found | None:
        """What the PBX has answered by now; asks it when nobody has."""
        pbx = viewer.pbx
        if pbx is None or not viewer.pbx_user_id or len(asked.text) < MIN_TERM:
            return None
        try:
            has_directory = Capability.DIRECTORY in backend_for(pbx).capabilities
        except TelephonyError:
            return Found(state=State.FAILED)  # the PBX's row holds an address that is none
        if not has_directory:
            return None
        user = PbxUserId(viewer.pbx_user_id)
        state, entries = self._asker.answer(
            key_of(f"directory:{pbx.pk}:{viewer.pk}", asked.text),
            partial(_fetch, pbx, user, asked),
            told=partial(self._told, pbx),
        )
        return Found(state=state, people=_people(viewer, pbx, entries))

    def _told(self, pbx: Pbx, error: BaseException | None) -> None:
        with self._lock:
            was_silent = pbx.pk in self._silent
            (self._silent.discard if error is None else self._silent.add)(pbx.pk)
        if error is None:
            if was_silent:
                logger.info("the directory of %s answers again", pbx)
        elif not isinstance(error, TelephonyError):
            logger.error("the directory of %s gave something unreadable", pbx, exc_info=error)
        elif not was_silent:
            logger.warning("the directory of %s doesn't answer: %s", pbx, error)


def _fetch(pbx: Pbx, user: PbxUserId, asked: Question) -> Sequence[DirectoryEntry]:
    found = backend_for(pbx).search(user, asked.text, timeout=DEADLINE)
    entries = [_cleaned(entry) for entry in found]
    country = settings.COUNTRY
    # Who matches by something unseen stays, behind the others.
    ranks = [(match(asked, _person(entry), country=country), entry) for entry in entries]
    ranks.sort(key=lambda pair: Match.ELSEWHERE + 1 if pair[0] is None else pair[0])
    return tuple(entry for _, entry in ranks[:MAX_PEOPLE])


def _cleaned(entry: DirectoryEntry) -> DirectoryEntry:
    """Without what nobody needs to keep; texts of a directory are other people's."""
    return DirectoryEntry(
        name=safe_text(entry.name, limit=200),
        numbers=tuple((label, safe_text(number, limit=64)) for label, number in entry.numbers),
        email=safe_text(entry.email, limit=254),
        company=safe_text(entry.company, limit=200),
        user=entry.user,
    )


def _people(viewer: User, pbx: Pbx, entries: Sequence[DirectoryEntry]) -> list[Person]:
    users = colleagues_by_pbx_id(pbx.pk, [entry.user for entry in entries if entry.user])
    people = []
    for entry in entries:
        user = users.get(entry.user) if entry.user else None
        if user is not None and user.user_id == str(viewer.pk):
            continue
        people.append(_person(entry, user=user))
    return people


def _person(entry: DirectoryEntry, *, user: Person | None = None) -> Person:
    return Person(
        name=user.name if user else entry.name,
        numbers=tuple(
            number_of(label, number, settings.COUNTRY) for label, number in entry.numbers
        ),
        contact_id=user.contact_id if user else None,
        user_id=user.user_id if user else None,
        more=f"{entry.email} {entry.company}",
    )
