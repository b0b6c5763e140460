from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from pytest_django import Settings

from bluetel.accounts.models import User
from bluetel.telephony.types import ChatState, PbxUserId
from presence import feed as feeds
from presence import socket as socket_module
from presence.live import publish
from presence.messages import UserMessage, VoicemailFrame
from presence.sessions import Visitor
from tests.live.browser import Page, sign_in
from tests.live.stage import Stage, until
from tests.live.test_engine import hang_up, ring


class Guest:
    """A signed-in user with pages that are closed in the end."""

    def __init__(self, user: User, client: Client) -> None:
        self.user = user
        self.client = client
        self._pages: list[Page] = []

    async def open(self) -> Page:
        page = Page(self.client)
        assert await page.connect()
        self._pages.append(page)
        return page

    async def leave(self) -> None:
        for page in self._pages:
            await page.leave()


@pytest.fixture
async def camille(on_air: Stage) -> AsyncIterator[Guest]:
    user = await on_air.user("1001")
    guest = Guest(user, await sign_in(user))
    yield guest
    await guest.leave()


async def ids(stage: Stage, *extensions: str) -> list[str]:
    return [str((await stage.user(extension)).pk) for extension in extensions]


# --- Who may come in ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        pytest.param("http://127.0.0.1:8000", "127.0.0.1:8000", id="the configured address"),
        pytest.param("http://localhost:9000", "localhost:9000", id="another name of this machine"),
    ],
)
async def test_our_own_pages_may_connect(camille: Guest, origin: str, host: str) -> None:
    page = Page(camille.client, origin=origin, host=host)
    assert await page.connect()
    await page.leave()


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        pytest.param(None, "127.0.0.1:8000", id="none"),
        pytest.param("null", "127.0.0.1:8000", id="null"),
        pytest.param("https://evil.test", "127.0.0.1:8000", id="another site"),
        pytest.param("http://evil.test", "evil.test", id="a name that was rebound to us"),
        pytest.param("http://localhost:9000", "127.0.0.1:8000", id="another port"),
        pytest.param("https://127.0.0.1:9000", "127.0.0.1:9000", id="another scheme"),
        pytest.param("http://127.0.0.1:8000.evil.test", "127.0.0.1:8000", id="a longer name"),
        pytest.param("http://[::", "127.0.0.1:8000", id="no address at all"),
    ],
)
async def test_a_foreign_page_is_refused_with_our_cookie_too(
    camille: Guest, origin: str | None, host: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert not await Page(camille.client, origin=origin, host=host).connect()
    assert "refused a live socket" in caplog.text


async def test_on_https_a_page_without_it_is_foreign(camille: Guest, settings: Settings) -> None:
    settings.ENV = settings.ENV.model_copy(update={"public_url": "https://127.0.0.1:8443"})
    assert not await Page(
        camille.client, origin="http://127.0.0.1:8443", host="127.0.0.1:8443"
    ).connect()
    page = Page(camille.client, origin="https://127.0.0.1:8443", host="127.0.0.1:8443")
    assert await page.connect()
    await page.leave()


async def test_who_is_not_signed_in_is_accepted_and_closed_with_4401(on_air: Stage) -> None:
    page = Page(None)
    assert await page.connect()
    assert await page.closed() == 4401


async def test_the_twenty_first_page_of_a_user_is_turned_away(
    camille: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_module, "SOCKETS_PER_USER", 2)
    await camille.open()
    await camille.open()
    page = Page(camille.client)
    assert await page.connect()
    assert (await page.frame("error"))["code"] == "too_many_sockets"
    assert await page.closed() == 4429


# --- Watching -------------------------------------------------------------------------------------


async def test_nothing_comes_before_the_first_watch(on_air: Stage, camille: Guest) -> None:
    page = await camille.open()
    await on_air.do(ring("1002"))
    await on_air.until_phone("1002", "ringing")
    assert await page.is_quiet()


async def test_a_page_sees_the_people_it_watches_and_what_becomes_of_them(
    on_air: Stage, camille: Guest
) -> None:
    nadia, maud = await ids(on_air, "1002", "1008")
    page = await camille.open()
    snapshot = await page.watch([nadia, maud])
    assert [(one["user_id"], one["phone"]) for one in snapshot["people"]] == [
        (nadia, "available"),
        (maud, "offline"),
    ]
    await on_air.do(ring("1002"))
    await page.phone(nadia, "ringing")
    await on_air.do(hang_up("1002"))
    await page.phone(nadia, "available")


async def test_a_page_can_watch_its_team_and_everybody(camille: Guest) -> None:
    page = await camille.open()
    team = [one["user_id"] for one in (await page.watch("team"))["people"]]
    everybody = [one["user_id"] for one in (await page.watch("all"))["people"]]
    assert set(everybody) - set(team) == {str(camille.user.pk)}


async def test_a_page_that_was_loading_meanwhile_is_told_what_it_missed(camille: Guest) -> None:
    earlier = await camille.open()
    await earlier.watch([])
    frame = VoicemailFrame(type="voicemail", unread=3)
    await publish(UserMessage(type="user", user=str(camille.user.pk), frame=frame))
    assert await earlier.frame("voicemail") == frame
    page = await camille.open()
    await page.send(type="watch", users=[], age=30.0)
    await page.frame("presence.snapshot")
    assert await page.frame() == frame


async def test_a_resync_is_answered_by_a_snapshot(on_air: Stage, camille: Guest) -> None:
    page = await camille.open()
    await page.watch(await ids(on_air, "1002"))
    await page.send(type="resync")
    assert len((await page.frame())["people"]) == 1


async def test_a_lost_stream_shows_on_the_page_and_so_does_its_return(
    on_air: Stage, camille: Guest
) -> None:
    (nadia,) = await ids(on_air, "1002")
    page = await camille.open()
    await page.watch([nadia])
    on_air.house.backend.lose_stream("cut")
    assert (await page.frame("pbx"))["state"] == "down"
    await page.phone(nadia, "unknown")
    on_air.house.backend.restore_stream()
    assert (await page.frame("pbx"))["state"] == "up"
    await page.phone(nadia, "available")


async def test_a_users_calls_come_to_all_his_pages_unasked(on_air: Stage, camille: Guest) -> None:
    pages = [await camille.open(), await camille.open()]
    await on_air.do(ring("1001"))
    for page in pages:
        call = (await page.frame("call"))["call"]
        assert (call["state"], call["direction"]) == ("ringing_self", "incoming")


async def test_an_open_page_is_being_there_and_a_reload_is_not_leaving(
    on_air: Stage, camille: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "PAGE_GRACE", 0.3)
    await asyncio.to_thread(
        on_air.house.backend.set_chat,
        PbxUserId(camille.user.pbx_user_id),
        ChatState.AVAILABLE,
        message="",
    )

    async def shown() -> str:
        return (await on_air.record("1001"))["im"]

    async def is_available() -> bool:
        return await shown() == "available"

    async def is_offline() -> bool:
        return await shown() == "offline"

    page = await camille.open()
    await until(is_available, what="being there")
    on_air.said.clear()
    await page.leave()
    page = await camille.open()
    assert await page.is_quiet()
    assert on_air.of_type("presence") == []
    await page.leave()
    await until(is_offline, what="having left")


# --- What a page may say --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("hello", "invalid_message", id="no JSON"),
        pytest.param("[" * 5000, "invalid_message", id="deep JSON"),
        pytest.param('"watch"', "invalid_message", id="no object"),
        pytest.param('{"type": "dial", "number": "1002"}', "unknown_message", id="a command"),
        pytest.param('{"type": ["watch"]}', "unknown_message", id="a type that is no word"),
        pytest.param('{"type": "watch"}', "invalid_message", id="watching nothing"),
        pytest.param('{"type": "watch", "users": "some"}', "invalid_message", id="unknown word"),
        pytest.param('{"type": "watch", "users": [1, 2]}', "invalid_message", id="ids as numbers"),
    ],
)
async def test_nonsense_is_answered_and_the_socket_stays(
    camille: Guest, text: str, code: str
) -> None:
    page = await camille.open()
    await page.send_text(text)
    assert await page.frame() == {"type": "error", "code": code}
    assert (await page.watch([]))["people"] == []


