"""What a page asks for several times is read once: the same answer for the whole of a request.

Reading requests only: what a request changes, it must read anew. Elsewhere (the engine, jobs, the
live socket) nothing is remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")

_answers: ContextVar[dict[Hashable, object] | None] = ContextVar("answers", default=None)


@contextmanager
def remembering() -> Iterator[None]:
    """Within, functions marked with :func:`once` are carried out once for the same arguments."""
    token = _answers.set({})
    try:
        yield
    finally:
        _answers.reset(token)


def once(function: Callable[P, T]) -> Callable[P, T]:
    """Mark a function that reads; its arguments are hashable, and nobody changes its answer."""

    @wraps(function)
    def answer(*args: P.args, **kwargs: P.kwargs) -> T:
        answers = _answers.get()
        if answers is None:
            return function(*args, **kwargs)
        key = function, args, tuple(sorted(kwargs.items()))
        if key not in answers:
            answers[key] = function(*args, **kwargs)
        return cast("T", answers[key])

    return answer
