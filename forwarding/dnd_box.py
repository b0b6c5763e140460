"""PBXs on which do-not-disturb is the way to voicemail: an administrator's choice on their row.

There our route to voicemail is do-not-disturb. Everything that decides goes on to know one value
that is ours, the unconditional forward; :data:`TO_BOX` is the one that stands for do-not-disturb,
and is told to the PBX as that. A do-not-disturb that isn't ours is the user's own, as elsewhere.
Pure.
"""

from __future__ import annotations

from dataclasses import replace

from bluetel.telephony.types import Forward, ForwardKind, Forwards

MARK = "dnd"
"""The "number" of the box; no PBX dials it, and no user can enter it."""

TO_BOX = Forward(enabled=True, destination=MARK)


def as_held(forwards: Forwards, *, is_ours: bool) -> Forwards:
    """What a PBX holds, told in our one value where its do-not-disturb is ours."""
    if not (is_ours and forwards.do_not_disturb):
        return forwards
    by_kind = {**forwards.by_kind, ForwardKind.UNCONDITIONAL: TO_BOX}
    return replace(forwards, by_kind=by_kind, do_not_disturb=False)
