"""Questions to places far away: asked in the background, their answers kept a while.

A question is asked once: who asks meanwhile reads ``SEARCHING``, who asks while the answer is kept
gets that, in any process that shares the store. Too long without an answer is a failure, and a
failure is kept some seconds so that each key typed doesn't wait for a dead server.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any, Final, Generic, Protocol, TypeVar

from django.core.cache import cache
from redis.exceptions import RedisError

from contacts.sources import State

logger = logging.getLogger(__name__)

KEPT: Final = 60
FAILURE_KEPT: Final = 5
MAX_WAITING: Final = 64

T = TypeVar("T")

Kept = tuple[State, Sequence[T]]


class Store(Protocol):
    """Where answers are kept."""

    def get(self, key: str) -> Kept[Any] | None:
        """What is kept of a question."""

    def set(self, key: str, kept: Kept[Any], seconds: int) -> None:
        """Keep an answer so long."""


class Memory:
    """A store of one process, for few questions; ``clock`` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kept: dict[str, tuple[float, Kept[Any]]] = {}

    def get(self, key: str) -> Kept[Any] | None:
        """What is kept of a question."""
        until, kept = self._kept.get(key, (0.0, None))
        return kept if until > self._clock() else None

    def set(self, key: str, kept: Kept[Any], seconds: int) -> None:
        """Keep an answer so long."""
        self._kept[key] = self._clock() + seconds, kept


class _Cache:
    """Django's cache. Without it, the place is asked again, and says so itself if it is slow."""

    def get(self, key: str) -> Kept[Any] | None:
        try:
            kept: Kept[Any] | None = cache.get(key)
        except RedisError:
            return None
        return kept

    def set(self, key: str, kept: Kept[Any], seconds: int) -> None:
        try:
            cache.set(key, kept, seconds)
        except RedisError:
            logger.debug("the cache doesn't answer", exc_info=True)


class Asker(Generic[T]):
    """What one kind of place has been asked; one object serves a whole process.

    ``clock`` is monotonic, in seconds; ``executor`` runs the questions and bounds how many run.
    After ``deadline`` seconds a question counts as failed, although its answer is still taken. It
    is kept for ``seconds`` in ``store``, which other processes may share.
    """

    def __init__(
        self,
        *,
        deadline: float,
        clock: Callable[[], float],
        executor: Executor,
        store: Store | None = None,
        seconds: int = KEPT,
        failure_seconds: int = FAILURE_KEPT,
    ) -> None:
        self._failure_seconds = failure_seconds
        self._store = store or _Cache()
        self._seconds = seconds
        self._deadline = deadline
        self._clock = clock
        self._executor = executor
        self._lock = threading.Lock()
        self._asked_at: dict[str, float] = {}

    def answer(
        self,
        key: str,
        ask: Callable[[], Sequence[T]],
        *,
        told: Callable[[BaseException | None], None],
    ) -> Kept[T]:
        """What is known by now of the question ``key``, which ``ask`` answers.

        ``told`` hears how it ended, in the executor's thread.
        """
        kept = self.kept(key)
        return kept if kept is not None else (self.ask(key, ask, told=told), ())

    def kept(self, key: str) -> Kept[T] | None:
        """The answer to the question ``key``, or its failure, as long as it is kept."""
        return self._store.get(key)

    def ask(
        self,
        key: str,
        ask: Callable[[], Sequence[T]],
        *,
        told: Callable[[BaseException | None], None],
    ) -> State:
        """Have the question asked, once, of which nothing is kept; how far it is."""
        with self._lock:
            since = self._asked_at.get(key)
            if since is not None:
                late = self._clock() - since > self._deadline
                return State.FAILED if late else State.SEARCHING
            if len(self._asked_at) >= MAX_WAITING:
                return State.SEARCHING
            asked_at = self._asked_at[key] = self._clock()
        future = self._executor.submit(self._asked, ask, asked_at)
        future.add_done_callback(partial(self._keep, key, told))
        return State.SEARCHING

    def _asked(self, ask: Callable[[], Sequence[T]], asked_at: float) -> Sequence[T]:
        """Ask, unless it was so long till its turn that nobody waits for it any more."""
        if self._clock() - asked_at > self._deadline:
            raise _TooLate
        return ask()

    def _keep(
        self,
        key: str,
        told: Callable[[BaseException | None], None],
        future: Future[Sequence[T]],
    ) -> None:
        error = future.exception()
        if error is None:
            self._store.set(key, (State.OK, future.result()), self._seconds)
        elif not isinstance(error, _TooLate):
            self._store.set(key, (State.FAILED, ()), self._failure_seconds)
        with self._lock:
            self._asked_at.pop(key, None)
        if not isinstance(error, _TooLate):
            told(error)


class _TooLate(Exception):
    """The question was not asked."""


def key_of(place: str, text: str) -> str:
    """A key of one question; the question itself stays out of the cache server's logs."""
    digest = hashlib.sha256(text.casefold().encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{place}:{digest}"
