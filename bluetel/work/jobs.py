"""The job port: work that must happen, soon but not to the second, and survives a crash.

A job is a module-level function with keyword arguments that JSON can carry::

    @job
    def send_mail(*, message_id: int) -> None: ...

    send_mail.enqueue(key=f"voicemail-mail:{message_id}", message_id=message_id)

The row is the truth, written in the caller's own transaction; who runs it is an adapter's affair
(``settings.JOB_ADAPTER``). A killed process's jobs run again, so a job must be *idempotent*. One
that raises is tried again, later each time, and after :data:`bluetel.work.queue.MOST_RUNS` runs
given up, for an administrator to look at.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Generic, ParamSpec, Protocol, cast

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from bluetel.work import queue

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

_P = ParamSpec("_P")


class Adapter(Protocol):
    """Brings waiting jobs to somebody who runs them.

    What it is told is a hint: an adapter also looks at the rows by itself.
    """

    def wake(self, job_id: int, *, due_at: datetime) -> None:
        """A job waits since just now; called after the commit, in any thread."""


class JobFunction(Generic[_P]):
    """A function that can run later; called directly it is just the function."""

    def __init__(self, function: Callable[_P, None]) -> None:
        self.function = function
        self.path = f"{function.__module__}.{function.__qualname__}"
        self.__doc__ = function.__doc__

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> None:
        """Do it now."""
        self.function(*args, **kwargs)

    def enqueue(self, *, key: str = "", delay: float = 0.0, **arguments: object) -> None:
        """Have it done ``delay`` seconds from now or soon after, once this transaction commits.

        While a job of the same ``key`` waits there is only that one, with the newest arguments and
        the earlier time; while one runs, the next of its key waits for its end.
        """
        due_at = timezone.now() + timedelta(seconds=delay)
        job_id = queue.put(self.path, arguments=arguments, key=key, due_at=due_at)
        transaction.on_commit(lambda: adapter().wake(job_id, due_at=due_at), robust=True)


def job(function: Callable[_P, None]) -> JobFunction[_P]:
    """Make a function one that can be enqueued."""
    return JobFunction(function)


def adapter() -> Adapter:
    """The adapter that the settings name: a module with ``wake``."""
    return cast("Adapter", import_string(settings.JOB_ADAPTER))
