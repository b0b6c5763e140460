"""What follows from a situation and is kept as rows: claims on the status, and what has ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from forwarding.blocks import Block
from forwarding.hanging_up import REF, follow_call
from forwarding.models import RouteOverride, SuppressedMeeting
from forwarding.rules import claims_at
from forwarding.situation import Known
from presence import services as presence
from presence.models import Claim
from presence.rules import ImSource, ImState

FORGET_AFTER = timedelta(days=60)


def keep_up(known: Sequence[Known], *, now: datetime) -> set[int]:
    """Bring these users' rows up to their situations; gives those whose own is another now."""
    changed: set[int] = set()
    SuppressedMeeting.objects.filter(
        user_id__in=[one.user.pk for one in known], starts__lt=now - FORGET_AFTER
    ).delete()
    by_status = _suppressed_by_status(known)
    all_wanted: list[Claim] = []
    all_gone: list[Claim] = []
    for one in known:
        if _follow_available(one, by_status.get(one.user.pk, []), now=now):
            changed.add(one.user.pk)
            continue
        if _follow_override(one, now=now):
            changed.add(one.user.pk)
        wanted, gone = busy_claims(one, now=now)
        call_wanted, call_gone = follow_call(one, now=now)
        if call_wanted or call_gone:
            changed.add(one.user.pk)
        all_wanted += wanted + call_wanted
        all_gone += gone + call_gone
    presence.renew_claims(ImSource.CALENDAR, wanted=all_wanted, gone=all_gone)
    return changed


def busy_claims(known: Known, *, now: datetime) -> tuple[list[Claim], list[Claim]]:
    """The claims on the chat status to be made or moved for the busy blocks to come, and to end."""
    blocks: dict[str, Block] = {}
    if known.situation.rules.set_im_busy:
        blocks = {
            f"{block.starts.timestamp():.6f}": block
            for block in known.situation.blocks
            if block.ends > now
        }
    there = {claim.ref: claim for claim in known.calendar_claims if claim.ref != REF}
    gone = [claim for ref, claim in there.items() if ref not in blocks]
    wanted = [
        Claim(
            user_id=known.user.pk,
            axis=Claim.Axis.IM,
            source=ImSource.CALENDAR,
            value=ImState.BUSY,
            starts=block.starts,
            ends=block.ends,
            ref=ref,
            created_at=now,
        )
        for ref, block in blocks.items()
        if ref not in there or (there[ref].starts, there[ref].ends) != (block.starts, block.ends)
    ]
    return wanted, gone


def _suppressed_by_status(known: Sequence[Known]) -> dict[int, list[SuppressedMeeting]]:
    found: dict[int, list[SuppressedMeeting]] = {}
    ids = [one.user.pk for one in known]
    for row in SuppressedMeeting.objects.filter(user_id__in=ids, by_status=True):
        found.setdefault(row.user_id, []).append(row)
    return found


def _follow_available(known: Known, rows: Sequence[SuppressedMeeting], *, now: datetime) -> bool:
    """*Available*, set by hand during a block, suppresses what the block then consists of."""
    chosen = next(
        (
            claim
            for claim in known.situation.im_claims
            if claim.source == ImSource.MANUAL
            and claim.value == ImState.AVAILABLE
            and claim.starts <= now
            and (claim.ends is None or now < claim.ends)
        ),
        None,
    )
    stale = [row for row in rows if chosen is None or row.created_at < chosen.starts]
    if stale:
        SuppressedMeeting.objects.filter(pk__in=[row.pk for row in stale]).delete()
    if chosen is None or len(stale) < len(rows):
        return bool(stale)
    block = known.block(chosen.starts)
    if block is None:
        return bool(stale)
    SuppressedMeeting.objects.bulk_create(
        SuppressedMeeting(
            user_id=known.user.pk,
            uid=key.uid,
            recurrence_id=key.recurrence_id,
            starts=key.starts,
            by_status=True,
            created_at=max(now, chosen.starts),
        )
        for key in block.keys
    )
    return True


def _follow_override(known: Known, *, now: datetime) -> bool:
    """An override grows with its block, and ends with the last of the claims it speaks of."""
    override = known.situation.override
    if override is None:
        return False
    refs: set[str] = set()
    for claim in claims_at(known.situation, now):
        if claim.target is not None and claim.refs & override.refs:
            refs |= claim.refs
    if refs <= override.refs and refs:
        return False
    row = RouteOverride.objects.filter(pk=known.user.pk)
    if refs:
        row.update(refs=sorted(refs | override.refs))
    else:
        row.delete()
    return True
