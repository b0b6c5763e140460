"""Ten of the timelines in real time, in the hands of a process that is killed with -9 meanwhile.

Each has its user; all are set so that their own moment of death is the same second. Then another
process starts. What the PBX was told must be what the timeline says, in number and order: never
early, and late by no longer than nobody was there.
"""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bluetel.telephony.simulator.events import Write
from bluetel.telephony.simulator.model import SimulatedPbx
from bluetel.telephony.simulator.scenario import CAST
from bluetel.telephony.types import Forward, ForwardKind
from tests.apps.forwarding.day import at
from tests.apps.forwarding.timelines import DATE, TIMELINES, Timeline, calendar
from tests.fetch.site import Reply, Request, Site
from tests.live.servers import UP_WITHIN, Api, Process, running_site
from tests.live.servers import Site as House

pytestmark = [pytest.mark.timeout(300), pytest.mark.real_time]

TEN_MINUTES = timedelta(minutes=10)
PROMPT = timedelta(seconds=5)
"""How late a write may be at most on a machine with other things to do."""

MOBILE = "0639984172"
AFTER_WRITE = "killed after the write"
KILLED_AT = {
    "one meeting": "10:30",
    "two overlap": "11:00",
    "one contains another": "10:30",
    "calls by the status": "11:00",
    "a forward dialled before the meeting comes back": "10:00",
    "not for this meeting, though it is prolonged": "10:30",
    "deleted while nobody looked": "10:20",
    "dialled while nobody looked": "10:20",
    "down when it begins": "09:50",
    "down when it ends": "10:50",
    AFTER_WRITE: "10:00",
}
"""The timelines, and when in each the process dies; the last dies by what it wrote."""


@dataclass(frozen=True)
class Pace:
    """Fixture time and real time: ``death`` is when all die, ten minutes are ``seconds``."""

    death: datetime
    seconds: int

    def real(self, name: str, moment: datetime) -> datetime:
        """When a moment of a timeline really is."""
        return self.death + (moment - at(KILLED_AT[name])) / TEN_MINUTES * timedelta(
            seconds=self.seconds
        )


class Player:
    """One user, whose calendar is a file on a web server."""

    def __init__(self, timeline: Timeline, extension: str, house: House) -> None:
        self.timeline = timeline
        self.extension = extension
        self.text = calendar([])
        self._house = house
        self._calendar = ""
        self._skipped = 0

    @property
    def name(self) -> str:
        return self.timeline.name

    def lives_for(self) -> timedelta:
        """How much of his day comes before the end of the first process."""
        first = min([at("10:00"), *(at(time) for time, *_ in self.timeline.acts)])
        return at(KILLED_AT[self.name]) - first

    def write_calendar(self, pace: Pace, *events: str) -> None:
        def moved(found: re.Match[str]) -> str:
            clock = ":".join(found.groups())
            return f"{pace.real(self.name, at(clock)):%Y%m%dT%H%M%SZ}"

        self.text = re.sub(
            rf"{DATE}T(\d\d)(\d\d)(\d\d)Z", moved, calendar(events).decode()
        ).encode()

    def settle_in(self, api: Api, address: str) -> None:
        """Give BlueTel the rules and the address of a calendar, in which nothing is yet."""
        api.ask("PUT", "automation", self.timeline.rules)
        added = api.ask("POST", "calendars", {"kind": "ics", "url": address})
        self._calendar = added["id"]
        self._skipped = len(self._all_writes())

    def refresh(self, api: Api) -> None:
        api.ask("POST", f"calendars/{self._calendar}/refresh")

    def suppress(self, api: Api) -> None:
        api.ask("POST", "routing/suppress", {"scope": "meeting"})

    def dial(self, number: str) -> None:
        def press(model: SimulatedPbx) -> None:
            forward = Forward(enabled=True, destination=number)
            person = model.lines[self.extension][0]
            model.set_forward(person, ForwardKind.UNCONDITIONAL, forward)

        self._house.wazo.do(press)

    def _all_writes(self) -> list[Write]:
        def look(model: SimulatedPbx) -> list[Write]:
            user = model.lines[self.extension][0].id
            return [
                write
                for write in model.writes
                if write.user == user
                and write.who != "handset"
                and write.what == "forward.unconditional"
            ]

        return self._house.wazo.do(look)

    def writes(self) -> list[Write]:
        """What BlueTel wrote of the unconditional forward since all was set."""
        return self._all_writes()[self._skipped :]

    def shown(self, write: Write) -> str:
        """As the timeline has it, without the time."""
        box = f"*97{self.extension}"
        return write.after.replace(box, "V").replace(MOBILE, "M")


def wait_until(moment: datetime) -> None:
    threading.Event().wait(max(0.0, (moment - datetime.now(UTC)).total_seconds()))


