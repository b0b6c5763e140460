"""Busy until he hangs up: a meeting has ended, and its owner is still on the telephone.

For who chose it. Calls go where they would anyway at the meeting's very end; only the status waits.
The claim is a short one, renewed while the call lasts: should nobody renew it, it ends by itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from presence.models import Claim
from presence.rules import ImSource, ImState

if TYPE_CHECKING:
    from forwarding.situation import Known

REF = "call"
"""What names the claim among those of the calendar."""

LOOKED_AT_EVERY = timedelta(seconds=2)
_LASTS = timedelta(seconds=60)
_RENEWED_WITH = timedelta(seconds=30)
_JUST = timedelta(seconds=5)
"""A meeting that ended earlier was over before the call."""


def claim_of_call(known: Known) -> Claim | None:
    """The claim that holds until he hangs up."""
    return next((claim for claim in known.calendar_claims if claim.ref == REF), None)


def follow_call(known: Known, *, now: datetime) -> tuple[list[Claim], list[Claim]]:
    """The claim to be made or renewed, and the one to end."""
    there = claim_of_call(known)
    is_chosen = known.automation.set_im_busy and known.automation.until_hang_up
    begun = _begun(known, there, now=now)
    if begun is None or not is_chosen or not known.is_in_call:
        return [], [there] if there else []
    if there is not None and there.ends is not None and there.ends - now > _RENEWED_WITH:
        return [], []
    claim = Claim(
        user_id=known.user.pk,
        axis=Claim.Axis.IM,
        source=ImSource.CALENDAR,
        value=ImState.BUSY,
        starts=begun,
        ends=now + _LASTS,
        ref=REF,
        created_at=now,
    )
    return [claim], []


def _begun(known: Known, there: Claim | None, *, now: datetime) -> datetime | None:
    """When the meeting began that is over now; None in a meeting, and without one."""
    if known.block(now) is not None:
        return None
    if there is not None:
        return there.starts
    ended = (block for block in known.situation.blocks if now - _JUST <= block.ends <= now)
    return next((block.starts for block in ended), None)
