"""Real time, a real calendar server: the meetings of 200 people begin in the same second."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Origin

from bluetel.telephony.simulator.events import Write
from bluetel.telephony.simulator.model import SimulatedPbx
from bluetel.telephony.simulator.scenario import CAST
from tests.apps.forwarding.timelines import calendar, event
from tests.fetch.site import Reply, Request
from tests.fetch.site import Site as WebSite
from tests.live.servers import Process, Site, running_site
from tests.servers import ServerOf
from tests.servers.radicale import Radicale, password_of

pytestmark = [pytest.mark.timeout(300), pytest.mark.real_time]

PEOPLE, ON_CALDAV = 200, 5
READ_WITHIN = 7
"""How many times its start the engine may take to read all calendars."""

PATIENCE = 60.0

STORED_WITHIN = timedelta(seconds=3)
LASTS = timedelta(seconds=30)
SHOWN_WITHIN = timedelta(seconds=5)
WRITTEN_WITHIN = timedelta(seconds=30)
"""Limits for a machine with other things to do; the benches have the figures."""

MOBILE = "0639984172"
OWNER = "camille"
SETTLE_IN = """
import json, sys, django
django.setup()
from django.utils import timezone
from bluetel.accounts.models import User
from forwarding.models import Automation, Calendar
addresses, user, password, number = json.loads(sys.argv[1])
people = {user.extension: user for user in User.objects.all()}
Automation.objects.bulk_create(
    Automation(
        user=people[extension], set_im_busy=True,
        calendar_route="number", calendar_number=number, calendar_dialed=number,
    )
    for extension in addresses
)
rows = Calendar.objects.bulk_create(
    Calendar(
        user=people[extension], kind=kind, url=url, created_at=timezone.now(),
        **({"username": user, "password": password} if kind == "caldav" else {}),
    )
    for extension, (kind, url) in addresses.items()
)
print(json.dumps({row.user.extension: str(row.pk) for row in rows}))
"""


@pytest.fixture
def site() -> Iterator[Site]:
    with running_site(users=len(CAST) + PEOPLE, BLUETEL_FETCH_ALLOW="127.0.0.0/8") as found:
        yield found


@pytest.fixture
def radicale(server: ServerOf) -> Radicale:
    found = server("radicale")
    assert isinstance(found, Radicale)
    return found


class Office:
    """The 200: most have a calendar file on a web server, some a calendar on a CalDAV server.

    The files are there from when the hour of the meeting is set.
    """

    def __init__(self, site: Site, radicale: Radicale) -> None:
        self.site = site
        self._radicale = radicale
        self.people = sorted(site.people)[len(CAST) :]
        self.starts = datetime.max.replace(tzinfo=UTC)
        self._is_set = threading.Event()
        self._asked: set[str] = set()
        self._collections = {
            extension: radicale.collection(OWNER, "calendar")
            for extension in self.people[:ON_CALDAV]
        }
        self._ids: dict[str, str] = {}

    def answer(self, request: Request) -> Reply:
        """As the web server with the files, once the hour is set."""
        self._is_set.wait(PATIENCE)
        self._asked.add(request.path)
        return Reply(200, self._text().encode())

    def set_hour(self, within: float) -> None:
        """Have the meeting begin when so many seconds have passed."""
        self.starts = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=int(within))
        self._is_set.set()

    def settle_in(self, web: str) -> None:
        """Give BlueTel everybody's rules and calendars."""
        files = {
            extension: ["ics", f"{web}/{extension}.ics"] for extension in self.people[ON_CALDAV:]
        }
        accounts = {extension: ["caldav", url] for extension, url in self._collections.items()}
        given = json.dumps([files | accounts, OWNER, password_of(OWNER), MOBILE])
        said = self.site.run("-c", SETTLE_IN, given)
        self._ids = json.loads(said.splitlines()[-1])

    def meet(self, process: Process) -> None:
        """Another program puts the meeting into the CalDAV calendars; BlueTel is asked to look."""
        for extension, url in self._collections.items():
            self._radicale.put(OWNER, f"{url}nine.ics", self._text())
            path = f"calendars/{self._ids[extension]}/refresh"
            self.site.api(extension, process).ask("POST", path)
        files = len(self.people) - ON_CALDAV
        pause = threading.Event()
        while len(self._asked) < files and datetime.now(UTC) < self.starts:
            pause.wait(0.1)
        left = self.starts - datetime.now(UTC)
        assert left > STORED_WITHIN, f"this machine is too slow: {len(self._asked)} files read"

    def _text(self) -> str:
        times = [f"{moment:%Y%m%dT%H%M%SZ}" for moment in (self.starts, self.starts + LASTS)]
        return calendar([event("nine", *times)]).decode()

    def writes(self) -> dict[str, list[Write]]:
        """What BlueTel wrote of the unconditional forwards, by extension."""

        def look(model: SimulatedPbx) -> dict[str, list[Write]]:
            found: dict[str, list[Write]] = {extension: [] for extension in self.people}
            by_id = {str(model.lines[extension][0].id): extension for extension in self.people}
            for write in model.writes:
                if write.what == "forward.unconditional" and write.user in by_id:
                    found[by_id[write.user]].append(write)
            return found

        return self.site.wazo.do(look)


