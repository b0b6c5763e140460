"""Everything the live part says, word for word: to browsers, between web processes and engine.

*Frames* travel on the live socket; DESIGN §2 and docs/presence.md describe them for outsiders.
*Layer messages* travel on the channel layer inside one deployment.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict, cast

from bluetel.calls.messages import CallRecord
from presence.person import Keeper, Person
from presence.privacy import Hidden

Phone = Literal["available", "busy", "ringing", "offline", "unknown"]
Im = Literal["available", "busy", "away", "offline", "unknown"]
LinkWord = Literal["up", "down"]


class PersonRecord(TypedDict):
    """One person, whole; times are ISO 8601 in UTC, ``since`` is the newer of the two."""

    user_id: str
    name: str
    phone: Phone
    im: Im
    message: str
    since: str | None
    phone_since: str | None
    im_since: str | None


# --- Frames to the browser ------------------------------------------------------------------------


class PresenceFrame(TypedDict):
    """The states of some people: all that are watched (snapshot), or those that changed."""

    type: Literal["presence.snapshot", "presence.changes"]
    revision: int
    people: list[PersonRecord]


class CallFrame(TypedDict):
    """One of the user's own calls, whole."""

    type: Literal["call"]
    call: CallRecord


class VoicemailFrame(TypedDict):
    """Something changed among the user's voice messages, of which he has not heard so many."""

    type: Literal["voicemail"]
    unread: int


class PbxFrame(TypedDict):
    """Whether the user's PBX is heard; ``since`` is ISO 8601 in UTC, if known."""

    type: Literal["pbx"]
    state: LinkWord
    since: str | None


class ResyncFrame(TypedDict):
    """The backlog was cut: send ``resync``, and read the calls again."""

    type: Literal["resync"]


ErrorCode = Literal[
    "frame_too_large",
    "invalid_message",
    "too_many_frames",
    "too_many_sockets",
    "too_many_users",
    "unknown_message",
]


class ErrorFrame(TypedDict):
    """What the browser sent was not understood, or went too far (docs/presence.md)."""

    type: Literal["error"]
    code: ErrorCode


class CallWishRecord(TypedDict):
    """Somebody the user wants to call when his telephone is free, and up to when."""

    user_id: str
    name: str
    number: str
    asked_at: str
    expires_at: str


class CallWishesFrame(TypedDict):
    """All of the user's wishes to call somebody when he is free; who is, presence tells."""

    type: Literal["call_wishes"]
    wishes: list[CallWishRecord]


class RoutingFrame(TypedDict):
    """Where the user's calls go changed; :mod:`forwarding.messages` has the other fields."""

    type: Literal["routing"]


UserFrame = CallFrame | VoicemailFrame | CallWishesFrame | RoutingFrame
Frame = PresenceFrame | UserFrame | PbxFrame | ResyncFrame | ErrorFrame


# --- Frames from the browser ----------------------------------------------------------------------


class WatchFrame(TypedDict):
    """Whose states to send from now on, in place of all watched before.

    ``age`` is for how many seconds the page has been loading, in its first ``watch``: what its user
    was told meanwhile (``routing``, ``voicemail``, ``call_wishes``) is sent once more.
    """

    type: Literal["watch"]
    users: list[str] | Literal["team", "all"]
    age: NotRequired[float]


class ResyncRequest(TypedDict):
    """Send the watched people's states once more."""

    type: Literal["resync"]


# --- Layer messages, engine and web processes to all web processes --------------------------------


class Known(TypedDict):
    """A person on the layer: the record and what the hub needs beside it.

    ``im_by`` is the :class:`presence.person.Keeper` of his chat status, whose silence covers it.
    """

    revision: int
    pbx: int | None
    im_by: str
    person: PersonRecord


class PresenceMessage(TypedDict):
    """People whose state changed."""

    type: Literal["presence"]
    people: list[Known]


class GoneMessage(TypedDict):
    """People who are no longer users."""

    type: Literal["gone"]
    users: list[str]


class LinkMessage(TypedDict):
    """A PBX is heard again, or no longer; while it is not, all its people read unknown."""

    type: Literal["link"]
    pbx: int
    is_up: bool
    since: str
    revision: int


class UserMessage(TypedDict):
    """A frame for all sockets of one user."""

    type: Literal["user"]
    user: str
    frame: UserFrame


