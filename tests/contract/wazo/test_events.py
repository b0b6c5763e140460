"""Events of a Wazo that says on its socket what a real one said."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import logging
import random
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import groupby

import pytest

from bluetel.telephony.ports import PbxConfig
from bluetel.telephony.types import (
    CallChanged,
    CallState,
    PbxEvent,
    PresenceChanged,
    StreamLost,
    StreamOpened,
    UserChanged,
)
from bluetel.telephony.wazo.backend import Clockwork, WazoBackend
from bluetel.telephony.wazo.events import EVENT_NAMES
from tests.contract.doors.virtual_time import VirtualTime, until
from tests.contract.wazo.conftest import ALICE, BOB, CAROL, PASSWORD, TENANT, ok
from tests.contract.wazo.player import Reply, body_of, recording, reply
from tests.contract.wazo.socket_player import SocketPlayer, events_of, sockets_playing

TOKEN = "/api/auth/0.1/token"
CALLS = "/api/calld/1.0/calls"


def token(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def granted(number: int) -> Reply:
    body = body_of("wazo-auth/token_create_200_external_api")
    body["data"]["token"] = token(number)
    return ok(body)


@pytest.fixture
async def pbx() -> AsyncIterator[SocketPlayer]:
    async with sockets_playing() as player:
        player.http.answer("POST", TOKEN, *(granted(number) for number in range(1, 10)))
        for number in range(1, 10):
            path = f"{TOKEN}/{token(number)}"
            player.http.answer("DELETE", path, reply("wazo-auth/token_delete_200"))
            player.http.answer("HEAD", path, reply("wazo-auth/token_head_204"))
        player.http.answer("GET", CALLS, reply("wazo-calld/users_me_calls_list_200_empty"))
        player.http.answer(
            "GET", f"/api/confd/1.1/users/{ALICE}", reply("wazo-confd/users_get_200")
        )
        yield player


@pytest.fixture
def time() -> VirtualTime:
    return VirtualTime()


@pytest.fixture
async def backend(pbx: SocketPlayer, time: VirtualTime) -> AsyncIterator[WazoBackend]:
    made = WazoBackend(settings(pbx), clockwork=clockwork(time))
    yield made
    await asyncio.to_thread(made.close)


def settings(pbx: SocketPlayer, tenant: str = "") -> PbxConfig:
    return PbxConfig(name="w", url=pbx.url, username="bluetel", password=PASSWORD, tenant=tenant)


def clockwork(time: VirtualTime) -> Clockwork:
    return Clockwork(
        clock=time.clock,
        sleep=lambda _: None,
        async_sleep=time.sleep,
        rng=random.Random(1),
    )


@asynccontextmanager
async def heard_from(backend: WazoBackend) -> AsyncIterator[list[PbxEvent]]:
    """Everything the backend has told so far, read in the background."""
    heard: list[PbxEvent] = []

    async def read() -> None:
        async with contextlib.aclosing(backend.events()) as events:
            async for event in events:
                heard.append(event)  # noqa: PERF401 — seen while it grows

    task = asyncio.create_task(read())
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def opened(backend: WazoBackend) -> AsyncIterator[list[PbxEvent]]:
    async with heard_from(backend) as heard:
        await until(lambda: StreamOpened() in heard)
        yield heard


def states(heard: list[PbxEvent], user: str) -> list[CallState]:
    """The states one person's call went through, each once."""
    told = [e.call for e in heard if isinstance(e, CallChanged) and e.call.user == user]
    return [state for state, _ in groupby(call.state for call in told)]


async def everything(pbx: SocketPlayer, heard: list[PbxEvent]) -> None:
    """Wait until all that was sent has been told: a last event comes after it."""
    told = len(heard)
    marker = {
        "op": "event",
        "code": 0,
        "data": {"name": "user_edited", "tenant_uuid": TENANT, "data": {"uuid": "marker"}},
    }
    await pbx.play([marker])
    await until(
        lambda: any(isinstance(e, UserChanged) and e.user == "marker" for e in heard[told:])
    )


