"""Changing what somebody says of himself: claims on the chat status, and the one set by hand."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from bluetel.accounts.models import User
from bluetel.telephony.text import safe_text
from presence import blocks
from presence.models import Claim, StatusRecord
from presence.refusals import StatusRefused
from presence.rules import MESSAGE_LIMIT, ImState
from presence.signals import claims_changed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

CHOICES = (ImState.AVAILABLE, ImState.BUSY, ImState.AWAY, ImState.OFFLINE)
MEETING = "meeting"
"""The ``ref`` of a status chosen until the meeting ends: it follows the meeting."""


def put_claim(
    user_id: int,
    *,
    axis: str,
    source: str,
    value: str,
    now: datetime,
    starts: datetime | None = None,
    ends: datetime | None = None,
    ref: str = "",
    message: str = "",
) -> Claim:
    """Make a claim, or change the one of the same axis, source and ``ref``; it starts ``now``.

    One that is the same already is left alone, and nobody is told. ``claims_changed`` is sent for
    the axis ``im``.
    """
    wanted: dict[str, Any] = {"value": value, "message": message, "ends": ends}
    if starts is not None:
        wanted["starts"] = starts
    with transaction.atomic():
        _lock(user_id)
        found = Claim.objects.filter(user_id=user_id, axis=axis, source=source, ref=ref)
        claim = found.first()
        if claim is None:
            claim = Claim.objects.create(
                user_id=user_id,
                axis=axis,
                source=source,
                ref=ref,
                created_at=now,
                **({"starts": now} | wanted),
            )
        elif any(getattr(claim, name) != it for name, it in wanted.items()):
            found.update(**wanted)
            claim.refresh_from_db()
        else:
            return claim
        _tell(user_id, axis, source)
    return claim


def renew_claims(source: str, *, wanted: Sequence[Claim], gone: Sequence[Claim]) -> None:
    """Have a source claim what is ``wanted`` on chat statuses, and no longer what is ``gone``.

    For many users in a few queries. ``wanted`` are new rows, each in the place of the one of its
    user and ``ref``.
    """
    user_ids = sorted({claim.user_id for claim in (*wanted, *gone)})
    if not user_ids:
        return
    with transaction.atomic():
        _lock(*user_ids)
        Claim.objects.filter(pk__in=[claim.pk for claim in gone]).delete()
        Claim.objects.bulk_create(
            wanted,
            update_conflicts=True,
            unique_fields=["user", "axis", "source", "ref"],
            update_fields=["value", "message", "starts", "ends"],
        )
        _tell_all(dict.fromkeys(user_ids, source))


def delete_claims(
    user_id: int,
    *,
    axis: str,
    source: str | None = None,
    ref: str | None = None,
    keep_ref: str | None = None,
) -> int:
    """End claims, all of the axis or those of a source or ``ref``; gives how many there were."""
    claims = Claim.objects.filter(user_id=user_id, axis=axis)
    if source is not None:
        claims = claims.filter(source=source)
    if ref is not None:
        claims = claims.filter(ref=ref)
    if keep_ref is not None:
        claims = claims.exclude(ref=keep_ref)
    with transaction.atomic():
        _lock(user_id)
        count, _by_model = claims.delete()
        if count:
            _tell(user_id, axis, source or "")
    return count


def delete_expired(*, now: datetime) -> list[int]:
    """Delete the claims on chat statuses that are over; gives the users who had one."""
    over = Claim.objects.filter(axis=Claim.Axis.IM, ends__lte=now)
    user_ids = set(over.values_list("user_id", flat=True))
    if not user_ids:
        return []
    with transaction.atomic():
        _lock(*user_ids)
        claims = over.filter(user_id__in=user_ids).select_for_update().order_by("pk")
        found = list(claims.values_list("pk", "user_id", "source"))
        Claim.objects.filter(pk__in=[pk for pk, _user, _source in found]).delete()
        sources: dict[int, str] = {}
        for _pk, user_id, source in found:
            sources[user_id] = source if sources.get(user_id, source) == source else ""
        _tell_all(sources)
    return sorted(sources)


# --- By hand ------------------------------------------------------------------------------------


def choose_status(
    user_id: int,
    im: str,
    *,
    now: datetime,
    message: str = "",
    until: datetime | Literal["end_of_meeting"] | None = None,
    ref: str = "",
) -> Claim:
    """Set somebody's status by hand; it replaces the one he had set before.

    Raises :class:`StatusRefused` with ``invalid_request`` for a word that is no status, a message
    of more than 250 characters or a time that is past, and ``no_meeting`` outside a busy block.
    """
    if im not in CHOICES:
        raise StatusRefused(
            "invalid_request",
            _("“%(im)s” is no status: available, busy, away or offline.") % {"im": im[:20]},
        )
    text = safe_text(message, limit=MESSAGE_LIMIT + 1).strip()
    if len(text) > MESSAGE_LIMIT:
        raise StatusRefused(
            "invalid_request",
            _("The message is too long: %(limit)s characters at most.") % {"limit": MESSAGE_LIMIT},
        )
    if until == "end_of_meeting":
        ends, ref = blocks.block_end(user_id, now=now), MEETING
        if ends is None:
            raise StatusRefused("no_meeting", _("You are in no meeting now."))
    else:
        ends = until
    if ends is not None and ends <= now:
        raise StatusRefused("invalid_request", _("This time is past."))
    with transaction.atomic():
        _lock(user_id)
        Claim.objects.filter(
            user_id=user_id, axis=Claim.Axis.IM, source=Claim.Source.MANUAL
        ).delete()
        claim = Claim.objects.create(
            user_id=user_id,
            axis=Claim.Axis.IM,
            source=Claim.Source.MANUAL,
            value=im,
            message=text,
            starts=now,
            ends=ends,
            ref=ref,
            created_at=now,
        )
        _tell(user_id, Claim.Axis.IM, Claim.Source.MANUAL)
    return claim


def be_automatic(user_id: int) -> None:
    """Take back the status set by hand, if there is one."""
    delete_claims(user_id, axis=Claim.Axis.IM, source=Claim.Source.MANUAL)


def follow_meeting(user_id: int, *, now: datetime) -> None:
    """Move the end of a status chosen until the meeting ends to where the meeting ends now.

    For whoever keeps the calendars to call when a user's busy blocks have changed.
    """
    with transaction.atomic():
        _lock(user_id)
        claim = Claim.objects.filter(
            user_id=user_id, axis=Claim.Axis.IM, source=Claim.Source.MANUAL, ref=MEETING
        ).first()
        if claim is None:
            return
        ends = blocks.block_end(user_id, now=now)
        if ends is None or ends <= claim.starts:
            claim.delete()
        elif ends != claim.ends:
            claim.ends = ends
            claim.save(update_fields=["ends"])
        else:
            return
        _tell(user_id, Claim.Axis.IM, Claim.Source.MANUAL)


def set_idle(user_id: int, *, idle: bool, now: datetime) -> None:
    """Note that somebody has left his keyboard, or is back."""
    if idle:
        put_claim(
            user_id, axis=Claim.Axis.IM, source=Claim.Source.IDLE, value=ImState.AWAY, now=now
        )
    else:
        delete_claims(user_id, axis=Claim.Axis.IM, source=Claim.Source.IDLE)


def _lock(*user_ids: int) -> None:
    """Let nobody else change these users' claims until the transaction ends.

    Taken before any claim's row, users in the order of their ids: or two would wait for each other.
    Not their keys: the engine's row about one refers to it, and would wait for us as we for that
    row.
    """
    users = User.objects.select_for_update(no_key=True).filter(pk__in=user_ids).order_by("pk")
    list(users.values_list("pk"))


def _tell(user_id: int, axis: str, source: str) -> None:
    """Have the engine read a user's claims again, and tell the listeners."""
    if axis == Claim.Axis.IM:
        _tell_all({user_id: source})


def _tell_all(sources: Mapping[int, str]) -> None:
    """The same for many; ``sources`` are those of the claims that changed, by user."""
    now = timezone.now()
    StatusRecord.objects.bulk_create(
        [StatusRecord(user_id=user_id, touched_at=now) for user_id in sorted(sources)],
        update_conflicts=True,
        unique_fields=["user"],
        update_fields=["touched_at"],
    )
    for user_id, source in sources.items():
        transaction.on_commit(
            partial(claims_changed.send, sender=Claim, user_id=user_id, source=source)
        )
