"""Placing calls: once per intent, inside the rules, and true about what happened.

The order is always the same: read and judge the number, then one short transaction that finds an
earlier call of the same intent or writes the new row, then the PBX without any transaction, then
what the PBX said. Calls are steered in :mod:`bluetel.calls.control` and followed in
:mod:`bluetel.calls.tracking`.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from bluetel.accounts.models import User
from bluetel.accounts.pbx import backend_for
from bluetel.calls.errors import (
    KeyReused,
    NoLine,
    NoSuchPhone,
    PbxDown,
    PhoneUnreachable,
    TooManyCalls,
)
from bluetel.calls.models import Call, OtherKey
from bluetel.calls.numbering import Target, no_such_extension, target_for
from bluetel.calls.rules import retry_after
from bluetel.calls.signals import call_placed
from bluetel.calls.tracking import adopt
from bluetel.rows import Value, insert, moment, rows_of, stored
from bluetel.telephony import errors, types
from bluetel.telephony.text import safe_text
from bluetel.turns import let_others_work

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bluetel.accounts.models import Pbx

logger = logging.getLogger(__name__)

KEY_LIFETIME = timedelta(hours=24)
MINUTE = timedelta(minutes=1)
RINGING_FIRST = (Call.State.REQUESTED, Call.State.RINGING_SELF)
PLACING_TIMEOUT = 4.5
PLACED_AT_ONCE = 20

_places: dict[int, threading.BoundedSemaphore] = {}
_places_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Placed:
    """The call of this intent; ``is_new`` when this very request made it."""

    call: Call
    is_new: bool


def place_call(user: User, text: str, *, now: datetime, device: str = "", key: str = "") -> Placed:
    """Ring ``user``'s own phone, to call ``text`` when he picks up.

    The same ``key`` gives the same call for 24 hours; without one, a call to the same number that
    still rings the user's own phone is given again. Raises ``bluetel.calls.errors.CallError``.
    """
    pbx = user.pbx
    if pbx is None or not user.pbx_user_id:
        raise NoLine
    target = target_for(user, pbx, text)
    call, is_new = _claim_intent(user, pbx, target, device=device, key=key, now=now)
    if is_new or call.uncertain:
        _ring(user, pbx, call, target, now=now)
        call_placed.send_robust(Call, user_id=user.pk, dialed=target.dialed)
    return Placed(call, is_new)


def _claim_intent(
    user: User, pbx: Pbx, target: Target, *, device: str, key: str, now: datetime
) -> tuple[Call, bool]:
    """The row of this intent, and whether it was made here: one winner among equal requests."""
    with transaction.atomic():
        _lock(user)
        recent = _recent_calls(user, key, now=now)
        earlier = next((call for call in recent if key and call.key == key), None)
        if earlier is not None and earlier.created_at >= now - KEY_LIFETIME:
            if earlier.dialed != target.dialed:
                raise KeyReused
            return Call.objects.get(pk=earlier.pk), False
        if earlier is not None:
            _forget_key(user, key)
        for call in recent:
            if call.dialed == target.dialed and call.state in RINGING_FIRST:
                _remember_key(user, call, key)
                return Call.objects.get(pk=call.pk), False
        if not target.emergency:
            _check_rate(recent, now=now)
        new = Call(
            user=user,
            pbx=pbx,
            number=target.shown,
            dialed=target.dialed,
            name=target.name,
            contact_id=target.contact_id,
            device=safe_text(device, limit=64),
            created_at=now,
            idempotency_key=key,
        )
        insert(new)
        return new, True


def _remember_key(user: User, call: RecentCall, key: str) -> None:
    """Have ``key`` mean this call from now on, too."""
    if key and not call.key:
        Call.objects.filter(pk=call.pk).update(idempotency_key=key)
    elif key:
        OtherKey.objects.create(user=user, call_id=call.pk, key=key)


def _forget_key(user: User, key: str) -> None:
    """A day has passed: ``key`` may be given to another call."""
    Call.objects.filter(user=user, idempotency_key=key).update(idempotency_key="")
    OtherKey.objects.filter(user=user, key=key).delete()


def _lock(user: User) -> None:
    """Have two tabs, or a double click, come one after the other.

    The user's row is the lock; SQLite has none for rows, and its transactions begin by locking all.
    """
    if connection.features.has_select_for_update:
        User.objects.select_for_update().only("pk").get(pk=user.pk)


_BY_OTHER_KEY = "id IN (SELECT call_id FROM calls_otherkey WHERE user_id = %s AND key = %s)"
_RECENT = f"""
SELECT id, created_at, dialed, state, CASE WHEN {_BY_OTHER_KEY} THEN %s ELSE idempotency_key END
 FROM calls_call WHERE user_id = %s AND direction = 'outgoing'
 AND (created_at > %s OR state IN (%s, %s) OR (idempotency_key = %s AND idempotency_key <> '')
 OR {_BY_OTHER_KEY})
