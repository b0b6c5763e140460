"""The rows of chat statuses, as the engine reads and writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bluetel.accounts.models import User
from bluetel.telephony.types import ChatState
from bluetel.work import leases
from presence.chat import Written
from presence.models import Claim, StatusRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime


def save_written(held: leases.Held, written: Mapping[str, Written], *, now: datetime) -> None:
    """Keep what we wrote for these users. Raises ``LeaseLost``; call it in a transaction."""
    leases.check(held, now=now)
    there = User.objects.filter(pk__in=[int(user_id) for user_id in written]).order_by("pk")
    StatusRecord.objects.bulk_create(
        [
            StatusRecord(
                user_id=pk,
                pbx_state=one.state.value if one.state else "",
                pbx_message=one.message,
                pbx_seen_at=one.seen_at,
            )
            for pk in there.values_list("pk", flat=True)
            for one in [written[str(pk)]]
        ],
        update_conflicts=True,
        unique_fields=["user"],
        update_fields=["pbx_state", "pbx_message", "pbx_seen_at"],
    )


def written_of(record: StatusRecord) -> Written:
    """What was last written for somebody."""
    state = ChatState(record.pbx_state) if record.pbx_state else None
    return Written(state, record.pbx_message, record.pbx_seen_at)


def read_all() -> tuple[list[Claim], list[StatusRecord]]:
    """All claims, and what was written for whom."""
    records = StatusRecord.objects.exclude(pbx_state="", pbx_seen_at=None)
    return list(Claim.objects.filter(axis=Claim.Axis.IM)), list(records)


def read_claims(user_ids: Iterable[str]) -> list[Claim]:
    """The claims on these users' statuses."""
    return list(Claim.objects.filter(axis=Claim.Axis.IM, user__in=[int(one) for one in user_ids]))


def touched_since(time: datetime) -> set[str]:
    """Whose claims changed since then."""
    rows = StatusRecord.objects.filter(touched_at__gte=time).values_list("user_id", flat=True)
    return {str(user_id) for user_id in rows}


def by_user(claims: Iterable[Claim]) -> dict[str, list[Claim]]:
    """Claims by their users."""
    found: dict[str, list[Claim]] = {}
    for claim in claims:
        found.setdefault(str(claim.user_id), []).append(claim)
    return found


def facts_of(claims: Iterable[Claim]) -> list[tuple[object, ...]]:
    """What of claims makes a difference."""
    return sorted(
        (claim.source, claim.ref, claim.value, claim.message, claim.starts, str(claim.ends))
        for claim in claims
    )