async def watch(process: Process, cookie: str, changes: list[tuple[datetime, str, str]]) -> None:
    """As a colleague's page does, for ever: when whose chat status was what."""
    address = process.url.replace("http", "ws", 1) + "/ws/live/"
    async with connect(
        address, additional_headers={"Cookie": cookie}, origin=Origin(process.url), max_size=None
    ) as socket:
        await socket.send(json.dumps({"type": "watch", "users": "all"}))
        async for text in socket:
            frame = json.loads(text)
            now = datetime.now(UTC)
            if frame["type"].startswith("presence."):
                changes += [(now, one["user_id"], one["im"]) for one in frame["people"]]


def wait_until(moment: datetime) -> None:
    threading.Event().wait(max(0.0, (moment - datetime.now(UTC)).total_seconds()))


def lateness(office: Office, since: datetime) -> str:
    """What to say of a run that failed: seconds after the beginning, by what was written."""
    times: dict[str, list[float]] = {}
    for writes in office.writes().values():
        for write in writes:
            times.setdefault(write.after, []).append((write.at - since).total_seconds())
    return ", ".join(
        f"{len(each)} x {what}: {min(each)} to {max(each)}" for what, each in times.items()
    )


async def test_two_hundred_are_busy_at_the_second_and_free_at_the_second(
    site: Site, radicale: Radicale
) -> None:
    office = await asyncio.to_thread(Office, site, radicale)
    changes: list[tuple[datetime, str, str]] = []
    with WebSite(office.answer) as web:
        await asyncio.to_thread(office.settle_in, web.url)
        began = time.monotonic()
        process = await asyncio.to_thread(site.serve)
        office.set_hour(READ_WITHIN * (time.monotonic() - began))
        await asyncio.to_thread(process.wait_until_said, "is heard")
        watching = asyncio.create_task(watch(process, site.cookie("1001"), changes))
        await asyncio.to_thread(office.meet, process)
        starts, ends = office.starts, office.starts + LASTS
        await asyncio.to_thread(wait_until, ends)
        while any(len(writes) < 2 for writes in office.writes().values()):
            assert datetime.now(UTC) < ends + WRITTEN_WITHIN, lateness(office, starts)
            await asyncio.sleep(0.2)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)

    for extension, writes in office.writes().items():
        assert [write.after for write in writes] == [f"on {MOBILE}", "off"], extension
        for write, due in zip(writes, (starts, ends), strict=True):
            assert due <= write.at <= due + WRITTEN_WITHIN, (extension, write)
    for extension in office.people:
        user = site.user_id(extension)
        busy = [at for at, who, im in changes if (who, im) == (user, "busy")]
        free = [at for at, who, im in changes if (who, im) == (user, "offline") and at >= starts]
        assert starts <= min(busy) <= starts + SHOWN_WITHIN, extension
        assert ends <= min(free) <= ends + SHOWN_WITHIN, extension
