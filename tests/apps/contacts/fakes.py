"""A PBX that has a directory and nothing else, and threads that run when they are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any

from bluetel.telephony.ports import PbxConfig
from bluetel.telephony.types import Capability, DirectoryEntry, PbxUserId


@dataclass
class DirectoryPbx:
    """Answers each search with ``entries``, or raises ``error``; notes what it was asked, and does
    something meanwhile."""

    entries: Sequence[DirectoryEntry] = ()
    error: Exception | None = None
    capabilities: frozenset[Capability] = frozenset({Capability.DIRECTORY})
    uses_own_logins: bool = False
    asked: list[tuple[PbxUserId, str]] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    def search(self, user: PbxUserId, term: str, *, timeout: float) -> Sequence[DirectoryEntry]:
        assert 0 < timeout <= 1
        self.asked.append((user, term))
        self.meanwhile()
        if self.error is not None:
            raise self.error
        return self.entries

    def capabilities_of(self, user: PbxUserId) -> frozenset[Capability]:
        """The same for everybody."""
        return self.capabilities

    def close(self) -> None:
        """Nothing is open."""


PBXS: dict[str, DirectoryPbx] = {}


def backend(config: PbxConfig) -> DirectoryPbx:
    """The fake of that name: the dotted path the settings give for the test's kind of PBX."""
    return PBXS[config.name]


class ByHand(Executor):
    """Runs nothing until :meth:`run`."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def work() -> None:
            try:
                result = fn(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 — what an executor does with any error
                future.set_exception(error)
            else:
                future.set_result(result)

        self.waiting.append(work)
        return future

    def run(self) -> None:
        """Do all that waits, in order."""
        waiting, self.waiting = self.waiting, []
        for work in waiting:
            work()


@dataclass
class Clock:
    """A monotonic clock that a test moves."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now
