"""Calendar files at an address: read, kept, read again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from pytest_django import Settings

from bluetel.accounts.models import User
from forwarding.calendars.accounts import add_calendar, add_upload, remove_calendar
from forwarding.calendars.errors import AddressRefused, CalendarUnreachable
from forwarding.calendars.reading import read_calendar
from forwarding.models import Calendar, CalendarObject, Occurrence
from tests.apps.forwarding.calendar_texts import NOW, SECRET, calendar, meeting
from tests.apps.forwarding.conftest import CalendarSite

LATER = NOW + timedelta(minutes=1)


def times(user: User) -> list[str]:
    rows = Occurrence.objects.filter(user=user).order_by("starts")
    return [f"{row.starts:%d %H:%M}-{row.ends:%H:%M}" for row in rows]


def add(user: User, site: CalendarSite, now: datetime = NOW) -> Calendar:
    return add_calendar(user, kind="ics", url=site.url, now=now)


def test_a_file_is_read_when_it_is_added(camille: User, site: CalendarSite) -> None:
    added = add(camille, site)
    assert (added.error, added.last_read_at, times(camille)) == ("", NOW, ["25 10:00-11:00"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (calendar(meeting(), meeting("20261125T140000Z", "20261125T150000Z", "b")),
         ["25 10:00-11:00", "25 14:00-15:00"]),
        (calendar(meeting("20261125T120000Z", "20261125T130000Z")), ["25 12:00-13:00"]),
        (calendar(meeting("20261125T100000Z", "20261125T103000Z")), ["25 10:00-10:30"]),
        (calendar(), []),
    ],
    ids=["created", "moved", "shortened", "deleted"],
)  # fmt: skip
def test_what_somebody_else_changed_is_known_after_the_next_reading(
    camille: User, site: CalendarSite, text: str, expected: list[str]
) -> None:
    added = add(camille, site)
    site.text = text
    assert read_calendar(added, now=LATER)
    assert times(camille) == expected


def test_an_unchanged_file_changes_nothing(camille: User, site: CalendarSite) -> None:
    added = add(camille, site)
    before = list(Occurrence.objects.values_list("pk", flat=True))
    assert not read_calendar(added, now=LATER)
    assert list(Occurrence.objects.values_list("pk", flat=True)) == before


def test_only_what_changed_is_written(camille: User, site: CalendarSite) -> None:
    added = add(camille, site)
    (kept,) = Occurrence.objects.values_list("pk", flat=True)
    site.text = calendar(meeting(), meeting("20261126T100000Z", "20261126T110000Z", "b"))
    read_calendar(added, now=LATER)
    assert Occurrence.objects.get(uid="a").pk == kept


def test_a_server_that_knows_entity_tags_sends_nothing_twice(
    camille: User, site: CalendarSite
) -> None:
    site.etag = '"1"'
    added = add(camille, site)
    read_calendar(added, now=LATER)
    assert site.site.requests[-1].headers["If-None-Match"] == '"1"'


def test_no_title_is_stored_anywhere(camille: User, site: CalendarSite) -> None:
    add(camille, site)
    with connection.cursor() as cursor:
        for table in ("calendar", "collection", "calendarobject", "occurrence"):
            cursor.execute(f"SELECT * FROM forwarding_{table}")  # noqa: S608 — four fixed names
            assert SECRET not in repr(cursor.fetchall())


def test_a_password_is_sent_and_stored_sealed(camille: User, site: CalendarSite) -> None:
    site.password = "word"
    add_calendar(camille, kind="ics", url=site.url, username="c", password="word", now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SELECT password FROM forwarding_calendar")
        assert cursor.fetchone()[0] not in {"", "word"}
    assert times(camille) == ["25 10:00-11:00"]


def test_a_calendar_that_is_down_keeps_what_is_known(camille: User, site: CalendarSite) -> None:
    added = add(camille, site)
    site.status = 503
    with pytest.raises(CalendarUnreachable):
        read_calendar(added, now=LATER)
    added.refresh_from_db()
    assert (added.error, added.failing_since, times(camille)) == (
        "bad_answer",
        LATER,
        ["25 10:00-11:00"],
    )


def test_a_calendar_that_is_back_has_no_error(camille: User, site: CalendarSite) -> None:
    site.status = 503
    added = add(camille, site)
    site.status = 200
    read_calendar(added, now=LATER)
    assert (added.error, added.failing_since, times(camille)) == ("", None, ["25 10:00-11:00"])


def test_after_a_day_without_an_answer_nothing_is_believed_until_it_is_read_again(
    camille: User, site: CalendarSite
) -> None:
    site.text = calendar(meeting("20261126T073000Z", "20261126T090000Z"),
                         meeting("20261127T100000Z", "20261127T110000Z", "b"))  # fmt: skip
    added = add(camille, site)
    site.status = 503
    for now in (NOW + timedelta(minutes=1), NOW + timedelta(hours=24, minutes=2)):
        with pytest.raises(CalendarUnreachable):
            read_calendar(added, now=now)
    assert times(camille) == []
    site.status = 200
    read_calendar(added, now=NOW + timedelta(hours=25))
    assert times(camille) == ["26 07:30-09:00", "27 10:00-11:00"]


@pytest.mark.parametrize("text", ["<html>Sign in</html>", ""])
def test_a_page_that_is_no_calendar_is_an_error_and_changes_nothing(
    camille: User, site: CalendarSite, text: str
) -> None:
    added = add(camille, site)
    site.text = text
    with pytest.raises(CalendarUnreachable) as refused:
        read_calendar(added, now=LATER)
    assert (refused.value.problem, times(camille)) == ("not_a_calendar", ["25 10:00-11:00"])


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/c.ics", "ftp://example.org/c.ics", "https://[::1]/", "nonsense"]
)
def test_a_private_address_is_refused(camille: User, settings: Settings, url: str) -> None:
    settings.FETCH_ALLOW = ()
    with pytest.raises(AddressRefused):
        add_calendar(camille, kind="ics", url=url, now=NOW)
    assert not Calendar.objects.exists()


def test_a_site_that_nobody_answers_at_is_kept_with_its_error(camille: User) -> None:
    added = add_calendar(camille, kind="ics", url="http://127.0.0.1:9/c.ics", now=NOW)
    assert added.error == "unreachable"


def test_an_event_in_an_unknown_zone_is_a_warning(camille: User, site: CalendarSite) -> None:
    site.text = calendar(
        meeting().replace("DTSTART:", "DTSTART;TZID=Mars/Base:").replace("00Z", "00")
    )
    added = add(camille, site)
    assert added.warnings == [{"code": "unknown_time_zone", "time_zone": "Mars/Base"}]


def test_the_window_moves_on_without_asking_for_the_text_again(
    camille: User, site: CalendarSite
) -> None:
    site.etag = '"1"'
    site.text = calendar(meeting().replace("END:VEVENT", "RRULE:FREQ=WEEKLY\nEND:VEVENT"))
    added = add(camille, site)
    read_calendar(added, now=NOW + timedelta(days=9))
    assert times(camille)[-1] == "16 10:00-11:00"


def test_an_uploaded_file_is_kept_and_moves_on(camille: User) -> None:
    text = calendar(meeting().replace("END:VEVENT", "RRULE:FREQ=WEEKLY\nEND:VEVENT"))
    added = add_upload(camille, text.encode(), name="work.ics", now=NOW)
    read_calendar(added, now=NOW + timedelta(days=9))
    assert (added.name, times(camille)[-1]) == ("work.ics", "16 10:00-11:00")


def test_an_upload_that_is_no_calendar_is_not_kept(camille: User) -> None:
    with pytest.raises(CalendarUnreachable):
        add_upload(camille, b"PK\x03\x04", name="work.zip", now=NOW)
    assert not Calendar.objects.exists()


def test_a_new_time_zone_moves_the_times_that_have_none(camille: User, site: CalendarSite) -> None:
    site.text = calendar(meeting("20261125T100000", "20261125T110000"))
    added = add(camille, site)
    assert times(camille) == ["25 09:00-10:00"]
    camille.time_zone = "America/New_York"
    camille.save()
    read_calendar(Calendar.objects.get(pk=added.pk), now=LATER)
    assert times(camille) == ["25 15:00-16:00"]


def test_a_removed_calendar_leaves_nothing(camille: User, site: CalendarSite) -> None:
    remove_calendar(add(camille, site), now=LATER)
    assert not Occurrence.objects.exists()
    assert not CalendarObject.objects.exists()
