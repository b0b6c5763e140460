"""Sessions on a XUC that behaves badly, and how many there are."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from bluetel.telephony.errors import AuthenticationFailed, NotSupported, PbxUnavailable
from bluetel.telephony.simulator.model import SimulatedPbx
from bluetel.telephony.types import (
    CallChanged,
    CallState,
    Capability,
    DoNotDisturbChanged,
    Forward,
    ForwardChanged,
    ForwardKind,
    LineState,
    PbxUserId,
    PresenceChanged,
    StreamLost,
    StreamOpened,
)
from tests.contract.rigs import FAST, XivoRig, xivo_rig

FORWARD = Forward(enabled=True, destination="1003")
ALL_LOGINS = frozenset(f"demo{number}" for number in range(1, 10))


def eventually(condition: Callable[[], bool]) -> None:
    """Wait up to 5 s for something that happens in another thread."""
    pause = threading.Event()
    for _ in range(250):
        if condition():
            return
        pause.wait(0.02)
    pytest.fail("it did not come to that")


# --- Logins ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["InvalidCredentials", "UserNotFound", "InvalidPassword"])
def test_a_refused_login_is_tried_once_and_remembered(code: str) -> None:
    with xivo_rig(is_attending=False) as rig:
        rig.accounts.works["demo1"] = None
        rig.fault(refuse_logins=code)
        with pytest.raises(AuthenticationFailed):
            rig.backend.forwards(rig.user("1001"))
        eventually(lambda: rig.accounts.works.get("demo1") is False)
        with pytest.raises(AuthenticationFailed):
            rig.backend.forwards(rig.user("1001"))

        assert len(rig.sent("/xuc/api/2.0/auth/login")) == 1
        assert Capability.READ_FORWARDS not in rig.backend.capabilities_of(rig.user("1001"))


def test_a_login_that_was_given_anew_is_tried_anew() -> None:
    with xivo_rig(is_attending=False) as rig:
        rig.accounts.works["demo1"] = None
        rig.fault(refuse_logins="InvalidCredentials")
        with pytest.raises(AuthenticationFailed):
            rig.backend.forwards(rig.user("1001"))
        eventually(lambda: rig.accounts.works.get("demo1") is False)
        rig.fault(refuse_logins="")
        rig.accounts.works["demo1"] = True

        assert not rig.backend.forwards(rig.user("1001")).do_not_disturb


def test_an_outage_in_which_everybody_is_refused_costs_nobody_his_login() -> None:
    with xivo_rig() as rig:
        rig.backend.forwards(rig.user("1001"))
        rig.fault(refuse_logins="InvalidCredentials")
        rig.do(lambda _: rig.xuc.site.expire_tokens())
        rig.lose_stream()
        eventually(lambda: _sign_ins(rig, "demo1") > 3)
        rig.fault(refuse_logins="")

        eventually(lambda: rig.sockets("1001") == 1)
        assert rig.accounts.works.get("demo1") is not False


def test_a_session_begun_in_an_outage_believes_no_refusal_of_a_login_that_worked() -> None:
    with xivo_rig(is_attending=False) as rig:
        rig.fault(refuse_logins="InvalidCredentials")
        rig.backend.attend([rig.user("1001")])
        eventually(lambda: _sign_ins(rig, "demo1") > 2)
        rig.fault(refuse_logins="")

        eventually(lambda: rig.sockets("1001") == 1)
        assert rig.accounts.works.get("demo1") is not False


def test_an_outage_costs_a_login_few_tries_however_often_it_is_asked_for() -> None:
    with xivo_rig(is_attending=False) as rig:
        rig.fault(refuse_logins="InvalidCredentials")
        user = rig.user("1001")
        rig.backend.attend([user])
        eventually(lambda: _sign_ins(rig, "bluetel") > 5)
        rig.backend.attend([])
        eventually(lambda: rig.backend._exchange.pool.find(user) is None)
        rig.backend.attend([user])
        eventually(lambda: _sign_ins(rig, "bluetel") > 10)

        assert _sign_ins(rig, "demo1") == FAST.most_doubted


def test_a_storm_of_refusals_asks_with_the_service_account_once() -> None:
    slow = replace(FAST, answer_lasts=60.0, ask_again_every=60.0)
    with xivo_rig(is_attending=False, times=slow) as rig:
        rig.fault(refuse_logins="InvalidCredentials")
        rig.backend.attend([rig.user(f"100{number}") for number in range(1, 8)])
        people = [f"demo{number}" for number in range(1, 8)]
        eventually(lambda: all(_sign_ins(rig, one) == slow.most_doubted for one in people))

        assert _sign_ins(rig, "bluetel") == 1


SELDOM = replace(FAST, ask_again_every=60.0)


def test_after_an_outage_doubted_logins_come_back_with_the_service_account() -> None:
    with xivo_rig(times=SELDOM) as rig:
        rig.backend.forwards(rig.user("1001"))
        rig.fault(refuse_logins="InvalidCredentials")
        rig.do(lambda _: rig.xuc.site.expire_tokens())
        rig.lose_stream()
        eventually(lambda: _sign_ins(rig, "demo1") == SELDOM.most_doubted + 1)
        rig.fault(refuse_logins="")

        eventually(lambda: rig.sockets("1001") == 1)


def test_a_command_has_a_doubted_login_looked_at_at_once() -> None:
    with xivo_rig(is_attending=False, times=SELDOM) as rig:
        user = rig.user("1001")
        rig.fault(refuse_logins="InvalidCredentials")
        rig.backend.attend([user])
        eventually(lambda: _sign_ins(rig, "demo1") == SELDOM.most_doubted)
        rig.fault(refuse_logins="")

        assert not rig.backend.forwards(user).do_not_disturb


def test_where_phones_are_pushed_a_service_account_that_never_worked_says_nothing() -> None:
    with xivo_rig(is_attending=False, presence="push") as rig:
        _change_password(rig)
        rig.do(lambda _: setattr(rig.xuc.site, "password", "another"))
        with pytest.raises(AuthenticationFailed):
            rig.backend.forwards(rig.user("1001"))

        assert _sign_ins(rig, "demo1") == 2


def test_checking_signs_in_where_phones_are_pushed_too() -> None:
    with xivo_rig(is_attending=False, presence="push") as rig:
        rig.fault(refuse_logins="InvalidCredentials")
        with pytest.raises(AuthenticationFailed):
            rig.backend.check()


def test_a_password_that_was_changed_on_the_pbx_is_given_up() -> None:
    with xivo_rig() as rig:
        rig.backend.forwards(rig.user("1001"))
        _change_password(rig)
        rig.lose_stream()

        eventually(lambda: rig.accounts.works.get("demo1") is False)
        tried = _sign_ins(rig, "demo1")
        with pytest.raises(AuthenticationFailed):
            rig.backend.forwards(rig.user("1001"))
        assert _sign_ins(rig, "demo1") == tried


def test_a_command_says_at_once_that_the_password_was_changed() -> None:
    with xivo_rig(is_attending=False) as rig:
        _change_password(rig)
        with pytest.raises(AuthenticationFailed):
            rig.backend.forwards(rig.user("1001"))

        assert _sign_ins(rig, "demo1") == 2


def _change_password(rig: XivoRig) -> None:
    """On the PBX, while BlueTel keeps the one before."""

    def change(pbx: SimulatedPbx) -> None:
        person = pbx.logins["demo1"]
        rig.accounts.given["demo1"] = person.password
        person.password = "another"
        rig.xuc.site.expire_tokens()

    rig.do(change)


def _sign_ins(rig: XivoRig, login: str) -> int:
    """How often somebody's password was tried."""
    return sum(one["body"]["login"] == login for one in rig.sent("/xuc/api/2.0/auth/login"))