@pytest.mark.parametrize("age", ["1" + "0" * 400, "Infinity", "NaN", "-1", '"long"', "null"])
async def test_a_page_may_claim_any_age(camille: Guest, age: str) -> None:
    page = await camille.open()
    await page.send_text(f'{{"type": "watch", "users": [], "age": {age}}}')
    assert (await page.frame())["type"] == "presence.snapshot"
    assert (await page.watch([]))["people"] == []


async def test_at_most_500_people_can_be_named(camille: Guest) -> None:
    page = await camille.open()
    assert (await page.watch([str(n) for n in range(500)]))["type"] == "presence.snapshot"
    await page.send(type="watch", users=[str(n) for n in range(501)])
    assert (await page.frame())["code"] == "too_many_users"


async def test_a_frame_over_64_kb_closes(camille: Guest) -> None:
    page = await camille.open()
    await page.send_text("x" * (64 * 1024 + 1))
    assert (await page.frame("error"))["code"] == "frame_too_large"
    assert await page.closed() == 1009


async def test_a_page_that_never_stops_talking_is_closed(camille: Guest) -> None:
    page = await camille.open()
    for _ in range(socket_module.BURST + 5):
        await page.send(type="resync")
    assert (await page.frame("error"))["code"] == "too_many_frames"
    assert await page.closed() == 4429


