"""Everything that can go wrong with a telephone system.

::

    TelephonyError
    ├── PbxUnavailable            network, time-out, 5xx: later may work
    ├── AuthenticationFailed      wrong login or password
    │   └── TokenExpired          the session ended; one renewal may help
    ├── Forbidden                 signed in, but this right is missing
    ├── NotFound                  no such call, user, message
    ├── Rejected                  the PBX says no, and why
    ├── NotSupported              this PBX, or this phone, can't
    └── ProtocolError             an answer nobody can read

Only these leave :mod:`bluetel.telephony`. Their texts are for logs, in English, and never hold a
token, a password or a whole outside number; pages choose their own words by class and reason.
"""

from __future__ import annotations

from enum import StrEnum

from bluetel.telephony.types import Capability


class TelephonyError(Exception):
    """The root of the tree."""


class PbxUnavailable(TelephonyError):
    """The PBX can't be reached or isn't ready.

    ``maybe_done`` is True when a command was sent and no answer came, so that it may have been
    carried out; ``retry_after`` is in seconds.
    """

    def __init__(
        self, text: str, *, maybe_done: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(text)
        self.maybe_done = maybe_done
        self.retry_after = retry_after


class AuthenticationFailed(TelephonyError):
    """Wrong login or password, or an account that may not sign in."""


class TokenExpired(AuthenticationFailed):
    """The token is unknown, revoked or expired."""


class Forbidden(TelephonyError):
    """The account lacks a right; ``right`` is the PBX's own name of it, for the administrator."""

    def __init__(self, text: str, *, right: str = "") -> None:
        super().__init__(text)
        self.right = right


class NotFound(TelephonyError):
    """No such call, user, message or route."""


class RejectReason(StrEnum):
    """Why a PBX refused a well-formed command."""

    INVALID_EXTENSION = "invalid_extension"
    NO_LINE = "no_line"
    PHONE_UNREACHABLE = "phone_unreachable"
    UNKNOWN_USER = "unknown_user"
    TOO_MANY_SESSIONS = "too_many_sessions"
    INVALID_DATA = "invalid_data"
    CONFLICT = "conflict"
    OTHER = "other"


class Rejected(TelephonyError):
    """The PBX says no."""

    def __init__(self, text: str, *, reason: RejectReason) -> None:
        super().__init__(text)
        self.reason = reason


class NotSupported(TelephonyError):
    """This PBX, or this make of phone, has no such function."""

    def __init__(self, capability: Capability) -> None:
        super().__init__(f"not supported: {capability}")
        self.capability = capability


class ProtocolError(TelephonyError):
    """The PBX answered something that can't be read."""