class Play:
    """All of them in one house, and the processes that serve it one after the other."""

    def __init__(self, house: House) -> None:
        chosen = [timeline for timeline in TIMELINES if timeline.name in KILLED_AT]
        extensions = sorted(house.people)[len(CAST) :]  # of those nobody has set anything yet
        self.players = [
            Player(timeline, extension, house)
            for timeline, extension in zip(chosen, extensions, strict=False)
        ]
        self._house = house
        began = time.monotonic()
        self.process: Process | None = self._serve()
        self._start_takes = time.monotonic() - began

    def answer(self, request: Request) -> Reply:
        """As the web server where the calendars are."""
        return Reply(200, self._by_extension(request.path[1:5]).text)

    def prepare(self, web: str) -> Pace:
        """Have all users ready some seconds before the first thing happens to them."""
        for player in self.players:
            player.settle_in(self.api(player), f"{web}/{player.extension}.ics")
        seconds = max(3, math.ceil(self._start_takes / 3))
        before = max(player.lives_for() for player in self.players) / TEN_MINUTES
        death = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=6 + before * seconds)
        pace = Pace(death, seconds)
        for player in self.players:
            player.write_calendar(pace, *player.timeline.events)
            player.refresh(self.api(player))
        return pace

    def api(self, player: Player) -> Api:
        assert self.process is not None
        return self._house.api(player.extension, self.process)

    def act(self, player: Player, pace: Pace, what: str, *given: Any) -> None:
        """What happens to a timeline's user; a calendar that changes is read when somebody can."""
        match what:
            case "dial":
                player.dial(*given)
            case "text":
                player.write_calendar(pace, *given)
                if self.process is not None:
                    player.refresh(self.api(player))
            case "suppress":
                player.suppress(self.api(player))
            case _:
                assert what in {"kill", "start", "kill_after_write"}, what

    def kill_after_write_of(self, player: Player) -> None:
        """Kill -9 as soon as the PBX has what that user's meeting led to."""
        deadline = time.monotonic() + PROMPT.total_seconds()
        pause = threading.Event()
        while not player.writes():
            assert time.monotonic() < deadline, "the write that was waited for never came"
            pause.wait(0.005)
        assert self.process is not None
        self.process.process.kill()
        self.process = None

    def come_back(self, pace: Pace) -> datetime:
        """Start another process after twenty minutes of the timelines; when it was there."""
        wait_until(pace.death + 2 * timedelta(seconds=pace.seconds))
        self.process = self._serve()
        return datetime.now(UTC)

    def _serve(self) -> Process:
        process = self._house.serve()
        process.wait_until_said("is heard")
        return process

    def _by_extension(self, extension: str) -> Player:
        return next(one for one in self.players if one.extension == extension)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with running_site(users=len(CAST) + len(KILLED_AT), BLUETEL_FETCH_ALLOW="127.0.0.0/8") as site:
        yield site


def test_killed_with_minus_nine_in_real_time_the_pbx_is_told_the_same(house: House) -> None:
    play = Play(house)
    with Site(play.answer) as web, ThreadPoolExecutor(1) as starting:
        pace = play.prepare(web.url)
        moments = [
            (pace.real(player.name, at(time)), 1, player, act)
            for player in play.players
            for time, *act in player.timeline.acts
        ]
        victim = next(one for one in play.players if one.name == AFTER_WRITE)
        moments.append((pace.death, 0, victim, ["die"]))
        died = pace.death
        coming: Future[datetime] | None = None
        for moment, _, player, (what, *given) in sorted(moments, key=lambda one: one[:2]):
            wait_until(moment)
            if what == "die":
                play.kill_after_write_of(player)
                died = datetime.now(UTC)
                coming = starting.submit(play.come_back, pace)
            else:
                play.act(player, pace, what, *given)
        assert coming is not None
        back = coming.result(timeout=UP_WITHIN + 60)
        last = max(
            pace.real(player.name, at(entry.split()[0]))
            for player in play.players
            for entry in player.timeline.log
        )
        wait_until(max(last, back) + PROMPT)
        for player in play.players:
            check(player, pace, died=died, back=back)


def check(player: Player, pace: Pace, *, died: datetime, back: datetime) -> None:
    expected = [entry.split(maxsplit=1) for entry in player.timeline.log]
    writes = player.writes()
    told = ", ".join(f"{write.at:%T.%f} {player.shown(write)}" for write in writes)
    story = f"{player.name}: died {died:%T.%f}, back {back:%T.%f}; the PBX was told: {told}"
    assert [player.shown(write) for write in writes] == [after for _, after in expected], story
    for write, (clock, _) in zip(writes, expected, strict=True):
        due = pace.real(player.name, at(clock))
        assert write.at >= due, story
        by = back if died <= due + PROMPT and due <= back else due
        assert write.at <= by + PROMPT, story
