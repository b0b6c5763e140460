"""What this app refuses, with a code for programs and a sentence for people."""

from __future__ import annotations


class Refused(Exception):
    """Something can't be done so; ``message`` is in the user's language."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class StatusRefused(Refused):
    """A status can't be set so."""
