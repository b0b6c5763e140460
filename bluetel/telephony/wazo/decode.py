"""Wazo's JSON into our types: people, presence, forwards, call legs, tokens.

Each function takes one decoded JSON value and gives one value of ours. A field we need that is
missing or of another type raises ``ProtocolError``; others may come and go. Wazo's own words
(``noanswer``, ``exten``, ``unavailable``) stop here. Directory, call log and voicemail have
modules of their own: :mod:`.directory_records`, :mod:`.voicemail_records`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bluetel.telephony.types import (
    CallId,
    ChatState,
    ConversationId,
    Forward,
    ForwardKind,
    Forwards,
    Line,
    LineState,
    PbxUser,
    PbxUserId,
    Presence,
)
from bluetel.telephony.wazo.fields import Fields
from bluetel.telephony.wazo.legs import Leg, Phase

_PHASES = {
    "Pre-ring": Phase.RINGING,
    "Ringing": Phase.RINGING,
    "OffHook": Phase.DIALLING,
    "Dialing": Phase.DIALLING,
    "Dialing Offhook": Phase.DIALLING,
    "Ring": Phase.DIALLING,
    "Busy": Phase.DIALLING,
    "Up": Phase.UP,
}

FORWARD_NAMES = {
    ForwardKind.UNCONDITIONAL: "unconditional",
    ForwardKind.BUSY: "busy",
    ForwardKind.NO_ANSWER: "noanswer",
}

CHAT_NAMES = {
    ChatState.AVAILABLE: "available",
    ChatState.AWAY: "away",
    ChatState.BUSY: "unavailable",
    ChatState.INVISIBLE: "invisible",
}
_LINE_STATES = {state.value: state for state in LineState}
_CHAT_STATES = {name: state for state, name in CHAT_NAMES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenGrant:
    """What wazo-auth gives for a login; ``life`` is in seconds from now.

    ``user`` is None for an account that is nobody's, such as a service account.
    """

    token: str = field(repr=False)
    life: float
    tenant: str
    user: PbxUserId | None


def items(value: object, *, what: str) -> Sequence[object]:
    """The ``items`` of a list answer."""
    return Fields(value, what=what).items("items")


def token_grant(value: object) -> TokenGrant:
    """The answer of ``POST /token``.

    Only the naive UTC times are used: the others are local to the PBX. Their difference doesn't
    care about our clock.
    """
    data = Fields(value, what="token").inner("data")
    metadata = data.inner("metadata")
    user = metadata.text_or_none("pbx_user_uuid")
    life = data.moment("utc_expires_at") - data.moment("utc_issued_at")
    return TokenGrant(
        token=data.text("token"),
        life=life.total_seconds(),
        tenant=metadata.text("tenant_uuid"),
        user=None if user is None else PbxUserId(user),
    )


def scopes(value: object) -> dict[str, bool]:
    """The answer of ``POST /token/{id}/scopes/check``: right → granted."""
    granted = Fields(value, what="scopes").mapping("scopes")
    return {name: state is True for name, state in granted.items()}


def leg(value: object) -> Leg:
    """A call record, as ``GET`` and ``POST /calls`` and all call events but ``call_ended`` hold."""
    fields = Fields(value, what="call")
    return _leg(fields, peer=fields)


def ended_leg(value: object) -> Leg:
    """A record of ``call_ended``, whose caller and peer are swapped by calld; put right here."""
    fields = Fields(value, what="ended call")
    return _leg(fields, peer=_Swapped(fields))


class _Swapped:
    """Reads the peer's fields where ``call_ended`` has them."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields

    def text_or_none(self, name: str) -> str | None:
        return self._fields.text_or_none(name.removeprefix("peer_"))


def _leg(fields: Fields, *, peer: Fields | _Swapped) -> Leg:
    leg_id = fields.text("call_id")
    user = fields.text_or_none("user_uuid")
    bridges = fields.items("bridges")
    sip_call_id = fields.text_or_none("sip_call_id")
    is_caller = fields.flag("is_caller")
    number = peer.text_or_none("peer_caller_id_number") or ""
    if not is_caller and number == fields.text_or_none("dialed_extension"):
        number = ""  # what calld puts there for a caller who withholds his number
    name = peer.text_or_none("peer_caller_id_name") or ""
    return Leg(
        id=CallId(leg_id),
        conversation=ConversationId(fields.text_or_none("conversation_id") or leg_id),
        user=None if user is None else PbxUserId(user),
        phase=_PHASES.get(fields.text("status"), Phase.NEW),
        is_caller=is_caller,
        peer_number=number,
        # Until the peer is known, Wazo puts the dialled number in both places.
        peer_name="" if name == number else name,
        talks_to=frozenset(fields.mapping("talking_to")),
        bridges=tuple(bridge for bridge in bridges if isinstance(bridge, str)),
        on_hold=fields.flag("on_hold"),
        muted=fields.flag("muted"),
        is_local=user is None and sip_call_id is None,
        created_at=fields.moment("creation_time"),
        answered_at=fields.moment_or_none("answer_time"),
        ended_at=fields.moment_or_none("hangup_time"),
        cause=fields.optional_whole("reason_code"),
    )


