"""Rows of XUC's call history that began in the same second."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from bluetel.telephony.xivo.history_rows import logged_call, told_apart
from bluetel.telephony.xivo.messages import HistoryRow

PARIS = ZoneInfo("Europe/Paris")


def row(clock: str, name: str = "") -> HistoryRow:
    return HistoryRow(
        start=datetime.fromisoformat(f"2026-11-26 {clock}"),
        seconds=5,
        status="answered",
        source_number="1002",
        source_name=name,
        source_login="",
        destination_number="1001",
        destination_name="",
        destination_login="",
    )


def test_rows_of_one_second_have_ids_and_starts_of_their_own_in_their_order() -> None:
    rows = [row("10:00:01"), row("10:00:00", "c"), row("10:00:00", "b"), row("10:00:00", "a")]
    calls = [logged_call(one, zone=PARIS) for one in told_apart(rows)]
    assert [call.name for call in calls] == ["", "c", "b", "a"]
    assert [call.started_at.microsecond for call in calls] == [0, 2, 1, 0]
    assert len({call.id for call in calls}) == 4
    assert calls[3].id == "20261126100000-1002-1001"


def test_a_later_row_of_the_second_leaves_the_others_as_they_are() -> None:
    before = told_apart([row("10:00:00", "b"), row("10:00:00", "a")])
    assert (
        told_apart([row("10:00:00", "c"), row("10:00:00", "b"), row("10:00:00", "a")])[1:] == before
    )
