"""What a search answers: raw entries, and what a server tells about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bluetel.ldap.attributes import Schema


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it came; attribute names are in lower case and without options."""

    dn: str
    attributes: Mapping[str, tuple[bytes, ...]]

    def raw(self, name: str) -> tuple[bytes, ...]:
        """The values of one attribute as bytes, none when it is absent."""
        return self.attributes.get(name.lower(), ())

    def texts(self, name: str) -> tuple[str, ...]:
        """The values of one attribute as text; bytes that are no UTF-8 show as U+FFFD."""
        return tuple(value.decode("utf-8", errors="replace") for value in self.raw(name))

    def text(self, *names: str) -> str:
        """The first value of the first of ``names`` that has one, else an empty text."""
        for name in names:
            for value in self.texts(name):
                if value.strip():
                    return value
        return ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The entries of one search; ``complete`` is False when a limit of the server cut it."""

    entries: tuple[Entry, ...]
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Root:
    """What the server says about itself (its root DSE).

    ``highest_usn`` is the change counter of this domain controller alone, so it means something
    only together with ``authority``, a short digest of the controller and its database; both are
    empty elsewhere than on Active Directory.
    """

    schema: Schema
    base: str
    highest_usn: int | None = None
    authority: str = ""
