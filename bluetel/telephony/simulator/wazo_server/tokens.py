"""Accounts, tokens and rights, as wazo-auth keeps them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import NAMESPACE_URL, uuid4, uuid5

from bluetel.telephony.simulator.clock import Timer
from bluetel.telephony.simulator.model import SimulatedPbx
from bluetel.telephony.simulator.people import Person

SESSION_LIMIT = 100
EXPIRE_SOON = 60.0
"""Seconds before its end that a token's owner is warned, or a quarter of a short life."""

DEFAULT_USER_POLICY = (
    "auth.users.me.password.update",
    "auth.users.me.sessions.*.delete",
    "auth.users.me.sessions.read",
    "auth.users.me.tokens.*.delete",
    "auth.users.me.tokens.read",
    "call-logd.users.me.#",
    "calld.transfers.*.complete.update",
    "calld.transfers.*.delete",
    "calld.transfers.*.read",
    "calld.users.me.#",
    "chatd.users.*.presences.read",
    "chatd.users.me.presences.update",
    "chatd.users.presences.read",
    "confd.infos.read",
    "confd.users.me.#.read",
    "confd.users.me.forwards.*",
    "confd.users.me.forwards.*.*",
    "confd.users.me.read",
    "confd.users.me.services.*.*",
    "confd.users.me.update",
    "dird.#.me.read",
    "dird.backends.*.sources.*.contacts.read",
    "dird.directories.*.sources.read",
    "dird.directories.lookup.*.headers.read",
    "dird.directories.lookup.*.read",
    "events.auth.users.me.sessions.my_session.expire_soon",
    "events.call_log.user.me.created",
    "events.calls.me",
    "events.chatd.users.*.presences.updated",
    "events.config.users.me.#",
    "events.transfers.me",
    "events.users.me.#",
    "websocketd",
)
"""What every account may do; the parts of Wazo's default policy that are simulated."""

SERVICE_RIGHTS = (
    "auth.tenants.read",
    "auth.users.read",
    "confd.users.read",
    "confd.users.*.read",
    "confd.users.*.update",
    "confd.users.*.forwards.#",
    "confd.users.*.services.#",
    "confd.users.*.fallbacks.#",
    "confd.users.*.voicemails.read",
    "confd.users.*.lines.#",
    "confd.voicemails.*.read",
    "confd.lines.read",
    "confd.lines.*.read",
    "calld.calls.#",
    "calld.lines.read",
    "calld.transfers.#",
    "calld.voicemails.#",
    "chatd.users.presences.read",
    "chatd.users.*.presences.#",
    "dird.directories.lookup.*.*.read",
    "dird.directories.reverse.*.*.read",
    "dird.directories.*.sources.read",
    "dird.backends.*.sources.*.contacts.read",
    "call-logd.cdr.read",
    "call-logd.cdr.*.read",
    "call-logd.users.*.cdr.read",
    "events.#",
    "websocketd",
)
"""What the service account of reference/wazo.md §1, mode A, is given."""


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Account:
    """Somebody who may sign in; ``person`` is None for an application's account."""

    uuid: str
    login: str
    password: str
    rights: tuple[str, ...]
    person: Person | None = None

    @property
    def purpose(self) -> str:
        """``user`` or ``external_api``."""
        return "user" if self.person else "external_api"


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class Token:
    """A live sign-in."""

    id: str
    account: Account
    session: str
    issued_at: datetime
    expires_at: datetime
    timers: list[Timer] = field(default_factory=list)
    remote: str = ""
    agent: str = ""

    def may(self, access: str) -> bool:
        """Whether its rights cover ``access``."""
        return _matches(self.account.rights, self.account.uuid, self.session, access)

    @property
    def sees_everybody(self) -> bool:
        """Whether the event socket gives it the events of all users."""
        return self.account.person is None


@lru_cache(maxsize=65_536)
def _matches(rights: tuple[str, ...], me: str, session: str, access: str) -> bool:
    allowed, denied = _compiled(rights, me, session)
    return not denied.fullmatch(access) and bool(allowed.fullmatch(access))


