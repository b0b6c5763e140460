"""What XUC posts: the secret, the shapes, and thousands of them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any, cast

import pytest
from asgiref.sync import sync_to_async
from channels.testing import HttpCommunicator
from django.db import OperationalError

from bluetel.pbx_push import MOST_AT_ONCE, MOST_BYTES, Gathering, PushDoor, Scope, read_push
from bluetel.telephony.waiting_pushes import WaitingPushes
from tests.apps.xivo.conftest import XivoSite

SECRET = "right-secret"
STATE = {"username": "demo2", "status": 8}
CALL = {"username": "demo2", "message": {"msgType": "PhoneEvent", "ctiMessage": {}}}


class Door:
    """The door of a web process, and what went through it to the engine or to the pages."""

    def __init__(self) -> None:
        self.handed: list[tuple[int, list[object]]] = []
        self.passed: list[str] = []
        self.came = asyncio.Event()
        self.gathering = Gathering(self._hand_over, gathered_for=0)
        self.application = PushDoor(self._page, gathering=self.gathering)

    async def _hand_over(self, pbx: int, bodies: list[object]) -> None:
        self.handed.append((pbx, bodies))
        self.came.set()

    async def _page(self, scope: Scope, receive: object, send: Any) -> None:
        self.passed.append(scope["path"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what hand-overs bring about."""
        while not condition():
            self.came.clear()
            await self.came.wait()

    def told(self) -> dict[str, int]:
        """The last state of everybody that went to the engine."""
        bodies = [cast("dict[str, Any]", one) for _, some in self.handed for one in some]
        return {body["username"]: body["status"] for body in bodies}

    async def post(
        self, body: object, *, name: str = "site", secret: str = SECRET, method: str = "POST"
    ) -> int:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        path = f"/pbx/{name}/xivo/events/{secret}/"
        answer = await HttpCommunicator(self.application, method, path, data).get_response()
        status: int = answer["status"]
        return status


@pytest.fixture
async def door() -> Door:
    return Door()


@pytest.mark.parametrize("body", [STATE, CALL], ids=["state", "call"])
async def test_both_shapes_are_taken(site: XivoSite, door: Door, body: dict[str, Any]) -> None:
    assert await door.post(body) == 200
    await door.came.wait()

    assert door.handed == [(site.pbx.pk, [body])]


@pytest.mark.parametrize(
    ("name", "secret"),
    [("site", "wrong-secret"), ("site", "right-secre"), ("nowhere", "right-secret")],
)
async def test_a_wrong_secret_and_an_unknown_pbx_look_alike(
    site: XivoSite, door: Door, name: str, secret: str
) -> None:
    assert await door.post(STATE, name=name, secret=secret) == 404


async def test_a_pbx_without_a_secret_takes_nothing(site: XivoSite, door: Door) -> None:
    site.pbx.push_secret = ""
    await sync_to_async(site.pbx.save)()

    assert await door.post(STATE, secret="-" * 43) == 404


async def test_a_new_secret_is_known_after_a_moment(
    site: XivoSite, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await door.post(STATE) == 200
    site.pbx.push_secret = "another-secret"
    await sync_to_async(site.pbx.save)()
    assert await door.post(STATE) == 200
    monkeypatch.setattr("bluetel.pbx_push.KNOWN_FOR", 0.0)

    assert await door.post(STATE) == 404
    assert await door.post(STATE, secret="another-secret") == 200


async def test_all_other_paths_go_on_to_the_pages(door: Door) -> None:
    for path in ("/", "/pbx/site/xivo/events/", "/pbx/site/xivo/events/a/b/"):
        answer = await HttpCommunicator(door.application, "GET", path).get_response()
        assert answer["status"] == 204

    assert len(door.passed) == 3


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"[" * 1000, b"x" * (MOST_BYTES + 1)],
    ids=lambda body: str(body)[:20],
)
async def test_a_body_that_is_no_json_is_refused(site: XivoSite, door: Door, body: object) -> None:
    assert await door.post(body) == 400
    assert door.handed == []


@pytest.mark.parametrize(
    "body",
    [[], {}, {"foo": 1}, {"username": 3, "status": 1}, {"username": "x"},
     {"username": "x", "foo": 1}, {"username": "x", "status": None},
     {"username": "x", "message": "y"}],
    ids=str,
)  # fmt: skip
async def test_a_body_of_another_shape_is_taken_and_passed_over(
    site: XivoSite, door: Door, body: object
) -> None:
    assert await door.post(body) == 200
    assert await door.post(STATE) == 200
    await door.came.wait()

    assert door.handed == [(site.pbx.pk, [STATE])]


async def test_half_a_surrogate_pair_becomes_a_question_mark(site: XivoSite, door: Door) -> None:
    assert await door.post(b'{"username": "x", "message": {"a": ["J\\ud83d", 1]}}') == 200
    await door.came.wait()

    assert door.handed == [(site.pbx.pk, [{"username": "x", "message": {"a": ["J?", 1]}}])]


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1])
def test_a_number_that_cannot_be_packed_is_passed_over(number: int) -> None:
    assert read_push(json.dumps({"username": "x", "status": number}).encode()) is None


