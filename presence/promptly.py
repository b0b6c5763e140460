"""Beginning what may have to wait, without a task of the event loop unless it has to.

A server takes most frames at once. A task for each, or one for each socket that is woken for each,
costs as much as the frame.
"""

from __future__ import annotations

import types
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine, Generator

T = TypeVar("T")


def begin(work: Awaitable[T]) -> Coroutine[Any, Any, T] | None:
    """Do work up to where it has to wait; gives the rest, to be awaited, or None if it is done.

    Raises what the work does. It is not begun, but given whole, if it is no coroutine.
    """
    if not isinstance(work, types.CoroutineType):
        return _all(work)
    try:
        awaited = work.send(None)
    except StopIteration:
        return None
    return _rest(work, awaited)


async def _all(work: Awaitable[T]) -> T:
    return await work


@types.coroutine
def _rest(work: types.CoroutineType[Any, Any, T], awaited: Any) -> Generator[Any, Any, T]:
    """Go on with work that waits for ``awaited``, as ``await`` does from the start."""
    while True:
        try:
            answer = yield awaited
        except BaseException as error:  # noqa: BLE001 — a cancellation, too, is the work's to see
            resume = partial(work.throw, error)
        else:
            resume = partial(work.send, answer)
        try:
            awaited = resume()
        except StopIteration as end:
            value: T = end.value
            return value