class SessionMessage(TypedDict):
    """A session ended, or all of a user's must be looked at again.

    ``session`` is the digest of the session's key; without it, each of the user's is checked.
    """

    type: Literal["session"]
    user: str
    session: NotRequired[str]


class PrivacyMessage(TypedDict):
    """Somebody chose another audience: read the book again."""

    type: Literal["privacy"]


class PagesWanted(TypedDict):
    """A new engine asks which users have a page open."""

    type: Literal["pages_wanted"]


HubMessage = (
    PresenceMessage
    | GoneMessage
    | LinkMessage
    | UserMessage
    | SessionMessage
    | PrivacyMessage
    | PagesWanted
)


# --- Layer messages, web processes to the engine --------------------------------------------------


class PageMessage(TypedDict):
    """Somebody's first page in this process opened, or his last one closed."""

    type: Literal["page"]
    process: str
    user: str
    is_open: bool


class PagesMessage(TypedDict):
    """All who have a page open in this process; sent again and again as its sign of life."""

    type: Literal["pages"]
    process: str
    users: list[str]


class AskMessage(TypedDict):
    """A program asks for somebody's calls, who may have no page open."""

    type: Literal["ask"]
    user: str


class RefreshMessage(TypedDict):
    """Users or PBXs changed: read them again."""

    type: Literal["refresh"]


class ClaimsMessage(TypedDict):
    """The claims on a user's chat status changed: read them again."""

    type: Literal["claims"]
    user: str


class PushesMessage(TypedDict):
    """To the engine: what a PBX posted to BlueTel by itself, as it came."""

    type: Literal["pushes"]
    pbx: int
    bodies: list[object]


EngineMessage = (
    PageMessage | PagesMessage | AskMessage | RefreshMessage | ClaimsMessage | PushesMessage
)


def record_of(person: Person) -> PersonRecord:
    """The record of somebody on the board."""
    times = [time for time in (person.phone_since, person.im_since) if time is not None]
    return PersonRecord(
        user_id=person.user_id,
        name=person.name,
        phone=person.phone.value,
        im=person.im.value,
        message=person.message,
        since=iso(max(times)) if times else None,
        phone_since=iso(person.phone_since),
        im_since=iso(person.im_since),
    )


def known_of(person: Person) -> Known:
    """Somebody on the board as the layer carries him."""
    return Known(
        revision=person.revision,
        pbx=person.pbx,
        im_by=person.keeper.value,
        person=record_of(person),
    )


def honest_record(
    known: Known, *, is_pbx_heard: bool, is_engine_heard: bool, since: str | None
) -> PersonRecord:
    """A person's record without what nobody vouches for now, unknown since ``since``.

    A PBX that isn't heard takes the phone with it, and the chat status that it keeps; without an
    engine nobody hears an XMPP server either.
    """
    is_phone_known = known["pbx"] is None or is_pbx_heard
    match known["im_by"]:
        case Keeper.PBX:
            is_im_known = is_phone_known
        case Keeper.XMPP:
            is_im_known = is_engine_heard
        case _:  # claims are rows, and hold whoever is on duty
            is_im_known = True
    if is_phone_known and is_im_known:
        return known["person"]
    changed: dict[str, Any] = dict(known["person"])
    if not is_phone_known:
        changed |= {"phone": "unknown", "phone_since": since}
    if not is_im_known:
        changed |= {"im": "unknown", "message": "", "im_since": since}
    return _with_newer(cast("PersonRecord", changed))


def visible_record(record: PersonRecord, hidden: Hidden) -> PersonRecord:
    """What is left of a record for somebody who may not see all of it."""
    if not hidden:
        return record
    changed: dict[str, Any] = dict(record)
    if hidden & Hidden.PHONE:
        changed |= {"phone": "offline", "phone_since": None}
    if hidden & Hidden.IM:
        changed |= {"im": "offline", "message": "", "im_since": None}
    return _with_newer(cast("PersonRecord", changed))


def _with_newer(record: PersonRecord) -> PersonRecord:
    times = [time for time in (record["phone_since"], record["im_since"]) if time]
    record["since"] = max(times, key=datetime.fromisoformat, default=None)
    return record


def iso(time: datetime | None) -> str | None:
    """A time as the API writes it."""
    return None if time is None else time.isoformat().replace("+00:00", "Z")