async def test_a_refused_service_account_is_tried_until_it_is_mended() -> None:
    with xivo_rig(is_attending=False) as rig:
        rig.fault(refuse_logins="InvalidCredentials")
        async with rig.listening() as listener:
            lost = await listener.saw(StreamLost)
            rig.fault(refuse_logins="")
            await listener.saw(StreamOpened)

        assert "AuthenticationFailed" in lost.reason


async def test_an_expired_token_is_followed_by_a_new_sign_in() -> None:
    with xivo_rig() as rig:
        async with rig.listening() as listener:
            await listener.saw(StreamOpened)
            rig.do(lambda _: rig.xuc.site.expire_tokens())
            rig.lose_stream()
            await listener.until(
                lambda events: sum(isinstance(one, StreamOpened) for one in events) == 2
            )

        assert rig.sent("/xuc/api/2.0/auth/check")


async def test_a_token_is_renewed_before_a_socket_is_opened_again() -> None:
    with xivo_rig(is_attending=False) as rig:
        async with rig.listening() as listener:
            await listener.saw(StreamOpened)
            rig.lose_stream()
            await listener.until(
                lambda events: sum(isinstance(one, StreamOpened) for one in events) == 2
            )

        assert len(rig.sent("/xuc/api/2.0/auth/login")) == 1
        assert len(rig.sent("/xuc/api/2.0/auth/check")) == 1


