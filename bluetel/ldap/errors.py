"""What can go wrong with a directory.

::

    LdapError
    ├── DirectoryUnavailable   no server answered in time, or its answer can't be read
    │   └── DirectoryBusy      our own limit of connections is reached; nothing was asked
    ├── DirectoryRefused       the server says no: credentials, rights, an unknown base
    │   └── EntryMissing       there is no entry of that name
    └── LdapSettingsError      the settings can't be used (also a ValueError)

Their texts are for logs, in English, and hold no password and no person's name.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a directory did not help, for health pages to put into words."""

    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    CERTIFICATE = "certificate"
    UNREADABLE = "unreadable"
    BUSY = "busy"
    CREDENTIALS = "credentials"
    REFUSED = "refused"
    SETTINGS = "settings"


class LdapError(Exception):
    """The root of the tree."""

    reason = Reason.REFUSED


class DirectoryUnavailable(LdapError):
    """Later, or another server, may work."""

    def __init__(self, text: str, *, reason: Reason = Reason.UNREACHABLE) -> None:
        super().__init__(text)
        self.reason = reason


class DirectoryBusy(DirectoryUnavailable):
    """Too many questions are under way from here."""

    def __init__(self, text: str) -> None:
        super().__init__(text, reason=Reason.BUSY)


class DirectoryRefused(LdapError):
    """Asking again changes nothing until an administrator does."""

    def __init__(self, text: str, *, reason: Reason = Reason.REFUSED) -> None:
        super().__init__(text)
        self.reason = reason


class EntryMissing(DirectoryRefused):
    """The base of a search, or the entry that was named, does not exist."""


class LdapSettingsError(LdapError, ValueError):
    """The text is the one line that the administrator sees."""

    reason = Reason.SETTINGS
