"""Mailboxes on a real Dovecot, watched by the engine's own threads."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar, cast
from urllib.parse import parse_qs

import pytest
from django.db import connections
from django.test import Client
from pytest_django import Settings

from bluetel.fetch.site import site_door
from bluetel.telephony.simulator.sound import tone
from bluetel.telephony.types import VoicemailFolder
from tests.apps.house import House
from tests.apps.voicemail.conftest import Callers
from tests.apps.voicemail.pbx_mails import pbx_mail
from tests.apps.voicemail.test_api import Program, heard
from tests.servers import ServerOf, running
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.dovecot_tokens import TokenDovecot
from voicemail import parsing, services
from voicemail.imap import MailboxFailed
from voicemail.models import Mail, Mailbox
from voicemail.oauth import secret_of
from voicemail.watching import MailboxDuty, Pace, Watcher

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(150)]

QUICK = Pace(tick=0.05, idle=30, poll=0.1, retry=0.05)
_users = iter(range(1000))


@pytest.fixture
def dovecot(server: ServerOf, settings: Settings) -> Dovecot:
    found = cast("Dovecot", server("dovecot"))
    settings.FETCH_ALLOW = ("127.0.0.0/8",)
    settings.CA_FILE = found.ca_file
    return found


@pytest.fixture
def name() -> str:
    """A mail user nobody has had yet."""
    return f"camille{next(_users)}"


@pytest.fixture
def camille(house: House) -> Program:
    return Program(house.token("1001"))


@pytest.fixture
def watched(camille: Program, dovecot: Dovecot, name: str) -> Iterator[Watcher]:
    """Camille's mailbox with its watcher at work."""
    api = Api(camille)
    made = api.post({**access(dovecot, name)})
    watcher = Watcher(int(made["id"]), QUICK, None)
    watcher.start()
    until(lambda: Mailbox.objects.get().last_read_at is not None)
    yield watcher
    watcher.stop()
    watcher.join(20)
    parsing.close()


def access(dovecot: Dovecot, name: str, **changes: Any) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": dovecot.tls_port,
        "tls": "implicit",
        "username": name,
        "password": PASSWORD,
        "folder": "INBOX",
        **changes,
    }


class Api:
    """``/api/v1/mailboxes``."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def ask(self, method: str, path: str = "", body: object = None) -> Any:
        return self._program.client.generic(
            method,
            f"/api/v1/mailboxes{path}",
            b"" if body is None else json.dumps(body).encode(),
            content_type="application/json",
            headers=self._program.headers,
        )

    def post(self, body: object) -> dict[str, Any]:
        answer = self.ask("POST", "", body)
        assert answer.status_code == 201, answer.content
        made: dict[str, Any] = answer.json()
        return made


def until(condition: Callable[[], object], *, seconds: float = 50) -> None:
    """Wait for ``condition``."""
    pause = threading.Event()
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        pause.wait(0.02)


def messages(program: Program, count: int) -> list[dict[str, Any]]:
    """The user's messages, once there are so many."""
    until(lambda: len(program.messages()) == count)
    return program.messages()


# --- The API ------------------------------------------------------------------------------------


def test_a_mailbox_is_added_listed_and_removed(
    camille: Program, dovecot: Dovecot, name: str
) -> None:
    api = Api(camille)
    made = api.post(access(dovecot, name))
    assert made == {
        "id": made["id"],
        "host": "127.0.0.1",
        "port": dovecot.tls_port,
        "tls": "implicit",
        "username": name,
        "folder": "INBOX",
        "auth": "password",
        "last_read_at": None,
        "error": None,
    }
    assert api.ask("GET").json() == {"mailboxes": [made]}
    assert api.post(access(dovecot, name, password="new"))["id"] == made["id"]
    assert Mailbox.objects.get().password == "new"
    assert api.ask("DELETE", f"/{made['id']}").status_code == 204
    assert api.ask("DELETE", f"/{made['id']}").status_code == 404
    assert api.ask("GET").json() == {"mailboxes": []}


