"""websocketd's protocol, version 2, as a state machine without I/O.

    server  init
    client  subscribe, each name   server  subscribe, each
    client  start                server  start
                                 server  event, event, …
    client  ping | token         server  pong | token

Events before ``start`` are dropped by the server, subscribing to what the account may not see is
acknowledged all the same and stays silent, and there is no unsubscribe (``reference/wazo.md`` §3,
recorded in tests/recordings/wazo/websocketd).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from bluetel.telephony.errors import ProtocolError
from bluetel.telephony.stream import Step
from bluetel.telephony.wazo.fields import Fields, wall_clock

VERSION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class BusMessage:
    """One event: ``at`` is the PBX's wall clock, ``data`` the payload as it came."""

    name: str
    at: datetime | None
    tenant: str
    data: Mapping[str, object] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenAccepted:
    """The socket lives on the new token now; the old one may be revoked."""


WazoMessage = BusMessage | TokenAccepted


class Remedy(Enum):
    """What to do before connecting again."""

    RECONNECT = "reconnect"
    """Nothing is wrong with the token: back off and connect again."""
    ASK_AUTH = "ask_auth"
    """The token, or only wazo-auth, was down: ask wazo-auth which."""
    SIGN_IN = "sign_in"
    """The token has expired: sign in again."""
    OUR_FAULT = "our_fault"
    """The server didn't understand us: trying fast again would not help."""


def after_close(code: int | None) -> Remedy:
    """What a close code asks for.

    4002 doesn't prove a bad token: websocketd also says so while wazo-auth is down (recorded:
    close_4002_auth_down). 1011 is the bus being away, anything else a restart or the network.
    """
    match code:
        case 4001 | 4002:
            return Remedy.ASK_AUTH
        case 4003:
            return Remedy.SIGN_IN
        case 4004:
            return Remedy.OUR_FAULT
        case _:
            return Remedy.RECONNECT


class WazoConversation:
    """The client's side of one socket; see the module's drawing."""

    def __init__(self, names: Sequence[str]) -> None:
        """``names`` are the events to subscribe to, one or more."""
        self._names = tuple(names)
        self._is_greeted = False
        self._unacknowledged = len(self._names)
        self._is_open = False

    def start(self) -> Sequence[str]:
        """Nothing: the server speaks first."""
        return ()

    def receive(self, frame: str | bytes) -> Step[WazoMessage]:
        """Take one frame; ``ProtocolError`` where it can't be this protocol."""
        fields = Fields(_parsed(frame), what="frame")
        op = fields.text("op")
        if fields.whole("code") != 0:
            raise ProtocolError(f"websocketd refused op {op[:20]!r}")
        match op:
            case "init":
                return self._init(fields.inner("data").whole("version"))
            case "subscribe" if self._unacknowledged:
                self._unacknowledged -= 1
                return Step(send=() if self._unacknowledged else (_frame("start"),))
            case "start" if not self._is_open:
                self._is_open = True
                return Step(opened=True)
            case "event" if self._is_open:
                return Step(messages=(_message(fields.inner("data")),))
            case "token":
                return Step(messages=(TokenAccepted(),))
            case _:
                return Step()

    def ping(self) -> str:
        """A frame websocketd answers with a pong; version 1 would stay silent."""
        return _frame("ping", payload="bluetel")

    def _init(self, version: int) -> Step[WazoMessage]:
        if version != VERSION:
            raise ProtocolError(f"websocketd speaks version {version}, not {VERSION}")
        if self._is_greeted:
            return Step()
        self._is_greeted = True
        return Step(send=tuple(_frame("subscribe", event_name=name) for name in self._names))


def renewal(token: str) -> str:
    """The frame that puts the open socket on a new token."""
    return _frame("token", token=token)


def _frame(op: str, **data: str) -> str:
    return json.dumps({"op": op, "data": data} if data else {"op": op})


def _parsed(frame: str | bytes) -> object:
    if isinstance(frame, bytes):
        raise ProtocolError("a binary frame from websocketd")
    try:
        value: object = json.loads(frame)
    except (ValueError, RecursionError):
        raise ProtocolError("a frame from websocketd is not JSON") from None
    return value


def _message(envelope: Fields) -> BusMessage:
    return BusMessage(
        name=envelope.text("name"),
        at=wall_clock(envelope.optional_text("timestamp")),
        tenant=envelope.optional_text("tenant_uuid"),
        data=envelope.mapping("data"),
    )
