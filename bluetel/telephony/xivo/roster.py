"""The people of one XiVO as BlueTel knows them: XUC itself has no list of its users."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bluetel.telephony.errors import NotFound
from bluetel.telephony.ports import AccountBook
from bluetel.telephony.types import PbxUser, PbxUserId

KEPT = 20.0


@dataclass(frozen=True, slots=True)
class _Index:
    people: Sequence[PbxUser] = ()
    by_id: Mapping[PbxUserId, PbxUser] = field(default_factory=dict)
    by_number: Mapping[str, PbxUserId] = field(default_factory=dict)
    by_login: Mapping[str, PbxUser] = field(default_factory=dict)


class Roster:
    """Look-ups in the account book, kept for some seconds; blocking, from any thread."""

    def __init__(
        self, accounts: AccountBook | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Without an account book there is nobody."""
        self._accounts = accounts
        self._clock = clock
        self._lock = threading.Lock()
        self._index = _Index()
        self._read_at: float | None = None

    def everybody(self) -> Sequence[PbxUser]:
        """All people, as fresh as ``KEPT`` seconds."""
        return self._fresh().people

    def find(self, user: PbxUserId) -> PbxUser:
        """One person; somebody new is looked for once more before he is ``NotFound``."""
        found = self._fresh().by_id.get(user) or self._read().by_id.get(user)
        if found is None:
            raise NotFound("no such user")
        return found

    def named(self, login: str) -> PbxUser | None:
        """Whom a login or an e-mail address means, whatever its case."""
        name = login.casefold()
        return self._fresh().by_login.get(name) or self._read().by_login.get(name)

    def by_number(self) -> Mapping[str, PbxUserId]:
        """The people by their numbers."""
        return self._fresh().by_number

    def cached(self, user: PbxUserId) -> PbxUser | None:
        """One person out of what was read last; asks nothing."""
        return self._index.by_id.get(user)

    def cached_by_number(self) -> Mapping[str, PbxUserId]:
        """The people by their numbers out of what was read last; asks nothing."""
        return self._index.by_number

    def cached_named(self, login: str) -> PbxUser | None:
        """Whom a login means, out of what was read last; asks nothing."""
        return self._index.by_login.get(login.casefold())

    def forget(self) -> None:
        """Read anew the next time."""
        self._read_at = None

    def _fresh(self) -> _Index:
        read_at = self._read_at
        if read_at is None or self._clock() - read_at >= KEPT:
            return self._read()
        return self._index

    def _read(self) -> _Index:
        people = tuple(self._accounts.people()) if self._accounts is not None else ()
        by_login: dict[str, PbxUser] = {}
        for person in people:
            if person.email:
                by_login.setdefault(person.email.casefold(), person)
        for person in people:
            for name in (person.id, person.login):
                if name:
                    by_login[name.casefold()] = person
        index = _Index(
            people=people,
            by_id={person.id: person for person in people},
            by_number={person.extension: person.id for person in people if person.extension},
            by_login=by_login,
        )
        with self._lock:
            self._index, self._read_at = index, self._clock()
        return index
