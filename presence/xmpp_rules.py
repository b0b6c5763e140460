"""XMPP presences as chat statuses, and back; pure (RFC 6121 §4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from presence.rules import ImSource, ImState

OWN_RESOURCE = "bluetel"
"""Sessions of ours begin so: what we publish ourselves is nobody's news."""

_CLAIMS = {
    "dnd": (ImSource.MANUAL, ImState.BUSY),
    "away": (ImSource.IDLE, ImState.AWAY),
    "xa": (ImSource.IDLE, ImState.AWAY),
    "": (ImSource.SESSION, ImState.AVAILABLE),
    "chat": (ImSource.SESSION, ImState.AVAILABLE),
}
_SHOW_OF = {
    ImState.AVAILABLE: "",
    ImState.BUSY: "dnd",
    ImState.AWAY: "away",
}


@dataclass(frozen=True, slots=True)
class Resource:
    """One client of somebody; ``show`` is RFC 6121's, empty for available."""

    name: str
    show: str = ""
    status: str = ""
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody's clients say together: the claim it makes here."""

    source: ImSource
    value: ImState
    message: str = ""


def said_by(resources: Iterable[Resource]) -> Said | None:
    """The client with the greatest priority speaks; None when there is none, ours apart."""
    theirs = [one for one in resources if not one.name.startswith(OWN_RESOURCE)]
    if not theirs:
        return None
    speaker = max(theirs, key=lambda one: (one.priority, one.show == "dnd", one.name))
    source, value = _CLAIMS.get(speaker.show, _CLAIMS[""])
    return Said(source, value, speaker.status)


def show_of(status: ImState) -> str | None:
    """The ``show`` to publish; None to go off line."""
    return _SHOW_OF.get(status)


@dataclass(frozen=True, slots=True)
class XmppAddress:
    """Where the reading account signs in; the password never shows in a repr."""

    jid: str
    password: str
    host: str
    port: int
    is_direct_tls: bool

    def __repr__(self) -> str:
        return f"XmppAddress(jid={self.jid!r}, host={self.host!r}, port={self.port})"

    @property
    def domain(self) -> str:
        """The part after the @."""
        return self.jid.rpartition("@")[2]

    @property
    def is_loopback(self) -> bool:
        """Whether it may be spoken to without TLS."""
        return self.host in {"127.0.0.1", "::1", "localhost"}


def read_address(url: str) -> XmppAddress | None:
    """``xmpp://NAME%40DOMAIN:PASSWORD@HOST:5222``, ``xmpps`` for TLS from the first byte.

    Without ``%40DOMAIN`` the host is the domain. None for no URL; raises ``ValueError``.
    """
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme not in {"xmpp", "xmpps"} or not parts.hostname or not parts.username:
        raise ValueError("must be xmpp://NAME%40DOMAIN:PASSWORD@HOST or xmpps://…")
    name = unquote(parts.username)
    is_direct = parts.scheme == "xmpps"
    return XmppAddress(
        jid=name if "@" in name else f"{name}@{parts.hostname}",
        password=unquote(parts.password or ""),
        host=parts.hostname,
        port=parts.port or (5223 if is_direct else 5222),
        is_direct_tls=is_direct,
    )
