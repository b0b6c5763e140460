from __future__ import annotations

import re
import time
from uuid import NAMESPACE_URL, uuid5

from bluetel.telephony.simulator.scenario import build, start_of_tests
from bluetel.telephony.types import ForwardKind


def test_the_cast_comes_first_and_has_the_same_ids_at_each_start() -> None:
    first, second = (list(build(now=start_of_tests()).everybody()) for _ in range(2))

    assert [person.name for person in first[:3]] == [
        "Camille Renard",
        "Nadia Belkacem",
        "Oskar Lindqvist",
    ]
    assert [person.id for person in first] == [person.id for person in second]
    assert first[0].id == str(uuid5(NAMESPACE_URL, "bluetel-demo:1001"))
    assert first[5].email == "lucja.wisniewska@demo.test"


def test_everybody_has_an_extension_a_login_and_an_address_of_his_own() -> None:
    people = list(build(now=start_of_tests(), users=5000).everybody())

    assert len({person.extension for person in people}) == 5000
    assert len({person.login for person in people}) == 5000
    assert len({person.email for person in people}) == 5000
    assert all(re.fullmatch(r"[a-z0-9.]+@demo\.test", person.email) for person in people)


def test_mobile_numbers_are_of_the_range_kept_for_fiction() -> None:
    people = build(now=start_of_tests(), users=50).everybody()

    assert all(re.fullmatch(r"\+3363998[0-9]{4}", person.mobile) for person in people)


def test_fewer_people_than_the_cast_have_no_past() -> None:
    pbx = build(now=start_of_tests(), users=2)

    assert len(pbx.people) == 2
    assert not pbx.log


def test_twenty_thousand_people_cost_no_more_per_event_than_nine() -> None:
    """Counted in processor time of a hundred calls, with room for noise."""

    def cost(users: int) -> float:
        pbx = build(now=start_of_tests(), users=users, history=False)
        heard: list[object] = []
        pbx.listen(heard.append)
        line, callee = pbx.lines["1001"][1], pbx.lines["1002"][1]
        begin = time.process_time()
        for _ in range(100):
            pbx.dial(line, "1002")
            pbx.answer(callee.legs[0])
            pbx.put_down(line.legs[0])
            pbx.advance(2)
        assert heard
        return time.process_time() - begin

    assert cost(20_000) < 5 * cost(9) + 0.05


def test_nobody_forwards_at_the_start() -> None:
    for person in build(now=start_of_tests()).everybody():
        assert not any(person.forwards[kind].enabled for kind in ForwardKind)