@lru_cache(maxsize=1024)
def _compiled(
    rights: tuple[str, ...], me: str, session: str
) -> tuple[re.Pattern[str], re.Pattern[str]]:
    def pattern(wanted: Sequence[str]) -> re.Pattern[str]:
        return re.compile("|".join(_regex(right, me, session) for right in wanted) or r"(?!)")

    return (
        pattern([right for right in rights if not right.startswith("!")]),
        pattern([right[1:] for right in rights if right.startswith("!")]),
    )


def _regex(right: str, me: str, session: str) -> str:
    words = {
        "*": r"[^.#]*",
        "#": r".*",
        "me": f"(?:me|{re.escape(me)})",
        "my_session": f"(?:my_session|{re.escape(session)})",
        "update": "(?:update|edit)",
    }
    return r"\.".join(words.get(part, re.escape(part)) for part in right.split("."))


class TooManySessions(Exception):
    """The account has as many live tokens as it may have."""


class TokenStore:
    """The accounts of one PBX and their live tokens."""

    def __init__(self, pbx: SimulatedPbx, *, username: str, password: str) -> None:
        self._pbx = pbx
        self.service = Account(
            uuid=str(uuid5(NAMESPACE_URL, f"bluetel-demo:account:{username}")),
            login=username,
            password=password,
            rights=(*DEFAULT_USER_POLICY, *SERVICE_RIGHTS),
        )
        self.live: dict[str, Token] = {}
        self.session_limit = SESSION_LIMIT
        self._sessions: dict[str, int] = {}
        self._people: dict[str, Account] = {}
        self.on_expire_soon: Callable[[Token], None] | None = None

    def account(self, login: str, password: str) -> Account | None:
        """Who that is, or None for a wrong login or password, without saying which."""
        if login.casefold() == self.service.login.casefold():
            return self.service if password == self.service.password else None
        person = self._pbx.by_login(login)
        if person is None or not person.enabled or person.password != password:
            return None
        account = self._people.get(person.id)
        if account is None:
            account = self._people[person.id] = Account(
                uuid=person.id,
                login=person.login,
                password=person.password,
                rights=DEFAULT_USER_POLICY,
                person=person,
            )
        return account

    def create(self, account: Account, *, lifetime: int, remote: str, agent: str) -> Token:
        """A new token, ``lifetime`` in seconds; raises ``TooManySessions``."""
        if self._sessions.get(account.uuid, 0) >= self.session_limit:
            raise TooManySessions
        token = Token(
            id=str(uuid4()),
            account=account,
            session=str(uuid4()),
            issued_at=self._pbx.now,
            expires_at=self._pbx.now + timedelta(seconds=lifetime),
            remote=remote,
            agent=agent,
        )
        self.live[token.id] = token
        self._sessions[account.uuid] = self._sessions.get(account.uuid, 0) + 1
        token.timers.append(self._pbx.at(token.expires_at, lambda: self.end(token)))
        if self.on_expire_soon:
            warn = self.on_expire_soon
            warning = min(EXPIRE_SOON, lifetime / 4)
            token.timers.append(self._pbx.after(lifetime - warning, lambda: warn(token)))
        if account.person:
            self._pbx.add_session(account.person)
        return token

    def withhold(self, rights: tuple[str, ...]) -> None:
        """Deny the service account these rights, and no others."""
        denied = tuple(f"!{right}" for right in rights)
        self.service.rights = (*DEFAULT_USER_POLICY, *SERVICE_RIGHTS, *denied)

    def find(self, token_id: str) -> Token | None:
        """The live token of that id."""
        token = self.live.get(token_id)
        return token if token and token.expires_at > self._pbx.now else None

    def end(self, token: Token) -> None:
        """Expire or revoke a token; a second time does nothing."""
        if self.live.pop(token.id, None) is None:
            return
        for timer in token.timers:
            timer.cancel()
        self._sessions[token.account.uuid] -= 1
        if token.account.person:
            self._pbx.remove_session(token.account.person)
