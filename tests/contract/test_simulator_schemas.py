"""Everything the simulated Wazo answers and tells fits our schemas, as the real one's does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
import requests
from websockets.asyncio.client import connect

from bluetel.telephony.simulator.loopback import PASSWORD, USERNAME
from bluetel.telephony.simulator.model import SimulatedPbx
from bluetel.telephony.simulator.scenario import build, user_id
from bluetel.telephony.simulator.wazo_server.serve import LoopbackWazo
from bluetel.telephony.simulator.wazo_server.site import CONTEXT
from bluetel.telephony.types import TransferKind
from tests.contract.schemas import Route, check, check_answer, check_event, document, routes

CAMILLE, NADIA = user_id("1001"), user_id("1002")
NOBODY = "00000000-0000-4000-8000-000000000000"


@dataclass
class Client:
    """Sends requests to the simulated services and holds each answer against its schema."""

    wazo: LoopbackWazo
    session: requests.Session = field(default_factory=requests.Session)
    answered: dict[str, set[int]] = field(default_factory=dict)

    def sign_in(self, username: str, password: str) -> str:
        answer = self.ask(
            "wazo-auth",
            "POST /token",
            body={"expiration": 3600},
            auth=(username, password),
        )
        token: str = answer.json()["data"]["token"]
        self.session.headers["X-Auth-Token"] = token
        return token

    def ask(
        self,
        service: str,
        name: str,
        where: Mapping[str, str] | None = None,
        *,
        body: object = None,
        query: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> requests.Response:
        method, path = name.split(" ")
        route = Route(service, method, path)
        if body is not None and "request" in route.schema:
            check(route.schema["request"], body, service=service)
        url = self.wazo.url + document(service)["prefix"] + path.format(**(where or {}))
        answer = self.session.request(
            method, url, json=body, params=query, auth=auth, headers=headers, timeout=5
        )
        self.answered.setdefault(str(route), set()).add(answer.status_code)
        content_type = answer.headers.get("content-type", "")
        is_json = content_type == "application/json" and answer.content
        check_answer(route, answer.status_code, content_type, answer.json() if is_json else None)
        return answer

    def calld(self, name: str, **where: str) -> requests.Response:
        return self.ask("wazo-calld", name, where)


@contextmanager
def _client() -> Iterator[Client]:
    with (
        LoopbackWazo(build(now=datetime.now(UTC)), stands_still=True) as wazo,
        requests.Session() as session,
    ):
        one = Client(wazo, session)
        one.sign_in(USERNAME, PASSWORD)
        yield one


@pytest.fixture
def client() -> Iterator[Client]:
    with _client() as one:
        yield one


@pytest.fixture(scope="module")
def untouched() -> Iterator[Client]:
    """For tests that change nothing."""
    with _client() as one:
        yield one


def _pick_up(client: Client, extension: str) -> str:
    """The id of the leg that now is up."""

    def act(pbx: SimulatedPbx) -> str:
        leg = pbx.lines[extension][1].legs[0]
        pbx.answer(leg)
        return leg.id

    return client.wazo.do(act)


def _auth(client: Client) -> None:
    token = client.session.headers["X-Auth-Token"]
    assert isinstance(token, str)
    client.ask("wazo-auth", "GET /token/{token}", {"token": token})
    client.ask("wazo-auth", "HEAD /token/{token}", {"token": token})
    client.ask(
        "wazo-auth",
        "POST /token/{token}/scopes/check",
        {"token": token},
        body={"scopes": ["calld.calls.create", "confd.#"]},
    )
    client.ask("wazo-auth", "GET /tenants")
    for order in ("username", "nope"):
        query = {"limit": "3", "order": order, "direction": "desc"}
        client.ask("wazo-auth", "GET /users", query=query)
    client.ask("wazo-auth", "HEAD /status")
    client.ask("wazo-auth", "GET /token/{token}", {"token": NOBODY})
    client.ask(
        "wazo-auth", "GET /token/{token}", {"token": token}, query={"scope": "confd.users.create"}
    )
    client.ask("wazo-auth", "POST /token", auth=(USERNAME, "wrong"), body={})
    client.ask("wazo-auth", "DELETE /token/{token}", {"token": NOBODY})


def _calls(client: Client) -> None:
    placed = client.ask(
        "wazo-calld",
        "POST /calls",
        body={
            "source": {"user": CAMILLE},
            "destination": {"context": CONTEXT, "extension": "1002", "priority": 1},
        },
    ).json()
    own = placed["call_id"]
    _pick_up(client, "1001")
    client.calld("GET /calls")
    client.calld("GET /calls/{call_id}", call_id=own)
    callee = client.wazo.do(lambda pbx: pbx.lines["1002"][1].legs[0].id)
    client.calld("PUT /calls/{call_id}/answer", call_id=callee)
    for step in ("mute/start", "mute/stop", "hold/start", "hold/stop"):
        client.calld(f"PUT /calls/{{call_id}}/{step}", call_id=own)
    client.ask("wazo-calld", "PUT /calls/{call_id}/dtmf", {"call_id": own}, query={"digits": "1#"})
    _transfers(client, own, callee)
    client.calld("DELETE /calls/{call_id}", call_id=callee)
    client.calld("DELETE /calls/{call_id}", call_id="1234.5")
    client.calld("GET /lines")


def _transfers(client: Client, own: str, callee: str) -> None:
    transfer = ""
    for ending in ("DELETE /transfers/{transfer_id}", "PUT /transfers/{transfer_id}/complete"):
        transfer = client.ask(
            "wazo-calld",
            "POST /transfers",
            body={
                "transferred_call": callee,
                "initiator_call": own,
                "context": CONTEXT,
                "exten": "1003",
                "flow": "attended",
            },
        ).json()["id"]
        client.calld("GET /transfers/{transfer_id}", transfer_id=transfer)
        _pick_up(client, "1003")
        client.calld("GET /calls")
        client.calld(ending, transfer_id=transfer)
    client.calld("GET /transfers/{transfer_id}", transfer_id=transfer)


def _own_calls(client: Client) -> None:
    """The routes of a user, on his own token."""
    client.sign_in("demo1", "demo")
    own = client.ask("wazo-calld", "POST /users/me/calls", body={"extension": "1002"}).json()
    mine = own["call_id"]
    client.calld("PUT /users/me/calls/{call_id}/answer", call_id=mine)
    _pick_up(client, "1002")
    client.calld("GET /users/me/calls")
    for step in ("mute/start", "mute/stop", "hold/start", "hold/stop"):
        client.calld(f"PUT /users/me/calls/{{call_id}}/{step}", call_id=mine)
    client.ask(
        "wazo-calld", "PUT /users/me/calls/{call_id}/dtmf", {"call_id": mine}, query={"digits": "1"}
    )
    for ending in (
        "DELETE /users/me/transfers/{transfer_id}",
        "PUT /users/me/transfers/{transfer_id}/complete",
    ):
        body = {"initiator_call": mine, "exten": "1003", "flow": "attended"}
        transfer = client.ask("wazo-calld", "POST /users/me/transfers", body=body).json()["id"]
        _pick_up(client, "1003")
        client.calld("GET /users/me/transfers")
        client.calld(ending, transfer_id=transfer)
    client.wazo.do(lambda pbx: pbx.hang_up(pbx.lines["1002"][1].legs[0]))
    client.calld("DELETE /users/me/calls/{call_id}", call_id=mine)
    again = client.ask("wazo-calld", "POST /users/me/calls", body={"extension": "1002"})
    client.calld("DELETE /users/me/calls/{call_id}", call_id=again.json().get("call_id", "0"))
    client.ask("wazo-calld", "POST /users/me/calls", body={"extension": "4999"})
    client.ask("wazo-call-logd", "GET /users/me/cdr")
    client.calld("GET /calls")
    client.ask("wazo-confd", "GET /users/{user_id}", {"user_id": NADIA})
    _messages(client, "/users/me/voicemails", {})
    _greetings(client, "/users/me/voicemails", {})
    client.sign_in(USERNAME, PASSWORD)


def _messages(client: Client, base: str, where: Mapping[str, str]) -> None:
    box = client.calld(f"GET {base}", **where).json()
    client.calld(f"GET {base}/folders/{{folder_id}}", folder_id="1", **where)
    client.calld(f"GET {base}/folders/{{folder_id}}", folder_id="9", **where)
    newest = next(one["id"] for folder in box["folders"] for one in folder["messages"])
    message = f"{base}/messages/{{message_id}}"
    client.calld(f"GET {message}", message_id=newest, **where)
    client.ask(
        "wazo-calld", f"PUT {message}", {"message_id": newest, **where}, body={"folder_id": 2}
    )
    client.calld(f"GET {message}/recording", message_id=newest, **where)
    client.calld("GET /voicemails/messages" if where else "GET /users/me/voicemails/messages")
    client.calld(f"DELETE {message}", message_id=newest, **where)
    client.calld(f"DELETE {message}", message_id=newest, **where)


def _greetings(client: Client, base: str, where: dict[str, str]) -> None:
    path = f"{base}/greetings/{{greeting}}"
    for method in ("HEAD", "POST", "POST", "PUT", "GET", "HEAD", "DELETE", "DELETE"):
        client.calld(f"{method} {path}", greeting="busy", **where)
    client.calld(f"GET {path}", greeting="morning", **where)


def _voicemails(client: Client) -> None:
    boxes = client.ask("wazo-confd", "GET /users/{user_id}/voicemails", {"user_id": CAMILLE}).json()
    number = str(boxes["items"][0]["id"])
    client.ask("wazo-confd", "GET /voicemails/{voicemail_id}", {"voicemail_id": number})
    client.ask("wazo-confd", "GET /voicemails/{voicemail_id}", {"voicemail_id": "999"})
    _messages(client, "/voicemails/{voicemail_id}", {"voicemail_id": number})
    _greetings(client, "/voicemails/{voicemail_id}", {"voicemail_id": number})


def _people(client: Client) -> None:
    client.ask("wazo-confd", "GET /infos")
    for view in ("", "summary", "directory", "nope"):
        client.ask("wazo-confd", "GET /users", query={"view": view, "limit": "3"} if view else {})
    client.ask("wazo-confd", "GET /users/{user_id}", {"user_id": CAMILLE})
    client.ask("wazo-confd", "GET /users/{user_id}", {"user_id": NOBODY})
    client.ask("wazo-confd", "GET /users/{user_id}", {"user_id": "me"})
    client.ask("wazo-confd", "PUT /users/{user_id}", {"user_id": NADIA}, body={"timezone": None})
    client.ask("wazo-confd", "PUT /users/{user_id}", {"user_id": NADIA}, body={"email": "none"})
    lines = client.ask("wazo-confd", "GET /lines", query={"limit": "2"}).json()["items"]
    client.ask("wazo-confd", "GET /lines/{line_id}", {"line_id": str(lines[0]["id"])})


def _settings(client: Client) -> None:
    forward = {"enabled": True, "destination": "1002"}
    for name in ("unconditional", "busy", "noanswer"):
        path = f"/users/{{user_id}}/forwards/{name}"
        client.ask("wazo-confd", f"PUT {path}", {"user_id": CAMILLE}, body=forward)
        client.ask("wazo-confd", f"PUT {path}", {"user_id": CAMILLE}, body={"destination": None})
        client.ask("wazo-confd", f"GET {path}", {"user_id": CAMILLE})
    client.ask("wazo-confd", "GET /users/{user_id}/forwards", {"user_id": CAMILLE})
    off = {"unconditional": {"enabled": False, "destination": None}}
    client.ask("wazo-confd", "PUT /users/{user_id}/forwards", {"user_id": CAMILLE}, body=off)
    dnd = "/users/{user_id}/services/dnd"
    client.ask("wazo-confd", f"PUT {dnd}", {"user_id": CAMILLE}, body={"enabled": True})
    client.ask("wazo-confd", f"GET {dnd}", {"user_id": CAMILLE})
    client.ask("wazo-confd", "GET /users/{user_id}/services", {"user_id": CAMILLE})


def _presences(client: Client) -> None:
    path = "/users/{user_uuid}/presences"
    client.ask("wazo-chatd", f"PUT {path}", {"user_uuid": NADIA}, body={"state": "away"})
    client.ask("wazo-chatd", f"GET {path}", {"user_uuid": NADIA})
    client.ask("wazo-chatd", f"GET {path}", {"user_uuid": NOBODY})
    client.ask("wazo-chatd", f"GET {path}", {"user_uuid": "me"})
    client.ask("wazo-chatd", "GET /users/presences")
    for wanted in (f"{NADIA},{NOBODY}", "nope"):
        client.ask("wazo-chatd", "GET /users/presences", query={"user_uuid": wanted})


def _directory(client: Client) -> None:
    lookup = "GET /directories/lookup/{profile}"
    client.ask("wazo-dird", lookup, {"profile": "default"}, query={"term": "ma"})
    client.ask("wazo-dird", lookup, {"profile": "default"})
    client.ask("wazo-dird", lookup, {"profile": "nope"}, query={"term": "ma"})
    client.ask(
        "wazo-dird",
        f"{lookup}/{{user_uuid}}",
        {"profile": "default", "user_uuid": CAMILLE},
        query={"term": "ines"},
    )
    client.ask("wazo-dird", f"{lookup}/headers", {"profile": "default"})
    sources = client.ask("wazo-dird", "GET /directories/{profile}/sources", {"profile": "default"})
    for source in sources.json()["items"]:
        client.ask(
            "wazo-dird",
            "GET /backends/{backend}/sources/{source_uuid}/contacts",
            {"backend": source["backend"], "source_uuid": source["uuid"]},
            query={"limit": "2"},
        )


def _log(client: Client) -> None:
    rows = client.ask("wazo-call-logd", "GET /cdr").json()["items"]
    client.ask("wazo-call-logd", "GET /cdr/{cdr_id}", {"cdr_id": str(rows[0]["id"])})
    client.ask("wazo-call-logd", "GET /cdr/{cdr_id}", {"cdr_id": "999"})
    path = "GET /users/{user_uuid}/cdr"
    client.ask("wazo-call-logd", path, {"user_uuid": CAMILLE}, query={"limit": "2"})
    client.ask("wazo-call-logd", path, {"user_uuid": CAMILLE}, query={"from": "yesterday"})


STORIES: dict[str, Callable[[Client], None]] = {
    "auth": _auth,
    "calls": _calls,
    "own-calls": _own_calls,
    "voicemails": _voicemails,
    "people": _people,
    "settings": _settings,
    "presences": _presences,
    "directory": _directory,
    "log": _log,
}


def test_every_route_of_ours_is_simulated_and_fits_its_schema(client: Client) -> None:
    for story in STORIES.values():
        story(client)

    wanted = {str(route) for route in routes()}
    answered_well = {
        name
        for name, statuses in client.answered.items()
        if any(status < 300 for status in statuses)
    }
    assert wanted == answered_well


@pytest.mark.parametrize(
    ("service", "name"),
    [
        pytest.param(route.service, f"{route.method} {route.path}", id=str(route))
        for route in routes()
        if route.path not in ("/token", "/status") and "/token/" not in route.path
    ],
)
def test_no_route_answers_without_a_token(untouched: Client, service: str, name: str) -> None:
    _, path = name.split(" ")
    params = {
        part[1:-1]: "1" if part in ("{voicemail_id}", "{line_id}", "{cdr_id}") else NOBODY
        for part in path.split("/")
        if part.startswith("{")
    }
    answer = untouched.ask(service, name, params, headers={"X-Auth-Token": NOBODY})

    assert answer.status_code == 401


async def test_everything_the_bus_says_fits_its_schema(client: Client) -> None:
    token = client.session.headers["X-Auth-Token"]
    seen: set[str] = set()
    url = client.wazo.url.replace("http", "ws") + "/api/websocketd/?version=2"
    async with connect(url, additional_headers={"X-Auth-Token": str(token)}) as socket:
        await socket.send(json.dumps({"op": "subscribe", "data": {"event_name": "*"}}))
        await socket.send(json.dumps({"op": "start"}))
        for _ in range(3):
            await socket.recv()
        stories = ("calls", "own-calls", "settings", "presences", "people", "voicemails")
        for story in stories:
            await asyncio.to_thread(STORIES[story], client)
        await asyncio.to_thread(client.wazo.do, _rest_of_the_day)
        await socket.send(json.dumps({"op": "ping", "data": {"payload": "end"}}))
        while (frame := json.loads(await socket.recv()))["op"] != "pong":
            check_event(frame["data"])
            seen.add(frame["data"]["name"])

    assert seen == set(document("wazo-events")["events"]) - {"auth_session_expire_soon"}


def _rest_of_the_day(pbx: SimulatedPbx) -> None:
    """What the stories leave out: an abandoned transfer, a missed call, people who come and go."""
    lines = {extension: line for extension, (_, line) in pbx.lines.items()}
    pbx.dial(lines["1004"], "1005")
    pbx.answer(lines["1005"].legs[0])
    pbx.start_transfer(lines["1005"].legs[0], "1006", kind=TransferKind.ATTENDED)
    pbx.put_down(lines["1005"].legs[0])
    pbx.reject(lines["1006"].legs[0], busy=True)
    pbx.call_in("0199004217", name="Hélène Marchetti", to="1006")
    pbx.advance(60)
    pbx.remove_person(
        pbx.add_person(user_id=NOBODY, first_name="Ada", last_name="Aubin", extensions=["2001"])
    )
