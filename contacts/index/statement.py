"""A statement on its way to the database."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Select:
    """A statement that gives ids of contacts in its first column, and its parameters."""

    sql: str
    params: list[str | int] = field(default_factory=list)
