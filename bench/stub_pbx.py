"""A PBX that does nothing, in one millisecond: the limit that BlueTel's own cost is held against.

``python -m bench.stub_pbx PORT [CERTIFICATE KEY]`` answers the few routes of Wazo that placing a
call needs, counts connections and commands, and never answers while told to hang, or closes each
connection after its answer while told to. It has no events.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from itertools import count
from uuid import NAMESPACE_URL, uuid5

ANSWERS_AFTER = 0.001
PEOPLE = 40
CONTEXT = "stub"

_serial = count(1)


def user_id(extension: int) -> str:
    """The PBX's id of whoever has that extension."""
    return str(uuid5(NAMESPACE_URL, f"stub:{extension}"))


class Stub:
    """What the stub counts and is told."""

    def __init__(self) -> None:
        self.connections = 0
        self.requests = 0
        self.hangs = False
        self.closes = False

    def command(self, path: str) -> None:
        """``/_stub/hang/on`` and the like."""
        match path.split("/")[2:]:
            case ["hang", word]:
                self.hangs = word == "on"
            case ["close", word]:
                self.closes = word == "on"

    def answer(  # noqa: PLR0911 — one return for each route
        self, method: str, path: str, body: dict[str, object]
    ) -> tuple[int, object]:
        """Status and body of one command."""
        path = path.partition("?")[0]
        match method, path.removeprefix("/api/").split("/"):
            case _, ["", "_stub", *_]:
                return 200, {"requests": self.requests, "connections": self.connections}
            case "POST", ["auth", _, "token"]:
                return 200, {"data": _token()}
            case (("HEAD" | "GET" | "DELETE"), ["auth", _, "token", *_]):
                return 200, {"data": _token()}
            case "POST", ["auth", _, "token", _, "scopes", "check"]:
                scopes = body.get("scopes")
                names = scopes if isinstance(scopes, list) else []
                return 200, {"scopes": dict.fromkeys(names, True)}
            case "GET", ["confd", _, "users"]:
                people = [_person(1001 + index) for index in range(PEOPLE)]
                return 200, {"items": people, "total": len(people)}
            case "GET", ["confd", _, "users", found]:
                return 200, next(
                    person
                    for index in range(PEOPLE)
                    if (person := _person(1001 + index))["uuid"] == found
                )
            case "GET", ["auth", _, "users"]:
                return 200, {"items": [], "total": 0, "filtered": 0}
            case "POST", ["calld", _, "calls"]:
                return 201, _call(body)
            case "GET", ["calld", _, "calls"]:
                return 200, {"items": []}
        return 404, {"message": "not in the stub", "error_id": "not-found"}


def _token() -> dict[str, object]:
    return {
        "token": str(uuid5(NAMESPACE_URL, f"token:{next(_serial)}")),
        "auth_id": user_id(0),
        "acl": ["#"],
        "utc_issued_at": "2026-01-01T00:00:00.000000",
        "utc_expires_at": "2036-01-01T00:00:00.000000",
        "session_uuid": user_id(1),
        "metadata": {
            "uuid": user_id(0),
            "tenant_uuid": user_id(2),
            "pbx_user_uuid": None,
            "purpose": "external_api",
        },
    }


def _person(extension: int) -> dict[str, object]:
    exten = {"id": extension, "exten": str(extension), "context": CONTEXT}
    line = {"id": extension, "name": str(extension), "protocol": "sip", "extensions": [exten]}
    return {
        "id": extension,
        "uuid": user_id(extension),
        "firstname": "Person",
        "lastname": str(extension),
        "email": f"{extension}@stub.test",
        "username": None,
        "mobile_phone_number": None,
        "language": None,
        "timezone": None,
        "lines": [line],
    }


def _call(body: dict[str, object]) -> dict[str, object]:
    source, destination = body["source"], body["destination"]
    assert isinstance(source, dict)
    assert isinstance(destination, dict)
    leg, number = f"1795333822.{next(_serial)}", destination["extension"]
    return {
        "call_id": leg,
        "conversation_id": leg,
        "user_uuid": source["user"],
        "caller_id_name": number,
        "caller_id_number": number,
        "peer_caller_id_name": number,
        "peer_caller_id_number": number,
        "creation_time": "2026-11-22T07:50:22.416+0000",
        "answer_time": None,
        "hangup_time": None,
        "status": "Ringing",
        "direction": "outbound",
        "dialed_extension": number,
        "is_caller": True,
        "is_video": False,
        "line_id": 1,
        "muted": False,
        "on_hold": False,
        "parked": False,
        "record_state": "inactive",
        "sip_call_id": leg,
        "talking_to": {},
        "bridges": [],
    }


async def _serve(stub: Stub, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    stub.connections += 1
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            request_line, *header_lines = head.split("\r\n")
            method, path, _ = request_line.split(" ", 2)
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in header_lines)
            }
            raw = await reader.readexactly(int(headers.get("content-length", "0")))
            if path.startswith("/_stub"):
                stub.command(path)
            else:
                stub.requests += 1
                if stub.hangs:
                    await asyncio.Event().wait()
                await asyncio.sleep(ANSWERS_AFTER)
            body = json.loads(raw) if raw else {}
            status, answer = stub.answer(method, path, body)
            payload = b"" if method == "HEAD" else json.dumps(answer).encode()
            writer.write(
                f"HTTP/1.1 {status} Stub\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(payload)}\r\n"
                f"Connection: {'close' if stub.closes else 'keep-alive'}\r\n\r\n".encode()
                + payload
            )
            await writer.drain()
            if stub.closes:
                return
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def _main(port: int, certificate: list[str]) -> None:
    stub = Stub()
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificate)
    server = await asyncio.start_server(
        lambda reader, writer: _serve(stub, reader, writer), "127.0.0.1", port, ssl=context
    )
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), sys.argv[2:]))