class Latest(random.Random):
    """Chance that always takes the longest pause."""

    def uniform(self, a: float, b: float) -> float:
        return b


def test_a_command_does_not_wait_for_the_pause_after_an_outage() -> None:
    slow = replace(FAST, first_delay=60.0, longest_delay=60.0, rng=Latest())
    with xivo_rig(is_attending=False, times=slow) as rig:
        user = rig.user("1001")
        rig.backend.attend([user])
        rig.backend.forwards(user)
        rig.lose_stream()
        eventually(lambda: rig.sockets("1001") == 0)

        assert not rig.backend.forwards(user).do_not_disturb


# --- Silence and ends -----------------------------------------------------------------------------


async def test_silence_after_the_connection_is_given_up() -> None:
    times = replace(FAST, logged_on_within=0.2)
    with xivo_rig(is_attending=False, times=times) as rig:
        rig.fault(no_logged_on=True)
        async with rig.listening() as listener:
            lost = await listener.saw(StreamLost)
            rig.fault(no_logged_on=False)
            await listener.saw(StreamOpened)

        assert lost.reason == "no LoggedOn came"


@pytest.mark.parametrize("reason", ["loggedOnFailed", "loggedOnTimeout"])
async def test_a_logged_on_error_is_a_lost_stream(reason: str) -> None:
    with xivo_rig(is_attending=False) as rig:
        rig.fault(logged_on_error=reason)
        async with rig.listening() as listener:
            lost = await listener.saw(StreamLost)
            rig.fault(logged_on_error="")
            await listener.saw(StreamOpened)

        assert reason in lost.reason


async def test_a_socket_that_falls_silent_is_found_by_its_pings() -> None:
    times = replace(FAST, ping_every=0.1)
    with xivo_rig(is_attending=False, times=times) as rig:
        async with rig.listening() as listener:
            await listener.saw(StreamOpened)
            rig.fault(silence_stream=True)
            lost = await listener.saw(StreamLost)

        assert lost.reason == "silent"


def test_no_command_is_carried_out_in_silence() -> None:
    with xivo_rig(is_attending=False, times=replace(FAST, answer_within=0.3)) as rig:
        rig.backend.forwards(rig.user("1001"))
        rig.fault(silence_stream=True)
        with pytest.raises(PbxUnavailable) as failed:
            rig.backend.set_do_not_disturb(rig.user("1001"), enabled=True)

        assert failed.value.maybe_done


def test_a_call_whose_start_nobody_tells_may_have_been_placed() -> None:
    with xivo_rig(is_attending=False) as rig:
        rig.backend.forwards(rig.user("1001"))
        rig.fault(silence_stream=True)
        with pytest.raises(PbxUnavailable) as failed:
            rig.backend.place_call(rig.user("1001"), "1002", timeout=0.4)

        assert failed.value.maybe_done


def test_a_pbx_that_is_away_is_unavailable() -> None:
    with xivo_rig(is_attending=False) as rig:
        rig.fault(unavailable=["all"])
        with pytest.raises(PbxUnavailable):
            rig.backend.check()


# --- Settings -------------------------------------------------------------------------------------


async def test_reordered_and_repeated_updates_end_in_the_truth() -> None:
    with xivo_rig() as rig:
        user = rig.user("1001")
        rig.fault(reorder_events=True, duplicate_events=True)
        for number in ("1002", "1003", "1004"):
            rig.backend.set_forward(
                user, ForwardKind.UNCONDITIONAL, Forward(enabled=True, destination=number)
            )
            rig.backend.set_do_not_disturb(user, enabled=number != "1004")

        def is_true() -> bool:
            told = rig.backend.forwards(user)
            return (
                told.by_kind[ForwardKind.UNCONDITIONAL].destination == "1004"
                and not told.do_not_disturb
            )

        eventually(is_true)