def test_a_body_too_deep_to_be_packed_is_passed_over() -> None:
    deep = b"[" * 600 + b"]" * 600

    assert read_push(b'{"username": "x", "message": {"a": ' + deep + b"}}") is None


async def test_what_fails_for_one_pbx_costs_the_next_nothing() -> None:
    handed = asyncio.Queue[int]()

    async def hand_over(pbx: int, bodies: list[object]) -> None:
        del bodies
        if pbx == 1:
            raise ValueError("can't be packed")
        await handed.put(pbx)

    gathering = Gathering(hand_over, gathered_for=0)
    gathering.add(1, CALL)
    gathering.add(2, CALL)

    assert await handed.get() == 2


@pytest.mark.parametrize(("secret", "status"), [(SECRET, 200), ("wrong", 404)])
async def test_the_pbxs_read_last_are_good_while_the_database_is_away(
    site: XivoSite, door: Door, monkeypatch: pytest.MonkeyPatch, secret: str, status: int
) -> None:
    assert await door.post(STATE) == 200
    monkeypatch.setattr("bluetel.pbx_push.KNOWN_FOR", 0.0)
    monkeypatch.setattr("bluetel.pbx_push._known", _away)

    assert await door.post(STATE, secret=secret) == status


async def test_the_database_is_not_asked_for_each_push_while_it_is_away(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[None] = []

    def away() -> None:
        asked.append(None)
        _away()

    monkeypatch.setattr("bluetel.pbx_push._known", away)

    assert [await door.post(STATE) for _ in range(3)] == [503] * 3
    assert len(asked) == 1


def _away() -> None:
    raise OperationalError("the database is away")


async def test_only_posting_is_answered(site: XivoSite, door: Door) -> None:
    assert await door.post(STATE, method="GET") == 405


async def test_of_two_states_of_one_person_the_later_goes(door: Door) -> None:
    door.gathering.add(1, {"username": "a", "status": 8})
    door.gathering.add(1, {"username": "b", "status": 8})
    door.gathering.add(1, CALL)
    door.gathering.add(1, CALL)
    door.gathering.add(1, {"username": "a", "status": 0})
    await door.came.wait()

    assert door.handed == [
        (1, [{"username": "b", "status": 8}, CALL, CALL, {"username": "a", "status": 0}])
    ]


async def test_one_moment_s_pushes_go_together_and_the_next_s_again(door: Door) -> None:
    for count in (3, 1):
        door.came.clear()
        for _ in range(count):
            door.gathering.add(1, CALL)
        await door.came.wait()

    assert [len(bodies) for _, bodies in door.handed] == [3, 1]


async def test_no_message_to_the_engine_is_longer_than_it_may(door: Door) -> None:
    for number in range(MOST_AT_ONCE + 1):
        door.gathering.add(1, {"username": f"user{number}", "status": 8})
    await door.until(lambda: len(door.handed) == 2)

    assert [len(bodies) for _, bodies in door.handed] == [MOST_AT_ONCE, 1]


def test_ten_thousand_pushes_are_read_and_gathered_within_a_second() -> None:
    waiting = WaitingPushes()
    bodies = [
        json.dumps({"username": f"user{n % 3000}", "status": (0, 8, 1)[n % 3]}).encode()
        for n in range(10_000)
    ]
    began = time.process_time()
    for data in bodies:
        body = read_push(data)
        assert body is not None
        waiting.add(body)

    assert time.process_time() - began < 1.0
    assert len(waiting.take()) == 3000


async def test_ten_thousand_requests_lose_nobody_s_last_state(site: XivoSite, door: Door) -> None:
    last: dict[str, int] = {}
    for number in range(10_000):
        login, status = f"user{number % 300}", (0, 8, 1)[number // 300 % 3]
        last[login] = status
        body = json.dumps({"username": login, "status": status}).encode()
        assert await _answer(door, body) == 200
    await door.until(lambda: door.told() == last)


async def _answer(door: Door, body: bytes) -> int:
    """A request without the test kit's own tasks, of which ten thousand take a minute."""
    statuses: list[int] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {"type": "http", "method": "POST", "path": f"/pbx/site/xivo/events/{SECRET}/"}
    await door.application(scope, receive, send)
    return statuses[0]


def test_a_flood_costs_no_more_memory_than_it_may_and_no_last_state() -> None:
    waiting = WaitingPushes(most=3)
    taken = [waiting.add(CALL) for _ in range(5)]
    taken += [waiting.add({"username": name, "status": 8}) for name in "abcd"]

    assert taken == [True, True, True, False, False, True, True, True, False]
    assert waiting.add({"username": "a", "status": 0})
    assert len(waiting) == 6
    assert waiting.take()[-1] == {"username": "a", "status": 0}
    assert waiting.add(CALL)
