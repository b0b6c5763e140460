"""The one door to a PBX over HTTP: pooled, bounded in time, verified, and silent about secrets.

Time-outs are those of the design: 3 s to connect, 10 s for each read, and a deadline over
everything a command does. A GET is repeated after 502, 503, 504 and after a connection that
broke; nothing else is ever repeated here, for originating a call has no idempotency key.

Certificates are always verified. Plain http is accepted towards this machine only, which is what
the simulated PBX needs. Neither errors nor logs hold a path, a query, a header or a body, for on
Wazo all four can carry a token or an outside number.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import random
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlencode, urlsplit

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from bluetel.telephony.errors import PbxUnavailable, ProtocolError, Rejected, RejectReason
from bluetel.telephony.ports import Taker

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT = 3.0
READ_TIMEOUT = 10.0
BUDGET = 15.0
"""Seconds for everything one request does, repeats included, where no deadline is given."""

POOL_SIZE = 32
MOST_BYTES = 32 * 1024 * 1024
MOST_COPIED = 512 * 1024 * 1024
"""What is handed over piece by piece, and so never lies in memory, may be longer."""
_PASSING = frozenset({502, 503, 504})
_PAUSES = (0.1, 0.4)
_CHUNK = 64 * 1024
_SECRET_PATH = re.compile(r"(/token/)[^/? ]+|\?[^ ]*")


class Deadline:
    """The moment by which a command of one or more requests must be over."""

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def remaining(self) -> float:
        """Seconds left, never below 0."""
        return max(0.0, self._end - self._clock())


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the PBX answered, whatever its status; ``body`` never shows in a repr."""

    status: int
    body: bytes
    media_type: str = ""
    retry_after: float | None = None

    def __repr__(self) -> str:
        return f"Answer(status={self.status}, {len(self.body)} bytes)"

    def json(self) -> object:
        """The body read as JSON; ``ProtocolError`` when it isn't."""
        try:
            value: object = json.loads(self.body)
        except (ValueError, RecursionError):
            # The parser's own message quotes the document, which may hold a token.
            raise ProtocolError("the answer is not JSON") from None
        return value


