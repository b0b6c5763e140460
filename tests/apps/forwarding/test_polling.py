"""When addresses are asked again, and what an unchanged one costs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from pytest_django import DjangoAssertNumQueries

from bluetel.accounts.models import User
from forwarding.calendars.accounts import add_calendar, remove_calendar
from forwarding.calendars.addresses import Address
from forwarding.calendars.duty import CalendarWatch
from forwarding.calendars.polling import Agenda, Watched, ask, newer_calendars, note_unchanged
from forwarding.models import Calendar, Occurrence
from tests.apps.forwarding.calendar_texts import NOW, calendar, meeting
from tests.apps.forwarding.conftest import CalendarSite

if TYPE_CHECKING:
    from bluetel.work.duties import Post

MINUTE = timedelta(minutes=1)


def watch(*calendars: Calendar) -> Watched:
    """The one address of these calendars, asked once."""
    agenda = Agenda()
    agenda.add(calendars, at=NOW)
    (watched,) = agenda.take_due(NOW)
    ask(watched, now=NOW)
    return watched


def add(user: User, site: CalendarSite) -> Calendar:
    return add_calendar(user, kind="ics", url=site.url, now=NOW)


def starts() -> list[str]:
    return [f"{row.starts:%d %H:%M}" for row in Occurrence.objects.order_by("starts")]


def test_an_unchanged_file_costs_no_query(
    camille: User, site: CalendarSite, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    site.etag = '"1"'
    watched = watch(add(camille, site))
    with django_assert_num_queries(0):
        assert ask(watched, now=NOW + MINUTE)


def test_a_changed_file_is_read_at_the_next_question(camille: User, site: CalendarSite) -> None:
    watched = watch(add(camille, site))
    site.text = calendar(meeting("20261125T150000Z", "20261125T160000Z"))
    assert not ask(watched, now=NOW + MINUTE)
    assert starts() == ["25 15:00"]
    assert ask(watched, now=NOW + 2 * MINUTE)


def test_users_who_share_an_address_share_its_answer(camille: User, site: CalendarSite) -> None:
    calendars = [add(camille, site), add(User.objects.create_user("nadia"), site)]
    watched = watch(*calendars)
    site.text = calendar(meeting("20261125T150000Z", "20261125T160000Z"))
    asked = len(site.site.requests)
    ask(watched, now=NOW + MINUTE)
    assert starts() == ["25 15:00", "25 15:00"]
    assert ask(watched, now=NOW + 2 * MINUTE)
    assert len(site.site.requests) - asked == 2


@pytest.mark.parametrize(
    ("text", "longest"),
    [(calendar(meeting()), MINUTE), (calendar(), 5 * MINUTE)],
    ids=["with a meeting to come", "without one"],
)
def test_it_is_asked_again_within(
    camille: User, site: CalendarSite, text: str, longest: timedelta
) -> None:
    site.text = text
    watched = watch(add(camille, site))
    first = watched.next_question(NOW)
    assert timedelta() < first - NOW <= longest
    assert watched.next_question(first) - first == longest


def test_a_failing_address_is_asked_seldom_and_read_once_it_is_back(
    camille: User, site: CalendarSite
) -> None:
    site.status = 503
    added = add(camille, site)
    watched = watch(added)
    assert watched.is_failing
    site.status = 200
    ask(watched, now=NOW + MINUTE)
    added.refresh_from_db()
    assert (watched.is_failing, added.error, starts()) == (False, "", ["25 10:00"])


def test_the_window_moves_on_though_the_file_is_what_it_was(
    camille: User, site: CalendarSite
) -> None:
    site.etag = '"1"'
    site.text = calendar(meeting().replace("END:VEVENT", "RRULE:FREQ=WEEKLY\nEND:VEVENT"))
    watched = watch(add(camille, site))
    ask(watched, now=NOW + timedelta(days=8))
    assert starts()[-1] == "16 10:00"


def test_new_calendars_are_found_and_removed_ones_dropped(
    camille: User, site: CalendarSite
) -> None:
    agenda = Agenda()
    added = add(camille, site)
    agenda.add(newer_calendars(agenda.newest_id), at=NOW)
    assert newer_calendars(agenda.newest_id) == []
    (watched,) = agenda.take_due(NOW)
    agenda.ask_again(watched, at=NOW + MINUTE)
    remove_calendar(added, now=NOW)
    agenda.forget(note_unchanged(watched.ids, now=NOW))
    assert agenda.take_due(NOW + MINUTE) == []


def test_not_all_addresses_are_asked_at_once() -> None:
    addresses = [Address(f"https://example.org/{number}.ics") for number in range(100)]
    times = {Watched(kind="ics", address=one, ids=[1]).next_question(NOW) for one in addresses}
    assert len(times) > 50


class Desk:
    """What an engine gives its duties, with plain threads; says when an address was asked."""

    def __init__(self) -> None:
        self.has_asked = asyncio.Event()

    async def run(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        answer = await asyncio.to_thread(function, *args, **kwargs)
        if function is ask:
            self.has_asked.set()
        return answer

    database = run


@pytest.mark.django_db(transaction=True)
async def test_calendars_are_read_when_the_engine_starts(site: CalendarSite, camille: User) -> None:
    made = await Calendar.objects.acreate(user=camille, kind="ics", url=site.url, created_at=NOW)
    desk = Desk()
    duty = asyncio.create_task(CalendarWatch().run(cast("Post", desk)))
    try:
        await asyncio.wait_for(desk.has_asked.wait(), 20)
    finally:
        duty.cancel()
        await asyncio.gather(duty, return_exceptions=True)
    assert (await Calendar.objects.aget(pk=made.pk)).last_read_at is not None
