"""Which addresses may be asked: pure rules over URLs and IP addresses.

The networks are those of the IANA special-purpose registries. Python's ``is_global`` alone is not
enough: its answers changed between releases, and it calls some translation prefixes global.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from bluetel.fetch.errors import AddressRefused, Refusal

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_SCHEMES = {"https": "https", "webcal": "https", "webcals": "https", "http": "http"}
_DEFAULT_PORTS = {"https": 443, "http": 80}
_MAX_LENGTH = 2048

_NEVER_PUBLIC: tuple[Network, ...] = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, and the metadata services of clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/96",  # unspecified, loopback, IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped: ::ffff:127.0.0.1 is 127.0.0.1
        "::ffff:0:0:0/96",  # SIIT
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",  # Teredo, ORCHID, benchmarks and other protocol assignments
        "2001:db8::/32",
        "2002::/16",  # 6to4 carries an IPv4 address
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An address taken apart once, so that what is checked is what is asked.

    ``host`` is lower-case ASCII without brackets; ``path`` starts with a slash and holds the
    query.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def netloc(self) -> str:
        """The ``Host`` header: the port only when it isn't the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port: whom credentials belong to."""
        return f"{self.scheme}://{self.netloc}"

    @property
    def url(self) -> str:
        """The address in one normal form."""
        return self.origin + self.path


def read_address(url: str) -> Target:
    """The parts of ``url``; raises :class:`AddressRefused` for anything but a plain web address.

    ``webcal`` is what calendar programs write for https (Apple's scheme, never standardised).
    """
    text = url.strip()
    if len(text) > _MAX_LENGTH or not text.isprintable():
        raise AddressRefused(Refusal.UNREADABLE)
    try:
        parts = parse_url(text)
    except LocationParseError:
        raise AddressRefused(Refusal.UNREADABLE) from None
    scheme = _SCHEMES.get(parts.scheme or "")
    if scheme is None:
        raise AddressRefused(Refusal.SCHEME)
    if parts.auth is not None:
        raise AddressRefused(Refusal.PASSWORD_IN_ADDRESS)
    host = (parts.host or "").removeprefix("[").removesuffix("]").lower()
    if not host or "%" in host or "\\" in text or parts.port == 0:
        raise AddressRefused(Refusal.UNREADABLE)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query is not None else "")
    port = _DEFAULT_PORTS[scheme] if parts.port is None else parts.port
    return Target(scheme=scheme, host=host, port=port, path=path)


class AddressRules:
    """Which IP addresses may be asked, given the networks an administrator allowed."""

    def __init__(self, allow: Iterable[str] = ()) -> None:
        self._allow = tuple(ipaddress.ip_network(network) for network in allow)

    def is_named(self, address: str) -> bool:
        """Whether the administrator named a network around ``address``."""
        ip = ipaddress.ip_address(address)
        return any(ip in network for network in self._allow)

    def permits(self, address: str) -> bool:
        """Whether ``address`` is public, or in a network that was named."""
        ip: Address = ipaddress.ip_address(address)
        if getattr(ip, "scope_id", None):
            return False
        if self.is_named(address):
            return True
        return ip.is_global and not any(ip in network for network in _NEVER_PUBLIC)

    def permits_plain(self, address: str) -> bool:
        """Whether talking without encryption to ``address`` is all right: loopback, and named."""
        return ipaddress.ip_address(address).is_loopback and self.is_named(address)
