"""Servers by name, and several of them at once."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator
from typing import TypeAlias

from tests.servers.base import Server, started

ServerOf: TypeAlias = Callable[[str], Server]


def server_class(name: str) -> type[Server]:
    """The kind of server that the module of this name describes."""
    kind: type[Server] = importlib.import_module(f"tests.servers.{name}").SERVER
    return kind


@contextlib.contextmanager
def running(*names: str) -> Iterator[dict[str, Server]]:
    """All the named servers, started in this order and stopped in the other."""
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(started(server_class(name))) for name in names}
