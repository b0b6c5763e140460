"""What there is to decide about, read from the rows for many users in a handful of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef

from bluetel.accounts.models import User
from bluetel.telephony.types import Forward
from forwarding import hanging_up
from forwarding.blocks import Block, Meeting, Suppression, block_at, part, unite
from forwarding.calendars.far import far_occurrences
from forwarding.echoes import Setting
from forwarding.models import (
    Automation,
    Calendar,
    Line,
    Occurrence,
    RouteOverride,
    SuppressedMeeting,
)
from forwarding.rules import Choice, Override, Own, RouteKind, Rules, Situation, Target
from presence.models import Claim, PersonState
from presence.rules import ImSource, ImState, PhoneState
from presence.selectors import im_claims_of

if TYPE_CHECKING:
    from django.db.models import QuerySet

_COLUMNS = [field.attname for field in Line._meta.concrete_fields if not field.primary_key]  # noqa: SLF001 — Django's documented name for it
HORIZON = timedelta(days=14)
BEHIND = timedelta(days=1)
"""Meetings that ended this long ago are still read: they may belong to a block that goes on."""

_ROWS = ("automation", "line", "route_override", "presence_state")
"""What there is of a user at most once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A user with all that decides for him.

    ``meetings`` are those that would count, ``calendar_claims`` the rows of the calendar's claims
    on his chat status, which follow from the blocks; ``stored`` is what the line's row holds.
    ``is_in_call`` says that his telephone is in use.
    """

    user: User
    automation: Automation
    line: Line
    situation: Situation
    meetings: tuple[Meeting, ...]
    calendar_claims: tuple[Claim, ...] = ()
    stored: Mapping[str, object] | None = None
    has_resting_calendar: bool = False
    is_in_call: bool = False

    def block(self, at: datetime) -> Block | None:
        """The busy block he is in."""
        return block_at(self.situation.blocks, at)

    def meeting_ends(self, at: datetime) -> datetime | None:
        """When the block he is in ends, whether he lets it count or not."""
        block = block_at(unite(self.meetings), at)
        return block.ends if block else None

    def unsaved(self) -> dict[str, object]:
        """The line's columns that differ from its row."""
        now = columns_of(self.line)
        if self.stored is None:
            return now
        return {name: value for name, value in now.items() if value != self.stored[name]}

    def anew(self) -> Known:
        """The same by what the line says now."""
        situation = replace(
            self.situation, own=own_of(self.line), rules=rules_of(self.automation, self.line)
        )
        return replace(self, situation=situation)


def read_one(user_id: int, *, now: datetime, until: datetime | None = None) -> Known | None:
    """One user's situation up to ``until``; None for somebody who is no user any more."""
    horizon, far = HORIZON, list[Occurrence]()
    if until is not None and until - now + BEHIND > HORIZON:
        horizon = until - now + BEHIND
        far = far_occurrences(user_id, since=until - BEHIND, until=until + BEHIND, now=now)
    return next(iter(read_situations([user_id], now=now, horizon=horizon, far=far)), None)


def read_meetings(user_id: int, *, now: datetime) -> list[Meeting]:
    """The meetings that would count for one user, without all else that decides."""
    rows = list(_occurrences([user_id], now=now, horizon=HORIZON))
    if not rows:
        return []
    return _meetings(rows, Automation.objects.in_bulk([user_id]))[user_id]


def read_situations(
    user_ids: Iterable[int],
    *,
    now: datetime,
    horizon: timedelta = HORIZON,
    far: Sequence[Occurrence] = (),
) -> list[Known]:
    """The situations of these users as the rows are, for deciding at ``now`` and after it.

    ``far`` are occurrences that are too far away to be rows.
    """
    ids = list(user_ids)
    resting = Calendar.objects.filter(user=OuterRef("pk"), rests_since__isnull=False)
    wanted = User.objects.filter(pk__in=ids).select_related(*_ROWS).order_by("pk")
    wanted = wanted.annotate(has_resting_calendar=Exists(resting))
    # Of many users the PBX is read once, not once for each.
    users = list(
        wanted.prefetch_related("pbx") if len(ids) > 1 else wanted.select_related("pbx", *_ROWS)
    )
    ids = [user.pk for user in users]
    automations = {user.pk: user.automation for user in users if hasattr(user, "automation")}
    rows = _occurrences(ids, now=now, horizon=horizon)
    meetings = _meetings([*rows, *far], automations)
    suppressions = _suppressions(ids)
    im_claims = _im_claims(ids)
    found = []
    for user in users:
        automation = automations.get(user.pk) or Automation(user_id=user.pk)
        line: Line = getattr(user, "line", None) or Line(user_id=user.pk)
        override: RouteOverride | None = getattr(user, "route_override", None)
        state: PersonState | None = getattr(user, "presence_state", None)
        counting, suppressed = part(meetings[user.pk], suppressions[user.pk])
        situation = Situation(
            own=own_of(line),
            rules=rules_of(automation, line),
            blocks=unite(counting),
            suppressed=unite(suppressed),
            im_claims=tuple(
                claim
                for claim in im_claims[user.pk]
                if claim.source != ImSource.CALENDAR or claim.ref == hanging_up.REF
            ),
            override=Override(refs=frozenset(override.refs)) if override else None,
            is_there=state is not None and state.is_there and state.im != ImState.UNKNOWN,
        )
        found.append(
            Known(
                user=user,
                automation=automation,
                line=line,
                stored=None if line._state.adding else columns_of(line),  # noqa: SLF001 — Django's documented name for it
                situation=situation,
                meetings=tuple(meetings[user.pk]),
                calendar_claims=tuple(
                    claim for claim in im_claims[user.pk] if claim.source == ImSource.CALENDAR
                ),
                has_resting_calendar=user.has_resting_calendar,
                is_in_call=_is_in_call(state, situation.own),
            )
        )
    return found


