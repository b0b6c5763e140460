"""A day of one user with a clock that is driven: edges fire at their time, the PBX keeps a log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bluetel.accounts.models import User
from bluetel.telephony.simulator.events import (
    DoNotDisturbSet,
    ForwardSet,
    SimulatorEvent,
    Write,
)
from bluetel.telephony.simulator.people import Person
from bluetel.telephony.types import Forward, ForwardKind
from bluetel.work import due, leases
from bluetel.work.models import Due, Lease
from forwarding import selectors, services, steps
from forwarding.doing import perform, read_back
from forwarding.models import Calendar, CalendarObject, Collection, Line, Occurrence
from forwarding.planning import begin, conclude, take_news
from forwarding.steps import DO_NOT_DISTURB, EDGE, READ_EDGE
from presence import services as presence
from tests.apps.house import House

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MOST_ROUNDS = 20
UNCONDITIONAL = ForwardKind.UNCONDITIONAL


def at(clock: str, *, day: int = 24) -> datetime:
    """A time of the day, as ``10:30`` or ``10:30:05.9``."""
    hours, minutes, *seconds = clock.split(":")
    return datetime(2026, 11, day, tzinfo=UTC) + timedelta(
        hours=int(hours), minutes=int(minutes), seconds=float(seconds[0]) if seconds else 0.0
    )


@dataclass(frozen=True)
class Seen:
    """What holds, as the user sees it."""

    im: str
    route: str
    destination: str | None
    reason: str
    until: str | None


class Day:
    """The user of an extension, from nine o'clock on."""

    def __init__(
        self,
        house: House,
        extension: str = "1001",
        *,
        start: str = "09:00",
        now: datetime | None = None,
    ) -> None:
        self.house = house
        self.user: User = house.user(extension)
        self.now = now or at(start)
        self.person: Person = house.do(lambda model: model.lines[extension][0])
        self.voicemail = f"*97{extension}"
        self.steps_to_live: int | None = None
        self.dies_after_writes: int | None = None
        self.succeeded: list[leases.Held] = []
        self._news: list[tuple[int, str, Forward | bool]] = []
        house.do(lambda model: model.listen(self._hear))
        house.do(lambda model: model.run_until(self.now))
        self._skipped = len(house.do(lambda model: list(model.writes)))
        calendar = Calendar.objects.create(user=self.user, kind="ics", created_at=self.now)
        collection = Collection.objects.create(calendar=calendar)
        self._source = CalendarObject.objects.create(
            collection=collection, digest="", content=b"", expanded_until=NOON, zone="UTC"
        )
        self.start_engine()

    # --- The engine -------------------------------------------------------------------------------

    def start_engine(self) -> None:
        """An engine takes over, reads everybody with something of ours, and catches up."""
        held = leases.take(leases.ENGINE, owner=f"engine {self.now}", now=self.now)
        assert held is not None
        self.held = held
        self.is_running = True
        due.free_earlier(EDGE, held=held)
        self._keep_lease()
        self._settle_after_read()
        self._fire()

    def kill_engine(self) -> None:
        """The engine is gone without a word."""
        self.is_running = False
        self.succeeded.append(self.held)
        leases.release(self.held, now=self.now)

    def _keep_lease(self) -> None:
        Lease.objects.update(renewed_at=self.now, until=self.now + leases.TTL)

    def _hear(self, event: SimulatorEvent) -> None:
        if isinstance(event, ForwardSet) and event.person is self.person:
            self._news.append((self.user.pk, event.kind.value, event.person.forwards[event.kind]))
        elif isinstance(event, DoNotDisturbSet) and event.person is self.person:
            self._news.append((self.user.pk, DO_NOT_DISTURB, event.person.do_not_disturb))

    def go_to(self, clock: str, *, day: int = 24) -> None:
        """Let time pass; what is due on the way happens at its time."""
        self.pass_to(at(clock, day=day))

    def pass_to(self, target: datetime) -> None:
        """The same for an instant."""
        while self.is_running:
            edge = Due.objects.filter(next_at__lte=target).order_by("next_at").first()
            if edge is None:
                break
            self._set(max(self.now, edge.next_at))
            self._fire()
        self._set(target)

    def _set(self, now: datetime) -> None:
        self.now = now
        self.house.do(lambda model: model.run_until(now))
        if self.is_running:
            self._keep_lease()

    def _fire(self) -> None:
        """Fire what is due now, until nothing is."""
        while self.is_running:
            reads = due.claim(READ_EDGE, held=self.held, now=self.now)
            edges = due.claim(EDGE, held=self.held, now=self.now)
            if not reads and not edges:
                return
            if reads:
                due.finish(reads)
                self._settle_after_read()
            self._settle(must_read=False)

    def _settle_after_read(self) -> None:
        self._settle(must_read=True)

    def _settle(self, *, must_read: bool) -> None:
        """Do what the user needs, step by step; killed between two of them where that was asked."""
        ids = [self.user.pk]
        reads = frozenset(ids) if must_read else frozenset()
        todo: list[steps.Step] = []
        rounds = 0
        while (ids or todo) and self.is_running:
            rounds += 1
            assert rounds < MOST_ROUNDS, "it never settles"
            if ids:
                todo += begin(self.held, ids, now=self.now, must_read=reads, at_edge=True).steps
                reads = frozenset()
            if not todo or self._is_killed_now():
                return
            outcomes = [perform(step) for step in todo]
            if self._is_killed_now():
                return
            outcomes = [
                read_back(outcome.step)
                if not isinstance(outcome.step, steps.Read) and not outcome.error
                else outcome
                for outcome in outcomes
            ]
            plan = conclude(self.held, outcomes, now=self.now)
            ids, todo = list(plan.again), list(plan.steps)
            if self._is_killed_now():
                return

    def _is_killed_now(self) -> bool:
        if self.dies_after_writes is not None and len(self.writes()) > self.dies_after_writes:
            self.dies_after_writes = None
            self.kill_engine()
            return True
        if self.steps_to_live is None:
            return False
        self.steps_to_live -= 1
        if self.steps_to_live > 0:
            return False
        self.steps_to_live = None
        self.kill_engine()
        return True

    # --- What happens -----------------------------------------------------------------------------

    def dial(self, destination: str | None) -> None:
        """The handset: ``*21…``, or off; the number stays."""
        before = self.person.forwards[UNCONDITIONAL]
        forward = (
            Forward(enabled=True, destination=destination)
            if destination
            else Forward(enabled=False, destination=before.destination)
        )
        self._news.clear()
        self.dialed = forward
        self.house.do(lambda model: model.set_forward(self.person, UNCONDITIONAL, forward))
        self._take_news()

    def switch_dnd(self, *, on: bool) -> None:
        """The handset's do-not-disturb key."""
        self._news.clear()
        self.house.do(lambda model: model.set_do_not_disturb(self.person, enabled=on))
        self._take_news()

    def _take_news(self) -> None:
        news, self._news = self._news, []
        if self.is_running:
            take_news(self.held, news, now=self.now)
            self._settle_after_read()
            self._fire()

    def add(self, name: str, starts: str, ends: str, *, day: int = 24, **fields: Any) -> Occurrence:
        """A meeting appears in the calendar."""
        row = Occurrence.objects.create(
            user=self.user,
            source=self._source,
            uid=name,
            starts=at(starts, day=day),
            ends=at(ends, day=day),
            **fields,
        )
        self.calendar_changed()
        return row

    def add_now(self, name: str) -> None:
        """A meeting of an hour that began a minute ago appears in the calendar."""
        self.add_at(name, self.now - timedelta(minutes=1), self.now + timedelta(minutes=59))

    def add_at(self, name: str, starts: datetime, ends: datetime) -> None:
        """A meeting appears in the calendar."""
        Occurrence.objects.create(
            user=self.user, source=self._source, uid=name, starts=starts, ends=ends
        )
        self.calendar_changed()

    def move(self, name: str, starts: str, ends: str) -> None:
        """A meeting is moved, or made shorter or longer."""
        Occurrence.objects.filter(uid=name).update(starts=at(starts), ends=at(ends))
        self.calendar_changed()

    def remove(self, name: str) -> None:
        """A meeting is deleted."""
        Occurrence.objects.filter(uid=name).delete()
        self.calendar_changed()

    def calendar_changed(self) -> None:
        """The calendar was read."""
        services.reconsider(self.user.pk, now=self.now)
        self._fire()

    def rules(
        self, *, calendar: dict[str, Any] | None = None, im: dict[str, Any] | None = None
    ) -> None:
        """Choose what happens by itself."""
        changes = {"calendar": calendar or {}, "im": im or {}}
        services.save_automation(self.user, changes, now=self.now)
        self._fire()

    def status(self, im: str | None, *, until: datetime | str | None = None) -> None:
        """Choose a status by hand, or automatic."""
        if im is None:
            presence.be_automatic(self.user.pk)
        else:
            presence.choose_status(self.user.pk, im, now=self.now, until=until)  # type: ignore[arg-type]
        services.reconsider(self.user.pk, now=self.now)
        self._fire()

    def do(self, action: Callable[..., Any], *args: Any) -> None:
        """Say something about the meeting: ``services.suppress`` and the like."""
        action(self.user, *args, now=self.now)
        self._fire()

    def in_meeting(self) -> bool:
        """Whether a meeting that counts goes on."""
        return selectors.routing_of(self.user, now=self.now)["in_meeting"]

    def has_ours(self) -> bool:
        """Whether the row says that the PBX holds, or may hold, something of ours."""
        line = Line.objects.get(pk=self.user.pk)
        return line.applied is not None or line.intended is not None

    # --- What is seen -----------------------------------------------------------------------------

    def seen(self) -> Seen:
        """What the API says now."""
        found = selectors.routing_of(self.user, now=self.now)
        until = found["until"]
        return Seen(
            im=found["im"]["status"],
            route=found["route"],
            destination=found["destination"],
            reason=found["reason_code"],
            until=until[11:16] if until else None,
        )

    @property
    def on_pbx(self) -> str:
        """What the PBX holds: ``on NUMBER``, or ``off``."""
        forward = self.person.forwards[UNCONDITIONAL]
        return f"on {forward.destination}" if forward.enabled else "off"

    def writes(self) -> list[Write]:
        """What BlueTel wrote of the unconditional forward, in order."""
        return [
            write
            for write in self.house.do(lambda model: list(model.writes))[self._skipped :]
            if write.who == "service" and write.what == "forward.unconditional"
        ]

    def written(self) -> set[str]:
        """Which settings BlueTel wrote at all."""
        writes = self.house.do(lambda model: list(model.writes))[self._skipped :]
        return {write.what for write in writes if write.who == "service"}

    def log(self) -> list[str]:
        """The same, as ``10:00 on *971001``."""
        return [f"{write.at:%H:%M} {write.after}" for write in self.writes()]