async def test_a_setting_that_is_there_already_is_told_and_not_sent() -> None:
    with xivo_rig() as rig:
        user = rig.user("1001")
        rig.backend.set_forward(user, ForwardKind.UNCONDITIONAL, FORWARD)
        rig.backend.set_do_not_disturb(user, enabled=True)
        async with rig.listening() as listener:
            await listener.saw(StreamOpened)
            rig.backend.set_forward(user, ForwardKind.UNCONDITIONAL, FORWARD)
            told = await listener.saw(ForwardChanged)
            rig.backend.set_do_not_disturb(user, enabled=True)
            switched = await listener.saw(DoNotDisturbChanged)

        assert (told.kind, told.forward) == (ForwardKind.UNCONDITIONAL, FORWARD)
        assert switched.enabled
        assert len(rig.sent("uncFwd")) == 1
        assert len(rig.sent("dnd")) == 1


async def test_odd_messages_and_fields_disturb_nothing() -> None:
    with xivo_rig() as rig:
        rig.fault(odd_messages=True)
        async with rig.listening() as listener:
            await listener.saw(StreamOpened)
            rig.talk("1001", "1002")
            await listener.call(rig.user("1001"), lambda call: call.state is CallState.TALKING)
            rig.backend.set_forward(rig.user("1001"), ForwardKind.BUSY, FORWARD)
            await listener.saw(ForwardChanged)

        assert rig.backend.ignored()["TypeOfTomorrow"] > 3


def test_a_user_status_is_never_written() -> None:
    with xivo_rig() as rig:
        user = rig.user("1001")
        rig.backend.set_do_not_disturb(user, enabled=True)
        rig.backend.set_forward(user, ForwardKind.UNCONDITIONAL, FORWARD)
        rig.backend.place_call(user, "1002")

        assert rig.sent("userStatusUpdate") == []
        assert rig.backend.forwards(user).do_not_disturb


# --- How many sockets there are -------------------------------------------------------------------


def test_sockets_of_people_nobody_attends_to_close_again() -> None:
    with xivo_rig(is_attending=False) as rig:
        rig.backend.set_forward(rig.user("1001"), ForwardKind.UNCONDITIONAL, FORWARD)
        assert rig.sockets("1001") == 1

        eventually(lambda: rig.sockets("1001") == 0)


def test_one_socket_serves_however_many_commands_at_once() -> None:
    with xivo_rig(is_attending=False) as rig, ThreadPoolExecutor(8) as threads:
        users = [rig.user("1001")] * 8
        assert len(list(threads.map(rig.backend.forwards, users))) == 8

        assert rig.sockets("1001") == 1
        assert len(rig.sent("/xuc/api/2.0/auth/login")) == 1


def test_at_most_twenty_passing_sockets_are_open_at_once() -> None:
    with xivo_rig(is_attending=False) as rig, ThreadPoolExecutor(40) as threads:
        rig.do(_add_people)
        most = 0
        done = [threads.submit(rig.backend.forwards, PbxUserId(f"extra{n}")) for n in range(40)]
        pause = threading.Event()
        while not all(one.done() for one in done):
            most = max(most, rig.do(lambda _: rig.xuc.application.sockets.open_count))
            pause.wait(0.01)

        assert [one.exception() for one in done] == [None] * 40
        assert 1 < most <= 20


def _add_people(pbx: SimulatedPbx) -> None:
    for number in range(40):
        pbx.add_person(
            user_id=f"extra-{number}",
            first_name="Extra",
            last_name=str(number),
            extensions=[str(5000 + number)],
            login=f"extra{number}",
            password="demo",
        )


async def test_attended_people_keep_one_socket_and_lose_it_when_they_leave() -> None:
    with xivo_rig(is_attending=False) as rig:
        rig.backend.attend([rig.user("1001")])
        eventually(lambda: rig.sockets("1001") == 1)
        rig.backend.place_call(rig.user("1001"), "1002")
        rig.backend.attend([])
        rig.backend.hang_up(rig.user("1001"), rig.call("1001").id)

        eventually(lambda: rig.sockets("1001") == 0)


# --- Without the user's own login -----------------------------------------------------------------


@pytest.fixture
def bare() -> Iterator[XivoRig]:
    with xivo_rig(without_login=ALL_LOGINS) as rig:
        yield rig


def test_without_a_login_little_can_be_done_and_it_says_so(bare: XivoRig) -> None:
    user = bare.user("1001")

    assert bare.backend.capabilities_of(user) == {
        Capability.PRESENCE,
        Capability.DIRECTORY,
        Capability.FORWARDS,
    }
    with pytest.raises(NotSupported) as unsupported:
        bare.backend.forwards(user)
    assert unsupported.value.capability is Capability.READ_FORWARDS


