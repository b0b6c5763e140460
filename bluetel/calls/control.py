"""Steering live calls: hang up, answer, hold, mute, tones, transfers.

What the PBX confirms is not written here but by :mod:`bluetel.calls.tracking` when its event
comes, hanging up excepted: the PBX's yes to that is the end of the call.
"""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from bluetel.accounts.pbx import backend_for
from bluetel.calls.errors import CallOver, NotPossible, NoTransfer, PbxDown
from bluetel.calls.models import Call
from bluetel.calls.numbering import no_such_extension, target_for
from bluetel.calls.rules import end_reason
from bluetel.telephony import errors, types

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bluetel.telephony.ports import Backend

logger = logging.getLogger(__name__)


def hang_up(call: Call, *, now: datetime) -> Call:
    """End the call or cancel it; ending an ended call is no error."""
    if not call.is_live:
        return call
    Call.objects.filter(pk=call.pk).update(cancelled=True)
    if call.pbx_call_id:
        with _pbx_words(call) as (backend, user, leg):
            try:
                backend.hang_up(user, leg)
            except errors.NotFound:
                logger.debug("call %s had ended already", call.pk)
    with transaction.atomic():
        fresh = Call.objects.select_for_update().get(pk=call.pk)
        if fresh.is_live:
            fresh.end_reason = _reason_of_hang_up(fresh)
            fresh.state, fresh.ended_at = Call.State.ENDED, now
            fresh.save()
    return fresh


def answer(call: Call) -> None:
    """Pick up the user's phone from afar."""
    with _pbx_words(call) as (backend, user, leg):
        backend.answer(user, leg)


def hold(call: Call, *, held: bool) -> None:
    """Put the call on hold, or take it back."""
    with _pbx_words(call) as (backend, user, leg):
        backend.hold(user, leg, held=held)


def mute(call: Call, *, muted: bool) -> Call:
    """Silence the user's microphone, or give it back; Wazo sends no event of its own for this."""
    with _pbx_words(call) as (backend, user, leg):
        backend.mute(user, leg, muted=muted)
    Call.objects.filter(pk=call.pk).update(muted=muted)
    call.muted = muted
    return call


def are_tones(digits: str) -> bool:
    """Whether these can be sent: 1 to 40 of the digits, * and #."""
    return re.fullmatch(r"[0-9*#]{1,40}", digits) is not None


def send_dtmf(call: Call, digits: str) -> None:
    """Send tones; ask :func:`are_tones` first."""
    with _pbx_words(call) as (backend, user, leg):
        backend.send_dtmf(user, leg, digits)


def transfer(call: Call, text: str, *, kind: types.TransferKind) -> None:
    """Pass the call on to ``text``, which the dial policy judges like any other number."""
    target = target_for(call.user, call.pbx, text)
    with _pbx_words(call) as (backend, user, leg):
        try:
            backend.transfer(user, leg, target.dialed, kind=kind)
        except errors.Rejected as error:
            if error.reason is errors.RejectReason.CONFLICT:
                raise NotPossible from error  # nobody talks yet, so nobody can be passed on
            raise no_such_extension(target.shown) from error


def complete_transfer(call: Call) -> None:
    """Join the other two; ``NoTransfer`` where none has begun."""
    with _pbx_words(call) as (backend, user, leg), _a_transfer_is_on():
        backend.complete_transfer(user, leg)


def cancel_transfer(call: Call) -> None:
    """Take the first caller back; ``NoTransfer`` where none has begun."""
    with _pbx_words(call) as (backend, user, leg), _a_transfer_is_on():
        backend.cancel_transfer(user, leg)


@contextmanager
def _a_transfer_is_on() -> Iterator[None]:
    """What the PBX does not find is the transfer, not the call."""
    try:
        yield
    except errors.NotFound as error:
        raise NoTransfer from error


@contextmanager
def _pbx_words(call: Call) -> Iterator[tuple[Backend, types.PbxUserId, types.CallId]]:
    """The PBX's names for this call, and its errors in the user's words."""
    if not call.is_live or not call.pbx_call_id:
        raise CallOver
    try:
        yield (
            backend_for(call.pbx),
            types.PbxUserId(call.user.pbx_user_id),
            types.CallId(call.pbx_call_id),
        )
    except (errors.NotSupported, errors.Rejected) as error:
        raise NotPossible from error
    except errors.NotFound as error:
        raise CallOver from error
    except errors.TelephonyError as error:
        logger.warning("PBX %s: steering call %s failed: %s", call.pbx.name, call.pk, error)
        raise PbxDown from error


def _reason_of_hang_up(call: Call) -> str:
    reached = (
        types.CallState.RINGING_SELF
        if call.state == Call.State.REQUESTED
        else types.CallState(call.state)
    )
    return end_reason(
        reached=reached,
        cause=16,
        cancelled_by_user=True,
        direction=types.Direction(call.direction),
    )
