"""Whatever happens, in whatever order: in the end the PBX has what the user himself last set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from pytest_django import Settings

from bluetel.accounts.pbx import close_backends
from bluetel.telephony.errors import PbxUnavailable
from bluetel.telephony.types import Forward
from bluetel.work import leases
from bluetel.work.due import LEASE
from forwarding import ledger, planning, services, steps
from forwarding.ledger import Whose
from forwarding.models import Occurrence, PbxWrite
from forwarding.rules import Route, route_at
from forwarding.situation import Known
from forwarding.targets import Ways
from presence.models import Claim
from tests.apps.forwarding.day import UNCONDITIONAL, Day
from tests.apps.house import House

MOBILE = "0639984172"
NUMBERS = ("1042", "1003")

minutes = st.integers(1, 90)
actions = st.one_of(
    st.tuples(st.just("wait"), minutes),
    st.tuples(st.just("wait"), minutes),
    st.tuples(st.just("meet"), st.tuples(st.integers(0, 60), minutes)),
    st.tuples(st.just("meet"), st.tuples(st.integers(0, 60), minutes)),
    st.tuples(st.just("cancel"), st.integers(0, 5)),
    st.tuples(st.just("prolong"), st.tuples(st.integers(0, 5), minutes)),
    st.tuples(st.just("dial"), st.sampled_from(NUMBERS)),
    st.tuples(st.just("dial"), st.none()),
    st.tuples(st.just("dnd"), st.booleans()),
    st.tuples(st.just("status"), st.sampled_from(["busy", "available", "away", None])),
    st.tuples(st.just("suppress"), st.none()),
    st.tuples(st.just("kill in"), st.integers(1, 6)),
    st.tuples(st.just("kill"), st.none()),
    st.tuples(st.just("start"), st.none()),
    st.tuples(st.just("wake the old"), st.none()),
    st.tuples(st.just("fail"), st.none()),
    st.tuples(st.just("heal"), st.none()),
)


class History:
    """A day in which things happen, and what must hold of it."""

    def __init__(self, house: House) -> None:
        house.backend.heal()
        self.day = Day(house)
        self.day.person.forwards[UNCONDITIONAL] = Forward()
        self.day.person.do_not_disturb = False
        self.day.rules(
            calendar={"route": "voicemail", "set_im_busy": True},
            im={"route": "number", "number": MOBILE},
        )
        self.mine = Forward()
        self._met = 0
        self._seen = len(self.day.writes())

    def happen(self, action: str, what: object) -> None:
        getattr(self, action.replace(" ", "_"))(what)
        self._check_writes()

    def _check_writes(self) -> None:
        """Nothing of ours is written before, or after, there is a reason for it."""
        writes = self.day.writes()[self._seen :]
        self._seen += len(writes)
        for write in writes:
            if write.after == f"on {self.day.voicemail}":
                meetings = Occurrence.objects.filter(starts__lte=write.at, ends__gt=write.at)
                assert meetings.exists(), write
            elif write.after == f"on {MOBILE}":
                assert Claim.objects.filter(value="busy", starts__lte=write.at).exists(), write

    def wait(self, minutes: int) -> None:
        self.day.pass_to(self.day.now + timedelta(minutes=minutes))

    def meet(self, times: tuple[int, int]) -> None:
        begins, lasts = times
        self._met += 1
        starts = self.day.now + timedelta(minutes=begins)
        self.day.add_at(str(self._met), starts, starts + timedelta(minutes=lasts))

    def cancel(self, number: int) -> None:
        self.day.remove(str(number))

    def prolong(self, what: tuple[int, int]) -> None:
        number, more = what
        for row in Occurrence.objects.filter(uid=str(number)):
            row.ends += timedelta(minutes=more)
            row.save()
        self.day.calendar_changed()

    def dial(self, number: str | None) -> None:
        self.day.dial(number)
        self.mine = self.day.dialed

    def dnd(self, on: bool) -> None:
        self.day.switch_dnd(on=on)

    def status(self, im: str | None) -> None:
        self.day.status(im)

    def suppress(self, _: object) -> None:
        if self.day.in_meeting():
            self.day.do(services.suppress, "meeting")

    def kill_in(self, steps: int) -> None:
        self.day.steps_to_live = steps

    def kill(self, _: object) -> None:
        if self.day.is_running:
            self.day.kill_engine()

    def start(self, _: object) -> None:
        if not self.day.is_running:
            self.day.start_engine()

    def wake_the_old(self, _: object) -> None:
        """An engine that was frozen and succeeded goes on where it was."""
        for held in self.day.succeeded:
            try:
                planning.begin(held, [self.day.user.pk], now=self.day.now)
            except leases.LeaseLost:
                continue
            raise AssertionError("two write at the same time")

    def fail(self, _: object) -> None:
        self.day.house.backend.fail(PbxUnavailable("down"))

    def heal(self, _: object) -> None:
        self.day.house.backend.heal()

    def end(self) -> None:
        """No claim is left, everything works again, and a night passes."""
        self.day.steps_to_live = None
        self.heal(None)
        self.start(None)
        Occurrence.objects.all().delete()
        self.day.calendar_changed()
        self.day.status(None)
        self.day.switch_dnd(on=False)
        self.day.pass_to(self.day.now + LEASE + timedelta(minutes=2))


Happenings = Sequence[tuple[str, object]]


def play(settings: Settings, happenings: Happenings) -> None:
    """A history from its beginning to its end, and what must hold then."""
    settings.PBX_BACKENDS = {"wazo": "tests.apps.house.open_backend"}
    try:
        with transaction.atomic():
            history = History(House())  # a new one each time: a PBX in memory is not rolled back
            for action, what in happenings:
                history.happen(action, what)
            history.end()
            assert history.day.person.forwards[UNCONDITIONAL] == history.mine
            assert not history.day.has_ours()
            unknown = PbxWrite.objects.filter(outcome="unknown").count()
            assert unknown <= len([one for one, _ in happenings if one.startswith("kill")])
            transaction.set_rollback(True)
    finally:
        close_backends()


@pytest.mark.django_db
@pytest.mark.timeout(240)
@profile(
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(happenings=st.lists(actions, min_size=3, max_size=25))
def test_in_the_end_the_pbx_has_what_the_user_last_set(
    settings: Settings, happenings: list[tuple[str, object]]
) -> None:
    play(settings, happenings)


# --- What the histories are good for: each of these mistakes fails one ----------------------------


def forget_own(patch: pytest.MonkeyPatch) -> None:
    """What comes back is no forward, not the user's."""
    right = Route.forward
    patch.setattr(Route, "forward", lambda self, own: right(self, Forward()))