async def test_without_a_login_a_call_is_placed_by_rest_and_followed_by_the_phone(
    bare: XivoRig,
) -> None:
    user = bare.user("1001")
    async with bare.listening() as listener:
        await listener.saw(StreamOpened)
        placed = bare.backend.place_call(user, "1002")
        assert placed.state is CallState.RINGING_SELF
        bare.pick_up("1001")
        await listener.call(user, lambda call: call.state is CallState.RINGING_PEER)
        bare.put_down("1001")
        ended = await listener.call(user, lambda call: not call.is_live)

    assert ended.id == placed.id
    assert len(bare.sent("/xuc/api/1.0/dial/default/demo1/")) == 1


def test_without_a_login_settings_go_by_rest(bare: XivoRig) -> None:
    user = bare.user("1001")
    bare.backend.set_do_not_disturb(user, enabled=True)
    bare.backend.set_forward(user, ForwardKind.UNCONDITIONAL, FORWARD)

    camille = bare.person("1001")
    assert camille.do_not_disturb
    assert camille.forwards[ForwardKind.UNCONDITIONAL] == FORWARD
    with pytest.raises(NotSupported):
        bare.backend.set_forward(user, ForwardKind.BUSY, FORWARD)


def test_who_has_no_login_sees_everybodys_phones(bare: XivoRig) -> None:
    bare.dial("1003", "1002")

    (nadia,) = bare.backend.presences([bare.user("1002")])
    assert nadia.phone is LineState.RINGING


# --- Pushes ---------------------------------------------------------------------------------------


async def test_phones_are_followed_by_pushes_without_any_socket() -> None:
    with xivo_rig(is_attending=False, presence="push") as rig:
        async with rig.listening() as listener:
            await listener.saw(StreamOpened)
            user = rig.user("1002")
            events = rig.backend.take_pushes([{"username": "demo2", "status": 8}])
            (presence,) = rig.backend.presences([user])

        assert presence.phone is LineState.RINGING
        assert [type(event).__name__ for event in events] == ["PresenceChanged"]
        assert len(rig.sent("/xuc/api/1.0/handshake/default/")) == 1
        assert rig.do(lambda _: rig.xuc.application.sockets.open_count) == 0


async def test_of_a_hint_and_a_push_the_later_counts() -> None:
    with xivo_rig(is_attending=False) as rig:
        user = rig.user("1002")
        async with rig.listening() as listener:
            await listener.saw(StreamOpened)
            (told,) = rig.backend.presences([user])
            events = rig.backend.take_pushes([{"username": "demo2", "status": 8}])
            (pushed,) = rig.backend.presences([user])
            rig.dial("1002", "1003")
            await listener.saw(
                PresenceChanged,
                lambda one: (one.presence.user, one.presence.phone) == (user, LineState.TALKING),
            )
            again = rig.backend.take_pushes([{"username": "demo2", "status": 8}] * 2)

    assert (told.phone, pushed.phone) == (LineState.AVAILABLE, LineState.RINGING)
    assert len(events) == len(again) == 1


async def test_a_hint_that_says_the_same_again_ends_what_was_pushed() -> None:
    with xivo_rig(is_attending=False) as rig:
        user = rig.user("1002")

        def is_free(event: PresenceChanged) -> bool:
            return (event.presence.user, event.presence.phone) == (user, LineState.AVAILABLE)

        async with rig.listening() as listener:
            await listener.saw(StreamOpened)
            await listener.saw(PresenceChanged, is_free)
            rig.backend.take_pushes([{"username": "demo2", "status": 8}])
            heard = len(listener.events)
            rig.lose_stream()
            await listener.until(
                lambda events: any(
                    isinstance(event, PresenceChanged) and is_free(event)
                    for event in events[heard:]
                )
            )
            (presence,) = rig.backend.presences([user])

    assert presence.phone is LineState.AVAILABLE


async def test_a_xuc_that_posts_nothing_when_asked_is_heard_all_the_same() -> None:
    with xivo_rig(is_attending=False, presence="push") as rig:
        rig.do(lambda _: setattr(rig.xuc.site, "api_key", "another"))
        async with rig.listening() as listener:
            await listener.saw(StreamOpened)
            rig.backend.take_pushes([{"username": "demo2", "status": 8}])
            (presence,) = rig.backend.presences([rig.user("1002")])

        assert presence.phone is LineState.RINGING


