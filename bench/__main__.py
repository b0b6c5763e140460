"""``python -m bench [NAME …]``: measure, print a line of JSON for each figure, fail on a miss."""

from __future__ import annotations

import sys

from bench import (
    calendars,
    click_to_call,
    contacts,
    edges,
    fanout,
    live_events,
    nine_oclock,
    pushes,
)

BENCHES = {
    "calendars": calendars.run,
    "click_to_call": click_to_call.run,
    "live_events": live_events.run,
    "contacts": contacts.run,
    "fanout": fanout.run,
    "edges": edges.run,
    "nine_oclock": nine_oclock.run,
    "pushes": pushes.run,
}


def main(names: list[str]) -> int:
    """Run the named benches, or all; 1 when a gate is missed."""
    known = {**BENCHES, **contacts.singles(), **fanout.singles()}
    unknown = set(names) - set(known)
    if unknown:
        print(f"no bench is called {', '.join(sorted(unknown))}; there is: {', '.join(known)}")
        return 2
    missed = 0
    for name in names or BENCHES:
        for figure in known[name]():
            print(figure.line(), flush=True)
            missed += not figure.met
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
