"""A calendar of 5 MB is read in a process of its own: the one with the loop hardly notices.

What this process computes meanwhile bounds how late an edge can be through it; how late it was by
the clock depends on what else the machine does.
"""

from __future__ import annotations

import time
from datetime import timedelta

from bluetel.work import processes
from forwarding.ics.reading import read_texts
from tests.apps.forwarding.calendar_texts import NOW, calendar, meeting

LATE = 0.25


def five_megabytes() -> bytes:
    """Past and future events with long descriptions."""
    filler = "DESCRIPTION:" + "As we said last time, and the time before. " * 8
    days = (NOW + timedelta(days=count % 400 - 200) for count in range(12_000))
    events = [
        meeting(f"{day:%Y%m%d}T100000Z", f"{day:%Y%m%d}T110000Z", f"event-{number}").replace(
            "END:VEVENT", f"{filler}\nEND:VEVENT"
        )
        for number, day in enumerate(days)
    ]
    text = calendar(*events).encode()
    assert len(text) > 5_000_000
    return text


def test_reading_it_keeps_no_edge_waiting() -> None:
    text = five_megabytes()
    processes.compute(len, b"")  # the processes live
    began = time.process_time()
    (found,) = processes.compute(
        read_texts,
        [text],
        mine=[],
        zone="Europe/Paris",
        now=NOW,
        since=NOW - timedelta(days=1),
        until=NOW + timedelta(days=15),
    )
    assert time.process_time() - began <= LATE
    assert (found.problem, len(found.instances) > 400) == ("", True)
