"""wazo-auth: tokens made, asked about and deleted (``reference/wazo.md`` §1)."""

from __future__ import annotations

import base64
import logging
from collections.abc import Collection

from bluetel.telephony.errors import (
    AuthenticationFailed,
    PbxUnavailable,
    Rejected,
    RejectReason,
    TelephonyError,
    TokenExpired,
)
from bluetel.telephony.http import Deadline, HttpDoor
from bluetel.telephony.wazo import decode
from bluetel.telephony.wazo.answers import failure
from bluetel.telephony.wazo.decode import TokenGrant
from bluetel.telephony.wazo.fields import Fields

logger = logging.getLogger(__name__)

PREFIX = "/api/auth/0.1"


class WazoAuth:
    """The routes of wazo-auth that need no token in the header."""

    def __init__(self, door: HttpDoor) -> None:
        """Everything goes through the one door."""
        self._door = door

    def sign_in(
        self, login: str, password: str, *, life: int, deadline: Deadline | None = None
    ) -> TokenGrant:
        """A new token of ``life`` seconds; ``AuthenticationFailed`` for a login that is wrong.

        Wazo's 401 is the same for a wrong password, an unknown and a disabled user. 429 means the
        user has his 100 sessions. If the answer can't be read but holds a token, that token is
        deleted before the error goes up, for nobody else would ever do it.
        """
        if not login or not password or ":" in login:
            raise AuthenticationFailed("login and password don't make a Basic login")
        basic = base64.b64encode(f"{login}:{password}".encode()).decode("ascii")
        answer = self._door.send(
            "POST",
            f"{PREFIX}/token",
            what="sign-in",
            body={"expiration": life},
            headers={"Authorization": f"Basic {basic}"},
            deadline=deadline,
        )
        if answer.status == 401:
            raise AuthenticationFailed("wrong login or password, or the account is closed")
        if answer.status == 429:
            raise Rejected(
                "the account has too many sessions", reason=RejectReason.TOO_MANY_SESSIONS
            )
        if answer.status != 200:
            raise failure(answer, what="sign-in", is_command=True)
        body = answer.json()
        try:
            return decode.token_grant(body)
        except TelephonyError:
            self._revoke_unread(body)
            raise

    def _revoke_unread(self, body: object) -> None:
        try:
            token = Fields(body, what="token").inner("data").text("token")
        except TelephonyError:
            return
        self.revoke(token)

    def revoke(self, token: str) -> None:
        """Delete a token; unknown ones are no error to Wazo. Tried twice, then only logged."""
        for _ in range(2):
            try:
                answer = self._door.send("DELETE", f"{PREFIX}/token/{token}", what="sign-out")
            except PbxUnavailable:
                continue
            if answer.status < 500:
                return
        logger.warning("A token could not be deleted on the PBX; it will expire by itself")

    def is_alive(self, token: str, *, deadline: Deadline | None = None) -> bool:
        """Whether wazo-auth knows the token; ``PbxUnavailable`` where it can't be asked."""
        answer = self._door.send(
            "HEAD", f"{PREFIX}/token/{token}", what="token check", deadline=deadline
        )
        if answer.status in {200, 204}:
            return True
        if answer.status == 404:
            return False
        raise failure(answer, what="token check", is_command=False)

    def missing_rights(self, token: str, rights: Collection[str], *, tenant: str) -> set[str]:
        """Which of these rights the token lacks; ``TokenExpired`` for an unknown token."""
        body: dict[str, object] = {"scopes": sorted(rights)}
        if tenant:
            body["tenant_uuid"] = tenant
        answer = self._door.send(
            "POST", f"{PREFIX}/token/{token}/scopes/check", what="rights check", body=body
        )
        if answer.status == 404:
            raise TokenExpired("the token is unknown")
        if answer.status != 200:
            raise failure(answer, what="rights check", is_command=False)
        granted = decode.scopes(answer.json())
        return {right for right in rights if not granted.get(right, False)}