class TestTranscripts:
    async def test_it_subscribes_to_what_it_needs_and_starts(
        self, pbx: SocketPlayer, backend: WazoBackend
    ) -> None:
        async with opened(backend):
            names = [frame["data"]["event_name"] for frame in pbx.sent("subscribe")]
        assert names == list(EVENT_NAMES)
        assert [frame["op"] for frame in pbx.heard][-1] == "start"

    async def test_the_token_is_in_the_header_and_version_2_in_the_address(
        self, pbx: SocketPlayer, backend: WazoBackend
    ) -> None:
        async with opened(backend):
            pass
        real = recording("wazo-websocketd/user_v2_header_token")["connect"]
        assert pbx.paths == ["/api/websocketd/?version=2"]
        assert real["url"].endswith("?version=2")
        assert pbx.tokens == [token(1)]

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            (
                "call_admin_wildcard",
                {
                    ALICE: ["ringing_self", "ringing_peer", "talking", "ended"],
                    BOB: ["ringing_self", "talking", "ended"],
                },
            ),
            (
                "call_declined_admin_wildcard",
                {ALICE: ["ringing_peer", "ended"], CAROL: ["ringing_self", "ended"]},
            ),
            (
                "call_forwarded_admin_wildcard",
                {
                    ALICE: ["ringing_peer", "talking", "ended"],
                    BOB: ["ringing_self", "talking", "ended"],
                    CAROL: [],
                },
            ),
            (
                "call_hold_admin_wildcard",
                {
                    ALICE: ["ringing_peer", "talking", "ended"],
                    CAROL: ["ringing_self", "talking", "held", "talking", "ended"],
                },
            ),
            (
                "call_missed_admin_wildcard",
                {ALICE: ["ringing_peer", "ended"], CAROL: ["ringing_self", "ended"]},
            ),
            ("call_to_dnd_admin_wildcard", {ALICE: ["ringing_peer", "ended"], BOB: []}),
            (
                "transfer_admin_wildcard",
                {
                    ALICE: ["ringing_peer", "talking", "ended"],
                    BOB: ["ringing_self", "talking", "ended"],
                    CAROL: ["ringing_self", "talking", "ended"],
                },
            ),
        ],
    )
    async def test_each_recorded_call_is_told_as_it_went(
        self,
        pbx: SocketPlayer,
        backend: WazoBackend,
        name: str,
        expected: dict[str, list[str]],
    ) -> None:
        async with opened(backend) as heard:
            await pbx.play(events_of(name))
            await everything(pbx, heard)
        assert {user: states(heard, user) for user in expected} == expected

    async def test_presence_is_told_with_its_envelopes_time(
        self, pbx: SocketPlayer, backend: WazoBackend
    ) -> None:
        async with opened(backend) as heard:
            await pbx.play(events_of("external_api_v2_presence"))
            await everything(pbx, heard)
        changes = [event for event in heard if isinstance(event, PresenceChanged)]
        assert len(changes) == 8
        assert all(change.at is not None for change in changes)

    @pytest.mark.parametrize("field", ["call_id", "user_uuid", "status", "talking_to"])
    async def test_a_renamed_field_is_noticed_and_only_that_event_is_lost(
        self,
        pbx: SocketPlayer,
        backend: WazoBackend,
        caplog: pytest.LogCaptureFixture,
        field: str,
    ) -> None:
        frames = copy.deepcopy(events_of("call_admin_wildcard"))
        for frame in frames:
            data = frame["data"]["data"]
            if frame["data"]["name"] == "call_updated":
                data[f"{field}_x"] = data.pop(field)
        async with opened(backend) as heard:
            await pbx.play(frames)
            await everything(pbx, heard)
        assert f"call: {field} is missing" in caplog.text
        assert states(heard, ALICE)[-1] is CallState.ENDED

    async def test_another_tenants_events_are_not_told(
        self, pbx: SocketPlayer, backend: WazoBackend
    ) -> None:
        frames = copy.deepcopy(events_of("call_admin_wildcard"))
        for frame in frames:
            frame["data"]["tenant_uuid"] = "e94c69fb-3e60-4057-ab74-94be6f523734"
        async with opened(backend) as heard:
            await pbx.play(frames)
            await everything(pbx, heard)
        assert [type(event) for event in heard] == [StreamOpened, UserChanged]

    async def test_with_a_configured_tenant_that_one_counts(
        self, pbx: SocketPlayer, time: VirtualTime
    ) -> None:
        made = WazoBackend(settings(pbx, tenant="another"), clockwork=clockwork(time))
        async with opened(made) as heard:
            await pbx.play(events_of("call_admin_wildcard"))
            marker = {"name": "user_edited", "tenant_uuid": "another", "data": {"uuid": "m"}}
            await pbx.play([{"op": "event", "code": 0, "data": marker}])
            await until(lambda: isinstance(heard[-1], UserChanged))
        await asyncio.to_thread(made.close)
        assert len(heard) == 2

    async def test_a_changed_users_line_is_read_anew(
        self, pbx: SocketPlayer, backend: WazoBackend
    ) -> None:
        created = reply("wazo-calld/calls_create_201_admin")
        pbx.http.answer("POST", CALLS, created)
        edited = {"name": "user_edited", "tenant_uuid": TENANT, "data": {"uuid": ALICE}}
        async with opened(backend) as heard:
            await asyncio.to_thread(backend.place_call, ALICE, "1003")
            await pbx.play([{"op": "event", "code": 0, "data": edited}])
            await until(lambda: any(isinstance(event, UserChanged) for event in heard))
            await asyncio.to_thread(backend.place_call, ALICE, "1003")
        assert len(pbx.http.asked("GET", f"/api/confd/1.1/users/{ALICE}")) == 2

    async def test_a_transfer_begun_on_a_handset_can_be_completed(
        self, pbx: SocketPlayer, backend: WazoBackend
    ) -> None:
        created = [
            frame
            for frame in events_of("transfer_admin_wildcard")
            if frame["data"]["name"] == "transfer_created"
        ]
        (his,) = body_of("wazo-calld/users_me_calls_list_200_incoming_talking")["items"]
        pbx.http.answer("GET", f"{CALLS}/{his['call_id']}", ok(his))
        known = body_of("wazo-calld/transfers_get_200")
        path = f"/api/calld/1.0/transfers/{known['id']}"
        pbx.http.answer("GET", path, ok(known))
        pbx.http.answer("PUT", f"{path}/complete", Reply(204))
        async with opened(backend) as heard:
            await pbx.play(created)
            await everything(pbx, heard)
            await asyncio.to_thread(backend.complete_transfer, BOB, his["call_id"])
        assert len(pbx.http.asked("PUT", path)) == 1


