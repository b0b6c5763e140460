"""``/api/v1/voicemail`` as outsiders use it."""

from __future__ import annotations

import asyncio
import json
import wave
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.test import Client
from django.utils import timezone

from bluetel.telephony.errors import PbxUnavailable
from bluetel.telephony.types import VoicemailFolder
from presence.live import LIVE
from tests.apps.house import House
from tests.apps.voicemail.conftest import Callers
from voicemail import services
from voicemail.models import Message


class Program:
    """A program with a token."""

    def __init__(self, token: str) -> None:
        self.client = Client()
        self.headers = {"Authorization": f"Bearer {token}"}

    def ask(self, method: str, path: str = "", body: object = None, **headers: str) -> Any:
        return self.client.generic(
            method,
            f"/api/v1/voicemail{path}",
            b"" if body is None else json.dumps(body).encode(),
            content_type="application/json",
            headers={**self.headers, **headers},
        )

    def messages(self) -> list[dict[str, Any]]:
        answer = self.ask("GET")
        assert answer.status_code == 200, answer.content
        found: list[dict[str, Any]] = answer.json()["messages"]
        return found


@pytest.fixture
def camille(house: House) -> Program:
    return Program(house.token("1001"))


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_messages_come_newest_first_with_their_callers(callers: Callers, camille: Program) -> None:
    callers.leave("1002", ago=7200, folder=VoicemailFolder.OLD)
    callers.leave("", ago=3600)
    callers.leave("0199004217", name="H. MARCHETTI", duration=14, transcript="Call me.", ago=60)
    answer = camille.ask("GET")
    newest, anonymous, nadia = answer.json()["messages"]
    assert answer.json()["unread"] == 2
    assert {key: newest[key] for key in newest if key not in {"id", "received_at"}} == {
        "number": "0199004217",
        "name": "H. MARCHETTI",
        "contact_id": None,
        "duration": 14,
        "read": False,
        "folder": "new",
        "transcript": "Call me.",
        "source": "pbx",
        "proven": True,
    }
    assert newest["received_at"].endswith("Z")
    assert (anonymous["number"], anonymous["name"]) == ("", "")
    assert (nadia["name"], nadia["read"]) == ("Nadia Belkacem", True)
    assert nadia["contact_id"].startswith("user-")


def test_nobody_sees_or_hears_anothers_message(
    house: House, callers: Callers, camille: Program
) -> None:
    callers.leave("1002")
    (message,) = camille.messages()
    nadia = Program(house.token("1002"))
    assert nadia.messages() == []
    for method, path in (
        ("GET", ""),
        ("GET", "/audio"),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/callback"),
    ):
        answer = nadia.ask(method, f"/{message['id']}{path}", {} if method != "GET" else None)
        assert code(answer) == (404, "not_found"), (method, path)
    assert not house.has_call("1002")


def test_who_is_not_signed_in_hears_nothing(callers: Callers, camille: Program) -> None:
    callers.leave("1002")
    (message,) = camille.messages()
    assert Client().get(f"/api/v1/voicemail/{message['id']}/audio").status_code == 401


def test_reading_is_kept_on_the_pbx(callers: Callers, camille: Program) -> None:
    left = callers.leave("1002")
    (message,) = camille.messages()
    answer = camille.ask("PATCH", f"/{message['id']}", {"read": True})
    assert answer.status_code == 200
    assert (answer.json()["read"], answer.json()["folder"]) == (True, "old")
    assert callers.on_pbx() == {left.id: VoicemailFolder.OLD}
    assert camille.ask("PATCH", f"/{message['id']}", {"read": False}).json()["folder"] == "new"
    assert callers.on_pbx() == {left.id: VoicemailFolder.NEW}


