"""Damages JSON on purpose: a recording with one field renamed or of another type."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any

Path = tuple[str | int, ...]


def fields(value: Any, path: Path = ()) -> Iterable[Path]:
    """Every field of a document, lists by their first item only."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (*path, name)
            yield from fields(inner, (*path, name))
    elif isinstance(value, list) and value:
        yield from fields(value[0], (*path, 0))


def renamed(value: Any, path: Path) -> Any:
    """The document with one field called otherwise."""
    damaged = copy.deepcopy(value)
    holder = damaged
    for step in path[:-1]:
        holder = holder[step]
    holder[f"{path[-1]}_x"] = holder.pop(path[-1])
    return damaged


def retyped(value: Any, path: Path) -> Any:
    """The document with one field of a type that is never right."""
    damaged = copy.deepcopy(value)
    holder = damaged
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = 1.5
    return damaged


def differs(read: Callable[[Any], Any], original: Any, damaged: Any) -> bool:
    """Whether a reader notices the damage: it raises, or reads something else."""
    from bluetel.telephony.errors import ProtocolError  # noqa: PLC0415 — beside its only use

    try:
        return bool(read(damaged) != read(original))
    except ProtocolError:
        return True
