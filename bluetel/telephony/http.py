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
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import (
    HTTPError,
    LocationParseError,
    MaxRetryError,
    NewConnectionError,
    ReadTimeoutError,
)
from urllib3.util import parse_url

from bluetel.telephony.errors import PbxUnavailable, ProtocolError, Rejected, RejectReason
from bluetel.telephony.http_pool import Adapter, request_of
from bluetel.telephony.ports import Taker

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
_HOST_NAME = re.compile(r"\w(?:[\w.-]*\w)?\.?")
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
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        parse_url(url)  # what the library that connects can't read
    except (ValueError, LocationParseError):
        raise Rejected(
            "the host or the port of the address can't be read", reason=RejectReason.INVALID_DATA
        ) from None
    if parts.scheme not in {"http", "https"} or not host or port == 0:
        raise Rejected("the address must be http(s)://host", reason=RejectReason.INVALID_DATA)
    if parts.username is not None or parts.query or parts.fragment:
        raise Rejected(
            "the address holds more than scheme, host and port", reason=RejectReason.INVALID_DATA
        )
    if not (_HOST_NAME.fullmatch(host) or ":" in host):
        raise Rejected("the address names no host", reason=RejectReason.INVALID_DATA)
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
        except ssl.SSLError:
            raise Rejected(
                f"the CA file {ca_file} holds no certificate in PEM format",
                reason=RejectReason.INVALID_DATA,
            ) from None
        except OSError as error:
            raise Rejected(
                f"the CA file {ca_file} can't be read: {error.strerror}",
                reason=RejectReason.INVALID_DATA,
            ) from None
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
        checked = checked_url(url)
        self._path = urlsplit(checked).path
        self._adapter = Adapter(checked, context, pool_size=pool_size)
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
        self._adapter.close()

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
            response = self._adapter.send(
                request_of(method, self._path + path, params, body, headers),
                timeout=(min(CONNECT_TIMEOUT, left), min(READ_TIMEOUT, left)),
                stream=True,
            )
            try:
                if into is not None and response.status_code < 300:
                    content = b""
                    for chunk in _pieces(response, until, most=MOST_COPIED):
                        is_handed = True
                        into(chunk)
                else:
                    content = b"".join(_pieces(response, until, most=MOST_BYTES))
            finally:
                response.close()
        except requests.RequestException as exc:
            # Not chained: the library's texts quote the whole address, tokens included.
            raise _broken(exc) from None
        except ReadTimeoutError:
            raise _Broken("no whole answer in time", sent=True, passing=False) from None
        except HTTPError:
            raise _Broken("the connection broke", sent=True, passing=not is_handed) from None
        return Answer(
            status=response.status_code,
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


def _pieces(response: requests.Response, until: Deadline, *, most: int) -> Iterator[bytes]:
    """The body as it comes: the library's own reading waits for whole chunks."""
    size = 0
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        size += len(chunk)
        if size > most:
            raise _Broken("the answer is too long", sent=True, passing=False)
        if until.remaining() <= 0:
            raise _Broken("no whole answer in time", sent=True, passing=False)
        yield chunk


def _broken(exc: requests.RequestException) -> _Broken:
    """Sort a library error: did the request leave, and is it worth repeating at once."""
    if isinstance(exc, requests.exceptions.SSLError):
        return _Broken(
            "its certificate is not trusted (a CA file may be needed)", sent=False, passing=False
        )
    if isinstance(exc, requests.ConnectTimeout):
        return _Broken("no connection in time", sent=False, passing=False)
    if isinstance(exc, requests.ReadTimeout):
        return _Broken("no answer in time", sent=True, passing=False)
    if isinstance(exc, requests.ConnectionError):
        cause = exc.args[0] if exc.args else None
        if isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError):
            return _Broken("no connection", sent=False, passing=True)
        return _Broken("the connection broke", sent=True, passing=True)
    return _Broken(f"no readable answer ({type(exc).__name__})", sent=True, passing=False)


def _seconds(text: str) -> float | None:
    """Retry-After in seconds; its other form, a date, is not worth reading."""
    return float(text) if re.fullmatch(r"[0-9]{1,5}", text) else None
