"""What the PBX says, after a step or by itself, noted on the user's line."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta

from bluetel.telephony.types import Forward, Forwards
from bluetel.work import due
from forwarding import dnd_box, ledger
from forwarding.echoes import Setting
from forwarding.models import Line, PbxWrite
from forwarding.situation import Known, forward_of, held_forward, kept, own_of, setting_of
from forwarding.steps import DO_NOT_DISTURB, EDGE, NOT_KEPT, UNCONDITIONAL, Outcome, Read, Write

RETRY_FIRST, RETRY_MOST = timedelta(seconds=1), timedelta(seconds=30)


def take_outcome(known: Known, outcome: Outcome, *, now: datetime) -> Outcome:
    """Note what the PBX holds after a step; a write that it took and didn't keep has failed.

    A read alone ends no failure: :func:`begin` does where nothing is left to be written.
    """
    line, step = known.line, outcome.step
    if isinstance(step, Read):
        if isinstance(outcome.held, Forwards):
            ledger.take_all(known, outcome.held, now=now, origin="pbx")
        if outcome.voicemail is not None:
            line.voicemail = outcome.voicemail
        return outcome
    if isinstance(outcome.held, Forward | bool):
        is_as_before = outcome.held == _held_before(line, step.what)
        is_users = step.what in line.wanted and outcome.held == step.value
        origin = "bluetel" if is_users else "pbx"
        take_setting(known, step.what, outcome.held, now=now, origin=origin)
        if is_users and setting_of(line.wanted[step.what]) == step.value:
            line.wanted = {k: v for k, v in line.wanted.items() if k != step.what}
        if is_as_before and outcome.held != step.value:
            return replace(outcome, error=NOT_KEPT)
    line.failing_since, line.tries = None, 0
    return outcome


def _held_before(line: Line, what: str) -> Setting | None:
    """One setting on the PBX as far as the row knows; None when it was never read."""
    if what == UNCONDITIONAL:
        return held_forward(line)
    return setting_of(line.own[what]) if line.own else None


def fail(known: Known, outcome: Outcome, *, now: datetime) -> None:
    """Note that a step failed, and when it is tried again."""
    line, step = known.line, outcome.step
    line.failing_since = line.failing_since or now
    line.tries += 1
    if line.wanted:
        line.wanted = {}  # whoever asked is told at once, and may ask again
    if isinstance(step, Write):
        PbxWrite.objects.filter(pk=step.entry).update(
            outcome=PbxWrite.Outcome.FAILED, error=outcome.error[:200]
        )
    due.put(EDGE, [(str(known.user.pk), now + back_off(line.tries))])


def back_off(tries: int) -> timedelta:
    """How long to wait after that many failed tries: doubled each time, and spread."""
    doubled: int = 2 ** min(tries - 1, 16)
    return min(RETRY_FIRST * doubled, RETRY_MOST) * random.uniform(0.75, 1.25)  # noqa: S311 — spreads load


def take_setting(known: Known, what: str, value: Setting, *, now: datetime, origin: str) -> None:
    """Note one setting that the PBX has; ``origin`` is who set it, ``pbx`` or ``bluetel``."""
    if dnd_is_ours(known):
        _take_beside_dnd(known, what, value, now=now, origin=origin)
    elif what == UNCONDITIONAL and isinstance(value, Forward):
        ledger.take_unconditional(known, value, now=now, origin=origin)
    else:
        plain = kept(value) if isinstance(value, Forward) else value
        ledger.take_other(known.line, what, plain, now=now, origin=origin)


def _take_beside_dnd(
    known: Known, what: str, value: Setting, *, now: datetime, origin: str
) -> None:
    """The same while do-not-disturb is ours, or about to be."""
    line = known.line
    intended = forward_of(line.intended)
    if what == DO_NOT_DISTURB and value:
        ledger.take_unconditional(known, dnd_box.TO_BOX, now=now, origin=origin)
    elif what == DO_NOT_DISTURB:
        # Off: we took it off ourselves, or the user did and wants his calls.
        own = replace(own_of(line).forward, enabled=False)
        landed = intended if intended not in {None, dnd_box.TO_BOX} else None
        ledger.take_unconditional(known, landed or own, now=now, origin=origin)
    elif (
        what == UNCONDITIONAL
        and isinstance(value, Forward)
        and value
        not in {
            dnd_box.TO_BOX,
            intended,
        }
    ):
        # A forward set under do-not-disturb is the user's own, for afterwards.
        ledger.take_own_forward(line, value, now=now, origin=origin)
    elif what == UNCONDITIONAL and isinstance(value, Forward):
        ledger.take_unconditional(known, value, now=now, origin=origin)
    else:
        plain = kept(value) if isinstance(value, Forward) else value
        ledger.take_other(line, what, plain, now=now, origin=origin)


def dnd_is_ours(known: Known) -> bool:
    """Whether do-not-disturb on the PBX stands for our route to voicemail."""
    return dnd_box.TO_BOX in {forward_of(known.line.applied), forward_of(known.line.intended)}
