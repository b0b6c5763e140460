"""Ask an address that a user gave, without letting him reach into the internal network.

What holds for every request, redirects included: the scheme is https (plain http only to a
loopback address that the administrator named), the name is resolved once and only addresses that
:class:`~bluetel.fetch.addresses.AddressRules` permits are asked, the certificate must be the
name's, size and time are bounded, and credentials stay with the origin they were given for.
Proxies and passwords of the environment (``HTTP_PROXY``, ``.netrc``) are not used: a proxy would
resolve names again. docs/fetching.md tells it for administrators.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

from bluetel.fetch.addresses import AddressRules, Target, read_address
from bluetel.fetch.errors import (
    AddressRefused,
    BadAnswer,
    Failure,
    NotAllowed,
    Refusal,
    Unreachable,
)
from bluetel.fetch.exchange import READING, Answer, Credentials, Exchange
from bluetel.fetch.pinned import Deadline, Pools

MAX_BYTES = 20 * 1024 * 1024
MAX_SECONDS = 30.0
MAX_REDIRECTS = 5
_MAX_ADDRESSES = 4
_REDIRECTS = {301, 302, 303, 307, 308}

Resolver = Callable[[str, int], Sequence[str]]
"""The IP addresses of a name, best first; raises OSError when there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What an earlier answer said about itself, to be asked for again only if it changed."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedHost:
    """A host whose ``addresses`` may be connected to; ``name`` is for SNI and certificates."""

    name: str
    port: int
    addresses: tuple[str, ...]


def resolve(host: str, port: int) -> Sequence[str]:
    """The system's answer for ``host``, in the order of RFC 6724; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Door:
    """Asks user-given addresses; one per process is enough, and it may be shared by threads.

    ``allow`` are networks that may be asked although private (``BLUETEL_FETCH_ALLOW``), ``ca_file``
    holds certificate authorities to trust beside the system's (``BLUETEL_CA_FILE``).
    """

    def __init__(
        self,
        *,
        allow: Iterable[str] = (),
        ca_file: str = "",
        resolver: Resolver = resolve,
        max_bytes: int = MAX_BYTES,
        max_seconds: float = MAX_SECONDS,
    ) -> None:
        self._rules = AddressRules(allow)
        self._pools = Pools(ca_file=ca_file)
        self._resolve = resolver
        self._max_bytes = max_bytes
        self._max_seconds = max_seconds

    def close(self) -> None:
        """Close the idle connections."""
        self._pools.close()

    def __enter__(self) -> Door:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def check(self, url: str) -> str:
        """``url`` in its normal form, if it may be asked now; raises like :meth:`request`.

        For forms: it resolves the name but connects to nothing. What it allowed is checked again
        at each request, since names may move.
        """
        target = read_address(url)
        self._addresses(target)
        return target.url

    def host(
        self, name: str, port: int, *, ports: Collection[int], plain: bool = False
    ) -> CheckedHost:
        """A mail server's checked addresses; connect to those and to nothing else.

        ``ports`` are the ones the protocol lives on, always allowed besides the unprivileged.
        ``plain`` says that the connection won't be encrypted, which only loopback may do.
        """
        target = Target(scheme="http" if plain else "https", host=name.lower(), port=port, path="/")
        if not name or not name.isprintable() or set(name) & set("/?#@% \\[]"):
            raise AddressRefused(Refusal.UNREADABLE)
        return CheckedHost(
            name=target.host, port=port, addresses=self._addresses(target, ports=ports)
        )

    def get(
        self,
        url: str,
        *,
        known: Known | None = None,
        credentials: Credentials | None = None,
        accept: str = "*/*",
        max_bytes: int | None = None,
    ) -> Answer:
        """The thing at ``url``, or ``is_unchanged`` when it still is what ``known`` describes.

        Raises the whole tree of :mod:`bluetel.fetch.errors`.
        """
        headers = {"Accept": accept}
        if known is not None and known.etag:
            headers["If-None-Match"] = known.etag
        if known is not None and known.last_modified:
            headers["If-Modified-Since"] = known.last_modified
        answer = self.request(
            "GET", url, headers=headers, credentials=credentials, max_bytes=max_bytes
        )
        if answer.status == 200 or (answer.is_unchanged and known is not None):
            return answer
        raise refusal_of(answer)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        credentials: Credentials | None = None,
        max_bytes: int | None = None,
        max_seconds: float | None = None,
    ) -> Answer:
        """The final answer to one request, whatever its status; redirects are followed.

        A redirect keeps method and body, as WebDAV needs, but for 303; one that would send a body
        that writes to another origin is refused, and so is one from https to http.
        """
        target = read_address(url)
        sent = dict(headers or {})
        with Deadline(max_seconds or self._max_seconds) as deadline:
            exchange = Exchange(
                self._pools, deadline=deadline, max_bytes=max_bytes or self._max_bytes
            )
            redirects = 0
            while True:
                addresses = self._addresses(target)
                answer = exchange.ask(
                    method, target, addresses, headers=sent, body=body, credentials=credentials
                )
                location = answer.headers.get("location", "")
                if answer.status not in _REDIRECTS or not location:
                    return answer
                redirects += 1
                if redirects > MAX_REDIRECTS:
                    raise BadAnswer(answer.status, "too many redirects")
                following = _redirected(target, location)
                if following.origin != target.origin:
                    credentials = None
                    if method not in READING:
                        raise BadAnswer(answer.status, "redirected to another host")
                if answer.status == 303 and method != "HEAD":
                    method, body = "GET", None
                target = following

    def _addresses(self, target: Target, *, ports: Collection[int] = (80, 443)) -> tuple[str, ...]:
        """The addresses of ``target`` that may be asked, best first; raises if there are none."""
        try:
            found = self._resolve(target.host, target.port)
        except (OSError, UnicodeError):
            raise Unreachable(Failure.NAME) from None
        good = [address for address in found if self._rules.permits(address)]
        if not good:
            raise AddressRefused(Refusal.PRIVATE)
        if target.port < 1024 and target.port not in ports:
            good = [address for address in good if self._rules.is_named(address)]
            if not good:
                raise AddressRefused(Refusal.PORT)
        if target.scheme == "http":
            good = [address for address in good if self._rules.permits_plain(address)]
            if not good:
                raise AddressRefused(Refusal.PLAIN_HTTP)
        return tuple(good[:_MAX_ADDRESSES])


def refusal_of(answer: Answer) -> BadAnswer | NotAllowed:
    """The error that an answer with an unwanted status means."""
    if answer.status in {401, 403}:
        return NotAllowed(answer.status, origin=read_address(answer.url).origin)
    return BadAnswer(answer.status)


def _redirected(target: Target, location: str) -> Target:
    following = read_address(urljoin(target.url, location))
    if target.scheme == "https" and following.scheme != "https":
        raise AddressRefused(Refusal.PLAIN_HTTP)
    return following


def origin_of(url: str) -> str:
    """Scheme, host and port of ``url``: what may be shown or logged of a secret address."""
    return read_address(url).origin