class TestDrift:
    async def test_a_call_whose_end_was_lost_on_the_bus_ends_within_minutes(
        self, pbx: SocketPlayer, backend: WazoBackend, time: VirtualTime
    ) -> None:
        lost = [
            frame
            for frame in events_of("call_admin_wildcard")
            if frame["data"]["name"] != "call_ended"
        ]
        async with opened(backend) as heard:
            await pbx.play(lost)
            await everything(pbx, heard)
            assert states(heard, ALICE)[-1] is CallState.TALKING
            time.now += 300
            await everything(pbx, heard)
        assert states(heard, ALICE)[-1] is CallState.ENDED
        assert len(pbx.http.asked("GET", CALLS)) == 2

    async def test_events_that_cannot_be_read_are_logged_once_and_again_when_they_can(
        self, pbx: SocketPlayer, backend: WazoBackend, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, logger="bluetel.telephony.wazo.backend")
        good = events_of("external_api_v2_presence")[0]
        bad = copy.deepcopy(good)
        del bad["data"]["data"]["line_state"]
        async with opened(backend) as heard:
            await pbx.play([bad, bad, good, good, bad])
            await everything(pbx, heard)
        ours = [r for r in caplog.records if r.name == "bluetel.telephony.wazo.backend"]
        assert [record.levelname for record in ours] == ["WARNING", "INFO", "WARNING"]


