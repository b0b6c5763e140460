"""The Wazo backend against the simulated Wazo when that misbehaves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from bluetel.telephony.errors import (
    AuthenticationFailed,
    Forbidden,
    PbxUnavailable,
    TelephonyError,
)
from bluetel.telephony.ports import PbxConfig
from bluetel.telephony.simulator.loopback import PASSWORD, USERNAME
from bluetel.telephony.simulator.scenario import build, user_id
from bluetel.telephony.simulator.wazo_server.serve import LoopbackWazo
from bluetel.telephony.types import (
    Call,
    CallChanged,
    CallState,
    LineState,
    PbxEvent,
    PbxUserId,
    PresenceChanged,
    StreamLost,
    StreamOpened,
)
from bluetel.telephony.wazo.backend import WazoBackend
from tests.contract.doors.virtual_time import until

CAMILLE, NADIA, OSKAR = (PbxUserId(user_id(extension)) for extension in ("1001", "1002", "1003"))


class Site:
    """A simulated Wazo, its faults, and a backend on it."""

    def __init__(self, wazo: LoopbackWazo) -> None:
        self.wazo = wazo
        self.backend = WazoBackend(
            PbxConfig(name="sim", url=wazo.url, username=USERNAME, password=PASSWORD)
        )

    def fault(self, **faults: object) -> None:
        """Set faults by the control API."""
        self._control("faults", faults)

    def phone(self, extension: str, action: str, **body: object) -> None:
        """Do something at a handset."""
        self._control(f"phones/{extension}/{action}", body)

    def log(self) -> list[dict[str, object]]:
        """The REST requests received."""
        address = f"{self.wazo.url}/_simulator/log"
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 — as below
            requests: list[dict[str, object]] = json.load(answer)["requests"]
            return requests

    def sign_ins(self) -> int:
        """How often somebody signed in."""
        return sum(
            1
            for request in self.log()
            if request["method"] == "POST" and str(request["path"]).endswith("/token")
        )

    def _control(self, path: str, body: object) -> None:
        request = urllib.request.Request(  # noqa: S310 — http on loopback
            f"{self.wazo.url}/_simulator/{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        urllib.request.urlopen(request, timeout=5).close()  # noqa: S310 — as above


@pytest.fixture
def site() -> Iterator[Site]:
    with LoopbackWazo(build(now=datetime.now(UTC))) as wazo:
        made = Site(wazo)
        yield made
        made.fault(hang=False, unavailable=[], slow=0, refuse_logins=False)
        made.backend.close()


@asynccontextmanager
async def listening(site: Site) -> AsyncIterator[list[PbxEvent]]:
    heard: list[PbxEvent] = []

    async def read() -> None:
        async with contextlib.aclosing(site.backend.events()) as events:
            async for event in events:
                heard.append(event)  # noqa: PERF401 — seen while it grows

    task = asyncio.create_task(read())
    try:
        await until(lambda: StreamOpened() in heard)
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def newest(heard: list[PbxEvent]) -> dict[tuple[str, str], Call]:
    """The last that was told of each call."""
    told = [event.call for event in heard if isinstance(event, CallChanged)]
    return {(call.user, call.conversation): call for call in told}


class TestTokens:
    def test_expired_tokens_are_replaced_unseen(self, site: Site) -> None:
        site.backend.calls()
        for _ in range(3):
            site.fault(expire_tokens=True)
            assert site.backend.calls() == []
            assert site.backend.user(CAMILLE).extension == "1001"
        assert site.sign_ins() == 4

    def test_a_storm_after_an_expiry_signs_in_once_more(self, site: Site) -> None:
        site.backend.calls()
        site.fault(expire_tokens=True)
        with ThreadPoolExecutor(10) as threads:
            list(threads.map(lambda _: site.backend.calls(), range(50)))
        assert site.sign_ins() == 2

    def test_refused_logins_are_refused_at_once_and_forgiven_later(self, site: Site) -> None:
        site.fault(refuse_logins=True)
        with pytest.raises(AuthenticationFailed):
            site.backend.calls()

    def test_a_withheld_right_is_told_by_the_check_and_by_the_command(self, site: Site) -> None:
        assert site.backend.check() == {}
        site.fault(withhold=["confd.users.*.forwards.#", "calld.calls.read"])
        assert set(site.backend.check()) == {
            "calld.calls.read",
            "confd.users.*.forwards.read",
            "confd.users.*.forwards.unconditional.update",
        }
        for command in (site.backend.calls, lambda: site.backend.forwards(CAMILLE)):
            with pytest.raises(Forbidden):
                command()
        assert site.sign_ins() == 1


class TestFailures:
    @pytest.mark.parametrize("service", ["calld", "confd", "auth"])
    def test_a_service_that_is_away_is_unavailable_and_nothing_rings(
        self, site: Site, service: str
    ) -> None:
        site.fault(unavailable=[service])
        with pytest.raises(PbxUnavailable):
            site.backend.place_call(CAMILLE, "1002")
        site.fault(unavailable=[])
        assert site.wazo.do(lambda pbx: len(pbx.legs_of())) == 0

    def test_a_pbx_that_hangs_is_given_up_in_time(self, site: Site) -> None:
        site.backend.user(CAMILLE)
        site.fault(hang=True)
        started = time.monotonic()
        with pytest.raises(PbxUnavailable) as caught:
            site.backend.place_call(CAMILLE, "1002", timeout=0.4)
        assert time.monotonic() - started < 2
        assert caught.value.maybe_done

    def test_a_lost_answer_leaves_a_call_that_the_list_shows(self, site: Site) -> None:
        site.backend.user(CAMILLE)
        site.fault(lose_answers=True)
        with pytest.raises(PbxUnavailable) as caught:
            site.backend.place_call(CAMILLE, "1002", timeout=0.4)
        assert caught.value.maybe_done
        site.fault(lose_answers=False)
        (call,) = site.backend.calls(CAMILLE)
        assert (call.state, call.number) == (CallState.RINGING_SELF, "1002")


class TestStream:
    async def test_a_dropped_stream_is_lost_and_opened_again(self, site: Site) -> None:
        async with listening(site) as heard:
            await asyncio.to_thread(site.fault, drop_stream=True)
            await until(lambda: heard.count(StreamOpened()) == 2, within=10)
        assert sum(isinstance(event, StreamLost) for event in heard) == 1

    async def test_it_survives_expired_tokens(self, site: Site) -> None:
        async with listening(site) as heard:
            await asyncio.to_thread(site.fault, expire_tokens=True)
            await asyncio.to_thread(site.fault, drop_stream=True)
            await until(lambda: heard.count(StreamOpened()) == 2, within=10)

    @pytest.mark.parametrize("seed", range(4))
    async def test_doubled_and_disordered_events_end_in_what_a_snapshot_shows(
        self, site: Site, seed: int
    ) -> None:
        chance = random.Random(seed)
        do = asyncio.to_thread
        async with listening(site) as heard:
            await do(site.fault, duplicate_events=True, reorder_events=True)
            await do(site.backend.place_call, CAMILLE, "1002")
            for _ in range(25):
                extension = f"100{chance.randint(1, 6)}"
                action = chance.choice(
                    ["answer", "answer", "hang_up", "reject", "hold", "resume", "dial"]
                )
                body = {"number": f"100{chance.randint(1, 6)}"} if action == "dial" else {}
                with contextlib.suppress(OSError):
                    await do(site.phone, extension, action, **body)
            snapshot = await do(site.backend.calls)
            await asyncio.sleep(0.3)

            def shown(calls: list[Call]) -> set[tuple[object, ...]]:
                return {(c.user, c.id, c.state, c.number, c.name, c.muted) for c in calls}

            await until(
                lambda: (
                    shown([call for call in newest(heard).values() if call.is_live])
                    == shown(list(snapshot))
                )
            )

    async def test_a_colleagues_phone_is_seen_to_ring(self, site: Site) -> None:
        async with listening(site) as heard:
            await asyncio.to_thread(site.backend.place_call, CAMILLE, "1002")
            await asyncio.to_thread(site.phone, "1001", "answer")
            await until(
                lambda: any(
                    isinstance(event, PresenceChanged)
                    and event.presence.user == NADIA
                    and event.presence.phone is LineState.RINGING
                    for event in heard
                )
            )


def test_after_closing_no_session_is_left(site: Site) -> None:
    site.backend.calls()
    site.backend.authenticate("demo1", "demo")
    site.backend.close()
    assert site.wazo.do(lambda _: sum(site.wazo.application.site.tokens._sessions.values())) == 0


def test_only_our_errors_leave_the_backend(site: Site) -> None:
    site.fault(unavailable=["auth", "calld", "confd", "chatd", "dird", "call-logd"])
    backend = site.backend
    for command in (
        backend.check,
        backend.version,
        backend.calls,
        lambda: list(backend.users()),
        lambda: backend.presences([OSKAR]),
        lambda: backend.history(OSKAR, limit=5),
        lambda: backend.search(OSKAR, "a", timeout=1),
    ):
        with pytest.raises(TelephonyError):
            command()