def test_passwords_are_sealed_in_the_database(
    camille: Program, dovecot: Dovecot, name: str
) -> None:
    Api(camille).post(access(dovecot, name))
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT password FROM voicemail_mailbox")
        assert PASSWORD not in cursor.fetchone()[0]


def test_somebody_elses_mailbox_is_not_there(
    house: House, camille: Program, dovecot: Dovecot, name: str
) -> None:
    made = Api(camille).post(access(dovecot, name))
    other = Api(Program(house.token("1002")))
    assert other.ask("GET").json() == {"mailboxes": []}
    assert other.ask("DELETE", f"/{made['id']}").status_code == 404
    assert Client().get("/api/v1/mailboxes").status_code == 401


def test_a_private_mail_server_is_refused_unless_allowed(
    camille: Program, dovecot: Dovecot, name: str, settings: Settings
) -> None:
    settings.FETCH_ALLOW = ()
    answer = Api(camille).ask("POST", "", access(dovecot, name))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "address_refused")
    assert not Mailbox.objects.exists()


# --- Mails that come ----------------------------------------------------------------------------


def test_a_voice_mail_appears_plays_and_tells_its_caller(
    camille: Program, dovecot: Dovecot, name: str, watched: Watcher, settings: Settings
) -> None:
    settings.VOICEMAIL_SENDERS = ("wazo@pbx.test",)
    dovecot.deliver(name, b"From: a@b.test\r\nSubject: Lunch?\r\n\r\nToday?\r\n")
    dovecot.deliver(name, pbx_mail("0199004217", "Hélène", seconds=3))
    (message,) = messages(camille, 1)
    assert message["number"] == "0199004217"
    assert message["name"] == "Hélène"
    assert (message["source"], message["proven"], message["read"]) == ("mail", True, False)
    assert message["duration"] == 3
    sound = heard(camille.ask("GET", f"/{message['id']}/audio"))
    assert sound == tone(seconds=3, hertz=440)


def test_the_caller_of_a_proven_mail_is_called_back(
    house: House,
    camille: Program,
    dovecot: Dovecot,
    name: str,
    watched: Watcher,
    settings: Settings,
) -> None:
    settings.VOICEMAIL_SENDERS = ("wazo@pbx.test",)
    dovecot.deliver(name, pbx_mail("0199004217"))
    (message,) = messages(camille, 1)
    answer = camille.ask("POST", f"/{message['id']}/callback", {})
    assert (answer.status_code, answer.json()["dialed"]) == (202, "0199004217")
    assert house.is_ringing("1001")


