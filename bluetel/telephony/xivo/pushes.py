"""What XUC posts to BlueTel by itself, in its two shapes; pure (``reference/xivo.md`` §11).

::

    {"username": "alicej", "status": 8}
    {"username": "alicej", "message": {"msgType": "PhoneEvent", "ctiMessage": {…}}}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bluetel.telephony.xivo import decode
from bluetel.telephony.xivo.hints import code_of
from bluetel.telephony.xivo.messages import PhoneEvent


@dataclass(frozen=True, slots=True)
class PushedState:
    """Somebody's phone is in this state."""

    login: str
    code: int


@dataclass(frozen=True, slots=True)
class PushedCall:
    """A step of one of somebody's calls."""

    login: str
    event: PhoneEvent


def read(body: object) -> PushedState | PushedCall | None:
    """One push; None for what BlueTel has no use for, which XUC must not be told."""
    if not isinstance(body, Mapping):
        return None
    login = body.get("username")
    if not isinstance(login, str) or not login:
        return None
    if "status" in body:
        code = code_of(body["status"])
        return None if code is None else PushedState(login, code)
    message = decode.message_of(body.get("message"))
    return PushedCall(login, message) if isinstance(message, PhoneEvent) else None