def test_pushed_phone_events_become_calls() -> None:
    with xivo_rig(without_login=ALL_LOGINS, is_attending=False, presence="push") as rig:
        payload = {
            "eventType": "EventRinging",
            "DN": "1002",
            "otherDN": "0199004217",
            "linkedId": "1.1",
            "uniqueId": "1.2",
            "userData": {"XIVO_SRCNUM": "0199004217"},
        }
        body = {
            "username": "demo2",
            "message": {"msgType": "PhoneEvent", "ctiMessage": payload},
        }
        (event,) = rig.backend.take_pushes([body])

        assert isinstance(event, CallChanged)
        assert (event.call.user, event.call.number) == ("demo2", "0199004217")
        assert rig.backend.calls(rig.user("1002")) == [event.call]


@pytest.mark.parametrize(
    ("states", "cause"),
    [
        pytest.param([8, 1], 19, id="rang-and-was-not-taken"),
        pytest.param([1], 17, id="never-rang-for-it-was-busy"),
    ],
)
def test_who_was_rung_is_not_called_busy(states: list[int], cause: int) -> None:
    with xivo_rig(without_login=ALL_LOGINS, is_attending=False, presence="push") as rig:
        rig.backend.take_pushes([_pushed_step("EventDialing")])
        for state in states:
            rig.backend.take_pushes([{"username": "demo2", "status": state}])
        (event,) = rig.backend.take_pushes([_pushed_step("EventReleased")])

        assert isinstance(event, CallChanged)
        assert event.call.cause == cause


def _pushed_step(kind: str) -> dict[str, object]:
    """A step of 1001's call to 1002, as XUC posts it."""
    payload = {
        "eventType": kind,
        "DN": "1001",
        "otherDN": "1002",
        "linkedId": "1.1",
        "uniqueId": "1.1",
    }
    return {"username": "demo1", "message": {"msgType": "PhoneEvent", "ctiMessage": payload}}


@pytest.mark.parametrize(
    "body",
    [None, [], {}, {"username": 3, "status": 8}, {"username": "demo2", "status": "loud"},
     {"username": "nobody", "status": 8}, {"username": "demo2", "message": {"msgType": "Sheet"}}],
    ids=str,
)  # fmt: skip
def test_a_push_of_another_shape_changes_nothing(body: object) -> None:
    with xivo_rig(is_attending=False) as rig:
        assert list(rig.backend.take_pushes([body])) == []


def test_ten_thousand_pushes_take_less_than_a_second_of_work() -> None:
    with xivo_rig(is_attending=False, presence="push") as rig:
        rig.backend.take_pushes([{"username": "demo1", "status": 0}])
        bodies = [
            {"username": f"demo{1 + n % 9}", "status": (0, 8, 1)[n // 9 % 3]} for n in range(10_000)
        ]
        began = time.process_time()
        for start in range(0, len(bodies), 500):
            rig.backend.take_pushes(bodies[start : start + 500])

        assert time.process_time() - began < 1.0


async def test_do_not_disturb_of_the_own_login_is_told_with_the_phone() -> None:
    with xivo_rig() as rig:
        async with rig.listening() as listener:
            await listener.saw(StreamOpened)
            await asyncio.to_thread(rig.backend.forwards, rig.user("1001"))
            rig.dial("1001", "*25")
            told = await listener.saw(DoNotDisturbChanged)

        assert (told.user, told.enabled) == (rig.user("1001"), True)


# --- The call log ---------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_calls_of_one_second_are_told_apart_and_paged_without_a_loss(limit: int) -> None:
    with xivo_rig() as rig:
        user = rig.user("1001")

        def call_five_times(pbx: SimulatedPbx) -> None:
            entry = pbx.log[-1]
            for number in range(5):
                pbx.add_to_log(replace(entry, id=1000 + number, conversation=f"twin {number}"))

        rig.do(call_five_times)
        every = [row.id for row in rig.backend.history(user, limit=100)]
        paged: list[str] = []
        before = None
        while rows := rig.backend.history(user, limit=limit, before=before):
            assert len(rows) <= limit
            paged += [row.id for row in rows]
            before = rows[-1].started_at

    assert len(set(every)) == len(every) >= 6
    assert paged == every
