"""What the faces of one simulated XUC share: the model, the sessions, what is wrong at the moment.

Where public documents leave a thing open there is a reading of it in :class:`Readings`, and the
contract tests run under each (docs/pbx-backends.md).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from bluetel.telephony.simulator.clock import real_time
from bluetel.telephony.simulator.http import JsonObject
from bluetel.telephony.simulator.model import SimulatedPbx
from bluetel.telephony.simulator.people import Person
from bluetel.telephony.simulator.traffic import Traffic
from bluetel.telephony.simulator.wazo_server.faults import UnknownFault


@dataclass(slots=True, kw_only=True)
class Readings:
    """How this XUC does what no document settles; the default is what the newest client expects."""

    hint_subscription: Literal["adds", "replaces"] = "adds"
    initial_hints: bool = True
    click_begins: Literal["dialing", "ringing"] = "dialing"
    dial_failure: Literal["event", "error"] = "event"
    unique_ids: bool = True
    second_socket: Literal["allowed", "replaces"] = "allowed"
    phone_status: Literal["number", "name"] = "number"
    settings_told: Literal["whole", "partial"] = "whole"
    desk_phone_dtmf: bool = False
    rest_other_forwards: bool = False
    headers: tuple[str, ...] = ("Firstname", "Lastname", "Number", "Mobile", "Favorite")


@dataclass(slots=True, kw_only=True)
class Faults:
    """What is wrong; all is well at the start.

    ``refuse_logins`` is the error code to refuse with. ``silence_stream`` lets the sockets stand
    and say nothing, not even to pings; ``no_logged_on`` says nothing from the start;
    ``logged_on_error`` is the reason of a ``LoggedOnError``. ``odd_messages`` mixes in types and
    fields nobody knows.
    """

    refuse_logins: str = ""
    silence_stream: bool = False
    no_logged_on: bool = False
    logged_on_error: str = ""
    slow: float = 0.0
    hang: bool = False
    lose_answers: bool = False
    unavailable: bool = False
    duplicate_events: bool = False
    reorder_events: bool = False
    odd_messages: bool = False

    def set(self, name: str, value: object) -> None:
        """Switch one fault; raises ``UnknownFault``."""
        known = {one.name: getattr(self, one.name) for one in fields(self)}
        if name == "refuse_logins" and isinstance(value, bool):
            self.refuse_logins = "InvalidCredentials" if value else ""
        elif name == "slow" and isinstance(value, int | float):
            self.slow = max(0.0, float(value))
        elif name == "unavailable" and isinstance(value, list):
            self.unavailable = bool(value)
        elif name == "withhold" and value == []:
            pass  # XUC has no rights to withhold
        elif name in known and type(known[name]) is type(value):
            setattr(self, name, value)
        else:
            raise UnknownFault(name)


@dataclass(slots=True, eq=False, kw_only=True)
class XucSite:
    """One simulated XUC; ``zone`` is the PBX's own, in which its history is written.

    ``tokens`` are the live sessions' logins. ``push_to`` is the address of ``api.eventUrl``, empty
    for none.
    """

    pbx: SimulatedPbx
    username: str
    password: str = field(repr=False)
    api_key: str = field(default="", repr=False)
    push_to: str = ""
    readings: Readings = field(default_factory=Readings)
    faults: Faults = field(default_factory=Faults)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Paris"))
    clock: Callable[[], datetime] = real_time
    requests: list[JsonObject] = field(default_factory=list)
    traffic: Traffic = field(default_factory=Traffic)
    tokens: dict[str, str] = field(default_factory=dict, repr=False)
    favourites: dict[str, set[str]] = field(default_factory=dict)
    drop_stream: Callable[[], None] = lambda: None

    def catch_up(self) -> None:
        """Let the model see what time it is."""
        self.pbx.run_until(self.clock())

    def person(self, login: str) -> Person | None:
        """Whose CTI login that is; mail addresses are none."""
        found = self.pbx.logins.get(login.casefold())
        return found if found is not None and found.login == login else None

    def sign_in(self, login: str, password: str) -> str | None:
        """A new token, or None for a login that is wrong."""
        person = self.person(login)
        is_service = (login, password) == (self.username, self.password)
        is_person = person is not None and person.enabled and person.password == password
        return self.new_token(login) if is_service or (is_person and password) else None

    def new_token(self, login: str) -> str:
        """A token of that login's."""
        token = secrets.token_hex(20)
        self.tokens[token] = login
        return token

    def expire_tokens(self) -> None:
        """End all sessions' tokens; open sockets live on."""
        self.tokens.clear()
