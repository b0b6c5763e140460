"""What a place that knows people offers to the search.

A source answers at once with what it has. One that must ask far away says ``SEARCHING`` and has
its answer ready when it is asked again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from contacts.rules import Person, Question

if TYPE_CHECKING:
    from bluetel.accounts.models import User


MAX_ROWS: Final = 50
"""As many numbers as a search shows."""
MAX_PEOPLE: Final = 200
"""As many people as a source gives: some of their rows other sources have, too."""


class State(StrEnum):
    """How far a source is with a question, in the API's words."""

    OK = "ok"
    SEARCHING = "searching"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A source's answer for now.

    ``called`` is how often and lately the viewer called which number, from the source that knows.
    """

    state: State
    people: Sequence[Person] = ()
    called: Mapping[str, float] = field(default_factory=dict)


class Source(Protocol):
    """One address book, directory or list of users."""

    @property
    def name(self) -> str:
        """What the source is called on the page, in the reader's language."""

    def search(self, viewer: User, asked: Question, *, nobody_yet: bool = False) -> Found | None:
        """Who answers, as far as ``viewer`` may see it; None when he has no such source.

        ``nobody_yet`` has answered of the sources before it.
        Never waits and never raises for a PBX, directory or network that is down.
        """
