from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from bluetel.accounts.models import User
from bluetel.telephony.errors import AuthenticationFailed, PbxUnavailable
from forwarding import services
from forwarding.calendars import accounts, reading
from forwarding.hanging_up import LOOKED_AT_EVERY
from forwarding.models import Calendar, Line
from forwarding.selectors import routing_of
from presence.models import PersonState
from tests.apps.forwarding.day import Day, at
from tests.apps.forwarding.timelines import TIMELINES, Timeline, calendar
from tests.apps.house import House

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(120)]

MOBILE = "0639984172"
AFTER = timedelta(hours=14)


class Player:
    """Plays a timeline: the file is read, time passes, things happen."""

    def __init__(self, house: House, timeline: Timeline, settings: Settings) -> None:
        self.settings = settings
        start = timeline.start
        began = at(start) if len(start) == 5 else datetime.fromisoformat(f"{start}+00:00")
        User.objects.update(time_zone="Europe/Paris")
        self.day = Day(house, now=began)
        self.began = began
        self.me = self.day.user.email
        self.day.rules(**timeline.rules)
        self._calendar: Calendar | None = None
        self.text(*timeline.events)

    def text(self, *events: str) -> None:
        """The file is another one now, and was read."""
        self.events = events
        data = calendar([one.replace("{me}", self.me) for one in events])
        if self._calendar is None:
            self._calendar = accounts.add_upload(self.day.user, data, name="mine", now=self.day.now)
        else:
            reading.store_upload(self._calendar, data, now=self.day.now)
        self.day.calendar_changed()

    def read_again(self, times: int) -> None:
        """The file is read so often, each time with another word that says nothing."""
        for count in range(times):
            self.text(
                *(one.replace("SUMMARY:hush", f"SUMMARY:hush {count}") for one in self.events)
            )

    def rules(self, changes: dict[str, Any]) -> None:
        self.day.rules(**changes)

    def suppress(self, scope: str) -> None:
        self.day.do(services.suppress, scope)

    def unsuppress(self) -> None:
        self.day.do(services.unsuppress)

    def status(self, im: str | None) -> None:
        self.day.status(im)

    def dial(self, number: str | None) -> None:
        self.day.dial(number)

    def dnd(self, on: bool) -> None:
        self.day.switch_dnd(on=on)

    def kill(self) -> None:
        self.day.kill_engine()

    def kill_after_write(self) -> None:
        self.day.dies_after_writes = len(self.day.writes())

    def kill_in(self, steps: int) -> None:
        self.day.steps_to_live = steps

    def start(self) -> None:
        self.day.start_engine()

    def fail(self) -> None:
        self.day.house.backend.fail(PbxUnavailable("down"))

    def refuse(self) -> None:
        self.day.house.backend.fail(AuthenticationFailed("the token has expired"))

    def heal(self) -> None:
        self.day.house.backend.heal()

    def lose_box(self) -> None:
        self.day.house.do(lambda model: setattr(self.day.person, "box", None))

    def colleague_dials(self, extension: str, number: str | None) -> None:
        """A colleague's own forward is another one now, and known."""
        forward = {"enabled": number is not None, "destination": number or ""}
        Line.objects.update_or_create(
            user=self.day.house.user(extension), defaults={"own": {"unconditional": forward}}
        )

    def allow_regions(self, *regions: str) -> None:
        self.settings.ALLOWED_REGIONS = regions

    def phone(self, state: str) -> None:
        """His telephone is in that state, and the engine had the time to see it."""
        PersonState.objects.update_or_create(
            user=self.day.user, defaults={"phone": state, "im": "offline", "revision": 1}
        )
        self.day.pass_to(self.day.now + LOOKED_AT_EVERY)

    def told(self, words: str) -> None:
        """What the user's pages say is wrong; nothing without words."""
        problem = routing_of(self.day.user, now=self.day.now)["problem"]
        assert words in problem if words else not problem, problem

    def leave(self) -> None:
        User.objects.filter(pk=self.day.user.pk).update(pbx=None)

    def shown(self) -> str:
        im = self.day.seen().im
        return "free" if im == "offline" else im

    def log(self) -> list[str]:
        entries = self.day.log()
        return [entry.replace(self.day.voicemail, "V").replace(MOBILE, "M") for entry in entries]


@pytest.mark.parametrize("timeline", [pytest.param(one, id=one.name) for one in TIMELINES])
def test_what_a_day_leads_to(house: House, timeline: Timeline, settings: Settings) -> None:
    player = Player(house, timeline, settings)
    day = player.day
    moments: list[tuple[datetime, int, tuple[Any, ...]]] = [
        (at(time), 1, (what, *given)) for time, what, *given in timeline.acts
    ]
    state = player.shown()
    for change in timeline.im:
        time, after = change.split()
        moments.append((at(time) - timedelta(seconds=1), 0, ("see", state)))
        moments.append((at(time), 2, ("see", after)))
        state = after
    for moment, _, (what, *given) in sorted(moments, key=lambda one: one[:2]):
        day.pass_to(max(moment, day.now))
        if what == "see":
            assert player.shown() == given[0], f"at {moment:%H:%M:%S}"
        else:
            getattr(player, what)(*given)
    day.pass_to(max(day.now, player.began + AFTER))
    assert player.log() == timeline.log
    assert day.written() <= {"forward.unconditional"}