"""  # noqa: S608 — no value of anybody's


class RecentCall(NamedTuple):
    """What the rules need of an earlier call; ``key`` is the one asked for, if it means this."""

    pk: int
    created_at: datetime
    dialed: str
    state: str
    key: str


def _recent_calls(user: User, key: str, *, now: datetime) -> list[RecentCall]:
    """The user's outgoing calls that decide about one more: one query for all the rules."""
    by_key = (user.pk, key)
    rules: list[Value] = [user.pk, stored(now - MINUTE), *RINGING_FIRST, key]
    rows = rows_of(_RECENT, [*by_key, key, *rules, *by_key])
    return [RecentCall(pk, moment(created_at), *rest) for pk, created_at, *rest in rows]


def _check_rate(recent: list[RecentCall], *, now: datetime) -> None:
    times = [call.created_at for call in recent if call.created_at > now - MINUTE]
    wait = retry_after(times, now=now, per_minute=settings.CALLS_PER_MINUTE)
    if wait is not None:
        raise TooManyCalls(retry_after=max(1, int(wait.total_seconds() + 0.999)))


def _ring(user: User, pbx: Pbx, call: Call, target: Target, *, now: datetime) -> None:
    """Have the PBX ring the user's phone, and write down what it said."""
    try:
        with _place(pbx, emergency=target.emergency):
            placed = _place_on_pbx(pbx, call, types.PbxUserId(user.pbx_user_id))
    except errors.PbxUnavailable as error:
        if not error.maybe_done:
            call.delete()
            raise PbxDown(retry_after=_whole(error.retry_after)) from error
        # The PBX may ring the phone yet: keep the row, so that the call finds it when it shows up
        # and a second try looks before it dials.
        Call.objects.filter(pk=call.pk).update(uncertain=True)
        raise PbxDown(retry_after=1, maybe_done=True) from error
    except errors.Rejected as error:
        call.delete()
        _raise_rejection(error, target, device=call.device)
    except errors.TelephonyError as error:
        call.delete()
        logger.error("PBX %s: placing a call failed: %s", pbx.name, error)  # noqa: TRY400 — the tree's texts say it all
        raise PbxDown from error
    try:
        adopt(call, placed, now=now)
    except IntegrityError:
        # The engine saw the call first and could not tell whose it was: its row gives way.
        Call.objects.filter(
            user=user, conversation=placed.conversation, pbx_call_id=placed.id
        ).delete()
        adopt(call, placed, now=now)


def _raise_rejection(error: errors.Rejected, target: Target, *, device: str) -> NoReturn:
    match error.reason:
        case errors.RejectReason.PHONE_UNREACHABLE:
            raise PhoneUnreachable from error
        case errors.RejectReason.NO_LINE | errors.RejectReason.UNKNOWN_USER:
            raise (NoSuchPhone if device else NoLine) from error
        case _:
            raise no_such_extension(target.shown) from error


def _place_on_pbx(pbx: Pbx, call: Call, user: types.PbxUserId) -> types.Call:
    """Have the call placed; one whose placing was never answered is looked for first."""
    backend = backend_for(pbx)
    let_others_work()
    if call.uncertain:
        for live in backend.calls(user, timeout=PLACING_TIMEOUT / 2):
            if live.direction is types.Direction.OUTGOING and live.number == call.dialed:
                return live
    return backend.place_call(user, call.dialed, line=call.device, timeout=PLACING_TIMEOUT)


@contextmanager
def _place(pbx: Pbx, *, emergency: bool) -> Iterator[None]:
    """One of the places for calls being placed on a PBX; an emergency call needs none."""
    if emergency:
        yield
        return
    with _places_lock:
        places = _places.setdefault(pbx.pk, threading.BoundedSemaphore(PLACED_AT_ONCE))
    if not places.acquire(blocking=False):
        raise errors.PbxUnavailable("too many calls are being placed", retry_after=1)
    try:
        yield
    finally:
        places.release()


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else max(1, int(seconds + 0.999))
