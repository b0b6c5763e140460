"""The call log on its page and in the API: the PBX's rows with our names and reasons."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from bluetel.calls.diversions import note_diversions
from bluetel.calls.errors import PbxDown
from bluetel.telephony.errors import NotSupported, PbxUnavailable
from bluetel.telephony.simulator.legs import CallOutcome, LogEntry
from bluetel.telephony.simulator.model import SimulatedPbx
from bluetel.telephony.types import Capability
from dialer.selectors import call_log
from tests.apps.house import NOW, House


def log(
    house: House, source: str, to: str, *, ago: timedelta, seconds: int = 0, name: str = ""
) -> datetime:
    """Let a finished call stand in the PBX's log; gives when it began."""
    start = NOW - ago
    answer = start + timedelta(seconds=5) if seconds else None

    def add(model: SimulatedPbx) -> None:
        people = {person.extension: person for person in model.everybody()}
        caller, callee = people.get(source), people.get(to)
        model.add_to_log(
            LogEntry(
                id=len(model.log) + 1,
                conversation=f"c{len(model.log)}",
                started_at=start,
                answered_at=answer,
                ended_at=(answer or start) + timedelta(seconds=seconds or 20),
                outcome=CallOutcome.ANSWERED if seconds else CallOutcome.UNKNOWN,
                source=caller,
                source_number=source,
                source_name=name or (caller.name if caller else ""),
                requested=to,
                requested_person=callee,
                destination=callee,
                destination_number=to,
                destination_name=callee.name if callee else "",
                participants=[person for person in (caller, callee) if person],
            )
        )

    house.do(add)
    return start


def ask(house: House, query: str = "", *, extension: str = "1001") -> Any:
    token = house.token(extension)
    return Client().get(f"/api/v1/history{query}", headers={"Authorization": f"Bearer {token}"})


