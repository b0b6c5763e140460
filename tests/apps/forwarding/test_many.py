"""The meetings of many begin at once: what it costs doesn't grow with each of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bluetel.accounts.models import User
from bluetel.telephony.types import Forward, Forwards
from bluetel.work import leases
from bluetel.work.models import Due
from forwarding import planning
from forwarding.models import (
    Automation,
    Calendar,
    CalendarObject,
    Collection,
    Line,
    Occurrence,
    PbxWrite,
)
from forwarding.steps import EDGE, READ_EDGE, Outcome, Plan, Read, Step, Write
from tests.apps.forwarding.day import at
from tests.apps.house import House

MOBILE = "0639984172"
NINE, TEN = at("09:00"), at("10:00")
BEFORE = at("08:50")


class Team:
    """Users with a rule and one meeting, from nine to ten."""

    def __init__(self, house: House) -> None:
        house.do(lambda model: model.run_until(BEFORE))
        held = leases.take(leases.ENGINE, owner="engine", now=BEFORE, ttl=timedelta(days=1))
        assert held is not None
        self.held = held
        self.ids = list(
            User.objects.exclude(pbx_user_id="").order_by("pk").values_list("pk", flat=True)
        )
        for user_id in self.ids:
            Automation.objects.create(
                user_id=user_id,
                set_im_busy=True,
                calendar_route="number",
                calendar_number=MOBILE,
                calendar_dialed=MOBILE,
            )
            calendar = Calendar.objects.create(user_id=user_id, kind="ics", created_at=BEFORE)
            source = CalendarObject.objects.create(
                collection=Collection.objects.create(calendar=calendar),
                digest="",
                content=b"",
                expanded_until=TEN,
                zone="UTC",
            )
            Occurrence.objects.create(
                user_id=user_id, source=source, uid="nine", starts=NINE, ends=TEN
            )

    def begin(self, now: datetime, *, read: bool = False) -> Plan:
        must_read = frozenset(self.ids) if read else frozenset()
        return planning.begin(self.held, self.ids, now=now, must_read=must_read)

    def conclude(self, steps: Sequence[Step], now: datetime) -> Plan:
        outcomes = [
            Outcome(step=step, held=Forwards() if isinstance(step, Read) else step.value)
            for step in steps
        ]
        return planning.conclude(self.held, outcomes, now=now)

    def read(self, now: datetime) -> None:
        """Each is read; nothing follows from it."""
        plan = self.begin(now, read=True)
        assert len(plan.steps) == len(self.ids)
        assert self.conclude(plan.steps, now).steps == []

    def times(self, kind: str) -> list[datetime]:
        """When the edges of a kind are."""
        return list(Due.objects.filter(kind=kind).values_list("due_at", flat=True))


@pytest.fixture
def team(house: House) -> Team:
    return Team(house)


def test_what_follows_a_write_is_decided_as_it_is_noted(team: Team) -> None:
    team.read(NINE - timedelta(seconds=30))
    plan = team.begin(NINE)
    assert {step.user_id for step in plan.steps if isinstance(step, Write)} == set(team.ids)
    assert PbxWrite.objects.filter(outcome="unknown").count() == len(team.ids)
    done = team.conclude(plan.steps, NINE)
    assert (done.steps, done.again, done.failed) == ([], [], [])
    assert PbxWrite.objects.filter(outcome="done").count() == len(team.ids)
    assert team.times(EDGE) == [TEN] * len(team.ids)
    lines = Line.objects.filter(pk__in=team.ids)
    expected = {"enabled": True, "destination": MOBILE}
    assert [(line.applied, line.intended) for line in lines] == [(expected, None)] * len(team.ids)


def test_the_queries_of_an_edge_do_not_grow_with_the_users(team: Team) -> None:
    everybody = list(team.ids)
    counts = []
    for ids in (everybody[:3], everybody[3:]):
        team.ids = ids
        team.read(NINE - timedelta(seconds=30))
        with CaptureQueriesContext(connection) as queries:
            steps = team.begin(NINE).steps
            team.conclude(steps, NINE)
        counts.append(len(queries))
    few, many = counts
    assert len(everybody) > 6
    assert many == few


def test_lines_are_read_once_in_the_minute_before_their_edge_many_of_them_together(
    team: Team,
) -> None:
    team.begin(BEFORE)
    times = team.times(READ_EDGE)
    assert len(times) == len(team.ids)
    assert all(
        NINE - timedelta(minutes=1) <= time <= NINE - timedelta(seconds=15) for time in times
    )
    assert all(time.microsecond == 0 for time in times)
    Due.objects.filter(kind=READ_EDGE).delete()
    team.read(NINE - timedelta(seconds=40))
    assert team.times(READ_EDGE) == []


def test_a_forward_of_his_own_found_on_the_way_is_begun_anew(team: Team) -> None:
    team.read(NINE - timedelta(seconds=30))
    steps = team.begin(NINE).steps
    his = Forward(enabled=True, destination="1042")
    outcomes = [Outcome(step=step, held=his) for step in steps]
    plan = planning.conclude(team.held, outcomes, now=NINE)
    assert sorted(plan.again) == sorted(team.ids)
    assert plan.steps == []
