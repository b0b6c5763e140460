"""Reading the call log: the PBX's rows, with the names and reasons that BlueTel knows."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING

from bluetel.accounts.asking import PATIENCE, ask
from bluetel.accounts.pbx import backend_for
from bluetel.calls.diversions import diversions_at
from bluetel.calls.errors import NotPossible, PbxDown
from bluetel.calls.rules import number_of_caller
from bluetel.telephony import errors
from bluetel.telephony.types import Direction, PbxUserId
from contacts import callers, colleagues
from dialer.messages import LoggedCallRecord, is_missed, iso, record_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bluetel.accounts.models import User
    from bluetel.telephony.types import LoggedCall

logger = logging.getLogger(__name__)

SEARCHED_AT_ONCE = 200
SEARCHES = 3
"""So often is the PBX asked for one page of missed calls: it can't tell them apart by itself."""


@dataclass(frozen=True, slots=True)
class CallLogPage:
    """Some rows, newest first; ``next`` is the ``before`` of the following page, if any."""

    calls: list[LoggedCallRecord]
    next: str | None


def call_log(
    user: User,
    *,
    limit: int,
    before: datetime | None = None,
    missed: bool = False,
    now: datetime,
    patience: float = PATIENCE,
) -> CallLogPage:
    """The user's finished calls, or only those he missed, that began before a time.

    Raises ``PbxDown``, also when a question takes the PBX longer than ``patience`` seconds, and
    ``NotPossible`` where it keeps no log. Who has no phone has no calls.
    """
    if user.pbx is None or not user.pbx_user_id:
        return CallLogPage([], None)
    found, rest = _rows(user, limit=limit, before=before, missed=missed, patience=patience)
    return CallLogPage(_records(user, found, now=now), iso(rest) if rest else None)


def _rows(
    user: User, *, limit: int, before: datetime | None, missed: bool, patience: float
) -> tuple[list[LoggedCall], datetime | None]:
    """Up to ``limit`` rows, and before when to go on reading."""
    found: list[LoggedCall] = []
    at_once = SEARCHED_AT_ONCE if missed else limit + 1
    for _ in range(SEARCHES if missed else 1):
        rows = _read(user, limit=at_once, before=before, patience=patience)
        for row in rows:
            # Rows of one moment stay together: the next page begins before that moment.
            if len(found) >= limit and row.started_at < found[-1].started_at:
                return found, found[-1].started_at.astimezone(UTC)
            if not missed or is_missed(row):
                found.append(row)
        if len(rows) < at_once:
            return found, None
        before = rows[-1].started_at.astimezone(UTC)
    return found, before


def _read(
    user: User, *, limit: int, before: datetime | None, patience: float
) -> Sequence[LoggedCall]:
    pbx = user.pbx
    assert pbx is not None  # noqa: S101 — asked for by the caller
    try:
        history = backend_for(pbx).history
        question = partial(history, PbxUserId(user.pbx_user_id), limit=limit, before=before)
        return ask(pbx, question, patience=patience)
    except errors.NotSupported as error:
        raise NotPossible from error
    except errors.NotFound:
        return []  # the PBX knows nobody by this id any more
    except errors.TelephonyError as error:
        logger.warning("PBX %s: the call log can't be read: %s", pbx.name, error)
        raise PbxDown from error


def _records(user: User, rows: Sequence[LoggedCall], *, now: datetime) -> list[LoggedCallRecord]:
    colleagues.keep_up(now=now)
    known = callers.callers_of(user, {row.number for row in rows if number_of_caller(row.number)})
    incoming = [row.started_at for row in rows if row.direction is Direction.INCOMING]
    diverted = diversions_at(user, incoming)
    return [
        record_of(
            row,
            caller=known.get(row.number),
            routing=diverted.get(row.started_at) if row.direction is Direction.INCOMING else None,
        )
        for row in rows
    ]
