"""Chat statuses over XMPP: a real Prosody, and real clients of its users."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
from typing import Any, cast

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone
from pydantic import SecretStr
from pytest_django import Settings
from slixmpp import ClientXMPP

from bluetel.accounts.models import User
from presence import services
from presence.models import XmppAccount
from tests.live.stage import Stage, until
from tests.live.test_statuses import until_im
from tests.servers import ServerOf
from tests.servers.base import as_unprivileged
from tests.servers.prosody import PASSWORD, Prosody

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]

CAMILLE, NADIA = "1001", "1002"


class Client:
    """A user's own chat client: it lets everybody see him, as companies set it."""

    def __init__(self, prosody: Prosody, jid: str) -> None:
        client: Any = ClientXMPP(f"{jid}/desk", PASSWORD)
        client.enable_starttls = client.enable_direct_tls = False
        client.enable_plaintext = True
        client.plugin["feature_mechanisms"].unencrypted_plain = True
        client.auto_authorize = client.auto_subscribe = True
        client.add_event_handler("session_start", self._begin)
        for kind in ("available", "dnd"):
            client.add_event_handler(f"presence_{kind}", self._hear)
        self.seen: dict[str, str] = {}
        self._client = client
        self._is_there = asyncio.Event()
        self._port = prosody.port

    async def sign_in(self) -> None:
        self._client.connect("127.0.0.1", self._port)
        async with asyncio.timeout(20):
            await self._is_there.wait()

    async def _begin(self, _event: object) -> None:
        await self._client.get_roster()
        self._client.send_presence()
        self._is_there.set()

    def _hear(self, presence: Any) -> None:
        self.seen[str(presence["from"].bare)] = str(presence["show"] or "")

    def say(self, show: str | None, status: str = "") -> None:
        self._client.send_presence(pshow=show, pstatus=status or None)

    async def leave(self) -> None:
        await self._client.disconnect()
        self._client.abort()


@pytest.fixture
def prosody(server: ServerOf, settings: Settings) -> Prosody:
    found = cast("Prosody", server("prosody"))
    settings.ENV = settings.ENV.model_copy(update={"xmpp_url": SecretStr(found.url)})
    settings.ENGINE_DUTIES = ["presence.xmpp_watch.XmppWatch"]
    return found


def start_again(prosody: Prosody) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*as_unprivileged(), *prosody.command()], cwd=prosody.folder)


async def give_jid(stage: Stage, extension: str, jid: str, *, password: str = "") -> User:
    user = await stage.user(extension)
    await XmppAccount.objects.acreate(user=user, jid=jid, password=password)
    return user


async def test_who_gave_his_password_is_published(stage: Stage, prosody: Prosody) -> None:
    jids = [prosody.add("oskar"), prosody.add("tom")]
    user = await give_jid(stage, CAMILLE, jids[0], password=PASSWORD)
    friend = Client(prosody, jids[1])
    await friend.sign_in()
    friend._client.send_presence_subscription(pto=jids[0], ptype="subscribe")
    await stage.start_engine()
    await stage.until_heard()
    await sync_to_async(services.choose_status)(user.pk, "busy", now=timezone.now())
    await until(lambda: friend.seen.get(jids[0]) == "dnd", what="dnd at a colleague's client")
    await sync_to_async(services.be_automatic)(user.pk)
    await until(lambda: friend.seen.get(jids[0]) == "", what="available at a colleague's client")
    await friend.leave()


async def test_what_clients_say_is_shown_and_unknown_while_the_server_is_down(
    stage: Stage, prosody: Prosody
) -> None:
    jids = [prosody.add("camille"), prosody.add("nadia")]
    await give_jid(stage, CAMILLE, jids[0])
    await give_jid(stage, NADIA, jids[1])
    camille, nadia = (Client(prosody, jid) for jid in jids)
    await camille.sign_in()
    await nadia.sign_in()
    await stage.start_engine()
    await stage.until_heard()
    await until_im(stage, CAMILLE, "available")
    camille.say("dnd", "Writing")
    await until_im(stage, CAMILLE, "busy", "Writing")
    nadia.say("xa")
    await until_im(stage, NADIA, "away")
    camille.say("chat")
    await until_im(stage, CAMILLE, "available")
    await nadia.leave()
    await until_im(stage, NADIA, "offline")

    pid = int((prosody.folder / "prosody.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    await until_im(stage, CAMILLE, "unknown")
    assert (await stage.record(CAMILLE))["phone"] == "available"
    again = start_again(prosody)
    try:
        await until(prosody.answers, what="Prosody again")
        back = Client(prosody, jids[0])
        await back.sign_in()
        await until_im(stage, CAMILLE, "available")
        await back.leave()
    finally:
        again.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            again.wait(10)
    await camille.leave()
