"""What an administrator chooses about one XiVO: what public documents leave open, and its habits.

docs/pbx-backends.md explains each and says what is known of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bluetel.telephony.errors import Rejected, RejectReason


class PresenceSource(StrEnum):
    """How the phones of all people are followed."""

    HINTS = "hints"
    """The service account subscribes to the numbers on its socket."""
    PUSH = "push"
    """XUC posts each change to BlueTel (``api.eventUrl``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class XivoOptions:
    """The options of a PBX row; every default is what the vendor's newest client does.

    ``domain`` stands in the addresses of REST 1.0 and "can be anything". ``remote_makes`` are the
    desk phones that take hold and answer from afar, as ``LineConfig`` names them.
    ``number_headers`` and the other headers name the directory's columns.
    """

    domain: str = "default"
    time_zone: str = "Europe/Paris"
    presence: PresenceSource = PresenceSource.HINTS
    initial_hints: bool = True
    unique_ids: bool = True
    contact_sheets: bool = False
    rest_commands: bool = True
    rest_other_forwards: bool = False
    desk_phone_dtmf: bool = False
    remote_makes: tuple[str, ...] = ("Yealink", "Snom", "Polycom", "Fanvil")
    number_headers: tuple[str, ...] = ("Number", "Numéro", "Phone", "Téléphone", "Extension")
    mobile_headers: tuple[str, ...] = ("Mobile", "Portable")
    name_headers: tuple[str, ...] = ("Name", "Nom", "Fullname")
    first_name_headers: tuple[str, ...] = ("Firstname", "First name", "Prénom")
    last_name_headers: tuple[str, ...] = ("Lastname", "Last name", "Nom de famille")
    email_headers: tuple[str, ...] = ("Email", "E-mail", "Mail", "Courriel")
    company_headers: tuple[str, ...] = ("Company", "Société", "Entreprise")
    confd_url: str = ""
    confd_username: str = ""

    @property
    def zone(self) -> ZoneInfo:
        """The PBX's own time zone: its call history has local times."""
        return ZoneInfo(self.time_zone)


def parse_options(values: Mapping[str, object]) -> XivoOptions:
    """The options out of a row; ``Rejected`` names the one that is unknown or can't be meant."""
    known = {one.name: getattr(XivoOptions(), one.name) for one in fields(XivoOptions)}
    chosen: dict[str, object] = {}
    for name, value in values.items():
        if name not in known:
            raise _refused(f"there is no option {name!r}")
        chosen[name] = _read(name, value, like=known[name])
    options = XivoOptions(**chosen)  # type: ignore[arg-type]  # each was read as its default's type
    try:
        ZoneInfo(options.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise _refused("time_zone is not the name of a time zone") from None
    return options


def _read(name: str, value: object, *, like: object) -> object:
    """A value given as JSON, or as the text of a command's argument."""
    match like:
        case bool():
            return _flag(name, value)
        case PresenceSource():
            try:
                return PresenceSource(value)  # type: ignore[arg-type]  # whatever it is
            except ValueError:
                raise _refused(f"{name} is one of: hints, push") from None
        case tuple():
            if isinstance(value, str):
                return tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
                return tuple(value)
            raise _refused(f"{name} is a list of words")
        case _:
            if not isinstance(value, str):
                raise _refused(f"{name} is a text")
            return value


def _flag(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false", "yes", "no"}:
        return value.lower() in {"true", "yes"}
    raise _refused(f"{name} is true or false")


def _refused(text: str) -> Rejected:
    return Rejected(f"options: {text}", reason=RejectReason.INVALID_DATA)
