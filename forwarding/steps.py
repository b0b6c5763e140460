"""What there is to do at a PBX for one user, and how it went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bluetel.telephony.types import ForwardKind, Forwards, PbxUserId
from forwarding.echoes import Setting

if TYPE_CHECKING:
    from bluetel.accounts.models import Pbx
    from forwarding.situation import Known

EDGE = "route"
READ_EDGE = "route-read"
UNCONDITIONAL = ForwardKind.UNCONDITIONAL.value
DO_NOT_DISTURB = "do_not_disturb"
NOT_KEPT = "NotKept"
"""The error of a write that the PBX accepted and that changed nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Read a user's forwards, and the way to his voicemail box where a rule leads there."""

    user_id: int
    pbx: Pbx
    pbx_user: PbxUserId
    wants_voicemail: bool = False
    dnd_is_ours: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Write one of a user's settings: ``what`` is a forward's kind, or ``do_not_disturb``."""

    user_id: int
    pbx: Pbx
    pbx_user: PbxUserId
    what: str
    value: Setting
    entry: int = 0
    dnd_is_ours: bool = False


Step = Read | Write


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a step went: what the PBX holds after it, or the name of the error.

    ``held`` is everything after a read, the one value after a write that was read back.
    ``voicemail`` is the way to the box, empty without one, None where nobody asked.
    """

    step: Step
    held: Forwards | Setting | None = None
    voicemail: str | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The next step of each user who needs one.

    ``decided`` are all of whom it is known what holds, ``again`` those to begin anew for, and
    ``failed`` the outcomes that were no success.
    """

    steps: Sequence[Step] = field(default_factory=list)
    decided: Sequence[Known] = field(default_factory=list)
    again: Sequence[int] = field(default_factory=list)
    failed: Sequence[Outcome] = field(default_factory=list)