# --- When the session ends ------------------------------------------------------------------------


async def test_signing_out_closes_the_sockets_of_that_session_and_no_other(
    camille: Guest,
) -> None:
    page = await camille.open()
    elsewhere = Page(await sign_in(camille.user))
    assert await elsewhere.connect()
    await sync_to_async(camille.client.post)("/accounts/logout/")
    assert await page.closed() == 4401
    assert (await elsewhere.watch([]))["people"] == []
    await elsewhere.leave()


async def test_a_new_password_closes_all_sockets(camille: Guest) -> None:
    page = await camille.open()
    camille.user.set_password("another")
    await camille.user.asave()
    assert await page.closed() == 4401


async def test_a_disabled_account_closes_all_sockets(camille: Guest) -> None:
    page = await camille.open()
    camille.user.is_active = False
    await camille.user.asave()
    assert await page.closed() == 4401


async def test_a_deleted_account_closes_all_sockets(camille: Guest) -> None:
    page = await camille.open()
    await User.objects.filter(pk=camille.user.pk).afirst()
    await sync_to_async(camille.user.delete)()
    assert await page.closed() == 4401


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"is_active": False}, id="disabled"),
        pytest.param({"password": "of another process"}, id="a new password"),
    ],
)
async def test_what_another_process_does_to_an_account_closes_its_sockets(
    camille: Guest, change: dict[str, object]
) -> None:
    page = await camille.open()
    await page.watch([])
    feed = feeds.this_process()
    await feed.refresh()
    await User.objects.filter(pk=camille.user.pk).aupdate(**change)  # without a word to anybody
    await feed.refresh()
    assert await page.closed() == 4401


async def test_a_changed_language_closes_nothing(camille: Guest) -> None:
    page = await camille.open()
    camille.user.language = "fr"
    await camille.user.asave(update_fields=["language"])
    assert (await page.watch([]))["people"] == []
    assert await page.is_quiet()


async def test_a_session_that_ended_unheard_is_found_out_in_time(
    camille: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "CHECK_SESSIONS_EVERY", 0.1)
    page = await camille.open()
    await page.watch([])
    await sync_to_async(camille.client.session.flush)()
    assert await page.closed() == 4401


# --- A browser that does not read -----------------------------------------------------------------


async def test_a_backlog_of_calls_is_cut_and_the_page_told_to_read_again(
    on_air: Stage, camille: Guest
) -> None:
    sent: list[str] = []
    is_open = asyncio.Event()

    async def stuck(message: object) -> None:
        await is_open.wait()
        sent.append(message["text"])  # type: ignore[index]

    feed = feeds.this_process()
    socket = socket_module.Socket(Visitor("7", None), "key", send=stuck, feed=feed)
    socket.push("first")
    assert socket.is_busy
    for number in range(socket_module.BACKLOG_FRAMES + 1):
        socket.push(str(number))
    is_open.set()
    await until(lambda: not socket.is_busy, what="an empty queue")
    assert sent == ["first", socket_module.RESYNC, str(socket_module.BACKLOG_FRAMES)]
    await socket.aclose()


async def test_what_the_server_takes_at_once_waits_for_nobody(on_air: Stage) -> None:
    sent: list[str] = []

    async def take(message: object) -> None:
        sent.append(message["text"])  # type: ignore[index]

    feed = feeds.this_process()
    socket = socket_module.Socket(Visitor("7", None), "key", send=take, feed=feed)
    socket.push("first")
    assert (sent, socket.is_busy) == (["first"], False)


async def test_a_socket_that_the_server_has_given_up_is_closed(on_air: Stage) -> None:
    async def refuse(message: object) -> None:
        raise OSError("gone")

    feed = feeds.this_process()
    socket = socket_module.Socket(Visitor("7", None), "key", send=refuse, feed=feed)
    socket.push("first")
    assert socket.closing == socket_module.TRY_LATER
    task = asyncio.current_task()
    assert task is not None
    with pytest.raises(asyncio.CancelledError):
        await asyncio.sleep(0)
    assert task.uncancel() == 0