@pytest.mark.django_db(transaction=True)
async def test_open_pages_hear_how_many_are_unread(
    house: House, callers: Callers, camille: Program
) -> None:
    layer = get_channel_layer()
    assert layer is not None
    channel = await layer.new_channel()
    await layer.group_add(LIVE, channel)
    user = str((await sync_to_async(house.user)("1001")).pk)
    callers.leave("1002")
    (message,) = await sync_to_async(camille.messages)()
    await sync_to_async(camille.ask)("PATCH", f"/{message['id']}", {"read": True})
    async with asyncio.timeout(10):
        for unread in (1, 0):
            frame = {"type": "voicemail", "unread": unread}
            told = await layer.receive(channel)
            assert told == {"type": "user", "user": user, "frame": frame}


def test_a_message_is_filed(callers: Callers, camille: Program) -> None:
    left = callers.leave("1002")
    (message,) = camille.messages()
    answer = camille.ask("PATCH", f"/{message['id']}", {"folder": "family"})
    assert (answer.json()["folder"], answer.json()["read"]) == ("family", True)
    assert callers.on_pbx() == {left.id: VoicemailFolder.FAMILY}
    assert code(camille.ask("PATCH", f"/{message['id']}", {"folder": "attic"})) == (
        400,
        "invalid_request",
    )


def test_a_deleted_message_is_gone_at_once_and_on_the_pbx_soon(
    callers: Callers, camille: Program
) -> None:
    callers.leave("1002")
    (message,) = camille.messages()
    now = timezone.now()
    assert camille.ask("DELETE", f"/{message['id']}").status_code == 204
    assert camille.messages() == []
    assert camille.ask("GET").json()["unread"] == 0
    assert len(callers.on_pbx()) == 1
    services.delete_due(now=now + timedelta(seconds=12))
    assert callers.on_pbx() == {}
    assert not Message.objects.exists()


def test_a_deletion_is_undone_in_time(callers: Callers, camille: Program) -> None:
    callers.leave("1002")
    (message,) = camille.messages()
    camille.ask("DELETE", f"/{message['id']}")
    assert camille.ask("POST", f"/{message['id']}/restore").json() == message
    services.delete_due(now=timezone.now() + timedelta(minutes=1))
    assert camille.messages() == [message]
    camille.ask("DELETE", f"/{message['id']}")
    services.delete_due(now=timezone.now() + timedelta(minutes=1))
    assert code(camille.ask("POST", f"/{message['id']}/restore")) == (404, "not_found")


def test_a_deletion_waits_for_a_pbx_that_is_down(
    house: House, callers: Callers, camille: Program
) -> None:
    callers.leave("1002")
    (message,) = camille.messages()
    camille.ask("DELETE", f"/{message['id']}")
    house.backend.fail(PbxUnavailable("down"))
    services.delete_due(now=timezone.now() + timedelta(minutes=1))
    house.backend.heal()
    assert len(callers.on_pbx()) == 1
    services.delete_due(now=timezone.now() + timedelta(minutes=1))
    assert callers.on_pbx() == {}


def test_a_caller_is_called_back_by_the_ordinary_way(
    house: House, callers: Callers, camille: Program
) -> None:
    callers.leave("0199004217", name="Hélène")
    (message,) = camille.messages()
    answer = camille.ask("POST", f"/{message['id']}/callback", {}, **{"Idempotency-Key": "k"})
    assert answer.status_code == 202
    assert answer.json()["dialed"] == "0199004217"
    assert answer.json()["state"] == "ringing_self"
    assert house.is_ringing("1001")
    again = camille.ask("POST", f"/{message['id']}/callback", {}, **{"Idempotency-Key": "k"})
    assert again.json()["id"] == answer.json()["id"]


def test_who_withheld_the_number_is_not_called(
    house: House, callers: Callers, camille: Program
) -> None:
    callers.leave("anonymous")
    (message,) = camille.messages()
    assert message["number"] == ""
    answer = camille.ask("POST", f"/{message['id']}/callback", {})
    assert code(answer) == (400, "invalid_number")
    assert "withheld" in answer.json()["error"]["message"]
    assert not house.has_call("1001")