def checked_url(url: str) -> str:
    """The PBX's address without a closing slash; ``Rejected`` when it may not be used.

    Only ``https://host[:port]`` is accepted, and ``http://`` where the host is this machine.
    """
    parts = urlsplit(url)
    host = parts.hostname
    if parts.scheme not in {"http", "https"} or not host:
        raise Rejected("the address must be http(s)://host", reason=RejectReason.INVALID_DATA)
    if parts.username is not None or parts.query or parts.fragment:
        raise Rejected(
            "the address holds more than scheme, host and port", reason=RejectReason.INVALID_DATA
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise Rejected(
            "plain http to a PBX is accepted on loopback only: use https",
            reason=RejectReason.INVALID_DATA,
        )
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine, without asking a name server."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def tls_context(ca_file: str) -> ssl.SSLContext:
    """The system's trust, plus one more CA file where given; verification can't be switched off."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # some systems' default is older
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ssl.SSLError):
            raise Rejected("the CA file can't be read", reason=RejectReason.INVALID_DATA) from None
    return context


class _SecretsOut(logging.Filter):
    """Takes tokens and queries out of urllib3's own debug lines, which quote each path."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _SECRET_PATH.sub(r"\1***", record.getMessage())
        record.args = ()
        return True


_SECRETS_OUT = _SecretsOut()


class _Broken(Exception):
    """One attempt that brought no answer: ``sent`` says whether the request may have arrived."""

    def __init__(self, why: str, *, sent: bool, passing: bool) -> None:
        super().__init__(why)
        self.why = why
        self.sent = sent
        self.passing = passing


class HttpDoor:
    """Sends requests to one PBX from any thread, over one shared pool of connections."""

    def __init__(
        self,
        url: str,
        *,
        context: ssl.SSLContext | None = None,
        pool_size: int = POOL_SIZE,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        rng: random.Random | None = None,
    ) -> None:
        """Take an address that :func:`checked_url` accepts; nothing is sent yet."""
        parts = urlsplit(checked_url(url))
        self._prefix = parts.path
        self._new_pool = partial(_pool, parts, context, size=pool_size)
        self._pool = self._new_pool()
        self._clock = clock
        self._sleep = sleep
        self._rng = rng or random.Random()  # noqa: S311 — jitter, not a secret
        self._is_down = False
        logging.getLogger("urllib3.connectionpool").addFilter(_SECRETS_OUT)

    def send(
        self,
        method: str,
        path: str,
        *,
        what: str,
        params: Mapping[str, str | int] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        deadline: Deadline | None = None,
        into: Taker | None = None,
    ) -> Answer:
        """Send one request and give the answer, whatever its status.

        ``what`` names the request in errors and logs. ``body`` is sent as JSON,
        bytes as they are. With ``into``, the
        body of a 2xx goes there as it comes and the answer has none; it is then not repeated once
        a piece was handed over. Raises
        ``PbxUnavailable`` when no answer came; its ``maybe_done`` is True when this was a command
        that may have arrived.
        """
        until = deadline or Deadline(BUDGET, clock=self._clock)
        pauses = iter(_PAUSES) if method in {"GET", "HEAD"} else iter(())
        while True:
            broken: _Broken | None = None
            answer: Answer | None = None
            try:
                answer = self._attempt(method, path, params, body, headers, until, into)
            except _Broken as exc:
                broken = exc
            if answer is not None and answer.status not in _PASSING:
                self._note_up()
                return answer
            pause = next(pauses, None) if broken is None or broken.passing else None
            if pause is not None:
                pause *= self._rng.uniform(0.5, 1.5)
            if pause is None or pause >= until.remaining():
                if answer is not None:
                    return answer
                assert broken is not None  # noqa: S101 — one of the two came out of the attempt
                self._note_down(what, broken.why)
                maybe_done = broken.sent and method not in {"GET", "HEAD"}
                raise PbxUnavailable(f"{what}: {broken.why}", maybe_done=maybe_done)
            self._sleep(pause)

    def close(self) -> None:
        """Close the pooled connections; the door opens new ones when it is used again."""
        old, self._pool = self._pool, self._new_pool()
        old.close()

    def _attempt(
        self,
        method: str,
        path: str,
        params: Mapping[str, str | int] | None,
        body: object,
        headers: Mapping[str, str] | None,
        until: Deadline,
        into: Taker | None,
    ) -> Answer:
        left = until.remaining()
        if left <= 0:
            raise _Broken("no time left", sent=False, passing=False)
        is_handed = False
        try:
            response = self._pool.urlopen(
                method,
                self._prefix + path + (f"?{urlencode(params)}" if params else ""),
                body=body if body is None or isinstance(body, bytes) else _json(body),
                headers=_headers(headers, body),
                timeout=Timeout(connect=min(CONNECT_TIMEOUT, left), read=min(READ_TIMEOUT, left)),
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
            )
        except HTTPError as exc:
            # Not chained: the library's texts quote the whole address, tokens included.
            raise _broken(exc) from None
        except ValueError:
            # A name or value with a line end in it, said before anything is sent.
            raise _Broken("a header can't be sent", sent=False, passing=False) from None
        try:
            try:
                if into is not None and response.status < 300:
                    content = b""
                    for chunk in _pieces(response, until, most=MOST_COPIED):
                        is_handed = True
                        into(chunk)
                else:
                    content = b"".join(_pieces(response, until, most=MOST_BYTES))
            finally:
                response.close()
        except ReadTimeoutError:
            raise _Broken("no whole answer in time", sent=True, passing=False) from None
        except HTTPError:
            raise _Broken("the connection broke", sent=True, passing=not is_handed) from None
        return Answer(
            status=response.status,
            body=content,
            media_type=response.headers.get("Content-Type", "").partition(";")[0].strip().lower(),
            retry_after=_seconds(response.headers.get("Retry-After", "")),
        )

    def _note_down(self, what: str, why: str) -> None:
        if not self._is_down:
            self._is_down = True
            logger.warning("The PBX does not answer (%s: %s)", what, why)

    def _note_up(self) -> None:
        if self._is_down:
            self._is_down = False
            logger.info("The PBX answers again")


def _pool(parts: SplitResult, context: ssl.SSLContext | None, *, size: int) -> HTTPConnectionPool:
    """Connections to one address; nothing of the environment (proxies, .netrc) is looked at."""
    if parts.scheme == "http":
        return HTTPConnectionPool(str(parts.hostname), parts.port, maxsize=size)
    trust = context or tls_context("")
    return HTTPSConnectionPool(str(parts.hostname), parts.port, maxsize=size, ssl_context=trust)


def _json(body: object) -> bytes:
    return json.dumps(body, allow_nan=False).encode()


def _headers(more: Mapping[str, str] | None, body: object) -> Mapping[str, str]:
    headers = {
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
        "User-Agent": "BlueTel",
        **(more or {}),
    }
    if body is not None and not isinstance(body, bytes):
        headers["Content-Type"] = "application/json"
    return headers


def _pieces(response: BaseHTTPResponse, until: Deadline, *, most: int) -> Iterator[bytes]:
    """The body as it comes: the library's own reading waits for whole chunks."""
    size = 0
    while chunk := response.read1(_CHUNK, decode_content=True):
        size += len(chunk)
        if size > most:
            raise _Broken("the answer is too long", sent=True, passing=False)
        if until.remaining() <= 0:
            raise _Broken("no whole answer in time", sent=True, passing=False)
        yield chunk


def _broken(exc: HTTPError) -> _Broken:
    """Sort a library error: did the request leave, and is it worth repeating at once."""
    match exc:
        case SSLError():
            why = "its certificate is not trusted (a CA file may be needed)"
            return _Broken(why, sent=False, passing=False)
        case NewConnectionError():  # a kind of the next one, by name only
            return _Broken("no connection", sent=False, passing=True)
        case ConnectTimeoutError():
            return _Broken("no connection in time", sent=False, passing=False)
        case ReadTimeoutError():
            return _Broken("no answer in time", sent=True, passing=False)
        case _:
            return _Broken("the connection broke", sent=True, passing=True)


def _seconds(text: str) -> float | None:
    """Retry-After in seconds; its other form, a date, is not worth reading."""
    return float(text) if re.fullmatch(r"[0-9]{1,5}", text) else None
