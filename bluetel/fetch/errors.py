"""What can go wrong at the door; nothing else leaves :mod:`bluetel.fetch`.

::

    FetchError
    ├── AddressRefused   the address may not be asked at all (`reason` says why)
    ├── Unreachable      no answer: name, network, TLS or time (`reason`)
    ├── TooLarge         the answer is longer than the caller wants
    ├── BadAnswer        an answer, but none that helps (`status`, `reason`)
    └── NotAllowed       401 or 403, from `origin`

The texts carry reasons and origins only: never a body, a path, a query or a password, for calendar
addresses are secrets themselves.
"""

from __future__ import annotations

from enum import StrEnum


class Refusal(StrEnum):
    """Why an address is refused."""

    UNREADABLE = "unreadable"
    SCHEME = "scheme"
    PASSWORD_IN_ADDRESS = "password_in_address"  # noqa: S105 — a reason, not a password
    PORT = "port"
    PRIVATE = "private"
    PLAIN_HTTP = "plain_http"


class Failure(StrEnum):
    """Why nothing answered."""

    NAME = "name"
    CONNECTION = "connection"
    CERTIFICATE = "certificate"
    TIMEOUT = "timeout"


class FetchError(Exception):
    """The thing at the address could not be had."""


class AddressRefused(FetchError):
    """The address is one that BlueTel must not ask."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(f"address refused: {reason.value}")
        self.reason = reason


class Unreachable(FetchError):
    """Nothing usable came back in time; asking again later may help."""

    def __init__(self, reason: Failure) -> None:
        super().__init__(f"unreachable: {reason.value}")
        self.reason = reason


class TooLarge(FetchError):
    """The answer has more than ``limit`` bytes; the rest was not read."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit} bytes")
        self.limit = limit


class BadAnswer(FetchError):
    """The server answered something that can't be used; ``status`` is its HTTP status."""

    def __init__(self, status: int, reason: str = "") -> None:
        super().__init__(f"answered {status}" + (f": {reason}" if reason else ""))
        self.status = status
        self.reason = reason


class NotAllowed(FetchError):
    """The server wants other credentials, or doesn't let this user in.

    ``origin`` is who refused. It differs from the address the user gave when that one redirects to
    another host, to which the password was not sent: the page can then offer that address.
    """

    def __init__(self, status: int, *, origin: str) -> None:
        super().__init__(f"{origin} answered {status}")
        self.status = status
        self.origin = origin