def test_the_dial_policy_holds_for_callers_too(
    house: House, callers: Callers, camille: Program
) -> None:
    callers.leave("0899700123")
    (message,) = camille.messages()
    answer = camille.ask("POST", f"/{message['id']}/callback", {})
    assert code(answer) == (403, "number_refused")
    assert not house.has_call("1001")


def test_a_pbx_that_is_down_is_said_and_not_hidden(
    house: House, callers: Callers, camille: Program
) -> None:
    callers.leave("1002")
    (message,) = camille.messages()
    house.backend.fail(PbxUnavailable("down"))
    assert code(camille.ask("GET")) == (503, "pbx_unavailable")
    assert code(camille.ask("GET", f"/{message['id']}/audio")) == (503, "pbx_unavailable")
    answer = camille.ask("PATCH", f"/{message['id']}", {"read": True})
    assert code(answer) == (503, "pbx_unavailable")
    assert camille.ask("GET", "/unread").json() == {"unread": 1}


def test_who_has_no_box_has_no_messages(house: House) -> None:
    oskar = Program(house.token("1007"))
    assert oskar.ask("GET").json() == {"messages": [], "unread": 0}


def test_a_message_deleted_by_telephone_is_gone(
    house: House, callers: Callers, camille: Program
) -> None:
    left = callers.leave("1002")
    (message,) = camille.messages()
    house.do(lambda model: model.delete_message(model.boxes["1001"], left, who="phone"))
    assert code(camille.ask("PATCH", f"/{message['id']}", {"read": True})) == (404, "not_found")
    assert camille.messages() == []


# --- Hearing ------------------------------------------------------------------------------------


def heard(answer: Any) -> bytes:
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_a_message_is_heard_and_nobody_keeps_it(callers: Callers, camille: Program) -> None:
    callers.leave("1002", duration=3)
    (message,) = camille.messages()
    answer = camille.ask("GET", f"/{message['id']}/audio")
    sound = heard(answer)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "audio/wav"
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Accept-Ranges"] == "bytes"
    assert answer["Content-Length"] == str(len(sound))
    with wave.open(BytesIO(sound)) as recording:
        assert recording.getnframes() == 3 * recording.getframerate()
    assert camille.messages()[0]["read"] is False


def test_any_part_of_it_can_be_asked_for(callers: Callers, camille: Program) -> None:
    callers.leave("1002", duration=3)
    (message,) = camille.messages()
    path = f"/{message['id']}/audio"
    whole = heard(camille.ask("GET", path))
    part = camille.ask("GET", path, Range="bytes=1000-1999")
    assert (part.status_code, heard(part)) == (206, whole[1000:2000])
    assert part["Content-Range"] == f"bytes 1000-1999/{len(whole)}"
    assert part["Content-Length"] == "1000"
    assert heard(camille.ask("GET", path, Range="bytes=-44")) == whole[-44:]
    stale = camille.ask("GET", path, **{"Range": "bytes=0-9", "If-Range": '"another"'})
    assert (stale.status_code, heard(stale)) == (200, whole)
    beyond = camille.ask("GET", path, Range="bytes=9999999-")
    assert (beyond.status_code, beyond["Content-Range"]) == (416, f"bytes */{len(whole)}")


def test_head_tells_all_but_the_sound(callers: Callers, camille: Program) -> None:
    callers.leave("1002", duration=3)
    (message,) = camille.messages()
    path = f"/{message['id']}/audio"
    whole = heard(camille.ask("GET", path))
    answer = camille.ask("HEAD", path)
    assert (answer.status_code, answer["Content-Length"]) == (200, str(len(whole)))
    assert answer["Accept-Ranges"] == "bytes"
    assert heard(answer) == b""


def test_it_can_be_kept_as_a_file(callers: Callers, camille: Program) -> None:
    callers.leave("1002")
    (message,) = camille.messages()
    answer = camille.ask("GET", f"/{message['id']}/audio?download=1")
    assert answer["Content-Disposition"].startswith('attachment; filename="voicemail-20')
    heard(answer)
