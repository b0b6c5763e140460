"""The steps at the PBX itself: blocking, without a transaction, from any thread."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from bluetel.accounts.pbx import backend_for
from bluetel.telephony.errors import TelephonyError
from bluetel.telephony.types import Forward, ForwardKind, Forwards
from forwarding import dnd_box
from forwarding.echoes import Setting
from forwarding.planning import begin, conclude
from forwarding.steps import DO_NOT_DISTURB, Outcome, Read, Step, Write

if TYPE_CHECKING:
    from bluetel.accounts.models import Pbx
    from bluetel.telephony.types import PbxUserId
    from bluetel.work.leases import Held

MOST_ROUNDS = 12
USERS_AT_ONCE = 20


def perform(step: Step) -> Outcome:
    """Do one step; an error of the PBX's becomes its outcome.

    What a write left behind is not read here: the PBX's own event tells, or :func:`read_back`.
    """
    try:
        backend = backend_for(step.pbx)
        if isinstance(step, Read):
            told = backend.forwards(step.pbx_user)
            forwards = dnd_box.as_held(told, is_ours=step.dnd_is_ours)
            voicemail = None
            if step.wants_voicemail:
                voicemail = way_to_box(step.pbx, step.pbx_user)
            return Outcome(step=step, held=forwards, voicemail=voicemail)
        for what, value in settings_of(step):
            if isinstance(value, Forward):
                backend.set_forward(step.pbx_user, ForwardKind(what), value)
            else:
                backend.set_do_not_disturb(step.pbx_user, enabled=value)
    except TelephonyError as error:
        return Outcome(step=step, error=type(error).__name__)
    return Outcome(step=step)


def settings_of(step: Write) -> list[tuple[str, Setting]]:
    """What a step sets at the PBX, in order; the PBX's events speak of each."""
    if step.value == dnd_box.TO_BOX:
        return [(DO_NOT_DISTURB, True)]
    if step.dnd_is_ours and step.what == ForwardKind.UNCONDITIONAL:
        return [(DO_NOT_DISTURB, False), (step.what, step.value)]
    return [(step.what, step.value)]


def read_back(step: Write) -> Outcome:
    """Ask the PBX what it holds after a write."""
    try:
        told = backend_for(step.pbx).forwards(step.pbx_user)
    except TelephonyError as error:
        return Outcome(step=step, error=type(error).__name__)
    is_ours = step.dnd_is_ours or step.value == dnd_box.TO_BOX
    return Outcome(step=step, held=value_in(dnd_box.as_held(told, is_ours=is_ours), step.what))


def way_to_box(pbx: Pbx, user: PbxUserId) -> str:
    """What leads a user's calls to his voicemail box on this PBX, empty without a box."""
    if pbx.voicemail_by_dnd:
        return dnd_box.MARK
    return backend_for(pbx).voicemail_destination(user) or ""


def value_in(forwards: Forwards, what: str) -> Setting:
    """One of the settings a person has."""
    if what == DO_NOT_DISTURB:
        return forwards.do_not_disturb
    return forwards.by_kind[ForwardKind(what)]


def settle(held: Held, user_ids: Iterable[int], *, clock: Callable[[], datetime]) -> list[int]:
    """Do all that these users need, one step after the other, in this thread.

    The engine does the same with many at once. Nobody listens to the PBXs meanwhile, so everybody
    is read first. ``clock`` is looked at after each word with a PBX, which may take seconds: one
    that renews the lease keeps it, however many users there are. Gives the users of whom a step
    failed.
    """
    failed: list[int] = []
    everybody = list(user_ids)
    for start in range(0, len(everybody), USERS_AT_ONCE):
        failed += _settle(held, everybody[start : start + USERS_AT_ONCE], clock)
    return failed


def _settle(held: Held, user_ids: Sequence[int], clock: Callable[[], datetime]) -> list[int]:
    waiting = list(user_ids)
    must_read = frozenset(waiting)
    failed: list[int] = []
    steps: list[Step] = []
    for _round in range(MOST_ROUNDS):
        if waiting:
            plan = begin(held, waiting, now=clock(), must_read=must_read, at_edge=_round == 0)
            steps += plan.steps
            must_read = frozenset()
        if not steps:
            break
        outcomes = []
        for step in steps:
            outcome = perform(step)
            clock()
            if isinstance(step, Write) and not outcome.error:
                outcome = read_back(step)
                clock()
            outcomes.append(outcome)
        plan = conclude(held, outcomes, now=clock())
        steps, waiting = list(plan.steps), list(plan.again)
        failed += [outcome.step.user_id for outcome in plan.failed]
    return failed
