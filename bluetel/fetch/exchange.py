"""One request and its answer: sign-in, the choice among addresses, limits of size and time."""

from __future__ import annotations

import base64
import secrets
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from urllib3 import BaseHTTPResponse, HTTPHeaderDict, Timeout
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from bluetel.fetch.addresses import Target
from bluetel.fetch.digest import answer_challenge
from bluetel.fetch.errors import BadAnswer, Failure, TooLarge, Unreachable
from bluetel.fetch.pinned import Deadline, Pools

USER_AGENT = "BlueTel/1 (+calendar and address book client)"
_CONNECT_SECONDS, _READ_SECONDS = 3.0, 15.0
_CHUNK = 64 * 1024
READING = frozenset({"GET", "HEAD", "PROPFIND", "REPORT", "OPTIONS"})
"""Methods that change nothing: they may be repeated, and redirected to another host."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user's name and password at somebody else's server; the password is not shown."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer: ``url`` is where it came from in the end, ``body`` is decompressed."""

    status: int
    url: str = field(repr=False)
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def etag(self) -> str:
        """The entity tag as sent, quotes included, or the empty string."""
        return self.headers.get("etag", "")

    @property
    def last_modified(self) -> str:
        """The ``Last-Modified`` header as sent, or the empty string."""
        return self.headers.get("last-modified", "")

    @property
    def is_unchanged(self) -> bool:
        """Whether the server says that what we know still holds (304)."""
        return self.status == 304


class Exchange:
    """One caller's requests under one deadline and one size limit."""

    def __init__(self, pools: Pools, *, deadline: Deadline, max_bytes: int) -> None:
        self._pools = pools
        self._deadline = deadline
        self._max_bytes = max_bytes

    def ask(
        self,
        method: str,
        target: Target,
        addresses: Sequence[str],
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        credentials: Credentials | None,
    ) -> Answer:
        """One answer; a Digest challenge is answered once."""
        sent = {
            **headers,
            "Host": target.netloc,
            "User-Agent": USER_AGENT,
            "Accept-Encoding": "gzip",
        }
        if credentials is not None:
            sent["Authorization"] = _basic(credentials)
        answer = self._first_reachable(method, target, addresses, headers=sent, body=body)
        if answer.status == 401 and credentials is not None:
            authorization = answer_challenge(
                answer.headers.get("www-authenticate", ""),
                method=method,
                path=target.path,
                username=credentials.username,
                password=credentials.password,
                client_nonce=secrets.token_hex(8),
            )
            if authorization is not None:
                sent["Authorization"] = authorization
                answer = self._first_reachable(method, target, addresses, headers=sent, body=body)
        return answer

    def _first_reachable(
        self,
        method: str,
        target: Target,
        addresses: Sequence[str],
        *,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> Answer:
        for address in addresses[:-1]:
            try:
                return self._once(method, target, address, headers=headers, body=body)
            except _NotConnected:
                continue  # an IPv6 address without IPv6 on the way: the next one may do
        try:
            return self._once(method, target, addresses[-1], headers=headers, body=body)
        except _NotConnected as error:
            raise Unreachable(error.reason) from None

    def _once(
        self,
        method: str,
        target: Target,
        address: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> Answer:
        try:
            return self._sent(method, target, address, headers=headers, body=body)
        except ProtocolError:
            # The server may close a kept connection just as it is used again.
            if method not in READING or self._deadline.expired:
                raise Unreachable(self._failure(None)) from None
        try:
            return self._sent(method, target, address, headers=headers, body=body)
        except ProtocolError:
            raise Unreachable(self._failure(None)) from None

    def _sent(
        self,
        method: str,
        target: Target,
        address: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> Answer:
        left = self._deadline.remaining
        if not left:
            raise Unreachable(Failure.TIMEOUT)
        try:
            response = self._pools.pool(target, address).urlopen(
                method,
                target.path,
                body=body,
                headers=headers,
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                decode_content=False,
                timeout=Timeout(connect=min(_CONNECT_SECONDS, left), read=min(_READ_SECONDS, left)),
            )
            try:
                content = self._read(response)
            except BaseException:
                response.close()
                raise
            response.release_conn()
        except NewConnectionError:
            raise _NotConnected(Failure.CONNECTION) from None
        except ConnectTimeoutError:
            raise _NotConnected(Failure.TIMEOUT) from None
        except ProtocolError:
            raise
        except (HTTPError, OSError) as error:
            raise Unreachable(self._failure(error)) from None
        return Answer(
            status=response.status,
            url=target.url,
            headers=HTTPHeaderDict(response.headers),
            body=content,
        )

    def _failure(self, error: Exception | None) -> Failure:
        if self._deadline.expired or isinstance(error, ReadTimeoutError):
            return Failure.TIMEOUT
        return Failure.CERTIFICATE if isinstance(error, SSLError) else Failure.CONNECTION

    def _read(self, response: BaseHTTPResponse) -> bytes:
        """The body within the limit; of error answers only as much as a WebDAV reason needs."""
        limit = self._max_bytes if response.status < 400 else min(self._max_bytes, _CHUNK)
        encoding = response.headers.get("content-encoding", "identity").lower()
        if encoding not in {"identity", "", "gzip", "x-gzip"}:
            raise BadAnswer(response.status, "unknown content encoding")
        inflate = zlib.decompressobj(wbits=31) if "gzip" in encoding else None
        kept = bytearray()
        while chunk := response.read(_CHUNK, decode_content=False):
            try:
                # One byte over the limit is enough to know; a bomb is never unpacked.
                kept += inflate.decompress(chunk, limit + 1 - len(kept)) if inflate else chunk
            except zlib.error:
                raise BadAnswer(response.status, "broken compression") from None
            if len(kept) > limit:
                if response.status >= 400:
                    response.close()
                    return bytes(kept[:limit])
                raise TooLarge(limit)
        if self._deadline.expired:
            raise Unreachable(Failure.TIMEOUT)
        if inflate is not None and not inflate.eof and kept:
            raise BadAnswer(response.status, "broken compression")
        return bytes(kept)


class _NotConnected(Exception):
    """Nothing was sent yet, so another address of the same name may be tried."""

    def __init__(self, reason: Failure) -> None:
        super().__init__(reason.value)
        self.reason = reason


def _basic(credentials: Credentials) -> str:
    pair = f"{credentials.username}:{credentials.password}".encode()
    return "Basic " + base64.b64encode(pair).decode("ascii")
