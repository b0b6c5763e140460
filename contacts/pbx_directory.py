"""The PBX's own directory as a source: asked in the background, its answers kept a while.

A question is asked once: who asks meanwhile reads ``SEARCHING``, who asks within a minute gets
the kept answer, in any web process that shares the cache. One second without an answer is a
failure, and a failure is kept some seconds so that each key typed doesn't wait for a dead PBX.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from bluetel.accounts.pbx import backend_for
from bluetel.telephony.errors import TelephonyError
from bluetel.telephony.text import safe_text
from bluetel.telephony.types import Capability, DirectoryEntry, PbxUserId
from contacts.rules import Match, Person, match
from contacts.selectors import colleagues_by_pbx_id
from contacts.sources import MAX_PEOPLE, Found, State

if TYPE_CHECKING:
    from bluetel.accounts.models import Pbx, User
    from contacts.rules import Question

logger = logging.getLogger(__name__)

DEADLINE: Final = 1.0
KEPT: Final = 60
FAILURE_KEPT: Final = 5
MIN_TERM: Final = 2
"""Wazo's directory has neither pages nor a limit: one letter would fetch everybody."""
WORKERS: Final = 8
MAX_WAITING: Final = 64

Kept = tuple[State, Sequence[DirectoryEntry]]


class PbxDirectory:
    """The directory of the viewer's PBX; one object serves a whole process.

    ``clock`` is monotonic, in seconds; ``executor`` runs the questions and bounds how many run.
    """

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, executor: Executor | None = None
    ) -> None:
        self._clock = clock
        self._executor = executor or ThreadPoolExecutor(WORKERS, thread_name_prefix="directory")
        self._lock = threading.Lock()
        self._asked_at: dict[str, float] = {}
        self._silent: set[int] = set()

    @property
    def name(self) -> str:
        """As the page calls it."""
        return _("Directory")

    def search(self, viewer: User, asked: Question) -> Found | None:
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
        key = _cache_key(viewer, asked)
        kept = _read(key)
        if kept is None:
            return Found(state=self._ask(key, viewer, pbx, asked))
        state, entries = kept
        return Found(state=state, people=_people(viewer, pbx, entries))

    def _ask(self, key: str, viewer: User, pbx: Pbx, asked: Question) -> State:
        with self._lock:
            since = self._asked_at.get(key)
            if since is not None:
                return State.FAILED if self._clock() - since > DEADLINE else State.SEARCHING
            if len(self._asked_at) >= MAX_WAITING:
                return State.SEARCHING
            self._asked_at[key] = self._clock()
        user = PbxUserId(viewer.pbx_user_id)
        future = self._executor.submit(_fetch, pbx, user, asked)
        future.add_done_callback(partial(self._keep, key, pbx))
        return State.SEARCHING

    def _keep(self, key: str, pbx: Pbx, future: Future[Sequence[DirectoryEntry]]) -> None:
        error = future.exception()
        if error is None:
            _write(key, (State.OK, future.result()), seconds=KEPT)
        else:
            _write(key, (State.FAILED, ()), seconds=FAILURE_KEPT)
        with self._lock:
            self._asked_at.pop(key, None)
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
        numbers=entry.numbers,
        contact_id=user.contact_id if user else None,
        user_id=user.user_id if user else None,
        more=f"{entry.email} {entry.company}",
    )


def _cache_key(viewer: User, asked: Question) -> str:
    """A key of one user's question; the question itself stays out of the cache server's logs."""
    digest = hashlib.sha256(asked.text.casefold().encode()).hexdigest()[:32]
    return f"directory:{viewer.pbx_id}:{viewer.pk}:{digest}"


def _read(key: str) -> Kept | None:
    try:
        kept: Kept | None = cache.get(key)
    except RedisError:
        # The search does without: the PBX is asked again, and says so itself if it is slow.
        return None
    return kept


def _write(key: str, kept: Kept, *, seconds: int) -> None:
    try:
        cache.set(key, kept, seconds)
    except RedisError:
        logger.debug("the cache doesn't answer", exc_info=True)
