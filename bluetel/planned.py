"""Statements that PostgreSQL plans once for a connection rather than each time they are asked."""

from __future__ import annotations

from typing import Any, Final

from psycopg import Connection, Cursor

OFTEN: Final = 3
"""So often a connection is asked a statement before it keeps the plan."""


class PlannedCursor(Cursor[Any]):
    """Sends the values apart from the statement, and has it prepared once it is asked often.

    Only its own statements: psycopg would count those of other cursors by the text they send, and
    keep the last hundred, though Django's hold their values, a whole file of contacts among them.
    """

    def execute(self, query: Any, params: Any = None, **options: Any) -> PlannedCursor:
        """Carry the statement out."""
        owner: Connection[Any] = self.connection
        owner.prepare_threshold = OFTEN
        try:
            super().execute(query, params, **options)
        finally:
            owner.prepare_threshold = None
        return self
