"""What of a calendar's text makes its owner busy, and when; one event or two in each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from forwarding.ics.expansion import Instance, expand
from forwarding.ics.limits import OutOfTime, cpu_limit
from forwarding.ics.lines import NotACalendar
from forwarding.ics.reduction import reduce

NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)
PARIS, LISBON = "Europe/Paris", "Europe/Lisbon"
ME = "camille@example.org"


def calendar(*events: str, head: str = "") -> str:
    """A calendar of these events, each the lines of one VEVENT."""
    body = "".join(f"BEGIN:VEVENT\n{event.strip()}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\n{head}{body}END:VCALENDAR\n"


def event(start: str = "T100000", end: str = "T110000", *more: str, uid: str = "a") -> str:
    """One on the day of the tests in Paris; times are those of the day or whole lines."""
    lines = [f"UID:{uid}", "SUMMARY:Secret merger with Acme", "LOCATION:Room 7"]
    lines += [
        f"{name};TZID={PARIS}:20261125{time}" if time.startswith("T") else time
        for name, time in (("DTSTART", start), ("DTEND", end))
        if time
    ]
    return "\n".join([*lines, *more])


def instances(
    text: str, *, zone: str = PARIS, days: float = 15, now: datetime = NOW
) -> list[Instance]:
    reduced = reduce(text.encode(), mine=[ME], now=now)
    since = now - timedelta(days=1)
    return expand(reduced.text, zone=zone, since=since, until=now + timedelta(days=days)).instances


def times(found: Iterable[Instance]) -> list[str]:
    """Day and time of start and end, in UTC."""
    return [f"{one.starts:%d %H:%M}–{one.ends:%d %H:%M}" for one in found]


def warnings(text: str) -> list[str]:
    return [warning["code"] for warning in reduce(text.encode(), mine=[ME], now=NOW).warnings]


ATTENDEE = f"ATTENDEE;CN=Camille;PARTSTAT={{}}:mailto:{ME}"


@pytest.mark.parametrize(
    ("lines", "weight"),
    [
        ([], "busy"),
        (["TRANSP:OPAQUE"], "busy"),
        (["TRANSP:TRANSPARENT"], None),
        (["STATUS:CANCELLED"], None),
        (["STATUS:CONFIRMED"], "busy"),
        (["STATUS:TENTATIVE"], "tentative"),
        (["CLASS:PRIVATE"], "busy"),
        ([ATTENDEE.format("DECLINED")], None),
        ([ATTENDEE.format("ACCEPTED")], "busy"),
        ([ATTENDEE.format("TENTATIVE")], "tentative"),
        ([ATTENDEE.format("NEEDS-ACTION")], "tentative"),
        ([f"ATTENDEE:mailto:{ME}"], "tentative"),
        ([f"ATTENDEE;PARTSTAT=DECLINED:MAILTO:{ME.upper()}"], None),
        ([f"ATTENDEE;PARTSTAT=DECLINED;EMAIL={ME}:urn:uuid:1"], None),
        (["ATTENDEE;PARTSTAT=DECLINED:mailto:somebody@example.org"], "busy"),
        ([f"ORGANIZER:mailto:{ME}", ATTENDEE.format("NEEDS-ACTION")], "busy"),
        ([f"ORGANIZER:mailto:{ME}", ATTENDEE.format("DECLINED")], None),
        (["X-MICROSOFT-CDO-BUSYSTATUS:BUSY"], "busy"),
        (["X-MICROSOFT-CDO-BUSYSTATUS:FREE"], None),
        (["X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE"], None),
        (["X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE"], "tentative"),
        (["X-MICROSOFT-CDO-BUSYSTATUS:OOF"], "out_of_office"),
        (["X-MICROSOFT-CDO-BUSYSTATUS:OOF", "STATUS:TENTATIVE"], "tentative"),
        (["X-MICROSOFT-CDO-BUSYSTATUS:OOF", "TRANSP:TRANSPARENT"], None),
        (["CATEGORIES:BIRTHDAY"], None),
        (["BEGIN:VALARM", "STATUS:CANCELLED", "TRIGGER:-PT5M", "END:VALARM"], "busy"),
    ],
    ids=lambda value: " ".join(value) or "plain" if isinstance(value, list) else None,
)
def test_an_event_weighs(lines: list[str], weight: str | None) -> None:
    found = instances(calendar(event("T100000", "T110000", *lines)))
    assert [one.weight for one in found] == ([weight] if weight else [])


OTHER = "ATTENDEE;PARTSTAT=DECLINED:mailto:somebody@example.org"


@pytest.mark.parametrize(
    ("lines", "is_alone"),
    [
        ([], True),
        ([ATTENDEE.format("ACCEPTED")], True),
        ([f"ORGANIZER:mailto:{ME}"], True),
        (["ATTENDEE;CUTYPE=ROOM:mailto:room@example.org"], True),
        ([OTHER], False),
        ([ATTENDEE.format("ACCEPTED"), OTHER], False),
        (["ORGANIZER:mailto:somebody@example.org"], False),
    ],
    ids=lambda value: " ".join(value) or "plain" if isinstance(value, list) else None,
)
def test_others_take_part_or_nobody(lines: list[str], is_alone: bool) -> None:
    (found,) = instances(calendar(event("T100000", "T110000", *lines)))
    assert found.is_alone is is_alone


def test_of_others_nothing_is_kept() -> None:
    text = calendar(event("T100000", "T110000", OTHER))
    assert "somebody" not in reduce(text.encode(), mine=[ME], now=NOW).text


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("T100000", "T110000", "25 09:00–25 10:00"),
        ("DTSTART:20261125T100000Z", "DTEND:20261125T110000Z", "25 10:00–25 11:00"),
        ("T100000", "DURATION:PT45M", "25 09:00–25 09:45"),
        ("T100000", "DURATION:P1D", "25 09:00–26 09:00"),
        (
            "DTSTART;TZID=Romance Standard Time:20261125T100000",
            "DTEND;TZID=Romance Standard Time:20261125T110000",
            "25 09:00–25 10:00",
        ),
        (
            'DTSTART;TZID="/mozilla.org/20050126_1/America/New_York":20261125T100000',
            "DURATION:PT1H",
            "25 15:00–25 16:00",
        ),
        ("DTSTART;TZID=GMT+0100:20261125T100000", "DURATION:PT1H", "25 09:00–25 10:00"),
        ("DTSTART;TZID=europe/paris:20261125T100000", "DURATION:PT1H", "25 09:00–25 10:00"),
        ("DTSTART;VALUE=DATE:20261125", "DTEND;VALUE=DATE:20261126", "24 23:00–25 23:00"),
        ("DTSTART;VALUE=DATE:20261125", "", "24 23:00–25 23:00"),
        ("DTSTART;VALUE=DATE:20261125", "DTEND;VALUE=DATE:20261125", "24 23:00–25 23:00"),
        ("DTSTART:20261125T100000", "DTEND:20261125T110000", "25 09:00–25 10:00"),
        ("T220000", "DTEND;TZID=Europe/Paris:20261127T080000", "25 21:00–27 07:00"),
    ],
)
def test_an_event_s_times_are(start: str, end: str, expected: str) -> None:
    assert times(instances(calendar(event(start, end)))) == [expected]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("T100000", "T100000"),
        ("T100000", ""),
        ("T110000", "T100000"),
        ("T100000", "DURATION:PT0S"),
        ("DTSTART;TZID=Europe/Paris:20261101T100000", "DTEND;TZID=Europe/Paris:20261101T110000"),
        ("DTSTART;TZID=Europe/Paris:20271101T100000", "DTEND;TZID=Europe/Paris:20271101T110000"),
    ],
    ids=["zero-length", "without-end", "backwards", "no-duration", "long-past", "next-year"],
)
def test_nothing_comes_of(start: str, end: str) -> None:
    assert instances(calendar(event(start, end))) == []


def test_floating_times_and_whole_days_are_those_of_the_user_s_zone() -> None:
    text = calendar(
        event("DTSTART:20261125T100000", "DTEND:20261125T110000"),
        event("DTSTART;VALUE=DATE:20261127", "", uid="b"),
    )
    assert times(instances(text, zone=LISBON)) == ["25 10:00–25 11:00", "27 00:00–28 00:00"]


def test_microsoft_s_whole_days_at_midnight_are_whole_days() -> None:
    (found,) = instances(
        calendar(
            event(
                "DTSTART;TZID=Romance Standard Time:20261125T000000",
                "DTEND;TZID=Romance Standard Time:20261126T000000",
                "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE",
            )
        ),
        zone=LISBON,
    )
    assert (found.is_all_day, times([found])) == (True, ["25 00:00–26 00:00"])


def test_a_zone_that_the_text_defines_is_used_and_doesn_t_leak_into_the_next_text() -> None:
    def text(offset: str) -> str:
        zone = (
            "BEGIN:VTIMEZONE\nTZID:Customized Time Zone\nBEGIN:STANDARD\nDTSTART:16010101T000000\n"
            f"TZOFFSETFROM:{offset}\nTZOFFSETTO:{offset}\nEND:STANDARD\nEND:VTIMEZONE\n"
        )
        start = "DTSTART;TZID=Customized Time Zone:20261125T100000"
        return calendar(event(start, "DURATION:PT1H"), head=zone)

    assert times(instances(text("+0530"))) == ["25 04:30–25 05:30"]
    assert times(instances(text("-0800"))) == ["25 18:00–25 19:00"]


def test_an_event_in_an_unknown_zone_is_skipped_and_told() -> None:
    text = calendar(
        event("DTSTART;TZID=Nowhere/Land:20261125T100000", "DURATION:PT1H"), event(uid="b")
    )
    assert warnings(text) == ["unknown_time_zone"]
    assert times(instances(text)) == ["25 09:00–25 10:00"]


@pytest.mark.parametrize(
    ("rule", "warning"),
    [
        ("FREQ=SECONDLY", "repeats_too_often"),
        ("FREQ=MINUTELY;COUNT=10", "repeats_too_often"),
        (
            f"FREQ=DAILY;BYHOUR=9,10,11;BYMINUTE={','.join(map(str, range(17)))}",
            "repeats_too_often",
        ),
        ("nonsense", "unreadable_event"),
        ("FREQ=DAILY\\nATTACH:x", "unreadable_event"),
    ],
)
def test_a_hostile_rule_is_skipped_and_told(rule: str, warning: str) -> None:
    text = calendar(event("T100000", "T110000", f"RRULE:{rule}"), event(uid="b"))
    assert warnings(text) == [warning]
    assert [one.uid for one in instances(text)] == ["b"]


def test_a_rule_that_never_matches_costs_its_share_and_no_more() -> None:
    rule = "RRULE:FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30"
    text = reduce(
        calendar(event("T100000", "T110000", rule), event(uid="b")).encode(), mine=[], now=NOW
    ).text
    found = expand(text, zone=PARIS, since=NOW, until=NOW + timedelta(days=15))
    assert {one.uid for one in found.instances} >= {"b"}
    assert found.problems == ["repeats_too_often"]


def test_work_that_takes_too_long_is_stopped() -> None:
    with pytest.raises(OutOfTime), cpu_limit(0.02):
        sum(iter(lambda: 0, 1))


@pytest.mark.parametrize("text", ["", "<html>Sign in</html>", "BEGIN:VCARD\nEND:VCARD"])
def test_what_is_no_calendar_is_refused(text: str) -> None:
    with pytest.raises(NotACalendar):
        reduce(text.encode(), mine=[], now=NOW)


def test_titles_places_and_people_don_t_stay() -> None:
    text = calendar(event("T100000", "T110000", ATTENDEE.format("ACCEPTED"), "DESCRIPTION:a\n b"))
    reduced = reduce(text.encode(), mine=[ME], now=NOW).text
    assert not any(word in reduced for word in ("merger", "Room", "Camille", "camille", "DESCR"))


def test_old_events_and_ended_series_don_t_stay() -> None:
    old = ("DTSTART:20200101T100000Z", "DTEND:20200101T110000Z")
    text = calendar(
        event(*old),
        event(*old, "RRULE:FREQ=DAILY;UNTIL=20210101T000000Z", uid="b"),
        event(uid="c"),
    )
    assert reduce(text.encode(), mine=[], now=NOW).text.count("BEGIN:VEVENT") == 1


WEEKLY = "RRULE:FREQ=WEEKLY"
MASTER = event(
    "DTSTART;TZID=Europe/Paris:20261104T100000", "DTEND;TZID=Europe/Paris:20261104T110000", WEEKLY
)


def exception(start: str, end: str, *more: str, of: str = "20261125T100000") -> str:
    return event(start, end, f"RECURRENCE-ID;TZID=Europe/Paris:{of}", *more)


def test_a_series_gives_each_of_its_instances_a_name() -> None:
    found = instances(calendar(MASTER))
    assert times(found) == ["25 09:00–25 10:00", "02 09:00–02 10:00", "09 09:00–09 10:00"]
    assert [one.recurrence_id for one in found][:2] == ["20261125T090000Z", "20261202T090000Z"]


@pytest.mark.parametrize(
    ("others", "first"),
    [
        ([exception("T140000", "T150000")], "25 13:00–25 14:00"),
        ([exception("T100000", "T103000")], "25 09:00–25 09:30"),
        ([exception("T100000", "T110000", "STATUS:CANCELLED")], "02 09:00–02 10:00"),
        ([exception("T100000", "T110000", "TRANSP:TRANSPARENT")], "02 09:00–02 10:00"),
        ([exception("T100000", "T110000", ATTENDEE.format("DECLINED"))], "02 09:00–02 10:00"),
    ],
    ids=["moved", "shortened", "cancelled", "free", "declined"],
)
def test_a_series_with_an_exception_begins(others: list[str], first: str) -> None:
    assert times(instances(calendar(MASTER, *others)))[0] == first


def test_a_moved_instance_keeps_its_name() -> None:
    found = instances(calendar(MASTER, exception("T140000", "T150000")))
    assert found[0].recurrence_id == "20261125T090000Z"


def test_an_excluded_date_is_left_out() -> None:
    text = calendar(MASTER + "\nEXDATE;TZID=Europe/Paris:20261125T100000")
    assert times(instances(text))[0] == "02 09:00–02 10:00"


def test_an_added_date_comes_in() -> None:
    text = calendar(MASTER + "\nRDATE;TZID=Europe/Paris:20261126T100000")
    assert times(instances(text))[:2] == ["25 09:00–25 10:00", "26 09:00–26 10:00"]


def test_an_exception_without_its_series_counts() -> None:
    assert times(instances(calendar(exception("T140000", "T150000")))) == ["25 13:00–25 14:00"]


def test_the_only_busy_instance_of_a_free_series_counts() -> None:
    text = calendar(MASTER + "\nTRANSP:TRANSPARENT", exception("T140000", "T150000"))
    assert times(instances(text)) == ["25 13:00–25 14:00"]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 10, 20, tzinfo=UTC), ["23 08:00–23 09:00", "30 09:00–30 10:00"]),
        (datetime(2027, 3, 23, tzinfo=UTC), ["26 09:00–26 10:00", "02 08:00–02 09:00"]),
    ],
    ids=["autumn", "spring"],
)
def test_a_weekly_meeting_keeps_its_hour_when_the_clock_changes(
    now: datetime, expected: list[str]
) -> None:
    text = calendar(
        event(
            "DTSTART;TZID=Europe/Paris:20260904T100000",
            "DTEND;TZID=Europe/Paris:20260904T110000",
            WEEKLY,
        )
    )
    assert times(instances(text, now=now, days=12)) == expected


def test_a_series_written_in_utc_follows_the_calendar_s_own_zone() -> None:
    text = calendar(
        event("DTSTART:20260904T080000Z", "DTEND:20260904T090000Z", WEEKLY),
        head="X-WR-TIMEZONE:Europe/Paris\n",
    )
    assert times(instances(text))[0] == "27 09:00–27 10:00"


def test_a_whole_day_in_the_night_of_the_change_has_25_hours() -> None:
    now = datetime(2026, 10, 24, tzinfo=UTC)
    text = calendar(event("DTSTART;VALUE=DATE:20261025", ""))
    (found,) = instances(text, now=now)
    assert found.ends - found.starts == timedelta(hours=25)


def test_of_two_versions_of_one_event_the_later_counts() -> None:
    text = calendar(
        event("T150000", "T160000", "SEQUENCE:2"), event("T100000", "T110000", "SEQUENCE:1")
    )
    assert times(instances(text)) == ["25 14:00–25 15:00"]


def test_two_events_that_share_a_uid_by_mistake_both_count() -> None:
    text = calendar(event("T100000", "T110000"), event("T150000", "T160000"))
    assert times(instances(text)) == ["25 09:00–25 10:00", "25 14:00–25 15:00"]


def test_the_same_event_twice_is_one() -> None:
    assert len(instances(calendar(event(), event()))) == 1


def test_tasks_and_journals_never_count() -> None:
    text = "BEGIN:VCALENDAR\nBEGIN:VTODO\nUID:t\nDTSTART:20261125T100000Z\nEND:VTODO\nEND:VCALENDAR"
    assert instances(text) == []


def test_a_published_free_busy_list_counts() -> None:
    text = (
        "BEGIN:VCALENDAR\nBEGIN:VFREEBUSY\n"
        "FREEBUSY;FBTYPE=BUSY:20261125T100000Z/20261125T110000Z,20261126T100000Z/PT30M\n"
        "FREEBUSY;FBTYPE=FREE:20261127T100000Z/20261127T110000Z\n"
        "FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20261127T180000Z/20261128T070000Z\n"
        "END:VFREEBUSY\nEND:VCALENDAR"
    )
    assert times(instances(text)) == ["25 10:00–25 11:00", "26 10:00–26 10:30"]


def test_folded_lines_old_newlines_and_western_letters_are_read() -> None:
    text = calendar(event("DTSTART;TZID=Europe/\n Paris:20261125T100000", "DURATION:PT1H"))
    data = text.replace("Room 7", "Café").replace("\n", "\r\n").encode("cp1252")
    reduced = reduce(data, mine=[], now=NOW)
    found = expand(reduced.text, zone=PARIS, since=NOW, until=NOW + timedelta(days=1))
    assert times(found.instances) == ["25 09:00–25 10:00"]


def test_the_calendar_s_name_is_read() -> None:
    text = calendar(head="X-WR-CALNAME:Work\\, shared\n")
    assert reduce(text.encode(), mine=[], now=NOW).name == "Work, shared"
