"""When books are compared with their servers, and what becomes of a comparison.

Each book is compared every quarter of an hour, at a moment of its own, and at once when its owner
has edited something or asks for it. A server that fails is asked less and less often.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import Q

from bluetel.accounts.encryption import UnreadableSecret
from bluetel.fetch.errors import FetchError
from contacts import sync_round
from contacts.carddav import AddressBook
from contacts.models import RemoteBook
from contacts.remote_accounts import credentials_of
from contacts.remote_errors import SECRET, code_of
from contacts.remote_store import StoredBook

if TYPE_CHECKING:
    from bluetel.fetch.door import Door

logger = logging.getLogger(__name__)

EVERY: Final = timedelta(minutes=15)
AT_MOST: Final = timedelta(hours=6)
ROUND: Final = timedelta(minutes=10)
"""After so long without a sign, whoever was at it is dead."""


def due_books(*, now: datetime, limit: int = 100) -> list[int]:
    """Books whose time has come, the longest waiting first."""
    is_due = Q(due_at__lte=now) | Q(is_touched=True)
    waiting = RemoteBook.objects.filter(_is_free(now), is_due).order_by("due_at")
    return list(waiting.values_list("pk", flat=True)[:limit])


def touch(book: int) -> None:
    """Have a book compared at the next occasion, if it is kept equal with a server's."""
    RemoteBook.objects.filter(pk=book).update(is_touched=True)


def compare(book: int, *, now: datetime, door: Door) -> sync_round.Report | None:
    """One round of one book; None when there is nothing to compare, or somebody is at it.

    What goes wrong is noted on the book, in the words of :mod:`contacts.remote_errors`.
    """
    mine = RemoteBook.objects.filter(_is_free(now), pk=book)
    if not mine.update(working_until=now + ROUND, is_touched=False):
        return None
    remote = RemoteBook.objects.select_related("book", "account").get(pk=book)
    report: sync_round.Report | None = None
    error = "failed"
    try:
        server = AddressBook(
            door,
            remote.url,
            credentials=credentials_of(remote.account),
            is_writable=remote.is_writable,
        )
        report = sync_round.run(
            StoredBook(remote, now=now), server, allow_mass_removal=remote.may_empty
        )
        error = ""
    except FetchError as problem:
        error = code_of(problem)
    except UnreadableSecret:
        error = SECRET
    finally:
        _note(remote, report, error=error, now=now)
    return report


def pause_after(book: int, failures: int) -> timedelta:
    """How long to wait after a round; a few seconds differ from book to book, to spread them."""
    times: int = 2 ** min(failures, 10)
    pause = min(EVERY * times, AT_MOST)
    return pause + timedelta(seconds=book * 7 % 60)


def _is_free(now: datetime) -> Q:
    return Q(working_until=None) | Q(working_until__lte=now)


def _note(
    remote: RemoteBook, report: sync_round.Report | None, *, error: str, now: datetime
) -> None:
    if error and not remote.error:
        logger.warning("%s is not kept equal: %s", remote, error)
    elif remote.error and not error:
        logger.info("%s is kept equal again", remote)
    failures = remote.failures + 1 if report is None else 0
    remote.working_until, remote.error, remote.failures = None, error, failures
    remote.due_at = now + pause_after(remote.pk, failures)
    changed = ["working_until", "error", "failures", "due_at"]
    if report is not None:
        remote.synced_at, remote.held, remote.refused = now, report.held, len(report.refused)
        remote.may_empty = False
        changed += ["synced_at", "held", "refused", "may_empty"]
    # By filter: the user may have left the book meanwhile.
    RemoteBook.objects.filter(pk=remote.pk).update(
        **{name: getattr(remote, name) for name in changed}
    )
