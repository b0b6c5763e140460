"""CalDAV accounts, on a real Radicale whose events another program writes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bluetel.accounts.models import User
from forwarding.calendars.accounts import add_calendar
from forwarding.calendars.errors import CalendarUnreachable
from forwarding.calendars.reading import read_calendar
from forwarding.models import Calendar, Occurrence
from tests.apps.forwarding.calendar_texts import NOW, calendar, meeting
from tests.servers import ServerOf
from tests.servers.radicale import Radicale, password_of

LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def radicale(server: ServerOf) -> Radicale:
    found = server("radicale")
    assert isinstance(found, Radicale)
    return found


@pytest.fixture
def work(radicale: Radicale) -> str:
    """A calendar of Camille's with one event."""
    for url in radicale.members("camille", f"{radicale.url}camille/"):
        radicale.delete("camille", url)
    url = radicale.collection("camille", "calendar", "Work")
    radicale.put("camille", f"{url}a.ics", calendar(meeting()))
    return url


def add(user: User, url: str, password: str = "") -> Calendar:
    return add_calendar(
        user,
        kind="caldav",
        url=url,
        username="camille",
        password=password or password_of("camille"),
        now=NOW,
    )


def times(user: User) -> list[str]:
    rows = Occurrence.objects.filter(user=user).order_by("starts")
    return [f"{row.starts:%d %H:%M}-{row.ends:%H:%M}" for row in rows]


def test_a_calendar_is_read_at_its_own_address(camille: User, work: str) -> None:
    added = add(camille, work)
    assert (added.error, added.name, times(camille)) == ("", "Work", ["25 10:00-11:00"])


def test_the_server_s_address_is_enough_and_finds_all_calendars(
    camille: User, radicale: Radicale
) -> None:
    for name, hour in (("One", "12"), ("Two", "13")):
        url = radicale.collection("nadia", "calendar", name)
        event = meeting(f"20261125T{hour}0000Z", f"20261125T{hour}3000Z", name)
        radicale.put("nadia", f"{url}{name}.ics", calendar(event))
    radicale.collection("nadia", "addressbook", "People")
    added = add_calendar(
        camille,
        kind="caldav",
        url=radicale.url,
        username="nadia",
        password=password_of("nadia"),
        now=NOW,
    )
    assert (added.error, times(camille)) == ("", ["25 12:00-12:30", "25 13:00-13:30"])
    assert sorted(added.name.split(", ")) == ["One", "Two"]


def test_what_another_program_does_is_known_after_the_next_reading(
    camille: User, radicale: Radicale, work: str
) -> None:
    added = add(camille, work)
    radicale.put("camille", f"{work}b.ics",
                 calendar(meeting("20261125T140000Z", "20261125T150000Z", "b")))  # fmt: skip
    assert read_calendar(added, now=LATER)
    assert times(camille) == ["25 10:00-11:00", "25 14:00-15:00"]
    radicale.put("camille", f"{work}b.ics",
                 calendar(meeting("20261125T160000Z", "20261125T161500Z", "b")))  # fmt: skip
    assert read_calendar(added, now=LATER)
    assert times(camille) == ["25 10:00-11:00", "25 16:00-16:15"]
    radicale.delete("camille", f"{work}a.ics")
    assert read_calendar(added, now=LATER)
    assert times(camille) == ["25 16:00-16:15"]
    assert not read_calendar(added, now=LATER)


def test_a_deleted_calendar_is_gone_with_its_meetings(camille: User, radicale: Radicale) -> None:
    urls = [radicale.collection("ines", "calendar", name) for name in ("One", "Two")]
    for number, url in enumerate(urls):
        event = meeting(f"20261125T1{number}0000Z", f"20261125T1{number}3000Z", str(number))
        radicale.put("ines", f"{url}{number}.ics", calendar(event))
    added = add_calendar(
        camille,
        kind="caldav",
        url=f"{radicale.url}ines/",
        username="ines",
        password=password_of("ines"),
        now=NOW,
    )
    radicale.delete("ines", urls[0])
    read_calendar(added, now=LATER)
    assert times(camille) == ["25 11:00-11:30"]


def test_a_wrong_password_is_told(camille: User, work: str) -> None:
    added = add(camille, work, password="wrong")
    assert (added.error, times(camille)) == ("not_allowed", [])
    with pytest.raises(CalendarUnreachable, match="not_allowed"):
        read_calendar(added, now=LATER)
