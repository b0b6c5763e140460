"""The simulated Wazo's sign-in, event socket, faults and control interface, over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from bluetel.telephony.simulator.loopback import PASSWORD, USERNAME
from bluetel.telephony.simulator.scenario import build, user_id
from bluetel.telephony.simulator.wazo_server.serve import LoopbackWazo
from bluetel.telephony.simulator.wazo_server.site import TENANT
from bluetel.telephony.simulator.wazo_server.tokens import SESSION_LIMIT
from bluetel.telephony.simulator.wazo_server.websocketd import check_after

CAMILLE = user_id("1001")
NOBODY = "00000000-0000-4000-8000-000000000000"
SERVICE = (USERNAME, PASSWORD)
USER = ("demo1", "demo")
PRESENCES = "/api/chatd/1.0/users/presences"
USERS = "/api/confd/1.1/users"
CALLS = "/api/calld/1.0/calls"


@pytest.fixture
def wazo() -> Iterator[LoopbackWazo]:
    with LoopbackWazo(build(now=datetime.now(UTC)), stands_still=True) as one:
        yield one


def _post(wazo: LoopbackWazo, path: str, body: object) -> requests.Response:
    return requests.post(wazo.url + path, json=body, timeout=5)


def _token(wazo: LoopbackWazo, who: tuple[str, str] = SERVICE, *, expiration: int = 3600) -> str:
    url = wazo.url + "/api/auth/0.1/token"
    answer = requests.post(url, auth=who, json={"expiration": expiration}, timeout=5)
    assert answer.status_code == 200
    token: str = answer.json()["data"]["token"]
    return token


def _get(wazo: LoopbackWazo, path: str, token: str = "", **headers: str) -> requests.Response:
    return requests.get(wazo.url + path, headers={"X-Auth-Token": token, **headers}, timeout=5)


def _revoke(wazo: LoopbackWazo, token: str) -> None:
    requests.delete(f"{wazo.url}/api/auth/0.1/token/{token}", timeout=5).raise_for_status()


def _fault(wazo: LoopbackWazo, **faults: object) -> None:
    assert _post(wazo, "/_simulator/faults", faults).status_code == 204


def _phone(wazo: LoopbackWazo, extension: str, action: str, **body: str) -> int:
    return _post(wazo, f"/_simulator/phones/{extension}/{action}", body).status_code


def _is_connected(wazo: LoopbackWazo) -> bool:
    return wazo.do(lambda pbx: pbx.people[CAMILLE].connected)


# --- Tokens -------------------------------------------------------------------------------------


def test_a_wrong_password_and_no_password_look_the_same(wazo: LoopbackWazo) -> None:
    url = wazo.url + "/api/auth/0.1/token"
    answers = [
        requests.post(url, auth=auth, json={}, timeout=5)
        for auth in (("demo1", "wrong"), ("nobody", "demo"), None)
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert {tuple(answer.json()["reason"]) for answer in answers} == {("Authentication Failed",)}


def test_a_token_lives_until_its_end(wazo: LoopbackWazo) -> None:
    token = _token(wazo, expiration=60)
    wazo.do(lambda pbx: pbx.advance(59))
    assert _get(wazo, PRESENCES, token).status_code == 200
    wazo.do(lambda pbx: pbx.advance(1))

    answer = _get(wazo, PRESENCES, token)
    assert (answer.status_code, answer.json()["details"]["reason"]) == (
        401,
        "not_found_or_expired",
    )


def test_a_revoked_token_is_dead_and_may_be_revoked_again(wazo: LoopbackWazo) -> None:
    token = _token(wazo)
    _revoke(wazo, token)
    _revoke(wazo, token)

    assert _get(wazo, PRESENCES, token).status_code == 401


def test_the_hundred_and_first_session_is_refused(wazo: LoopbackWazo) -> None:
    tokens = [_token(wazo) for _ in range(SESSION_LIMIT)]
    url = wazo.url + "/api/auth/0.1/token"
    refused = requests.post(url, auth=SERVICE, json={}, timeout=5)
    assert refused.status_code == 429
    assert "maximum number of active sessions" in refused.json()["reason"][0]

    _revoke(wazo, tokens[0])
    assert _token(wazo)


def test_a_session_of_a_user_shows_him_connected(wazo: LoopbackWazo) -> None:
    assert not _is_connected(wazo)
    token = _token(wazo, USER)
    assert _is_connected(wazo)
    _revoke(wazo, token)
    assert not _is_connected(wazo)
    _token(wazo, USER, expiration=10)
    wazo.do(lambda pbx: pbx.advance(10))
    assert not _is_connected(wazo)


def test_an_ordinary_user_reads_his_own_and_not_others(wazo: LoopbackWazo) -> None:
    token = _token(wazo, USER)

    assert _get(wazo, f"{USERS}/{CAMILLE}", token).status_code == 200
    assert _get(wazo, f"{USERS}/{user_id('1002')}", token).status_code == 401
    assert _get(wazo, CALLS, token).json()["details"]["reason"] == (
        "missing_permission_or_invalid_tenant"
    )


def test_a_foreign_tenant_is_refused(wazo: LoopbackWazo) -> None:
    token = _token(wazo)

    assert _get(wazo, PRESENCES, token, **{"Wazo-Tenant": TENANT}).status_code == 200
    assert _get(wazo, PRESENCES, token, **{"Wazo-Tenant": NOBODY}).status_code == 401


@pytest.mark.parametrize(
    ("path", "status", "content_type"),
    [
        pytest.param("/api/confd/1.1/nope", 404, "text/html", id="unknown-route"),
        pytest.param("/api/confd/1.1/users/me", 404, "text/html", id="no-me-in-confd"),
        pytest.param("/api/nope/1.0/x", 404, "text/html", id="unknown-service"),
        pytest.param("/api/auth/0.1/token", 405, "application/json", id="wrong-method"),
    ],
)
def test_what_is_not_there_is_said_by_the_framework(
    wazo: LoopbackWazo, path: str, status: int, content_type: str
) -> None:
    answer = _get(wazo, path, _token(wazo))

    assert answer.status_code == status
    assert answer.headers["content-type"].startswith(content_type)


@pytest.mark.parametrize("body", ["{", "[1]"], ids=["malformed", "no-object"])
@pytest.mark.parametrize(
    ("path", "is_list"),
    [(CALLS, False), (f"{USERS}/{CAMILLE}/services/dnd", True)],
    ids=["calld", "confd"],
)
def test_a_body_that_is_no_json_object_is_refused_in_the_services_own_shape(
    wazo: LoopbackWazo, path: str, is_list: bool, body: str
) -> None:
    answer = requests.request(
        "POST" if path == CALLS else "PUT",
        wazo.url + path,
        headers={"X-Auth-Token": _token(wazo), "Content-Type": "application/json"},
        data=body,
        timeout=5,
    )

    assert answer.status_code == 400
    assert isinstance(answer.json(), list) is is_list


def test_an_all_lines_call_answers_with_an_id_no_user_may_use(wazo: LoopbackWazo) -> None:
    token = _token(wazo, USER)
    url = wazo.url + "/api/calld/1.0/users/me/calls"
    headers = {"X-Auth-Token": token}
    body = {"extension": "1002", "all_lines": True}
    placed = requests.post(url, json=body, headers=headers, timeout=5).json()
    listed = _get(wazo, "/api/calld/1.0/users/me/calls", token).json()["items"]

    assert placed["call_id"] not in {one["call_id"] for one in listed}
    assert {one["conversation_id"] for one in listed} == {placed["conversation_id"]}
    gone = requests.delete(f"{url}/{placed['call_id']}", headers=headers, timeout=5)
    assert gone.json()["error_id"] == "no-such-call"


# --- The event socket ---------------------------------------------------------------------------


@asynccontextmanager
async def _socket(
    wazo: LoopbackWazo, token: str = "", *, query: str = "?version=2"
) -> AsyncIterator[ClientConnection]:
    url = wazo.url.replace("http", "ws") + "/api/websocketd/" + query
    headers = {"X-Auth-Token": token} if token else {}
    async with connect(url, additional_headers=headers) as socket:
        yield socket


async def _send(socket: ClientConnection, frame: object) -> None:
    await socket.send(json.dumps(frame))


async def _recv(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(5):
        frame: dict[str, Any] = json.loads(await socket.recv())
    return frame


async def _start(socket: ClientConnection, *names: str) -> None:
    assert (await _recv(socket))["op"] == "init"
    for name in names:
        await _send(socket, {"op": "subscribe", "data": {"event_name": name}})
        assert await _recv(socket) == {"op": "subscribe", "code": 0, "data": None}
    await _send(socket, {"op": "start"})
    assert await _recv(socket) == {"op": "start", "code": 0, "data": None}


async def _closed(socket: ClientConnection) -> tuple[int, str]:
    async with asyncio.timeout(5):
        with suppress(ConnectionClosed):
            while True:
                await socket.recv()
    assert socket.close_code is not None
    return socket.close_code, socket.close_reason or ""


async def test_the_socket_greets_subscribes_starts_and_answers_pings(wazo: LoopbackWazo) -> None:
    async with _socket(wazo, _token(wazo)) as socket:
        assert await _recv(socket) == {"op": "init", "code": 0, "data": {"version": 2}}
        await _send(socket, {"op": "subscribe", "data": {"event_name": "call_created"}})
        assert await _recv(socket) == {"op": "subscribe", "code": 0, "data": None}
        await _send(socket, {"op": "start"})
        assert await _recv(socket) == {"op": "start", "code": 0, "data": None}
        await _send(socket, {"op": "ping", "data": {"payload": "x"}})
        assert await _recv(socket) == {"op": "pong", "code": 0, "data": {"payload": "x"}}


async def test_events_before_start_are_dropped(wazo: LoopbackWazo) -> None:
    async with _socket(wazo, _token(wazo)) as socket:
        await _recv(socket)
        await _send(socket, {"op": "subscribe", "data": {"event_name": "line_status_updated"}})
        await _recv(socket)
        _phone(wazo, "1002", "unplug")
        await _send(socket, {"op": "start"})
        assert (await _recv(socket))["op"] == "start"
        _phone(wazo, "1003", "unplug")
        event = await _recv(socket)

    assert event["data"]["data"]["name"] == "sip1003"


async def test_an_event_says_when_in_local_time_without_saying_so(wazo: LoopbackWazo) -> None:
    async with _socket(wazo, _token(wazo)) as socket:
        await _start(socket, "line_status_updated")
        _phone(wazo, "1002", "unplug")
        message = (await _recv(socket))["data"]

    at = datetime.fromisoformat(message["timestamp"])
    assert at.tzinfo is None
    site = wazo.application.site
    assert at.replace(tzinfo=site.zone) == wazo.do(lambda pbx: pbx.now)
    assert message["user_uuid:*"] is True


async def test_protocol_one_sends_events_bare_and_answers_nothing_more(
    wazo: LoopbackWazo,
) -> None:
    async with _socket(wazo, _token(wazo), query="") as socket:
        await _start(socket, "line_status_updated")
        await _send(socket, {"op": "ping", "data": {"payload": "x"}})
        _phone(wazo, "1002", "unplug")
        event = await _recv(socket)

    assert event["name"] == "line_status_updated"


async def test_a_user_hears_of_his_own_calls_and_of_everybodys_presence(
    wazo: LoopbackWazo,
) -> None:
    async with _socket(wazo, _token(wazo, USER)) as socket:
        await _start(socket, "call_created", "chatd_presence_updated", "line_status_updated")
        _phone(wazo, "1002", "dial", number="1003")
        _phone(wazo, "1001", "dial", number="1004")
        heard: list[dict[str, Any]] = []
        while not any(event["name"] == "call_created" for event in heard):
            heard.append((await _recv(socket))["data"])

    (call,) = [event for event in heard if event["name"] == "call_created"]
    assert call["data"]["user_uuid"] == CAMILLE
    assert user_id("1002") in {event["data"].get("uuid") for event in heard}
    assert "line_status_updated" not in {event["name"] for event in heard}


@pytest.mark.parametrize(
    ("query", "code", "reason"),
    [
        pytest.param("?version=2", 4001, "no token", id="no-token"),
        pytest.param(f"?version=2&token={NOBODY}", 4002, "authentication failed", id="unknown"),
        pytest.param("?version=2&token=nope", 4002, "authentication failed", id="malformed"),
        pytest.param("?version=3&token=T", 4004, "", id="unknown-version"),
        pytest.param("?version=x&token=T", 1011, "", id="version-not-a-number"),
    ],
)
async def test_a_socket_that_is_not_wanted_is_closed_after_the_upgrade(
    wazo: LoopbackWazo, query: str, code: int, reason: str
) -> None:
    async with _socket(wazo, query=query.replace("=T", f"={_token(wazo)}")) as socket:
        assert await _closed(socket) == (code, reason)


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param("hello", id="not-json"),
        pytest.param("[1]", id="root-not-object"),
        pytest.param('{"op": "nope"}', id="unknown-op"),
        pytest.param('{"op": "subscribe"}', id="subscribe-without-data"),
        pytest.param('{"op": "subscribe", "data": {"event_name": 5}}', id="name-not-string"),
        pytest.param(b"\x00", id="binary"),
    ],
)
async def test_a_protocol_error_closes_with_4004_and_no_reason(
    wazo: LoopbackWazo, frame: str | bytes
) -> None:
    async with _socket(wazo, _token(wazo)) as socket:
        await _recv(socket)
        await socket.send(frame)
        assert await _closed(socket) == (4004, "")


async def test_a_renewed_token_outlives_the_first(wazo: LoopbackWazo) -> None:
    first = _token(wazo, expiration=1)
    async with _socket(wazo, first) as socket:
        await _start(socket, "line_status_updated")
        await _send(socket, {"op": "token", "data": {"token": _token(wazo)}})
        assert await _recv(socket) == {"op": "token", "code": 0, "data": None}
        wazo.do(lambda pbx: pbx.advance(60))
        _phone(wazo, "1002", "unplug")
        assert (await _recv(socket))["op"] == "event"


async def test_renewing_with_an_unknown_token_closes_the_socket(wazo: LoopbackWazo) -> None:
    async with _socket(wazo, _token(wazo)) as socket:
        await _recv(socket)
        await _send(socket, {"op": "token", "data": {"token": NOBODY}})
        assert await _closed(socket) == (4002, "authentication failed")


async def test_a_socket_is_warned_and_closed_when_its_token_expires() -> None:
    with LoopbackWazo(build(now=datetime.now(UTC))) as wazo:
        async with _socket(wazo, _token(wazo, expiration=1)) as socket:
            await _start(socket, "auth_session_expire_soon")
            assert (await _recv(socket))["data"]["name"] == "auth_session_expire_soon"
            assert await _closed(socket) == (4003, "authentication expired")


@pytest.mark.parametrize(
    ("remaining", "after"),
    [(12, 12), (40, 40), (70, 60), (80, 60), (3600, 2700), (315_360_000, 43_200)],
)
def test_a_revoked_token_is_noticed_late(remaining: float, after: float) -> None:
    assert check_after(remaining) == after


async def test_a_revoked_token_still_hears_until_then(wazo: LoopbackWazo) -> None:
    token = _token(wazo)
    async with _socket(wazo, token) as socket:
        await _start(socket, "line_status_updated")
        _revoke(wazo, token)
        _phone(wazo, "1002", "unplug")
        assert (await _recv(socket))["op"] == "event"


# --- Faults -------------------------------------------------------------------------------------


def test_refused_logins_refuse_everybody(wazo: LoopbackWazo) -> None:
    _fault(wazo, refuse_logins=True)
    url = wazo.url + "/api/auth/0.1/token"
    assert requests.post(url, auth=SERVICE, json={}, timeout=5).status_code == 401
    _fault(wazo, refuse_logins=False)
    assert _token(wazo)


async def test_expired_tokens_close_the_socket_and_refuse_commands(wazo: LoopbackWazo) -> None:
    token = _token(wazo)
    async with _socket(wazo, token) as socket:
        await _start(socket)
        _fault(wazo, expire_tokens=True)
        assert await _closed(socket) == (4003, "authentication expired")
    assert _get(wazo, PRESENCES, token).status_code == 401


async def test_a_dropped_stream_closes_with_1011(wazo: LoopbackWazo) -> None:
    async with _socket(wazo, _token(wazo)) as socket:
        await _start(socket)
        _fault(wazo, drop_stream=True)
        assert await _closed(socket) == (1011, "bus connection lost")


async def test_a_silent_stream_answers_no_ping(wazo: LoopbackWazo) -> None:
    async with _socket(wazo, _token(wazo)) as socket:
        await _start(socket, "line_status_updated")
        _fault(wazo, silence_stream=True)
        await _send(socket, {"op": "ping", "data": {"payload": "lost"}})
        _phone(wazo, "1002", "unplug")
        # An answered protocol ping shows that the socket has taken what was sent before.
        await (await socket.ping())
        _fault(wazo, silence_stream=False)
        await _send(socket, {"op": "ping", "data": {"payload": "heard"}})
        assert (await _recv(socket))["data"] == {"payload": "heard"}


async def test_duplicated_events_come_twice(wazo: LoopbackWazo) -> None:
    _fault(wazo, duplicate_events=True)
    async with _socket(wazo, _token(wazo)) as socket:
        await _start(socket, "line_status_updated")
        _phone(wazo, "1002", "unplug")
        assert await _recv(socket) == await _recv(socket)


async def test_reordered_events_all_come(wazo: LoopbackWazo) -> None:
    _fault(wazo, reorder_events=True)
    async with _socket(wazo, _token(wazo)) as socket:
        await _start(socket, "line_status_updated")
        extensions = [f"100{number}" for number in range(1, 8)]
        for extension in extensions:
            _phone(wazo, extension, "unplug")
        names = {(await _recv(socket))["data"]["data"]["name"] for _ in extensions}

    assert names == {f"sip{extension}" for extension in extensions}


@pytest.mark.parametrize(
    ("service", "path", "error"),
    [
        pytest.param("calld", CALLS, "asterisk-ari-unreachable", id="calld"),
        pytest.param("chatd", PRESENCES, "not-initialized", id="chatd"),
        pytest.param("confd", USERS, None, id="confd"),
    ],
)
def test_a_service_that_is_down_says_503_and_the_others_work(
    wazo: LoopbackWazo, service: str, path: str, error: str | None
) -> None:
    token = _token(wazo)
    _fault(wazo, unavailable=[service])
    answer = _get(wazo, path, token)
    assert answer.status_code == 503
    assert error is None or answer.json()["error_id"] == error
    others = {CALLS, PRESENCES, USERS} - {path}
    assert {_get(wazo, other, token).status_code for other in others} == {200}
    _fault(wazo, unavailable=[])
    assert _get(wazo, path, token).status_code == 200


def test_a_withheld_right_is_missing(wazo: LoopbackWazo) -> None:
    _fault(wazo, withhold=["calld.calls.create"])
    token = _token(wazo)

    assert _get(wazo, CALLS, token).status_code == 200
    answer = requests.post(wazo.url + CALLS, headers={"X-Auth-Token": token}, json={}, timeout=5)
    assert answer.json()["details"]["required_access"] == "calld.calls.create"
    _fault(wazo, withhold=[])


@pytest.mark.parametrize(
    ("fault", "carried_out"),
    [
        pytest.param({"hang": True}, False, id="hangs"),
        pytest.param({"lose_answers": True}, True, id="answer-is-lost"),
        pytest.param({"slow": 30}, True, id="slow"),
    ],
)
def test_an_answer_that_does_not_come(
    wazo: LoopbackWazo, fault: dict[str, object], carried_out: bool
) -> None:
    token = _token(wazo)
    _fault(wazo, **fault)
    body = {
        "source": {"user": CAMILLE},
        "destination": {"context": "ctx-demo-internal", "extension": "1002", "priority": 1},
    }
    with pytest.raises(requests.Timeout):
        requests.post(wazo.url + CALLS, headers={"X-Auth-Token": token}, json=body, timeout=0.3)
    _fault(wazo, hang=False, lose_answers=False, slow=0)

    assert bool(_get(wazo, CALLS, token).json()["items"]) is carried_out


@pytest.mark.parametrize(
    "fault",
    [{"nope": True}, {"slow": "very"}, {"unavailable": ["nope"]}, {"hang": 1}],
    ids=["unknown", "no-number", "no-service", "no-switch"],
)
def test_an_unknown_fault_is_refused(wazo: LoopbackWazo, fault: dict[str, object]) -> None:
    assert _post(wazo, "/_simulator/faults", fault).status_code == 400


# --- The control interface ----------------------------------------------------------------------


def _phones(wazo: LoopbackWazo) -> dict[str, dict[str, Any]]:
    phones = requests.get(wazo.url + "/_simulator/phones", timeout=5).json()["phones"]
    return {phone["extension"]: phone for phone in phones}


def test_handsets_are_listed_in_order_with_what_they_show(wazo: LoopbackWazo) -> None:
    assert list(_phones(wazo)) == [f"100{number}" for number in range(1, 10)]
    assert _phones(wazo)["1001"] == {
        "extension": "1001",
        "name": "Camille Renard",
        "user": CAMILLE,
        "plugged": True,
        "do_not_disturb": False,
        "state": "idle",
        "number": "",
        "name_shown": "",
        "since": None,
        "outside": False,
    }
    assert not _phones(wazo)["1008"]["plugged"]
    answer = requests.get(wazo.url + "/_simulator/phones?limit=2", timeout=5)
    assert len(answer.json()["phones"]) == 2


def test_a_call_is_lived_through_on_the_handsets(wazo: LoopbackWazo) -> None:
    assert _phone(wazo, "1001", "dial", number="1002") == 204
    assert (_phones(wazo)["1001"]["state"], _phones(wazo)["1002"]["state"]) == (
        "calling",
        "ringing",
    )
    assert _phones(wazo)["1002"]["name_shown"] == "Camille Renard"
    assert _phone(wazo, "1002", "answer") == 204
    assert _phones(wazo)["1002"]["state"] == "talking"
    assert _phone(wazo, "1002", "hold") == 204
    assert _phones(wazo)["1002"]["state"] == "held"
    assert _phone(wazo, "1002", "resume") == 204
    assert _phone(wazo, "1001", "hang_up") == 204
    assert _phones(wazo)["1002"]["state"] == "idle"


def test_an_outside_number_has_a_handset_while_it_is_called(wazo: LoopbackWazo) -> None:
    _phone(wazo, "1001", "dial", number="0199004217")
    outside = _phones(wazo)["0199004217"]
    assert (outside["outside"], outside["state"], outside["number"]) == (True, "ringing", "1001")
    assert _phone(wazo, "0199004217", "answer") == 204
    assert _phones(wazo)["1001"]["state"] == "talking"
    assert _phone(wazo, "0199004217", "hang_up") == 204
    assert "0199004217" not in _phones(wazo)


def test_somebody_outside_calls_in(wazo: LoopbackWazo) -> None:
    body = {"from": "0199004217", "name": "Hélène Marchetti", "to": "1001"}
    assert _post(wazo, "/_simulator/calls", body).status_code == 201
    assert _phones(wazo)["1001"]["name_shown"] == "Hélène Marchetti"
    assert _phone(wazo, "1001", "reject") == 204
    assert _post(wazo, "/_simulator/calls", {**body, "to": "9"}).status_code == 409


def test_switches_on_the_handset_change_its_owners_settings(wazo: LoopbackWazo) -> None:
    for action in ("dnd_on", "unplug"):
        assert _phone(wazo, "1001", action) == 204
    phone = _phones(wazo)["1001"]
    assert (phone["do_not_disturb"], phone["plugged"]) == (True, False)
    for action in ("dnd_off", "plug"):
        assert _phone(wazo, "1001", action) == 204
    assert _phones(wazo)["1001"]["plugged"]


@pytest.mark.parametrize(
    ("extension", "action", "status"),
    [
        pytest.param("4999", "answer", 404, id="no-such-phone"),
        pytest.param("1001", "dance", 404, id="no-such-action"),
        pytest.param("1001", "answer", 409, id="does-not-ring"),
        pytest.param("1001", "resume", 409, id="nothing-held"),
        pytest.param("1001", "hang_up", 409, id="no-call"),
        pytest.param("1001", "dial", 400, id="no-number"),
        pytest.param("1008", "dial", 400, id="no-number-unplugged"),
    ],
)
def test_what_a_handset_can_not_do_is_refused(
    wazo: LoopbackWazo, extension: str, action: str, status: int
) -> None:
    assert _phone(wazo, extension, action) == status


def test_an_unplugged_handset_does_not_dial(wazo: LoopbackWazo) -> None:
    assert _phone(wazo, "1008", "dial", number="1001") == 409


def test_a_message_is_left_in_a_box(wazo: LoopbackWazo) -> None:
    body = {"to": "1002", "from": "0199004217", "name": "H", "duration": 7}
    assert _post(wazo, "/_simulator/messages", body).status_code == 201
    assert _post(wazo, "/_simulator/messages", {**body, "to": "1007"}).status_code == 404


def test_the_log_keeps_commands_writes_and_traffic_and_no_secrets(wazo: LoopbackWazo) -> None:
    with requests.Session() as session:
        token = _token(wazo)
        path = f"{USERS}/{CAMILLE}/services/dnd"
        for enabled in (True, False):
            session.put(
                wazo.url + path,
                headers={"X-Auth-Token": token},
                json={"enabled": enabled},
                timeout=5,
            )
        session.head(f"{wazo.url}/api/auth/0.1/token/{token}", timeout=5)
    log = requests.get(wazo.url + "/_simulator/log", timeout=5)

    *_, last, about_token = log.json()["requests"]
    assert about_token["path"] == "/api/auth/0.1/token/…"
    assert (last["method"], last["path"], last["body"]) == ("PUT", path, {"enabled": False})
    assert [write["after"] for write in log.json()["writes"]] == ["True", "False"]
    assert log.json()["writes"][0]["who"] == USERNAME
    assert log.json()["traffic"] == {"requests": 4, "connections": 2}
    assert token not in log.text
    requests.delete(wazo.url + "/_simulator/log", timeout=5)
    cleared = requests.get(wazo.url + "/_simulator/log", timeout=5).json()
    assert (cleared["requests"], cleared["writes"]) == ([], [])
