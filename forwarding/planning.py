"""What is to be done at the PBXs: decided, written down, done elsewhere, and its outcome noted.

``begin`` and ``conclude`` are the two transactions around each step; between them somebody speaks
to the PBX, and ``conclude`` begins the step that follows. What is about to be written is on the row
first, so a process may be killed between any two of these: the row then says what on the PBX may be
ours, and the next step is to read. Both check the engine's lease: a writer that lost it records
nothing, and so writes nothing.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction

from bluetel.telephony.types import Forward, PbxUserId
from bluetel.work import due, leases
from forwarding import lines
from forwarding.diverting import note_routes
from forwarding.echoes import Setting
from forwarding.hanging_up import LOOKED_AT_EVERY, claim_of_call
from forwarding.models import PbxWrite
from forwarding.outcomes import dnd_is_ours, fail, take_outcome, take_setting
from forwarding.rules import Choice, Reason, Route, edges, route_at
from forwarding.situation import (
    Known,
    forward_of,
    held_forward,
    kept,
    own_of,
    rules_of,
    setting_of,
)
from forwarding.steps import (
    EDGE,
    READ_EDGE,
    UNCONDITIONAL,
    Outcome,
    Plan,
    Read,
    Step,
    Write,
)
from forwarding.targets import Ways, problem_of

FRESH = timedelta(seconds=120)
"""A read is good for so long as the ground of a write; events keep it right meanwhile."""
FRESH_UNHEARD = timedelta(seconds=5)
"""The same while no events come."""
READ_AHEAD, READ_LAST = timedelta(seconds=55), timedelta(seconds=15)
"""Between these before an edge that may lead to a write, a line is read."""
_RULE_OF = {
    Reason.MEETING: "calendar",
    Reason.BUSY_BY_HAND: "im",
    Reason.BUSY_BY_CALENDAR: "im",
}


def begin(
    held: leases.Held,
    user_ids: Iterable[int],
    *,
    now: datetime,
    heard_since: Mapping[int, datetime] | None = None,
    must_read: frozenset[int] = frozenset(),
    at_edge: bool = False,
) -> Plan:
    """Decide for these users and write down what is about to be done. Raises ``LeaseLost``.

    ``heard_since`` says since when each PBX's events are complete: what was read before that may be
    wrong, and at a PBX that isn't heard nothing is done but what its user asked for himself; None
    takes the word of the rows. Users who need nothing get an edge at the next instant that may
    change something. At an edge a target that was refused before is judged again.
    """
    with transaction.atomic():
        leases.check(held, now=now)
        known = lines.lock(user_ids, now=now)
        for one in known:
            if at_edge and one.line.refused:
                one.line.refused = {}
        steps = _plan(known, held, now=now, heard_since=heard_since, must_read=must_read)
        lines.save(known)
    return Plan(steps=steps, decided=[one.anew() for one in known])


def conclude(
    held: leases.Held,
    outcomes: Sequence[Outcome],
    *,
    now: datetime,
    heard_since: Mapping[int, datetime] | None = None,
    left: Collection[int] = (),
) -> Plan:
    """Note how steps went, and begin what follows from them. Raises ``LeaseLost``.

    Those whose step failed, or whose PBX holds after a write what it held before, get an edge for
    the next try. A read that holds nothing was overtaken by news, and says nothing of forwards.
    ``again`` of the plan are those for whom :func:`begin` must read all that decides once more:
    who has set something himself meanwhile, and who is ``left`` because there is news of him.
    """
    again: list[int] = []
    failed: list[Outcome] = []
    going_on: list[Known] = []
    with transaction.atomic():
        leases.check(held, now=now)
        by_user = {outcome.step.user_id: outcome for outcome in outcomes}
        PbxWrite.objects.filter(
            pk__in=[
                one.step.entry for one in outcomes if isinstance(one.step, Write) and not one.error
            ]
        ).update(outcome=PbxWrite.Outcome.DONE)
        known = lines.lock(by_user, now=now)
        for one in known:
            outcome, own = by_user[one.user.pk], one.line.own
            if not outcome.error:
                outcome = take_outcome(one, outcome, now=now)
            if outcome.error:
                fail(one, outcome, now=now)
                failed.append(outcome)
            elif one.user.pk in left or (own is not None and one.line.own is not own):
                again.append(one.user.pk)
            else:
                going_on.append(one.anew())
        steps = _plan(going_on, held, now=now, heard_since=heard_since)
        lines.save(known)
    decided = [one.anew() for one in known if one.user.pk not in again]
    return Plan(steps=steps, decided=decided, again=again, failed=failed)


def _plan(
    known: Sequence[Known],
    held: leases.Held,
    *,
    now: datetime,
    heard_since: Mapping[int, datetime] | None,
    must_read: frozenset[int] = frozenset(),
) -> list[Step]:
    """The next step of each, with its entry in the audit trail, or his next edge."""
    steps: list[Step] = []
    edges_at: list[tuple[str, datetime]] = []
    reads_at: list[tuple[str, datetime]] = []
    ways = Ways(known)
    for one in known:
        step = _step_if_heard(one, heard_since, ways, now=now, must_read=one.user.pk in must_read)
        if step is not None:
            steps.append(step)
            edges_at.append((str(one.user.pk), now + due.LEASE))
            continue
        edge = _next_edge(one, now=now)
        if edge is not None:
            edges_at.append((str(one.user.pk), edge))
            if _may_write(one) and _is_read_before(one, edge, now):
                reads_at.append((str(one.user.pk), _spread(edge, now)))
    busy = {step.user_id for step in steps}
    note_routes([one.anew() for one in known if one.user.pk not in busy], now=now)
    steps = _with_entries(steps, {one.user.pk: one for one in known}, held, now=now)
    due.put(EDGE, edges_at)
    due.put(READ_EDGE, reads_at)
    quiet = {str(one.user.pk) for one in known} - {subject for subject, _ in edges_at}
    due.cancel(EDGE, quiet)
    return steps


def take_news(
    held: leases.Held,
    news: Sequence[tuple[int, str, Setting]],
    *,
    now: datetime,
) -> list[int]:
    """Note what the PBX said of itself: ``(user, what, value)``, in order. Raises ``LeaseLost``.

    Gives the users to begin for: all of them, for somebody's page shows it. Who was never read is
    left to a read.
    """
    with transaction.atomic():
        leases.check(held, now=now)
        known = {
            one.user.pk: one for one in lines.lock([user_id for user_id, _, _ in news], now=now)
        }
        for user_id, what, value in news:
            one = known.get(user_id)
            if one is None or one.line.own is None:
                continue
            doubtful = one.line.intended  # a write of ours may still be under way, and land later
            take_setting(one, what, value, now=now, origin="pbx")
            one.line.intended = doubtful
        lines.save(list(known.values()))
    return list(known)


def _step_if_heard(
    known: Known,
    heard_since: Mapping[int, datetime] | None,
    ways: Ways,
    *,
    now: datetime,
    must_read: bool,
) -> Step | None:
    """The next step, by what is still true of what was read."""
    fresh = now - FRESH
    if heard_since is not None and known.user.pbx_id is not None:
        heard = heard_since.get(known.user.pbx_id)
        if heard is None and not known.line.wanted:
            if _lacks_something(known, now=now):
                known.line.failing_since = known.line.failing_since or now
            else:
                known.line.failing_since, known.line.tries = None, 0
            return None
        fresh = max(fresh, heard or now - FRESH_UNHEARD)
    return _next_step(known, ways, now=now, fresh_since=fresh, must_read=must_read)


def _next_step(
    known: Known, ways: Ways, *, now: datetime, fresh_since: datetime, must_read: bool
) -> Step | None:
    user, line = known.user, known.line
    if user.pbx is None or not user.pbx_user_id:
        line.failing_since, line.tries = None, 0
        return None
    read = Read(
        user_id=user.pk,
        pbx=user.pbx,
        pbx_user=PbxUserId(user.pbx_user_id),
        wants_voicemail=_wants_voicemail(known),
        dnd_is_ours=dnd_is_ours(known),
    )
    is_fresh = line.read_at is not None and line.read_at >= fresh_since
    if line.intended is not None or must_read:
        return read
    if line.wanted:
        what, value = next(iter(line.wanted.items()))
        if not is_fresh:
            return read
        return _write(read, what, setting_of(value))
    route = _usable_route(known, ways, now=now)
    desired = route.forward(own_of(line).forward)
    if desired == (held_forward(line) or own_of(line).forward):
        line.failing_since, line.tries = None, 0
        return None
    if not is_fresh:
        return read
    line.intended = kept(desired)
    line.applied_reason = route.reason if desired != own_of(line).forward else ""
    return _write(read, UNCONDITIONAL, desired)


def _lacks_something(known: Known, *, now: datetime) -> bool:
    """Whether the PBX ought to be told something, if only it could."""
    line = known.line
    own = own_of(line).forward
    route = route_at(replace(known.situation, own=own_of(line)), now)
    return bool(line.wanted) or route.forward(own) != (held_forward(line) or own)


def _write(place: Read, what: str, value: Setting) -> Write:
    return Write(
        user_id=place.user_id,
        pbx=place.pbx,
        pbx_user=place.pbx_user,
        what=what,
        value=value,
        dnd_is_ours=place.dnd_is_ours,
    )


def _wants_voicemail(known: Known) -> bool:
    rules = (known.automation.calendar_route, known.automation.im_route)
    return Choice.VOICEMAIL in rules


def _usable_route(known: Known, ways: Ways, *, now: datetime) -> Route:
    """The route at ``now``, its target judged once more before anything is written."""
    line = known.line
    while True:
        situation = replace(
            known.situation,
            own=own_of(line),
            rules=rules_of(known.automation, line),
        )
        route = route_at(situation, now)
        rule = _RULE_OF.get(route.reason)
        if rule is None or forward_of(line.applied) == route.forward(Forward()):
            return route
        dialed, problem = problem_of(known, rule, ways)
        if problem:
            line.refused = {**line.refused, rule: problem}
        elif dialed and dialed != route.destination:
            setattr(known.automation, f"{rule}_dialed", dialed)
            known.automation.save(update_fields=[f"{rule}_dialed"])
        else:
            return route


def _with_entries(
    steps: Sequence[Step], known: Mapping[int, Known], held: leases.Held, *, now: datetime
) -> list[Step]:
    """The steps, each write with its entry in the audit trail."""
    writes = [step for step in steps if isinstance(step, Write)]
    entries = PbxWrite.objects.bulk_create(
        [_entry(step, known[step.user_id], held, now=now) for step in writes]
    )
    done = iter(entries)
    return [
        replace(step, entry=next(done).pk) if isinstance(step, Write) else step for step in steps
    ]


def _entry(step: Write, known: Known, held: leases.Held, *, now: datetime) -> PbxWrite:
    line = known.line
    is_users = step.what in line.wanted and line.intended is None
    before: object = (line.own or {}).get(step.what)
    claim = ""
    if step.what == UNCONDITIONAL:
        before = line.applied if line.applied is not None else before
    if is_users:
        cause = "user"
    else:
        route = route_at(replace(known.situation, own=own_of(line)), now)
        cause = line.applied_reason or "restore"
        line.applied_epoch = held.epoch
        claim = " ".join(sorted(route.claim.refs))[:400] if route.claim and route.claim.refs else ""
    return PbxWrite(
        user_id=step.user_id,
        at=now,
        what=step.what,
        before=before,
        after=kept(step.value) if isinstance(step.value, Forward) else step.value,
        cause=cause,
        claim=claim,
        epoch=held.epoch,
    )


def _next_edge(known: Known, *, now: datetime) -> datetime | None:
    """When something may change next; while a call is waited for, soon."""
    edge = next(iter(edges(known.situation, now)), None)
    if edge is None or claim_of_call(known) is None:
        return edge
    return min(edge, now + LOOKED_AT_EVERY)


def _may_write(known: Known) -> bool:
    """Whether an edge may lead to a write: the line is then read shortly before it."""
    rules = known.situation.rules
    return bool(known.line.applied or rules.calendar or rules.im)


def _is_read_before(known: Known, edge: datetime, now: datetime) -> bool:
    """Whether a line is still to be read before an edge, and can be.

    One whose PBX has just failed is not: the next try is in time by itself.
    """
    if known.line.failing_since is not None:
        return False
    read_at = known.line.read_at
    return now < edge - READ_LAST and (read_at is None or read_at < edge - READ_AHEAD)


def _spread(edge: datetime, now: datetime) -> datetime:
    """Some time before the edge, on a full second: those of one second are read together."""
    first = max(now, edge - READ_AHEAD)
    at = first + (edge - READ_LAST - first) * random.random()  # noqa: S311 — spreads load
    return at.replace(microsecond=0) + timedelta(seconds=1)