def history(house: House, query: str = "") -> Any:
    answer = ask(house, query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_row_says_who_when_and_how_long(house: House) -> None:
    log(house, "1001", "1002", ago=timedelta(hours=2), seconds=95)
    (row,) = history(house)["calls"]
    assert row == {
        "id": "1",
        "direction": "outgoing",
        "missed": False,
        "number": "1002",
        "name": "Nadia Belkacem",
        "contact_id": f"user-{house.user('1002').pk}",
        "started_at": "2026-11-24T07:00:00Z",
        "duration": 95,
        "routing": None,
    }


def test_a_call_nobody_picked_up_is_missed_and_lasted_no_time(house: House) -> None:
    log(house, "0199004217", "1001", ago=timedelta(hours=1), name="Hélène Marchetti")
    (row,) = history(house)["calls"]
    assert (row["direction"], row["missed"], row["duration"]) == ("incoming", True, 0)
    assert (row["number"], row["name"], row["contact_id"]) == (
        "0199004217",
        "Hélène Marchetti",
        None,
    )


def test_ones_own_call_that_was_not_answered_is_not_missed(house: House) -> None:
    log(house, "1001", "1002", ago=timedelta(hours=1))
    assert not history(house)["calls"][0]["missed"]


def test_a_caller_who_hides_the_number_has_none_to_call_back(house: House) -> None:
    log(house, "anonymous", "1001", ago=timedelta(hours=1))
    assert history(house)["calls"][0]["number"] == ""
    assert "Number withheld" in page(house)


def test_the_pages_follow_each_other_without_a_gap_or_a_double(house: House) -> None:
    for hours in range(5):
        log(house, "1001", "1002", ago=timedelta(hours=hours + 1), seconds=10)
    seen, query = [], "?limit=2"
    while True:
        answer = history(house, query)
        seen += [row["id"] for row in answer["calls"]]
        assert len(answer["calls"]) <= 2
        if answer["next"] is None:
            break
        query = f"?limit=2&before={answer['next']}"
    assert seen == ["1", "2", "3", "4", "5"]


def test_missed_calls_alone_are_found_among_many_others(house: House) -> None:
    for hours in range(30):
        log(house, "1001", "1002", ago=timedelta(hours=hours + 1), seconds=10)
    log(house, "1003", "1001", ago=timedelta(hours=40))
    answer = history(house, "?missed=true&limit=5")
    assert [row["name"] for row in answer["calls"]] == ["Oskar Lindqvist"]
    assert answer["next"] is None


def test_the_plus_of_a_time_may_come_as_a_space(house: House) -> None:
    log(house, "1001", "1002", ago=timedelta(hours=1), seconds=10)
    assert history(house, "?before=2999-11-26T10:00:00+01:00")["calls"]
    assert not history(house, "?before=2019-11-26T10:00:00%2B01:00")["calls"]


@pytest.mark.parametrize(
    "query",
    [
        *("?limit=0", "?limit=x", "?before=yesterday", "?before=1795704000"),
        "?before=0001-01-01T00:00:00%2B14:00",
    ],
)
def test_nonsense_in_the_address_is_400(house: House, query: str) -> None:
    answer = ask(house, query)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")


def test_a_pbx_that_does_not_answer_is_503_and_the_page_says_so(house: House) -> None:
    house.backend.fail(PbxUnavailable("down"), on="history")
    assert (ask(house).status_code, ask(house).json()["error"]["code"]) == (503, "pbx_unavailable")
    assert "The phone system does not answer" in page(house)


def test_nobody_waits_long_for_a_pbx_that_says_nothing(house: House) -> None:
    asked, answered = threading.Event(), threading.Event()

    def say_nothing(_: SimulatedPbx) -> None:
        asked.set()
        answered.wait()

    silence = threading.Thread(target=house.do, args=(say_nothing,))
    silence.start()
    try:
        asked.wait()
        with pytest.raises(PbxDown):
            call_log(house.user("1001"), limit=5, now=NOW, patience=0.05)
    finally:
        answered.set()
        silence.join()


def test_a_pbx_without_a_log_is_409_and_the_page_says_so(house: House) -> None:
    house.backend.fail(NotSupported(Capability.HISTORY), on="history")
    assert ask(house).json()["error"]["code"] == "not_supported"
    assert "There is no list of calls for you" in page(house)


def test_who_has_no_phone_has_no_calls(house: House) -> None:
    user = house.user("1001")
    user.pbx = None
    user.save()
    assert history(house) == {"calls": [], "next": None}
    assert page(house)


def test_a_diverted_call_says_by_which_decision(house: House) -> None:
    user = house.user("1001")
    decision: Any = {
        "route": "number",
        "destination": "0639984172",
        "source": "calendar",
        "reason": "Board meeting",
    }
    began = log(house, "1003", "1001", ago=timedelta(hours=3))
    log(house, "1003", "1001", ago=timedelta(hours=1))
    note_diversions({user.pk: decision}, at=began - timedelta(minutes=5))
    note_diversions({user.pk: decision}, at=began)
    note_diversions({user.pk: None}, at=began + timedelta(minutes=5))
    later, diverted = history(house)["calls"]
    assert later["routing"] is None
    assert diverted["routing"] == decision
    assert "Went to 06 39 98 41 72: Board meeting" in page(house).replace("\xa0", " ")


def test_the_page_marks_missed_calls_by_word_and_sign_and_calls_back(house: House) -> None:
    log(house, "0199004217", "1001", ago=timedelta(hours=1), name="<b>Hélène</b>")
    shown = page(house).replace("\xa0", " ")
    assert "i-phone-missed" in shown
    assert ">Missed</span>" in shown
    assert "&lt;b&gt;Hélène&lt;/b&gt;" in shown
    assert 'aria-label="Call 01 99 00 42 17 back"' in shown


def test_colleagues_show_their_presence_as_the_reader_may_see_it(house: House) -> None:
    log(house, "1003", "1001", ago=timedelta(hours=1))
    assert f'data-user="{house.user("1003").pk}"' in page(house)


def test_the_home_page_shows_the_last_five(house: House) -> None:
    for hours in range(7):
        log(house, f"019900421{hours}", "1001", ago=timedelta(hours=hours + 1))
    client = house.browser("1001")
    assert 'data-src="/calls/latest/"' in client.get("/").content.decode()
    shown = client.get("/calls/latest/").content.decode()
    assert shown.count('class="row"') == 5
    assert 'value="0199004210"' in shown
    assert 'value="0199004215"' not in shown


def test_the_home_page_says_that_the_pbx_does_not_answer(house: House) -> None:
    house.backend.fail(PbxUnavailable("down"), on="history")
    client = house.browser("1001")
    assert client.get("/").status_code == 200
    assert "does not answer" in client.get("/calls/latest/").content.decode()


def test_the_page_is_french_for_the_french(house: House) -> None:
    log(house, "1003", "1001", ago=timedelta(hours=1))
    shown = page(house, language="fr")
    assert "Appels" in shown
    assert "Manqué" in shown
    assert 'aria-label="Rappeler 1003"' in shown


def page(house: House, language: str = "en") -> str:
    answer = house.browser("1001").get("/calls/", headers={"Accept-Language": language})
    assert answer.status_code == 200
    return answer.content.decode()
