"""People of the PBX, and the look-up that every command about one of them begins with."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from uuid import UUID

from bluetel.telephony.errors import (
    AuthenticationFailed,
    Forbidden,
    NotFound,
)
from bluetel.telephony.http import Deadline
from bluetel.telephony.types import Identity, Line, PbxUser, PbxUserId
from bluetel.telephony.wazo import decode
from bluetel.telephony.wazo.auth import WazoAuth
from bluetel.telephony.wazo.rest import Service, WazoRest, segment

PAGE = 50
"""Users asked for at once: a full record costs confd some 30 ms."""

REMEMBERED_FOR = 300.0
MOST_REMEMBERED = 4096

SIGN_IN_LIFE = 30
"""Seconds a token lives that is made only to check a login, should deleting it fail."""


def is_uuid(text: str) -> bool:
    """Whether Wazo's routes would take this as a person's id."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


class WazoPeople:
    """The ``People`` port, and the people's lines as last read.

    Lines are remembered for five minutes, or until :meth:`forget` is told of a change: a process
    that follows no events finds out that way. Only people of the account's tenant are ever found
    here; several confd routes below a user don't check the tenant themselves (``reference/wazo.md``
    §1), so each command about a person asks here first.
    """

    def __init__(
        self,
        rest: WazoRest,
        auth: WazoAuth,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is read yet."""
        self._rest = rest
        self._auth = auth
        self._clock = clock
        self._lock = threading.Lock()
        self._remembered: OrderedDict[PbxUserId, tuple[float, PbxUser]] = OrderedDict()
        self._logins_are_readable = True

    def users(self) -> Iterator[PbxUser]:
        """Everybody, page by page, with his login where the account may read logins."""
        logins = self._logins()
        seen = 0
        while True:
            page = self._rest.get(
                Service.CONFD,
                "/users",
                what="list of users",
                params={"limit": PAGE, "offset": seen, "order": "id"},
            )
            found = decode.items(page, what="list of users")
            seen += len(found)
            for item in found:
                person = decode.user(item)
                yield decode.user(item, login=logins.get(person.id, ""))
            if decode.page_is_last(page, seen=seen, what="list of users"):
                return

    def user(self, user: PbxUserId) -> PbxUser:
        """One person, read now."""
        self.forget(user)
        return self.known(user)

    def known(self, user: PbxUserId, *, deadline: Deadline | None = None) -> PbxUser:
        """One person as last read; ``NotFound`` for who is of no or another tenant."""
        now = self._clock()
        with self._lock:
            read_at, person = self._remembered.get(user, (0.0, None))
        if person is not None and now - read_at < REMEMBERED_FOR:
            return person
        if not is_uuid(user):
            raise NotFound("no such user")
        person = decode.user(
            self._rest.get(Service.CONFD, f"/users/{segment(user)}", what="user", deadline=deadline)
        )
        with self._lock:
            self._remembered[user] = (now, person)
            self._remembered.move_to_end(user)
            if len(self._remembered) > MOST_REMEMBERED:
                self._remembered.popitem(last=False)
        return person

    def forget(self, user: PbxUserId) -> None:
        """Read this person anew next time: something about him has changed."""
        with self._lock:
            self._remembered.pop(user, None)

    def line(self, person: PbxUser, *, line: str = "") -> Line | None:
        """A person's line by id, or his main line; None where calls can't start."""
        for candidate in person.lines:
            if (not line or candidate.id == line) and candidate.context:
                return candidate
        return None

    def authenticate(self, login: str, password: str) -> Identity:
        """Check a login against the PBX and delete the token this needs at once.

        While a token of his lives, chatd calls its user ``connected``. Raises
        ``AuthenticationFailed`` also for accounts that belong to no person or to another tenant.
        """
        tenant = self._rest.tenant()
        grant = self._auth.sign_in(login, password, life=SIGN_IN_LIFE)
        self._auth.revoke(grant.token)
        if grant.user is None:
            raise AuthenticationFailed("the account is not a person's")
        if tenant and grant.tenant != tenant:
            raise AuthenticationFailed("the account is of another tenant")
        return Identity(user=grant.user, login=login)

    def _logins(self) -> dict[PbxUserId, str]:
        """Logins by person; empty where the account may not read them (``auth.users.read``)."""
        logins: dict[PbxUserId, str] = {}
        seen = 0
        while self._logins_are_readable:
            try:
                page = self._rest.get(
                    Service.AUTH,
                    "/users",
                    what="list of accounts",
                    params={"limit": 200, "offset": seen, "order": "username"},
                )
            except (Forbidden, NotFound):
                self._logins_are_readable = False
                break
            found = [decode.login(item) for item in decode.items(page, what="list of accounts")]
            logins.update(found)
            seen += len(found)
            if decode.page_is_last(page, seen=seen, what="list of accounts"):
                break
        return logins