def _is_in_call(state: PersonState | None, own: Own) -> bool:
    """Whether his telephone is busy; under do-not-disturb it always looks so."""
    return state is not None and state.phone == PhoneState.BUSY and not own.do_not_disturb


def columns_of(line: Line) -> dict[str, object]:
    """All that a line's row holds but whose it is. Values are replaced, never changed in place."""
    return {name: getattr(line, name) for name in _COLUMNS}


def forward_of(value: dict[str, object] | None) -> Forward | None:
    """A forward as a row keeps it."""
    if value is None:
        return None
    return Forward(enabled=bool(value["enabled"]), destination=str(value["destination"]))


def kept(forward: Forward) -> dict[str, object]:
    """A forward as a row keeps it."""
    return {"enabled": forward.enabled, "destination": forward.destination}


def own_of(line: Line) -> Own:
    """The own settings a row knows of; none before it was read."""
    if line.own is None:
        return Own()
    return Own(
        forward=forward_of(line.own["unconditional"]) or Forward(),
        do_not_disturb=bool(line.own["do_not_disturb"]),
    )


def rules_of(automation: Automation, line: Line) -> Rules:
    """The choices of a user, with the targets as his PBX is told."""
    return Rules(
        set_im_busy=automation.set_im_busy,
        calendar=_target(
            automation.calendar_route, automation.calendar_dialed, line, rule="calendar"
        ),
        im=_target(automation.im_route, automation.im_dialed, line, rule="im"),
        im_only_by_hand=automation.im_only_by_hand,
    )


def with_own(known: Known) -> Situation:
    """The situation with the own settings that the line holds now."""
    return replace(known.situation, own=own_of(known.line))


def _target(choice: str, dialed: str, line: Line, *, rule: str) -> Target | None:
    problem = str(line.refused.get(rule, ""))
    match Choice(choice):
        case Choice.NOTHING:
            return None
        case Choice.VOICEMAIL:
            return Target(
                kind=RouteKind.VOICEMAIL,
                destination=line.voicemail or "",
                problem=problem or ("" if line.voicemail else "no_voicemail"),
            )
        case Choice.NUMBER:
            return Target(
                kind=RouteKind.NUMBER,
                destination=dialed,
                problem=problem or ("" if dialed else "invalid_number"),
            )


def _occurrences(ids: Sequence[int], *, now: datetime, horizon: timedelta) -> QuerySet[Occurrence]:
    return Occurrence.objects.filter(
        user_id__in=ids, ends__gt=now - BEHIND, starts__lt=now + horizon
    )


def _meetings(
    occurrences: Iterable[Occurrence], automations: dict[int, Automation]
) -> dict[int, list[Meeting]]:
    found: dict[int, dict[Meeting, None]] = defaultdict(dict)
    for row in occurrences:
        if counts(row, automations.get(row.user_id)):
            meeting = Meeting(
                uid=row.uid, recurrence_id=row.recurrence_id, starts=row.starts, ends=row.ends
            )
            found[row.user_id][meeting] = None
    return defaultdict(list, {user_id: list(each) for user_id, each in found.items()})


def counts(occurrence: Occurrence, automation: Automation | None) -> bool:
    """Whether an occurrence makes its owner busy, by what he chose."""
    automation = automation or Automation()
    is_tentative = occurrence.weight == Occurrence.Weight.TENTATIVE
    if is_tentative and automation.tentative == Automation.Tentative.IGNORE:
        return False
    if occurrence.is_alone and automation.only_with_others:
        return False
    if not occurrence.is_all_day:
        return True
    match automation.all_day:
        case Automation.AllDay.BUSY:
            return True
        case Automation.AllDay.OUT_OF_OFFICE:
            return bool(occurrence.weight == Occurrence.Weight.OUT_OF_OFFICE)
        case _:
            return False


def _suppressions(ids: Sequence[int]) -> dict[int, list[Suppression]]:
    found: dict[int, list[Suppression]] = defaultdict(list)
    for row in SuppressedMeeting.objects.filter(user_id__in=ids):
        found[row.user_id].append(
            Suppression(uid=row.uid, recurrence_id=row.recurrence_id, starts=row.starts)
        )
    return found


def _im_claims(ids: Sequence[int]) -> dict[int, list[Claim]]:
    found: dict[int, list[Claim]] = defaultdict(list)
    if len(ids) == 1:
        found[ids[0]] = list(im_claims_of(ids[0]))
        return found
    for claim in Claim.objects.filter(user_id__in=ids, axis=Claim.Axis.IM):
        found[claim.user_id].append(claim)
    return found


def held_forward(line: Line) -> Forward | None:
    """The unconditional forward on the PBX as far as we know; None when it was never read."""
    if line.applied is not None:
        return forward_of(line.applied)
    return None if line.own is None else own_of(line).forward


def setting_of(plain: object) -> Setting:
    """What a row has of a setting, as it is spoken of to the PBX."""
    if isinstance(plain, dict):
        return forward_of(plain) or Forward()
    return bool(plain)
