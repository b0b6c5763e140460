"""Requests to Wazo's services as the service account, whatever becomes of its token.

A 401 means an expired token or a missing right. Where the answer says which, it is believed;
where it can't be told (confd, dird's directories), wazo-auth is asked whether the token lives. An
expired token is replaced and the request replayed, once: a 401 was never carried out.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from urllib.parse import quote

from bluetel.telephony.errors import ProtocolError, TelephonyError, TokenExpired
from bluetel.telephony.http import Answer, Deadline, HttpDoor
from bluetel.telephony.ports import Taker
from bluetel.telephony.wazo.answers import Refusal, failure, forbidden, problem, refusal
from bluetel.telephony.wazo.auth import WazoAuth
from bluetel.telephony.wazo.tokens import Token, TokenKeeper


class Service(StrEnum):
    """Wazo's services, each with its place below the PBX's one address (behind Wazo's nginx)."""

    AUTH = "/api/auth/0.1"
    CALLD = "/api/calld/1.0"
    CONFD = "/api/confd/1.1"
    DIRD = "/api/dird/0.1"
    CHATD = "/api/chatd/1.0"
    CALL_LOGD = "/api/call-logd/1.0"


class WazoFailure(Exception):
    """A failure with Wazo's own word for it, for the few callers who act on that word.

    It never leaves the package: :meth:`WazoRest.send` raises its ``error``.
    """

    def __init__(self, error: TelephonyError, *, status: int, error_id: str) -> None:
        super().__init__(str(error))
        self.error = error
        self.status = status
        self.error_id = error_id


def segment(text: str) -> str:
    """A path segment that can't leave its place, whatever it holds."""
    if text in {"", ".", ".."}:
        raise ProtocolError("an id is empty or no id")
    return quote(text, safe="")


class WazoRest:
    """Sends requests with the account's token and the configured tenant; thread-safe."""

    def __init__(self, door: HttpDoor, auth: WazoAuth, tokens: TokenKeeper, *, tenant: str) -> None:
        """``tenant`` is sent as ``Wazo-Tenant`` where it isn't empty."""
        self._door = door
        self._auth = auth
        self._tokens = tokens
        self._tenant = tenant

    def send(
        self,
        service: Service,
        method: str,
        path: str,
        *,
        what: str,
        params: Mapping[str, str | int] | None = None,
        body: object = None,
        deadline: Deadline | None = None,
        into: Taker | None = None,
    ) -> Answer:
        """One request; gives answers of 2xx only, everything else is raised from our error tree.

        With ``into`` the body of such an answer goes there piece by piece.
        """
        try:
            return self.attempt(
                service,
                method,
                path,
                what=what,
                params=params,
                body=body,
                deadline=deadline,
                into=into,
            )
        except WazoFailure as exc:
            raise exc.error from None

    def attempt(
        self,
        service: Service,
        method: str,
        path: str,
        *,
        what: str,
        params: Mapping[str, str | int] | None = None,
        body: object = None,
        deadline: Deadline | None = None,
        into: Taker | None = None,
    ) -> Answer:
        """As :meth:`send`, but an answer that is an error is raised as ``WazoFailure``."""
        if method in {"POST", "PUT"} and body is None:
            # A PUT or POST without a JSON body is 400 since 25.15 (reference/wazo.md §0).
            body = {}
        is_replay = False
        while True:
            with self._tokens.lent(deadline=deadline) as token:
                answer = self._door.send(
                    method,
                    service + path,
                    what=what,
                    params=params,
                    body=body,
                    headers=self._headers(token, body),
                    deadline=deadline,
                    into=into,
                )
                if answer.status < 300:
                    return answer
                if answer.status != 401:
                    raise WazoFailure(
                        failure(answer, what=what, is_command=method not in {"GET", "HEAD"}),
                        status=answer.status,
                        error_id=problem(answer).error_id,
                    )
                self._check_refusal(answer, token, what=what, deadline=deadline)
                self._tokens.refused(token)
            if is_replay:
                raise TokenExpired(f"{what}: the PBX refuses a token it has just given")
            is_replay = True

    def get(
        self,
        service: Service,
        path: str,
        *,
        what: str,
        params: Mapping[str, str | int] | None = None,
        deadline: Deadline | None = None,
    ) -> object:
        """The JSON of a GET."""
        return self.send(service, "GET", path, what=what, params=params, deadline=deadline).json()

    def missing_rights(self, rights: Mapping[str, str]) -> set[str]:
        """Which rights the account lacks, asked under the names of the mapping's values.

        The values are the rights with their wildcards filled in, since a right that is asked for
        is compared as it stands.
        """
        with self._tokens.lent() as token:
            lacking = self._auth.missing_rights(token.id, set(rights.values()), tenant=self._tenant)
        return {right for right, probe in rights.items() if probe in lacking}

    def tenant(self, *, deadline: Deadline | None = None) -> str:
        """The tenant everything is about: the configured one, else the account's own."""
        if self._tenant:
            return self._tenant
        with self._tokens.lent(deadline=deadline) as token:
            return token.tenant

    def _headers(self, token: Token, body: object) -> Mapping[str, str]:
        headers = {"X-Auth-Token": token.id}
        if isinstance(body, bytes):
            headers["Content-Type"] = "audio/wav"  # nothing else is sent as bytes
        if self._tenant:
            headers["Wazo-Tenant"] = self._tenant
        return headers

    def _check_refusal(
        self, answer: Answer, token: Token, *, what: str, deadline: Deadline | None
    ) -> None:
        """Raise ``Forbidden`` where the token is good and only a right is missing."""
        kind = refusal(answer)
        if kind is Refusal.UNCLEAR:
            is_alive = self._auth.is_alive(token.id, deadline=deadline)
            kind = Refusal.FORBIDDEN if is_alive else Refusal.EXPIRED
        if kind is Refusal.FORBIDDEN:
            raise forbidden(answer, what=what)