def presence(value: object) -> Presence:
    """A chatd presence, from REST or an event; its ``line_state`` is already merged.

    A state that isn't known yet reads as the most cautious one.
    """
    fields = Fields(value, what="presence")
    chosen_at = fields.moment_or_none("last_activity")
    state = fields.text("state")
    chat = _CHAT_STATES.get(state, ChatState.NEVER_CHOSEN)
    if chat is ChatState.BUSY and chosen_at is None:
        chat = ChatState.NEVER_CHOSEN
    return Presence(
        user=PbxUserId(fields.text("uuid")),
        phone=_LINE_STATES.get(fields.text("line_state"), LineState.UNAVAILABLE),
        do_not_disturb=fields.flag("do_not_disturb"),
        chat=chat,
        message=fields.text_or_none("status") or "",
        connected=fields.flag("connected"),
        chosen_at=chosen_at,
    )


def forward(value: object) -> Forward:
    """One forward, of REST or an event; a null destination is the empty string."""
    fields = Fields(value, what="forward")
    return Forward(
        enabled=fields.flag("enabled"), destination=fields.text_or_none("destination") or ""
    )


def forwards(value: object, *, do_not_disturb: bool) -> Forwards:
    """The answer of ``GET /users/{uuid}/forwards`` with what ``/services/dnd`` said."""
    fields = Fields(value, what="forwards")
    return Forwards(
        by_kind={kind: forward(fields.mapping(name)) for kind, name in FORWARD_NAMES.items()},
        do_not_disturb=do_not_disturb,
    )


def enabled(value: object) -> bool:
    """One service, such as do-not-disturb."""
    return Fields(value, what="service").flag("enabled")


def user(value: object, *, login: str = "") -> PbxUser:
    """A confd user with his lines, the main one first."""
    fields = Fields(value, what="user")
    return PbxUser(
        id=PbxUserId(fields.text("uuid")),
        first_name=fields.text("firstname"),
        last_name=fields.text_or_none("lastname") or "",
        email=fields.text_or_none("email") or "",
        login=login,
        mobile=fields.text_or_none("mobile_phone_number") or "",
        language=fields.text_or_none("language") or "",
        time_zone=fields.optional_text("timezone"),
        lines=tuple(_line(line) for line in fields.items("lines")),
    )


def _line(value: object) -> Line:
    """A line of a user; one without an extension can still place calls from its context."""
    fields = Fields(value, what="line")
    extensions = fields.items("extensions")
    extension = Fields(extensions[0], what="extension") if extensions else None
    return Line(
        id=str(fields.whole("id")),
        extension=extension.text("exten") if extension else "",
        context=extension.text("context") if extension else fields.optional_text("context"),
        name=fields.text_or_none("name") or "",
    )


def login(value: object) -> tuple[PbxUserId, str]:
    """An item of wazo-auth's ``GET /users``: whose login, and which."""
    fields = Fields(value, what="account")
    return PbxUserId(fields.text("uuid")), fields.text_or_none("username") or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRecord:
    """A transfer as calld keeps it."""

    id: str
    initiator_call: CallId
    status: str


def transfer(value: object) -> TransferRecord:
    """A transfer, of REST or an event."""
    fields = Fields(value, what="transfer")
    return TransferRecord(
        id=fields.text("id"),
        initiator_call=CallId(fields.text("initiator_call")),
        status=fields.text("status"),
    )


def version(value: object) -> str:
    """The answer of confd's ``/infos``."""
    return Fields(value, what="infos").text("wazo_version")


def page_is_last(value: object, *, seen: int, what: str) -> bool:
    """Whether a page of a list leaves nothing behind it, ``seen`` items having come so far."""
    fields = Fields(value, what=what)
    return not fields.items("items") or seen >= fields.whole("total")
