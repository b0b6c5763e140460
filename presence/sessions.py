"""Who is behind a session's key, and whether it still holds, by the same rules as for a page.

Many are looked up at once: after a restart every page comes back in the same seconds, and to ask
for each alone takes ten times as long as all the rest of its return.
"""

from __future__ import annotations

import asyncio
import hashlib
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, load_backend
from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from bluetel.accounts.models import User
from bluetel.rows import columns_of, objects_of, one_of, places, rows_of, stored

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence

AT_ONCE = 100
IDS_AT_ONCE = 1000


class Visitor(NamedTuple):
    """A signed-in user, and the PBX that has his phone."""

    user_id: str
    pbx: int | None


def digest_of(session_key: str) -> str:
    """What names a session on the channel layer: the key itself is a secret."""
    return hashlib.sha256(session_key.encode()).hexdigest()


def visitors(session_keys: Iterable[str]) -> dict[str, Visitor]:
    """Who is signed in, by the key of his session; who isn't, is left out.

    So are those whose session expired, who signed out or changed the password since, and whose
    account was disabled. A key comes from a cookie and may be anything: what Django never makes,
    such as a NUL, would fail the question for all of them on PostgreSQL.
    """
    sessions = _sessions([key for key in session_keys if key.isascii() and key.isalnum()])
    users = _users({said[SESSION_KEY] for said in sessions.values()})
    found = {}
    for key, said in sessions.items():
        user = users.get(said[SESSION_KEY])
        if user is not None and _may_stay(user, said):
            found[key] = Visitor(str(user.pk), user.pbx_id)
    return found


def standing_of(user_ids: Sequence[str]) -> dict[str, str]:
    """What a user's sessions rest on, by his id; who is disabled or gone is left out.

    It is another one after a new password. One look at the rows finds what another process did,
    whose word doesn't reach this one.
    """
    found: dict[str, str] = {}
    for first in range(0, len(user_ids), IDS_AT_ONCE):
        among, numbers = one_of([int(one) for one in user_ids[first : first + IDS_AT_ONCE]])
        rows = rows_of(
            f"SELECT id, password FROM {User._meta.db_table}"  # noqa: S608, SLF001 — no value of anybody's
            f" WHERE id {among} AND is_active",
            numbers,
        )
        found |= {str(pk): password for pk, password in rows}
    return found


def _sessions(keys: list[str]) -> dict[str, dict[str, Any]]:
    """What the sessions of users say, of those that haven't expired."""
    if not keys:
        return {}
    rows = rows_of(
        f"SELECT session_key, session_data FROM {Session._meta.db_table}"  # noqa: S608, SLF001 — no value of anybody's
        f" WHERE session_key IN ({places(keys)}) AND expire_date > %s",
        [*keys, stored(timezone.now())],
    )
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    read = {key: store.decode(data) for key, data in rows}
    return {key: said for key, said in read.items() if SESSION_KEY in said}


def _users(ids: set[str]) -> dict[str, User]:
    """The users of these ids, by id."""
    numbers = [int(one) for one in ids if one.isdecimal()]
    if not numbers:
        return {}
    among, values = one_of(numbers)
    users = objects_of(
        User,
        f"SELECT {columns_of(User, 'u')} FROM {User._meta.db_table} u"  # noqa: S608, SLF001 — no value of anybody's
        f" WHERE u.id {among}",
        values,
    )
    return {str(user.pk): user for user in users}


def _may_stay(user: User, said: dict[str, Any]) -> bool:
    """Whether a session speaks for its user still, as :func:`django.contrib.auth.get_user` has it.

    Each of our backends reads a user's row by its key, so only its word on who may sign in is left.
    """
    path = said.get(BACKEND_SESSION_KEY)
    if path not in settings.AUTHENTICATION_BACKENDS:
        return False
    backend = load_backend(path)
    if not isinstance(backend, ModelBackend) or not backend.user_can_authenticate(user):
        return False
    told = said.get(HASH_SESSION_KEY) or ""
    hashes = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return any(constant_time_compare(told, one) for one in hashes)


class InThread(Protocol):
    """Runs what reads the database in a thread (:meth:`presence.feed.Feed.in_thread`)."""

    def __call__(
        self, function: Callable[[list[str]], dict[str, Visitor]], keys: list[str], /
    ) -> Coroutine[Any, Any, dict[str, Visitor]]:
        """What ``function`` gives."""


class Doorkeeper:
    """Looks up those who ask, all together who asked while he was away."""

    def __init__(self, in_thread: InThread) -> None:
        self._in_thread = in_thread
        self._asked: dict[str, asyncio.Future[Visitor | None]] = {}
        self._round: asyncio.Task[None] | None = None

    async def visitor(self, session_key: str) -> Visitor | None:
        """Whose session it is; None if it is nobody's. Raises what the database does."""
        asked = self._asked.get(session_key)
        if asked is None:
            asked = self._asked[session_key] = asyncio.get_running_loop().create_future()
            if self._round is None:
                self._round = asyncio.create_task(self._look_up_all())
        return await asyncio.shield(asked)

    async def aclose(self) -> None:
        """Look nobody up any more."""
        if self._round is not None:
            self._round.cancel()
            await asyncio.gather(self._round, return_exceptions=True)

    async def _look_up_all(self) -> None:
        try:
            while self._asked:
                keys = list(self._asked)[:AT_ONCE]
                asked = {key: self._asked.pop(key) for key in keys}
                await self._answer(asked)
        finally:
            self._round = None
            for left in self._asked.values():
                left.cancel()
            self._asked.clear()

    async def _answer(self, asked: dict[str, asyncio.Future[Visitor | None]]) -> None:
        try:
            found = await self._in_thread(visitors, list(asked))
        except Exception as error:  # noqa: BLE001 — whoever asked is told, whatever it is
            for future in asked.values():
                future.set_exception(error)
                future.exception()  # who asked may have gone meanwhile
        except asyncio.CancelledError:
            for future in asked.values():
                future.cancel()
            raise
        else:
            for key, future in asked.items():
                future.set_result(found.get(key))
