"""Days drawn as a ruler from a forecast."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bluetel.telephony.types import Forward
from forwarding.blocks import Meeting, unite
from forwarding.days_ahead import forecast
from forwarding.rules import Own, RouteKind, Rules, Situation, Target
from forwarding.strip import Day, draw_days

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)  # 10:30 in Paris


def meeting(day: int, start: str, end: str, *, last: int | None = None) -> Meeting:
    """One in November, in Paris' time."""
    first, over = (
        datetime.fromisoformat(f"2026-11-{on:02}T{at}").replace(tzinfo=PARIS).astimezone(UTC)
        for on, at in ((day, start), (last or day, end))
    )
    return Meeting(uid=f"{day}-{start}", starts=first, ends=over)


def days(*meetings: Meeting, own: Own | None = None, count: int = 8) -> list[Day]:
    situation = Situation(
        own=own or Own(),
        rules=Rules(
            set_im_busy=True, calendar=Target(kind=RouteKind.NUMBER, destination="0639984172")
        ),
        blocks=unite(meetings),
    )
    segments = forecast(situation, NOW, NOW + timedelta(days=count))
    return draw_days(segments, now=NOW, days=count, zone=PARIS)


def test_today_and_the_next_seven_days_are_drawn() -> None:
    found = days()
    assert [day.date.day for day in found] == [25, 26, 27, 28, 29, 30, 1, 2]
    assert [day.is_today for day in found].count(True) == 1


def test_a_meeting_stands_at_its_place_in_the_window() -> None:
    (one,) = days(meeting(25, "14:00", "15:30"))[0].drawn
    assert (one.x, one.width, one.is_wide) == ("53.85%", "11.54%", True)


def test_what_goes_on_began_when_it_began() -> None:
    (one,) = days(meeting(25, "10:00", "11:00"))[0].stretches
    assert (f"{one.starts:%H:%M}", one.x, one.is_now) == ("10:00", "23.08%", True)


def test_a_meeting_in_the_evening_is_in_the_list_and_not_drawn() -> None:
    day = days(meeting(25, "20:30", "21:30"))[0]
    assert ([f"{one.starts:%H:%M}" for one in day.stretches], day.drawn) == (["20:30"], [])


def test_a_meeting_over_midnight_is_cut_into_days() -> None:
    found = days(meeting(25, "18:00", "09:00", last=26))
    ends = [f"{one.starts:%H:%M}-{one.ends:%H:%M}" for day in found for one in day.stretches]
    assert ends == ["18:00-00:00", "00:00-09:00"]


def test_the_chat_status_has_a_lane() -> None:
    (lane,) = days(meeting(25, "14:00", "15:30"))[0].lanes
    assert (lane.status, lane.x1, lane.x2) == ("busy", "53.85%", "65.38%")


def test_now_is_marked_today_only_and_hides_the_hour_beside_it() -> None:
    today, tomorrow, *_ = days()
    assert (today.now_x, tomorrow.now_x) == ("26.92%", None)
    assert all(hour.is_labelled for hour in tomorrow.hours)
    assert [hour.name for hour in today.hours if not hour.is_labelled] == []


def test_do_not_disturb_covers_the_days() -> None:
    found = days(own=Own(forward=Forward(), do_not_disturb=True), count=2)
    assert [one.kind for day in found for one in day.stretches] == ["do_not_disturb"] * 2


def test_a_day_of_25_hours_ends_at_its_midnight() -> None:
    now = datetime(2026, 10, 25, 9, tzinfo=UTC)
    block = Meeting(
        uid="long",
        starts=datetime(2026, 10, 25, 10, tzinfo=UTC),
        ends=datetime(2026, 10, 26, 10, tzinfo=UTC),
    )
    situation = Situation(
        rules=Rules(calendar=Target(kind=RouteKind.VOICEMAIL, destination="*971001")),
        blocks=unite([block]),
    )
    segments = forecast(situation, now, now + timedelta(days=2))
    first, second = draw_days(segments, now=now, days=2, zone=PARIS)
    assert [f"{one.starts:%H:%M}-{one.ends:%H:%M}" for one in first.stretches] == ["11:00-00:00"]
    assert [f"{one.starts:%H:%M}-{one.ends:%H:%M}" for one in second.stretches] == ["00:00-11:00"]