class TestReconnecting:
    async def test_living_calls_are_told_after_each_opening(
        self, pbx: SocketPlayer, backend: WazoBackend
    ) -> None:
        pbx.http.answer("GET", CALLS, reply("wazo-calld/calls_list_200_admin_on_hold"))
        async with opened(backend) as heard:
            await until(lambda: len(heard) == 3)
        assert heard[0] == StreamOpened()
        assert states(heard, CAROL) == [CallState.HELD]

    async def test_a_call_that_ended_meanwhile_is_told_as_ended(
        self, pbx: SocketPlayer, backend: WazoBackend, time: VirtualTime
    ) -> None:
        pbx.http.answer("GET", CALLS, reply("wazo-calld/calls_list_200_admin"))
        async with opened(backend) as heard:
            await until(lambda: len(heard) == 3)
            pbx.http.answer("GET", CALLS, reply("wazo-calld/users_me_calls_list_200_empty"))
            await pbx.client.close(1011, "bus connection lost")
            await time.pass_until(lambda: states(heard, ALICE)[-1:] == [CallState.ENDED])
        assert heard.count(StreamOpened()) == 2

    async def test_calls_that_cannot_be_read_do_not_stop_the_stream(
        self, pbx: SocketPlayer, backend: WazoBackend, caplog: pytest.LogCaptureFixture
    ) -> None:
        down = reply("wazo-calld/users_me_calls_list_503_asterisk_down")
        pbx.http.answer("GET", CALLS, down)
        async with opened(backend) as heard:
            await pbx.play(events_of("call_admin_wildcard"))
            await everything(pbx, heard)
        assert states(heard, ALICE)[-1] is CallState.ENDED
        assert "living calls can't be read" in caplog.text

    async def test_an_expired_token_is_replaced_before_the_next_try(
        self, pbx: SocketPlayer, backend: WazoBackend, time: VirtualTime
    ) -> None:
        async with opened(backend) as heard:
            await pbx.client.close(4003, "authentication expired")
            await time.pass_until(lambda: heard.count(StreamOpened()) == 2)
        assert pbx.tokens == [token(1), token(2)]
        assert pbx.http.asked("DELETE", f"{TOKEN}/{token(1)}")

    async def test_a_token_refused_while_auth_knows_it_is_kept(
        self,
        pbx: SocketPlayer,
        backend: WazoBackend,
        time: VirtualTime,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        pbx.close_at_once = [4002, 4002]
        async with heard_from(backend) as heard:
            await time.pass_until(lambda: StreamOpened() in heard)
        assert set(pbx.tokens) == {token(1)}
        assert caplog.text.count("may lack the right 'websocketd'") == 1

    async def test_a_token_refused_that_auth_does_not_know_is_replaced(
        self, pbx: SocketPlayer, backend: WazoBackend, time: VirtualTime
    ) -> None:
        unknown = reply("wazo-auth/token_head_404_unknown")
        pbx.http.answer("HEAD", f"{TOKEN}/{token(1)}", unknown)
        pbx.close_at_once = [4002]
        async with heard_from(backend) as heard:
            await time.pass_until(lambda: StreamOpened() in heard)
        assert pbx.tokens == [token(1), token(2)]

    async def test_a_token_refused_while_auth_is_down_is_kept_without_a_word(
        self,
        pbx: SocketPlayer,
        backend: WazoBackend,
        time: VirtualTime,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        pbx.http.answer("HEAD", f"{TOKEN}/{token(1)}", Reply(503))
        pbx.close_at_once = [4002]
        async with heard_from(backend) as heard:
            await time.pass_until(lambda: StreamOpened() in heard)
        assert pbx.tokens == [token(1), token(1)]
        assert "websocketd" not in caplog.text

    async def test_after_4004_it_waits_a_minute(
        self,
        pbx: SocketPlayer,
        backend: WazoBackend,
        time: VirtualTime,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        pbx.close_at_once = [4004]
        async with heard_from(backend) as heard:
            await until(lambda: heard and 60.0 in time.slept)
            await time.advance(59)
            assert len(pbx.tokens) == 1
            await time.advance(1)
            await until(lambda: StreamOpened() in heard)
        assert "4004" in caplog.text

    async def test_a_pbx_nobody_can_sign_in_to_is_lost(
        self, pbx: SocketPlayer, backend: WazoBackend, time: VirtualTime
    ) -> None:
        refused = reply("wazo-auth/token_create_401_wrong_password")
        pbx.http.answer("POST", TOKEN, refused)
        async with heard_from(backend) as heard:
            await until(lambda: heard)
            (lost,) = heard
            assert isinstance(lost, StreamLost)
            assert lost.reason.startswith("AuthenticationFailed")
            pbx.http.answer("POST", TOKEN, granted(1))
            await time.pass_until(lambda: StreamOpened() in heard)


class TestRenewal:
    @pytest.fixture(autouse=True)
    def _quick_pings(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        # Hours pass in one step here, in which no pong can come.
        monkeypatch.setattr("bluetel.telephony.stream.SILENT_AFTER", 1e9)
        monkeypatch.setattr("bluetel.telephony.stream._TICK", 1e9)
        return iter([None])

    async def test_the_open_socket_gets_a_new_token_and_then_the_old_one_is_deleted(
        self, pbx: SocketPlayer, backend: WazoBackend, time: VirtualTime
    ) -> None:
        async with opened(backend) as heard:
            await time.advance(5399)
            assert not pbx.sent("token")
            await time.pass_until(lambda: pbx.sent("token"))
            assert pbx.sent("token") == [{"op": "token", "data": {"token": token(2)}}]
            await until(lambda: pbx.http.asked("DELETE", f"{TOKEN}/{token(1)}"))
            assert heard == [StreamOpened()]

    async def test_until_websocketd_has_taken_it_the_old_one_lives(
        self, pbx: SocketPlayer, backend: WazoBackend, time: VirtualTime
    ) -> None:
        pbx.answers_tokens = False
        async with opened(backend) as heard:
            await time.advance(5400)
            await time.pass_until(lambda: pbx.sent("token"))
            await everything(pbx, heard)
            assert not pbx.http.asked("DELETE", f"{TOKEN}/{token(1)}")
        await until(lambda: pbx.http.asked("DELETE", f"{TOKEN}/{token(1)}"))

    async def test_again_and_again(
        self, pbx: SocketPlayer, backend: WazoBackend, time: VirtualTime
    ) -> None:
        async with opened(backend):
            for times in range(1, 4):
                await time.advance(5390)
                await time.pass_until(lambda times=times: len(pbx.sent("token")) >= times)  # type: ignore[misc]
        assert [frame["data"]["token"] for frame in pbx.sent("token")] == [
            token(2),
            token(3),
            token(4),
        ]

    @pytest.mark.parametrize("late_by", [0, 1800], ids=["old token alive", "old token dead"])
    async def test_a_renewal_that_fails_is_tried_again(
        self, pbx: SocketPlayer, backend: WazoBackend, time: VirtualTime, late_by: float
    ) -> None:
        async with opened(backend) as heard:
            asked = len(pbx.http.asked("POST", TOKEN))
            pbx.http.answer("POST", TOKEN, Reply(503))
            time.now += late_by
            await time.advance(5400)
            await time.pass_until(lambda: len(pbx.http.asked("POST", TOKEN)) > asked)
            pbx.http.answer("POST", TOKEN, granted(2))
            await time.pass_until(lambda: pbx.sent("token"))
            assert heard == [StreamOpened()]


async def test_no_token_of_the_stream_is_left_behind(
    pbx: SocketPlayer, time: VirtualTime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    made = WazoBackend(settings(pbx), clockwork=clockwork(time))
    async with opened(made):
        pass
    await asyncio.to_thread(made.close)
    assert len(pbx.http.asked("DELETE", f"{TOKEN}/{token(1)}")) == 1
    ours = [r for r in caplog.records if not r.name.startswith("websockets.server")]
    assert token(1) not in "".join(record.getMessage() for record in ours)


async def test_a_backend_closed_under_its_stream_is_a_lost_stream(
    pbx: SocketPlayer, time: VirtualTime
) -> None:
    made = WazoBackend(settings(pbx), clockwork=clockwork(time))
    async with opened(made) as heard:
        await asyncio.to_thread(made.close)
        await pbx.client.close(1011)
        await time.pass_until(lambda: len(pbx.tokens) > 1 or len(time.slept) > 20)
        assert isinstance(heard[-1], StreamLost)
    assert len(pbx.tokens) == 1
    await until(lambda: pbx.http.asked("DELETE", f"{TOKEN}/{token(1)}"))


async def test_a_sign_in_that_comes_back_too_late_leaves_no_token_behind(
    pbx: SocketPlayer, time: VirtualTime
) -> None:
    gate = threading.Event()
    pbx.http.answer("POST", TOKEN, replace(granted(1), after=gate))
    made = WazoBackend(settings(pbx), clockwork=clockwork(time))
    async with heard_from(made):
        await until(lambda: pbx.http.asked("POST", TOKEN))
    gate.set()
    await until(lambda: made._tokens._current is not None and not made._tokens._uses)
    await asyncio.to_thread(made.close)
    assert len(pbx.http.asked("DELETE", f"{TOKEN}/{token(1)}")) == 1
