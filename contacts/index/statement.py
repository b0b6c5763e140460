"""Statements on their way to the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Select:
    """A statement, mostly one that gives ids of contacts, and its parameters."""

    sql: str
    params: list[str | int] = field(default_factory=list)


class Range(NamedTuple):
    """A range of an index: in one scope or book, from ``first`` on, before ``past``."""

    within: int
    first: str
    past: str
