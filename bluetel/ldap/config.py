"""Everything an administrator may say about the directory, read and checked once.

Built from plain strings, so that the settings module is the only one to know the environment;
each fault is a :class:`~bluetel.ldap.errors.LdapSettingsError` with one line.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from bluetel.ldap.attributes import Field, Schema, parse_attribute_changes
from bluetel.ldap.errors import LdapSettingsError
from bluetel.ldap.filters import is_filter


class Security(StrEnum):
    """How a connection is protected; ``PLAIN`` exists on loopback only."""

    LDAPS = "ldaps"
    STARTTLS = "starttls"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class LdapServer:
    """One server of the pool."""

    host: str
    port: int
    security: Security

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class GrantKind(StrEnum):
    """What membership of a directory group may give in BlueTel. Superuser is not among it."""

    SIGN_IN = "sign-in"
    STAFF = "staff"
    GROUP = "group"
    PERMISSION = "permission"


@dataclass(frozen=True, slots=True)
class Grant:
    """One thing given: ``name`` is that of a BlueTel group, or ``app.codename``; else empty."""

    kind: GrantKind
    name: str = ""


@dataclass(frozen=True, slots=True)
class LdapConfig:
    """Where the directory is and how it is read. Times in seconds, sizes in bytes."""

    servers: tuple[LdapServer, ...]
    base: str = ""
    bind_dn: str = ""
    bind_password: str = field(default="", repr=False)
    ca_file: str = ""
    person_filter: str = ""
    schema: Schema = Schema.AUTO
    attribute_changes: Mapping[Field, tuple[str, ...]] = field(default_factory=dict)
    groups: tuple[tuple[str, tuple[Grant, ...]], ...] = ()
    country: str = "FR"
    connect_timeout: float = 0.3
    search_timeout: float = 1.0
    sync_timeout: float = 15.0
    retry_after: float = 5.0
    page_size: int = 500
    lookup_limit: int = 50
    photo_limit: int = 256 * 1024
    max_connections: int = 8

    @property
    def grants(self) -> frozenset[Grant]:
        """Everything that some group gives, so everything that signing in may also take away."""
        return frozenset(grant for _, given in self.groups for grant in given)


def ldap_config(
    url: str,
    *,
    base: str = "",
    bind_dn: str = "",
    bind_password: str = "",
    ca_file: str = "",
    person_filter: str = "",
    schema: str = "auto",
    attributes: str = "",
    groups: str = "",
    country: str = "FR",
) -> LdapConfig | None:
    """The configuration these settings describe; None when ``url`` is empty: no directory."""
    servers = parse_servers(url)
    if not servers:
        return None
    if bind_dn and not bind_password:
        # RFC 4513 §5.1.2: a name without password binds as nobody and looks like success.
        raise LdapSettingsError("a bind DN needs a bind password")
    if person_filter and not is_filter(person_filter.strip()):
        raise LdapSettingsError("the filter must be one LDAP filter in parentheses")
    try:
        known_schema = Schema(schema.strip().lower() or "auto")
    except ValueError:
        raise LdapSettingsError(f"the schema must be one of: {' '.join(Schema)}") from None
    return LdapConfig(
        servers=servers,
        base=base.strip(),
        bind_dn=bind_dn.strip(),
        bind_password=bind_password,
        ca_file=ca_file,
        person_filter=person_filter.strip(),
        schema=known_schema,
        attribute_changes=parse_attribute_changes(attributes),
        groups=parse_groups(groups),
        country=country,
    )


def parse_servers(urls: str) -> tuple[LdapServer, ...]:
    """The servers of one or more URLs, parted by spaces or commas, in the order of preference.

    ``ldaps://`` is TLS from the start. ``ldap://`` is StartTLS, and plain on loopback;
    ``ldap+starttls://`` is StartTLS everywhere.
    """
    return tuple(dict.fromkeys(_server(url) for url in re.split(r"[\s,]+", urls.strip()) if url))


def parse_groups(text: str) -> tuple[tuple[str, tuple[Grant, ...]], ...]:
    """Read ``GROUP DN => grant, grant; GROUP DN => grant``.

    A grant is ``sign-in`` (then only members of such groups may), ``staff``, ``group:NAME`` or
    ``permission:app.codename``.
    """
    groups: list[tuple[str, tuple[Grant, ...]]] = []
    for part in filter(None, (part.strip() for part in text.split(";"))):
        dn, arrow, right = (piece.strip() for piece in part.partition("=>"))
        if not arrow or "=" not in dn:
            raise LdapSettingsError(f"{part!r} must be written GROUP DN => grant, grant")
        grants = tuple(_grant(piece.strip()) for piece in right.split(","))
        groups.append((dn, grants))
    return tuple(groups)


def _grant(text: str) -> Grant:
    kind, _, name = (piece.strip() for piece in text.partition(":"))
    needs_name = kind in {GrantKind.GROUP, GrantKind.PERMISSION}
    if kind not in set(GrantKind) or needs_name != bool(name):
        raise LdapSettingsError(
            f"{text!r} must be sign-in, staff, group:NAME or permission:app.codename"
        )
    if kind == GrantKind.PERMISSION and not re.fullmatch(r"\w+\.\w+", name):
        raise LdapSettingsError(f"{text!r} must name the permission as app.codename")
    return Grant(GrantKind(kind), name)


_SCHEMES = {"ldaps": 636, "ldap": 389, "ldap+starttls": 389}


def _server(url: str) -> LdapServer:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise LdapSettingsError("the LDAP URL can't be read") from None
    if parts.username or parts.password:
        raise LdapSettingsError("the LDAP URL must not hold a login; use the bind DN and password")
    if parts.scheme not in _SCHEMES or not host:
        raise LdapSettingsError(f"an LDAP URL begins with ldaps:// or ldap://, not as {url!r}")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise LdapSettingsError(
            "the LDAP URL ends after the port; the base is a setting of its own"
        )
    if parts.scheme == "ldaps":
        security = Security.LDAPS
    elif parts.scheme == "ldap" and _is_loopback(host):
        security = Security.PLAIN
    else:
        security = Security.STARTTLS
    return LdapServer(host=host, port=port or _SCHEMES[parts.scheme], security=security)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
