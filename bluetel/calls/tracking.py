"""Rows that follow the PBX: what its events and snapshots say becomes what users see.

The PBX is right: nothing here guesses a state. A call that has ended stays ended, whatever comes
late; a call nobody asked BlueTel for gets a row of its own, so that calls dialled on the handset
and calls coming in show as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q

from bluetel.accounts.models import User
from bluetel.calls.callers import caller_of
from bluetel.calls.messages import CallRecord, record_of
from bluetel.calls.models import Call
from bluetel.calls.rules import end_reason, number_of_caller
from bluetel.rows import update
from bluetel.telephony import numbers, types
from bluetel.telephony.text import safe_text

if TYPE_CHECKING:
    from bluetel.accounts.models import Pbx

COPIED = (
    "conversation", "pbx_call_id", "uncertain", "direction", "muted", "started_at", "answered_at",
    "number", "name", "dialed", "state", "ended_at", "end_reason",
)  # fmt: skip
"""What :func:`_copy` may change in a row."""

READABLE_AFTER_END = timedelta(hours=25)
UNCERTAIN_FOR = timedelta(seconds=60)


def adopt(call: Call, seen: types.Call, *, now: datetime) -> None:
    """Tie a requested row to the PBX's call, unless the engine was quicker.

    Raises ``IntegrityError`` when another row of the user already has that call.
    """
    _copy(call, seen, now=now)
    if not update(call, COPIED, where="conversation = ''"):
        call.refresh_from_db()


def apply_pbx_calls(
    pbx: Pbx, seen: Sequence[types.Call], *, now: datetime
) -> list[tuple[int, CallRecord]]:
    """Bring the rows up to what a PBX said; gives (user id, record) of each row that changed."""
    with transaction.atomic():
        changed = _apply(pbx, seen, now=now)
    return [(call.user_id, record_of(call)) for call in changed]


def apply_pbx_snapshot(
    pbx: Pbx, seen: Sequence[types.Call], *, known: Collection[str], now: datetime
) -> list[tuple[int, CallRecord]]:
    """The same for all calls of a PBX: of those in ``known``, what ``seen`` lacks has ended.

    ``known`` are the conversations that rows had as live before the PBX was asked
    (:func:`live_conversations`). A call that a user placed while the PBX was answering may be
    missing in the answer and goes on all the same; no clock is needed to tell it from those that
    ended while nobody listened.
    """
    with transaction.atomic():
        changed = _apply(pbx, seen, now=now)
        missing = set(known) - {call.conversation for call in seen}
        changed += _end_missing(pbx, missing, now=now)
    return [(call.user_id, record_of(call)) for call in changed]


def live_conversations(pbx: Pbx) -> frozenset[str]:
    """The conversations of a PBX that go on by the rows."""
    live = Call.objects.filter(pbx=pbx).exclude(state=Call.State.ENDED).exclude(conversation="")
    return frozenset(live.values_list("conversation", flat=True))


def sweep(*, now: datetime) -> list[tuple[int, CallRecord]]:
    """End what the PBX never answered and forget old rows; gives the rows that ended."""
    stale = Call.objects.filter(
        state=Call.State.REQUESTED, conversation="", created_at__lt=now - UNCERTAIN_FOR
    )
    ended = []
    for call in stale:
        call.state, call.ended_at, call.end_reason = Call.State.ENDED, now, "failed"
        call.uncertain = False
        call.save()
        ended.append((call.user_id, record_of(call)))
    Call.objects.filter(state=Call.State.ENDED, created_at__lt=now - READABLE_AFTER_END).delete()
    return ended


def _apply(pbx: Pbx, seen: Sequence[types.Call], *, now: datetime) -> list[Call]:
    users = {
        user.pbx_user_id: user
        for user in User.objects.filter(pbx=pbx, pbx_user_id__in={call.user for call in seen})
    }
    mine = [call for call in seen if call.user in users]
    if not mine:
        return []
    rows = _rows_for(users.values(), mine)
    colleagues = _colleagues(pbx, mine)
    changed: dict[int, Call] = {}
    for call in mine:
        user = users[call.user]
        row = _row_of(rows, user, call)
        if row is None:
            if call.state is types.CallState.ENDED:
                continue
            row = Call(user=user, pbx=pbx, created_at=now)
            rows.append(row)
        if row.state == Call.State.ENDED:
            continue
        before = record_of(row) if row.pk else None
        known_by = row.number
        _copy(row, call, now=now)
        # While one asks a third person first, Wazo shows one's own number as the other side's.
        colleague = colleagues.get(row.number)
        if colleague is not None and colleague != user and not row.contact_id:
            row.name, row.contact_id = colleague.display_name, f"user-{colleague.pk}"
        elif colleague is None and row.number != known_by:
            caller = caller_of(user, row.number)
            if caller is not None:
                row.name, row.contact_id = caller.name, caller.contact_id
        row.save()
        if record_of(row) != before:
            changed[row.pk] = row
    return list(changed.values())


def _rows_for(users: Iterable[User], seen: Sequence[types.Call]) -> list[Call]:
    return list(
        Call.objects.select_for_update()
        .filter(user__in=users)
        .filter(
            Q(conversation__in={call.conversation for call in seen})
            | Q(conversation="", state=Call.State.REQUESTED)
        )
    )


def _row_of(rows: Sequence[Call], user: User, call: types.Call) -> Call | None:
    """The row a call of the PBX belongs to, ended or not; None where it is a new one.

    A conversation may come back to who had left it, by a transfer: his new leg is a new call,
    while what comes late of the old one still finds its row. A call that goes on keeps its row
    when another of the user's lines takes it.
    """
    same = [
        row
        for row in rows
        if row.user_id == user.pk and row.conversation and row.conversation == call.conversation
    ]
    for row in same:
        if row.pbx_call_id == call.id:
            return row
    for row in same:
        if row.is_live or call.state is types.CallState.ENDED:
            return row
    if call.direction is not types.Direction.OUTGOING:
        return None
    # The event may overtake the answer to our own request: it is the call we are placing.
    for row in rows:
        if row.user_id == user.pk and not row.conversation and row.dialed == call.number:
            return row
    return None


def _colleagues(pbx: Pbx, seen: Sequence[types.Call]) -> dict[str, User]:
    found = User.objects.filter(
        pbx=pbx, extension__in={call.number for call in seen if call.number}
    )
    return {user.extension: user for user in found}


def _copy(row: Call, seen: types.Call, *, now: datetime) -> None:
    row.conversation, row.pbx_call_id = seen.conversation, seen.id
    row.uncertain = False
    row.direction = Call.Direction(seen.direction.value)
    row.muted = seen.muted
    row.started_at = row.started_at or seen.started_at or now
    row.answered_at = row.answered_at or seen.answered_at
    if not row.number:
        is_incoming = row.direction == Call.Direction.INCOMING
        number = safe_text(seen.number, limit=64)
        row.number = number_of_caller(number) if is_incoming else number
    if not row.name:
        row.name = safe_text(seen.name, limit=200) if seen.name != seen.number else ""
    if row.direction == Call.Direction.OUTGOING and not row.dialed:
        row.dialed = numbers.keypad_only(seen.number)
    if seen.state is types.CallState.ENDED:
        row.state = Call.State.ENDED
        row.ended_at = seen.ended_at or now
        row.end_reason = end_reason(
            reached=seen.reached,
            cause=seen.cause,
            cancelled_by_user=row.cancelled,
            direction=seen.direction,
        )
    else:
        row.state = Call.State(seen.state.value)


def _end_missing(pbx: Pbx, conversations: set[str], *, now: datetime) -> list[Call]:
    gone = (
        Call.objects.select_for_update()
        .filter(pbx=pbx, conversation__in=conversations)
        .exclude(state=Call.State.ENDED)
    )
    ended = []
    for row in gone:
        row.end_reason = end_reason(
            reached=types.CallState(row.state),
            cause=None,
            cancelled_by_user=row.cancelled,
            direction=types.Direction(row.direction),
        )
        row.state, row.ended_at = Call.State.ENDED, now
        row.save()
        ended.append(row)
    return ended
