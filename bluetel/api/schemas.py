"""What goes in and comes out of the API, as OpenAPI shows it."""

from __future__ import annotations

from typing import Literal

from ninja import Field, Schema


class ErrorBody(Schema):
    """The inside of an error."""

    code: str
    message: str


class Error(Schema):
    """Every refusal; the message is in the user's language."""

    error: ErrorBody


class Me(Schema):
    """The caller himself."""

    id: str
    username: str
    display_name: str
    extension: str
    pbx: str | None
    language: str
    time_zone: str
    capabilities: list[str]


class NewCall(Schema):
    """Whom to call; ``device`` is one of the user's own lines."""

    number: str = ""
    device: str | None = None


class Call(Schema):
    """One of the user's calls, whole; times are ISO 8601 in UTC."""

    id: str
    state: Literal["requested", "ringing_self", "ringing_peer", "talking", "held", "ended"]
    direction: Literal["outgoing", "incoming"]
    number: str
    shown: str
    dialed: str
    name: str
    contact_id: str | None
    started_at: str | None
    answered_at: str | None
    ended_at: str | None
    end_reason: str | None
    held: bool
    muted: bool
    device: str | None
    emergency: bool


class Calls(Schema):
    """The live calls, newest first."""

    calls: list[Call]


class Dtmf(Schema):
    """Tones to send."""

    digits: str = ""


class NewTransfer(Schema):
    """Where a call goes; attended lets one speak to the third person first."""

    number: str = ""
    kind: Literal["blind", "attended"] = "blind"


PhoneState = Literal["available", "busy", "ringing", "offline", "unknown"]
ImState = Literal["available", "busy", "away", "offline", "unknown"]


class SearchRow(Schema):
    """One callable number; ``phone`` and ``im`` are there for colleagues."""

    contact_id: str | None
    name: str
    number: str
    shown: str
    label: str
    kind: Literal["extension", "mobile", "work", "home", "other"]
    source: str
    sources: list[str] = Field(description="all books that have the number, the best first")
    user_id: str | None
    phone: PhoneState | None
    im: ImState | None


class SearchSource(Schema):
    """A place that was asked; ``searching`` means: ask again in a moment."""

    name: str
    state: Literal["ok", "searching", "failed"]


class SearchAnswer(Schema):
    """What is known now."""

    results: list[SearchRow]
    sources: list[SearchSource]


class Person(Schema):
    """One colleague's presence, whole."""

    user_id: str
    name: str
    phone: PhoneState
    im: ImState
    message: str = ""
    since: str | None = None
    phone_since: str | None = None
    im_since: str | None = None


class PresenceAnswer(Schema):
    """Everybody, at one revision."""

    revision: int = Field(description="only grows, across restarts")
    people: list[Person]