def forget_applied(patch: pytest.MonkeyPatch) -> None:
    """What we wrote is not remembered."""
    right = ledger.take_unconditional

    def take(known: Known, value: Forward, **rest: Any) -> Whose:
        found = right(known, value, **rest)
        known.line.applied = None
        return found

    patch.setattr(ledger, "take_unconditional", take)


def write_before_noting(patch: pytest.MonkeyPatch) -> None:
    """What is about to be written is not on the row first."""
    right = planning._next_step

    def next_step(known: Known, ways: Ways, **rest: Any) -> steps.Step | None:
        step = right(known, ways, **rest)
        if isinstance(step, steps.Write):
            known.line.intended = None
        return step

    patch.setattr(planning, "_next_step", next_step)


def take_his_for_ours(patch: pytest.MonkeyPatch) -> None:
    """What the user dials on his handset is ignored."""
    right = ledger.whose
    patch.setattr(
        ledger,
        "whose",
        lambda value, **rest: Whose.OURS if (found := right(value, **rest)) is Whose.HIS else found,
    )


def decide_early(patch: pytest.MonkeyPatch) -> None:
    """Meetings begin five minutes before their time."""
    right = route_at
    patch.setattr(
        planning, "route_at", lambda situation, now: right(situation, now + timedelta(minutes=5))
    )


def never_restore(patch: pytest.MonkeyPatch) -> None:
    """The forward stays after the meeting."""
    right = planning._next_step

    def next_step(known: Known, ways: Ways, **rest: Any) -> steps.Step | None:
        step = right(known, ways, **rest)
        is_end = isinstance(step, steps.Write) and not known.line.applied_reason
        if is_end:
            known.line.intended = None
        return None if is_end else step

    patch.setattr(planning, "_next_step", next_step)


def ignore_the_lease(patch: pytest.MonkeyPatch) -> None:
    """An engine that was succeeded goes on writing."""
    patch.setattr(leases, "check", lambda held, *, now: None)


FORWARDED = ("dial", "1042")
MEETING = ("meet", (0, 60))
AN_HOUR = ("wait", 61)
CRASH = [("kill", None), ("start", None)]
MISTAKES: list[tuple[Callable[[pytest.MonkeyPatch], None], Happenings]] = [
    (forget_own, [FORWARDED, MEETING, AN_HOUR]),
    (forget_applied, [FORWARDED, MEETING, AN_HOUR]),
    (write_before_noting, [FORWARDED, ("kill in", 2), MEETING, ("start", None), AN_HOUR]),
    (take_his_for_ours, [MEETING, FORWARDED, AN_HOUR]),
    (decide_early, [("meet", (2, 60)), ("status", None), AN_HOUR]),
    (never_restore, [MEETING, AN_HOUR]),
    (ignore_the_lease, [MEETING, *CRASH, ("wake the old", None)]),
]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("mistake", "happenings"), [pytest.param(*one, id=one[0].__name__) for one in MISTAKES]
)
def test_a_history_tells_a_mistake(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    mistake: Callable[[pytest.MonkeyPatch], None],
    happenings: Happenings,
) -> None:
    play(settings, happenings)
    mistake(monkeypatch)
    with pytest.raises(AssertionError):
        play(settings, happenings)