def test_a_spoofed_mail_is_shown_marked_and_calls_nobody(
    house: House,
    camille: Program,
    dovecot: Dovecot,
    name: str,
    watched: Watcher,
    settings: Settings,
) -> None:
    settings.VOICEMAIL_SENDERS = ("wazo@pbx.test",)
    dovecot.deliver(name, pbx_mail("1002", '"><script>alert(1)</script>', sender="eve@evil.test"))
    (message,) = messages(camille, 1)
    assert (message["number"], message["proven"]) == ("1002", False)
    assert message["contact_id"] is None
    answer = camille.ask("POST", f"/{message['id']}/callback", {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "number_refused")
    assert not house.has_call("1001")
    page = house.browser("1001").get("/voicemail/").content.decode()
    assert "<script>alert" not in page
    assert "Call 1002 back" not in page
    assert "Not confirmed" in page


def test_mails_of_all_kinds_appear_and_broken_ones_break_nothing(
    camille: Program, dovecot: Dovecot, name: str, watched: Watcher
) -> None:
    hour = datetime.now(UTC) - timedelta(hours=1)
    mails = {
        "utf-8": pbx_mail("0199004217", "Élodie".encode(), at=hour),
        "latin-1": pbx_mail("0199004218", "Élodie".encode("latin-1"), at=hour),
        "no caller": pbx_mail(None, at=hour),
        "zero": pbx_mail("0561234567", at=hour),
        "broken": pbx_mail("0199004219", at=hour).replace(b"boundary=", b"boundery="),
        "cut": pbx_mail("0199004220", at=hour)[:900],
        "no date": pbx_mail("0199004221").replace(b"Date: ", b"Date: never "),
    }
    for mail in mails.values():
        dovecot.deliver(name, mail)
    found = {message["number"]: message for message in messages(camille, len(mails))}
    assert found["0199004217"]["name"] == found["0199004218"]["name"] == "Élodie"
    assert found["0561234567"]["duration"] == 3
    assert found[""]["name"] == ""
    assert found["0199004219"]["duration"] == 0


def test_twenty_megabytes_of_sound_play(
    camille: Program, dovecot: Dovecot, name: str, watched: Watcher
) -> None:
    sound = tone(seconds=1310, hertz=440)
    assert len(sound) > 20_000_000
    dovecot.deliver(name, pbx_mail(audio=sound))
    (message,) = messages(camille, 1)
    assert abs(message["duration"] - 1310) < 5
    path = f"/{message['id']}/audio"
    assert camille.ask("HEAD", path)["Content-Length"] == str(len(sound))
    end = camille.ask("GET", path, Range=f"bytes={len(sound) - 1000}-")
    assert heard(end) == sound[-1000:]


# --- With the PBX -------------------------------------------------------------------------------


def test_a_mail_about_a_message_of_the_pbx_is_not_shown_twice_and_needs_no_trust(
    callers: Callers, camille: Program, dovecot: Dovecot, name: str, watched: Watcher
) -> None:
    left = callers.leave("0199004217", ago=100, duration=3)
    dovecot.deliver(name, pbx_mail("0199004217", at=left.received_at + timedelta(seconds=3)))
    until(lambda: Mail.objects.filter(message__isnull=False).exists() and camille.messages())
    (message,) = messages(camille, 1)
    assert (message["source"], message["proven"]) == ("pbx", True)


def test_two_mails_within_ten_seconds_go_to_their_own_messages(
    callers: Callers, camille: Program, dovecot: Dovecot, name: str, watched: Watcher
) -> None:
    first = callers.leave("0199004217", ago=100, duration=2)
    second = callers.leave("0199004217", ago=92, duration=3)
    for left in (second, first):
        end = left.received_at + timedelta(seconds=left.duration)
        dovecot.deliver(name, pbx_mail("0199004217", at=end, seconds=left.duration))
    camille.messages()
    until(lambda: Mail.objects.filter(message__pbx_message__gt="").count() == 2)
    tied = dict(Mail.objects.values_list("sent_at", "message__pbx_message"))
    assert tied == {
        first.received_at + timedelta(seconds=2): first.id,
        second.received_at + timedelta(seconds=3): second.id,
    }


def test_what_is_read_in_the_mail_program_is_read_on_the_pbx_and_the_reverse(
    callers: Callers, camille: Program, dovecot: Dovecot, name: str, watched: Watcher
) -> None:
    left = callers.leave("0199004217", ago=100, duration=3)
    dovecot.deliver(name, pbx_mail("0199004217", at=left.received_at + timedelta(seconds=3)))
    (message,) = messages(camille, 1)
    until(lambda: Mail.objects.filter(message=message["id"]).exists())
    uid = Mail.objects.get().uid
    dovecot.mark(name, uid, seen=True)
    until(lambda: callers.on_pbx() == {left.id: VoicemailFolder.OLD})
    dovecot.mark(name, uid, seen=False)
    until(lambda: callers.on_pbx() == {left.id: VoicemailFolder.NEW})
    camille.ask("PATCH", f"/{message['id']}", {"read": True})
    watched.wake()
    until(lambda: dovecot.is_seen(name, uid))
    camille.ask("PATCH", f"/{message['id']}", {"read": False})
    watched.wake()
    until(lambda: not dovecot.is_seen(name, uid))
    assert callers.on_pbx() == {left.id: VoicemailFolder.NEW}


def test_a_message_known_by_mail_only_is_read_and_deleted_in_the_mailbox(
    camille: Program, dovecot: Dovecot, name: str, watched: Watcher
) -> None:
    dovecot.deliver(name, pbx_mail("0199004217"))
    (message,) = messages(camille, 1)
    uid = Mail.objects.get().uid
    camille.ask("PATCH", f"/{message['id']}", {"read": True})
    watched.wake()
    until(lambda: dovecot.is_seen(name, uid))
    camille.ask("DELETE", f"/{message['id']}")
    services.delete_due(now=datetime.now(UTC) + timedelta(minutes=1))
    watched.wake()
    until(lambda: dovecot.count(name) == 0)
    assert dovecot.count(name, "Trash") == 1
    assert camille.messages() == []


# --- Bad days -----------------------------------------------------------------------------------


def test_a_wrong_password_is_said(camille: Program, dovecot: Dovecot, name: str) -> None:
    made = Api(camille).post(access(dovecot, name, password="wrong"))
    watcher = Watcher(int(made["id"]), QUICK, None)
    watcher.start()
    try:
        until(lambda: Mailbox.objects.get().error == "sign_in_refused")
    finally:
        watcher.stop()
        watcher.join(20)


def test_an_unknown_certificate_is_refused(
    camille: Program, dovecot: Dovecot, name: str, settings: Settings
) -> None:
    settings.CA_FILE = ""
    made = Api(camille).post(access(dovecot, name))
    watcher = Watcher(int(made["id"]), QUICK, None)
    watcher.start()
    try:
        until(lambda: Mailbox.objects.get().error == "certificate")
    finally:
        watcher.stop()
        watcher.join(20)


def test_starttls_is_used_where_it_is_asked_for(
    camille: Program, dovecot: Dovecot, name: str
) -> None:
    dovecot.deliver(name, pbx_mail("0199004217"))
    made = Api(camille).post(access(dovecot, name, port=dovecot.port, tls="starttls"))
    watcher = Watcher(int(made["id"]), QUICK, None)
    watcher.start()
    try:
        messages(camille, 1)
    finally:
        watcher.stop()
        watcher.join(20)
        parsing.close()


def test_a_server_killed_while_it_is_listened_to_is_found_again(
    camille: Program, dovecot: Dovecot, settings: Settings
) -> None:
    with running("dovecot") as servers:
        mortal = cast("Dovecot", servers["dovecot"])
        settings.CA_FILE = mortal.ca_file
        made = Api(camille).post(access(mortal, "camille"))
        watcher = Watcher(int(made["id"]), QUICK, None)
        watcher.start()
        try:
            until(lambda: Mailbox.objects.get().last_read_at is not None)
            mortal.kill()
            until(lambda: Mailbox.objects.get().error == "unreachable")
            mortal.revive()
            mortal.deliver("camille", pbx_mail("0199004217"))
            messages(camille, 1)
            assert Mailbox.objects.get().error == ""
        finally:
            watcher.stop()
            watcher.join(20)
            parsing.close()
            mortal.end_revived()


def test_a_server_without_idle_is_asked_again_and_again(
    camille: Program, server: ServerOf, settings: Settings, name: str
) -> None:
    polled = cast("Dovecot", server("dovecot_polled"))
    settings.FETCH_ALLOW, settings.CA_FILE = ("127.0.0.0/8",), polled.ca_file
    made = Api(camille).post(access(polled, name))
    watcher = Watcher(int(made["id"]), QUICK, None)
    watcher.start()
    try:
        until(lambda: Mailbox.objects.get().last_read_at is not None)
        polled.deliver(name, pbx_mail("0199004217"))
        messages(camille, 1)
    finally:
        watcher.stop()
        watcher.join(20)
        parsing.close()


class TokenServer(BaseHTTPRequestHandler):
    """Gives an access token for the right refresh token."""

    asked: ClassVar[list[dict[str, list[str]]]] = []

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.asked.append(form)
        is_right = form["refresh_token"] == ["refresh"]
        self.send_response(200 if is_right else 400)
        self.end_headers()
        self.wfile.write(json.dumps({"access_token": self.token()}).encode())

    def token(self) -> str:
        """What is given."""
        return "fresh"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 — the library's name
        """Say nothing."""


def test_an_access_token_is_fetched_with_the_refresh_token(
    house: House, settings: Settings
) -> None:
    settings.FETCH_ALLOW = ("127.0.0.0/8",)
    with HTTPServer(("127.0.0.1", 0), TokenServer) as tokens:
        threading.Thread(target=tokens.serve_forever, daemon=True).start()
        mailbox = Mailbox(
            user=house.user("1001"),
            password="refresh",
            is_token=True,
            token_url=f"http://127.0.0.1:{tokens.server_port}/token",
            client_id="bluetel",
        )
        assert secret_of(mailbox, site_door()) == "fresh"
        assert TokenServer.asked[-1] == {
            "grant_type": ["refresh_token"],
            "refresh_token": ["refresh"],
            "client_id": ["bluetel"],
        }
        mailbox.password = "stolen"
        with pytest.raises(MailboxFailed, match="sign_in_refused"):
            secret_of(mailbox, site_door())
        tokens.shutdown()


class MailTokenServer(TokenServer):
    """Gives tokens that the mail server takes."""

    user: ClassVar[str] = ""

    def token(self) -> str:
        return TokenDovecot.token(self.user)


@pytest.fixture
def token_dovecot(server: ServerOf, settings: Settings) -> TokenDovecot:
    found = cast("TokenDovecot", server("dovecot_tokens"))
    settings.FETCH_ALLOW, settings.CA_FILE = ("127.0.0.0/8",), found.ca_file
    return found


def test_a_mailbox_opens_with_a_token_fetched_anew(
    camille: Program, token_dovecot: TokenDovecot, name: str
) -> None:
    MailTokenServer.user = name
    with HTTPServer(("127.0.0.1", 0), MailTokenServer) as tokens:
        threading.Thread(target=tokens.serve_forever, daemon=True).start()
        how = {
            "auth": "xoauth2",
            "password": "refresh",
            "token_url": f"http://127.0.0.1:{tokens.server_port}/token",
            "client_id": "bluetel",
        }
        made = Api(camille).post(access(token_dovecot, name, **how))
        watcher = Watcher(int(made["id"]), QUICK, None)
        watcher.start()
        try:
            until(lambda: Mailbox.objects.get().last_read_at is not None)
            token_dovecot.deliver(name, pbx_mail("0199004217"))
            messages(camille, 1)
            assert Mailbox.objects.get().error == ""
        finally:
            watcher.stop()
            watcher.join(20)
            parsing.close()
            tokens.shutdown()


def test_a_token_that_has_run_out_is_told(
    camille: Program, token_dovecot: TokenDovecot, name: str
) -> None:
    old = TokenDovecot.token(name, seconds=-60)
    made = Api(camille).post(access(token_dovecot, name, auth="xoauth2", password=old))
    watcher = Watcher(int(made["id"]), QUICK, None)
    watcher.start()
    try:
        until(lambda: Mailbox.objects.get().error == Mailbox.Error.SIGN_IN)
    finally:
        watcher.stop()
        watcher.join(20)
        parsing.close()


async def test_the_duty_keeps_a_watcher_for_each_mailbox(
    house: House, dovecot: Dovecot, name: str
) -> None:
    from asgiref.sync import sync_to_async  # noqa: PLC0415

    from tests.apps.voicemail.test_duty import Office  # noqa: PLC0415

    camille = Program(await sync_to_async(house.token)("1001"))
    api = Api(camille)
    made = await sync_to_async(api.post)(access(dovecot, name))
    duty = MailboxDuty(QUICK)
    running = asyncio.create_task(duty.run(Office()))
    try:
        await sync_to_async(dovecot.deliver)(name, pbx_mail("0199004217"))
        await sync_to_async(messages)(camille, 1)
        await sync_to_async(api.ask)("DELETE", f"/{made['id']}")
        await sync_to_async(messages)(camille, 0)
        await sync_to_async(until)(
            lambda: not any(one.name == f"mailbox-{made['id']}" for one in threading.enumerate())
        )
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
