"""Whatever happens, in whatever order: in the end the PBX has what the user himself last set."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from pytest_django import Settings

from bluetel.accounts.pbx import close_backends
from bluetel.telephony.errors import PbxUnavailable
from bluetel.telephony.types import Forward
from bluetel.work.due import LEASE
from forwarding import services
from forwarding.models import Occurrence, PbxWrite
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
    settings.PBX_BACKENDS = {"wazo": "tests.apps.house.open_backend"}
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
    close_backends()
