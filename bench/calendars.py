"""S4: what calendars cost, the fetch apart; each against the bare libraries in the same run.

``S4-unchanged`` is an address that answers what it answered before, by entity tag and by a whole
body that is the same. ``S4-changed`` is a text reduced and expanded, against parsing and expanding
it as it is. ``S4-steady`` is the share of a processor for 10,000 users whose calendars are asked
each minute and of which 5 % change in an hour. ``S4-fetch`` is a conditional fetch over loopback.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import cast

from bench.figure import Figure

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluetel.settings")

NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)
SERIES, SINGLE = 20, 50
EVENTS = SERIES + SINGLE
USERS, CHANGED_AN_HOUR, POLLS_AN_HOUR = 10_000, 0.05, 60
UNCHANGED_MS, CHANGED_RATIO, SHARE = 0.2, 1.3, 2.0
ETAG = '"1"'


def run() -> Iterator[Figure]:
    """The four figures."""
    import django  # noqa: PLC0415 — the settings are named above

    django.setup()
    text = calendar_text()
    parsed = cost(lambda: parse_bare(text), times=5)
    tagged, same = unchanged(text)
    yield Figure(
        id="S4-unchanged",
        value=round(max(tagged, same), 4),
        unit="ms",
        goal=f"<= {UNCHANGED_MS} ms of processor per unchanged calendar, without its fetch",
        met=max(tagged, same) <= UNCHANGED_MS,
        against=f"parsing and expanding it: {parsed:.1f} ms; by entity tag {tagged:.4f} ms",
    )
    changed = cost(lambda: read(text), times=5)
    yield Figure(
        id="S4-changed",
        value=round(changed / parsed, 2),
        unit="x",
        goal=f"<= {CHANGED_RATIO} x bare parsing and expanding of {EVENTS} events",
        met=changed <= CHANGED_RATIO * parsed,
        against=f"bare {parsed:.1f} ms, here {changed:.1f} ms",
    )
    hour = USERS * (POLLS_AN_HOUR * max(tagged, same) + CHANGED_AN_HOUR * changed)
    share = hour / 3_600_000 * 100
    yield Figure(
        id="S4-steady",
        value=round(share, 2),
        unit="% of a processor",
        goal=f"<= {SHARE} % for {USERS} users, each asked every minute, without fetches",
        met=share <= SHARE,
        against=f"{hour / 1000:.1f} s of processor in an hour",
    )
    fetch = fetched()
    yield Figure(
        id="S4-fetch",
        value=round(fetch, 3),
        unit="ms",
        goal="told apart, no gate",
        met=True,
        against=f"{USERS} users each minute: {USERS * fetch / 600:.1f} % of a processor",
    )


def calendar_text() -> bytes:
    """A medium calendar: weekly series, and single events of some weeks around now."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//bench//EN"]
    for number in range(EVENTS):
        start = NOW - timedelta(days=35) + timedelta(hours=25 * number)
        lines += [
            "BEGIN:VEVENT",
            f"UID:event-{number}@example.org",
            "DTSTAMP:20260101T000000Z",
            f"DTSTART;TZID=Europe/Paris:{start:%Y%m%dT%H%M%S}",
            f"DTEND;TZID=Europe/Paris:{start + timedelta(hours=1):%Y%m%dT%H%M%S}",
            f"SUMMARY:Meeting number {number} about something or other",
            "LOCATION:Room 7",
            "DESCRIPTION:" + "As we said last time. " * 4,
            "ATTENDEE;CN=Nadia Belkacem;PARTSTAT=ACCEPTED:mailto:nadia@example.org",
            *(["RRULE:FREQ=WEEKLY"] if number < SERIES else []),
            "END:VEVENT",
        ]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def cost(work: Callable[[], object], *, times: int) -> float:
    """Milliseconds of processor of the cheapest of a few runs."""
    taken = []
    for _ in range(times):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken) * 1000


def parse_bare(text: bytes) -> None:
    """What the libraries alone do for the same two weeks."""
    import icalendar  # noqa: PLC0415 — the runs that don't need it needn't load it
    import recurring_ical_events  # noqa: PLC0415

    found = recurring_ical_events.of(icalendar.Calendar.from_ical(text))
    found.between(NOW - timedelta(days=1), NOW + timedelta(days=15))


def read(text: bytes) -> None:
    """What a process does with a changed text."""
    from forwarding.ics.reading import read_texts  # noqa: PLC0415

    (found,) = read_texts(
        [text],
        mine=["nadia@example.org"],
        zone="Europe/Paris",
        now=NOW,
        since=NOW - timedelta(days=1),
        until=NOW + timedelta(days=15),
    )
    assert found.instances


def unchanged(text: bytes) -> tuple[float, float]:
    """Milliseconds of an unchanged address: by its entity tag, and by the same body again."""
    from bluetel.fetch.door import Door  # noqa: PLC0415
    from bluetel.fetch.exchange import Answer  # noqa: PLC0415
    from forwarding.calendars.addresses import Address, FileState, fetch_file  # noqa: PLC0415
    from forwarding.ics.reading import digest_of  # noqa: PLC0415

    class Canned:
        """A door behind which the answer already lies."""

        def __init__(self, status: int, body: bytes) -> None:
            self._answer = Answer(
                status=status, url="https://example.org/", headers={"etag": ETAG}, body=body
            )

        def get(self, *_: object, **__: object) -> Answer:
            return self._answer

    address = Address("https://example.org/")
    known = FileState(etag=ETAG, digest=digest_of(text))
    found = []
    rounds = 200
    for door in (Canned(304, b""), Canned(200, text)):
        opened = cast("Door", door)

        def ask(opened: Door = opened) -> None:
            for _ in range(rounds):
                assert fetch_file(opened, address, known) is None

        found.append(cost(ask, times=5) / rounds)
    return found[0], found[1]


def fetched() -> float:
    """Milliseconds of this process for one conditional fetch of its own loopback server."""
    from bluetel.fetch.door import Door, Known  # noqa: PLC0415

    class Unchanged(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(304)
            self.send_header("ETag", ETAG)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Unchanged)
    server.daemon_threads = True
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    rounds = 200
    try:
        with Door(allow=["127.0.0.0/8"]) as door:
            url = f"http://127.0.0.1:{server.server_address[1]}/"

            def ask() -> None:
                for _ in range(rounds):
                    assert door.get(url, known=Known(etag=ETAG)).is_unchanged

            return cost(ask, times=3) / rounds
    finally:
        server.shutdown()
        server.server_close()
