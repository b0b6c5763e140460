"""XUC over HTTP: signing in, renewing tokens, and the commands of REST 1.0.

``reference/xivo.md`` §1.1, §1.2, §2.3, §5. The status of an error is documented nowhere: anything
outside 2xx is one, and its JSON body says which. REST 1.0 knows no token; who may use it is a
matter of the network and of the key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from bluetel.telephony.errors import (
    AuthenticationFailed,
    Forbidden,
    NotFound,
    PbxUnavailable,
    ProtocolError,
    Rejected,
    RejectReason,
    TelephonyError,
    TokenExpired,
)
from bluetel.telephony.http import Answer, Deadline, HttpDoor
from bluetel.telephony.types import ForwardKind

LOGIN, CHECK = "/xuc/api/2.0/auth/login", "/xuc/api/2.0/auth/check"
SOCKET = "/xuc/api/2.0/cti"
OLD = "/xuc/api/1.0"
WRONG_LOGIN = frozenset({"InvalidCredentials", "UserNotFound", "InvalidPassword"})
EXPIRED = "TokenExpired"
FORWARDS = {
    ForwardKind.UNCONDITIONAL: "uncForward",
    ForwardKind.NO_ANSWER: "naForward",
    ForwardKind.BUSY: "busyForward",
}
_CODE = re.compile(r"[A-Za-z]{1,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A session: the login in XUC's own writing, and the token."""

    login: str
    token: str = field(repr=False)


class XucRest:
    """The HTTP face of one XUC; blocking, from any thread."""

    def __init__(self, door: HttpDoor, *, api_key: str, domain: str) -> None:
        """``domain`` stands in the addresses of REST 1.0."""
        self._door = door
        self._headers = {"X-XIVO-Api-Key": api_key} if api_key else {}
        self._domain = quote(domain, safe="")

    def sign_in(self, login: str, password: str, *, deadline: Deadline | None = None) -> Grant:
        """A new token; ``AuthenticationFailed`` for a login that is wrong.

        The token's life (``TTL``) is not read: its unit is documented nowhere.
        """
        if not login or not password:
            raise AuthenticationFailed("login and password must not be empty")
        answer = self._door.send(
            "POST",
            LOGIN,
            what="sign-in",
            body={"login": login, "password": password},
            deadline=deadline,
        )
        code = error_code(answer)
        if code in WRONG_LOGIN:
            raise AuthenticationFailed("wrong login or password, or no CTI profile")
        _check(answer, what="sign-in")
        return _grant(answer, login=login)

    def renew(self, grant: Grant, *, deadline: Deadline | None = None) -> Grant:
        """The token that takes the place of this one.

        ``TokenExpired`` where XUC says anything but yes; ``PbxUnavailable`` where it says nothing,
        and then the old token is still the one to use.
        """
        answer = self._door.send(
            "GET",
            CHECK,
            what="token check",
            headers={"Authorization": f"Bearer {grant.token}"},
            deadline=deadline,
        )
        if answer.status >= 500 and not error_code(answer):
            raise PbxUnavailable(f"token check: {answer.status}")
        if not 200 <= answer.status < 300 or error_code(answer):
            raise TokenExpired("the token is not taken any more")
        return _grant(answer, login=grant.login)

    def check_alive(self) -> None:
        """Whether XUC answers at all; ``PbxUnavailable`` when it doesn't."""
        answer = self._door.send("GET", CHECK, what="token check")
        if answer.status >= 500 and not error_code(answer):
            raise PbxUnavailable(f"token check: {answer.status}")

    # --- REST 1.0 -------------------------------------------------------------------------------

    def dial(self, login: str, number: str, *, deadline: Deadline | None = None) -> None:
        """Have somebody's phone call a number; no event will tell how it goes on."""
        self._command("dial", login, {"number": number}, deadline=deadline)

    def set_do_not_disturb(self, login: str, *, enabled: bool) -> None:
        """Switch somebody's do-not-disturb; it can't be read back this way."""
        self._command("dnd", login, {"state": enabled})

    def set_forward(
        self, login: str, kind: ForwardKind, *, enabled: bool, destination: str
    ) -> None:
        """Write a forward; it can't be read back this way."""
        body = {"state": enabled, "destination": destination}
        self._command(FORWARDS[kind], login, body)

    def ask_for_states(self) -> None:
        """Have XUC post everybody's phone state to its event address again."""
        answer = self._door.send(
            "POST", f"{OLD}/handshake/{self._domain}/", what="handshake", headers=self._headers
        )
        _check(answer, what="handshake")

    def _command(
        self,
        name: str,
        login: str,
        body: Mapping[str, object],
        *,
        deadline: Deadline | None = None,
    ) -> None:
        answer = self._door.send(
            "POST",
            f"{OLD}/{name}/{self._domain}/{quote(login, safe='')}/",
            what=name,
            body=dict(body),
            headers=self._headers,
            deadline=deadline,
        )
        _check(answer, what=name)


def error_code(answer: Answer) -> str:
    """The ``error`` of an answer's body; empty where there is none."""
    try:
        body: object = json.loads(answer.body) if answer.body else None
    except (ValueError, RecursionError):
        return ""
    code = body.get("error") if isinstance(body, Mapping) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def _check(answer: Answer, *, what: str) -> None:
    """Raise for an answer that isn't a yes; XUC's own ``message`` goes nowhere."""
    code = error_code(answer)
    if 200 <= answer.status < 300 and not code:
        return
    raise _failure(answer.status, f"{what}: {answer.status} {code}".rstrip())


def _failure(status: int, text: str) -> TelephonyError:
    match status:
        case 401 | 403:
            return Forbidden(text)
        case 404:
            return NotFound(text)
        case 429:
            return PbxUnavailable(text)
        case _ if status >= 500:
            return PbxUnavailable(text, maybe_done=status != 503)
        case _ if 300 <= status < 400:
            return ProtocolError(text)
        case _:
            return Rejected(text, reason=RejectReason.OTHER)


def _grant(answer: Answer, *, login: str) -> Grant:
    body = answer.json()
    token = body.get("token") if isinstance(body, Mapping) else None
    named = body.get("login") if isinstance(body, Mapping) else None
    if not isinstance(token, str) or not token:
        raise ProtocolError("the answer to a sign-in holds no token")
    return Grant(login=named if isinstance(named, str) and named else login, token=token)
