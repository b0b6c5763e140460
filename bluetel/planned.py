"""Statements that PostgreSQL plans once for a connection rather than each time they are asked."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final

from psycopg import Connection, Cursor
from psycopg.types.datetime import TimestamptzLoader

OFTEN: Final = 3
"""So often a connection is asked a statement before it keeps the plan."""
KEPT: Final = 50
"""Statements a connection has cursors of; psycopg keeps a hundred plans."""
_CURSORS: Final = "bluetel_cursors"


class PlannedCursor(Cursor[Any]):
    """Sends the values apart from the statement, and has it prepared once it is asked often.

    Only its own statements: psycopg would count those of other cursors by the text they send, and
    keep the last hundred, though Django's hold their values, a whole file of contacts among them.
    """

    def __init__(self, connection: Connection[Any]) -> None:
        super().__init__(connection)
        # Django's is Python, to set a time zone that connections of Django have anyway.
        self.adapters.register_loader("timestamptz", TimestamptzLoader)

    def execute(self, query: Any, params: Any = None, **options: Any) -> PlannedCursor:
        """Carry the statement out."""
        owner: Connection[Any] = self.connection
        owner.prepare_threshold = OFTEN
        try:
            super().execute(query, params, **options)
        finally:
            owner.prepare_threshold = None
        return self

    def close(self) -> None:
        """Forget the answer; stay open, for what was asked last is asked with the least ado."""
        self._reset()
        self._tx.set_pgresult(None)


def cursor_of(connection: Connection[Any], statement: str) -> tuple[PlannedCursor, str]:
    """The connection's cursor for this statement, and the statement as it knows it.

    psycopg finds out anew how values are written and read unless it is the same object.
    """
    cursors: OrderedDict[str, tuple[PlannedCursor, str]] | None = getattr(
        connection, _CURSORS, None
    )
    if cursors is None:
        cursors = OrderedDict()
        setattr(connection, _CURSORS, cursors)
    kept = cursors.get(statement)
    if kept is not None:
        cursors.move_to_end(statement)
        return kept
    kept = cursors[statement] = PlannedCursor(connection), statement
    if len(cursors) > KEPT:
        cursors.popitem(last=False)
    return kept
