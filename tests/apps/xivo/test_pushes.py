"""What XUC posts: the secret, the shapes, and thousands of them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from bluetel import pbx_push
from bluetel.pbx_push import MOST_BYTES, MOST_WAITING, Gathering, read_push
from tests.apps.xivo.conftest import XivoSite

SECRET = "right-secret"
STATE = {"username": "demo2", "status": 8}
CALL = {"username": "demo2", "message": {"msgType": "PhoneEvent", "ctiMessage": {}}}


class Taken:
    """What was handed over, and when it is due."""

    def __init__(self) -> None:
        self.handed: list[tuple[int, list[object]]] = []
        self.due: list[Callable[[], None]] = []
        self.gathering = Gathering(
            lambda pbx, bodies: self.handed.append((pbx, bodies)),
            wait=lambda _, action: self.due.append(action),
        )

    def wait(self) -> None:
        """Let the moment pass."""
        due, self.due = self.due, []
        for action in due:
            action()


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Taken:
    one = Taken()
    monkeypatch.setattr(pbx_push, "gathering", one.gathering)
    return one


def post(body: object, *, name: str = "site", secret: str = SECRET) -> int:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Client().post(
        f"/pbx/{name}/xivo/events/{secret}/", data, content_type="application/json"
    )
    return answer.status_code


@pytest.mark.parametrize("body", [STATE, CALL], ids=["state", "call"])
def test_both_shapes_are_taken(site: XivoSite, taken: Taken, body: dict[str, Any]) -> None:
    assert post(body) == 200
    taken.wait()

    assert taken.handed == [(site.pbx.pk, [body])]


@pytest.mark.parametrize(
    ("name", "secret"),
    [("site", "wrong-secret"), ("site", "right-secre"), ("nowhere", "right-secret")],
)
def test_a_wrong_secret_and_an_unknown_pbx_look_alike(
    site: XivoSite, taken: Taken, name: str, secret: str
) -> None:
    assert post(STATE, name=name, secret=secret) == 404
    assert taken.due == []


def test_a_pbx_without_a_secret_takes_nothing(site: XivoSite, taken: Taken) -> None:
    site.pbx.push_secret = ""
    site.pbx.save()

    assert post(STATE, secret="-" * 43) == 404


@pytest.mark.parametrize(
    "body",
    [b"", b"{", [], {}, {"username": 3, "status": 1}, {"username": "x"},
     {"username": "x", "status": None}, {"username": "x", "message": "y"},
     b"[" * 1000, b"x" * (MOST_BYTES + 1)],
    ids=lambda body: str(body)[:20],
)  # fmt: skip
def test_a_body_of_another_shape_is_refused(site: XivoSite, taken: Taken, body: object) -> None:
    assert post(body) == 400
    assert taken.due == []


def test_only_posting_is_answered(site: XivoSite) -> None:
    assert Client().get("/pbx/site/xivo/events/right-secret/").status_code == 405


def test_of_two_states_of_one_person_the_later_goes(taken: Taken) -> None:
    taken.gathering.add(1, {"username": "a", "status": 8})
    taken.gathering.add(1, {"username": "b", "status": 8})
    taken.gathering.add(1, CALL)
    taken.gathering.add(1, CALL)
    taken.gathering.add(1, {"username": "a", "status": 0})
    taken.wait()

    assert taken.handed == [
        (1, [{"username": "b", "status": 8}, CALL, CALL, {"username": "a", "status": 0}])
    ]


def test_one_moment_s_pushes_go_together_and_the_next_s_again(taken: Taken) -> None:
    for _ in range(3):
        taken.gathering.add(1, CALL)
    assert len(taken.due) == 1
    taken.wait()
    taken.gathering.add(1, CALL)
    taken.wait()

    assert [len(bodies) for _, bodies in taken.handed] == [3, 1]


def test_ten_thousand_pushes_are_read_and_gathered_within_a_second(taken: Taken) -> None:
    bodies = [
        json.dumps({"username": f"user{n % 3000}", "status": (0, 8, 1)[n % 3]}).encode()
        for n in range(10_000)
    ]
    began = time.process_time()
    for data in bodies:
        body = read_push(data)
        assert body is not None
        taken.gathering.add(1, body)
    taken.wait()

    assert time.process_time() - began < 1.0
    assert sum(len(bodies) for _, bodies in taken.handed) == 3000


def test_a_flood_costs_no_more_memory_than_it_may(taken: Taken) -> None:
    for _ in range(MOST_WAITING + 10):
        taken.gathering.add(1, CALL)

    assert taken.gathering.dropped == 10
