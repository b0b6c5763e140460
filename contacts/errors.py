"""Why a contact is not read or not changed.

::

    ContactError
    ├── ContactNotFound    not there, or not for this reader: he can't tell which
    ├── ReadOnly           the book is changed elsewhere, or by others
    ├── UnknownBook        no book that he may write to
    ├── FileTooLarge       more than an import takes
    ├── NotMergeable       two contacts that can't become one
    └── Unusable           what was written can't be taken, field by field
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contacts.drafts import Problem


class ContactError(Exception):
    """The root."""


class ContactNotFound(ContactError):
    """Nobody of that id is in a book that the user may see."""


class ReadOnly(ContactError):
    """The user sees the contact, and may not change it."""


class UnknownBook(ContactError):
    """There is no such book, or none that he may write to."""


class FileTooLarge(ContactError):
    """A file is larger than an import takes."""


class NotMergeable(ContactError):
    """Two contacts that can't become one: who sees the one doesn't see the other."""


class Unusable(ContactError):
    """What was written; ``problems`` name the fields."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(", ".join(problem.field for problem in problems))
        self.problems = tuple(problems)
