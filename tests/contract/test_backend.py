"""What every backend must do, run over each of them."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import Callable, Iterator
from io import BytesIO

import pytest

from bluetel.telephony.errors import (
    AuthenticationFailed,
    NotFound,
    NotSupported,
    Rejected,
    RejectReason,
)
from bluetel.telephony.ports import Backend
from bluetel.telephony.types import (
    Call,
    CallId,
    CallState,
    Capability,
    ChatState,
    Direction,
    DoNotDisturbChanged,
    Forward,
    ForwardChanged,
    ForwardKind,
    Greeting,
    LineState,
    PbxUserId,
    PresenceChanged,
    StreamLost,
    StreamOpened,
    TransferKind,
    UserChanged,
    VoicemailChanged,
    VoicemailFolder,
)
from tests.contract.lacks import LACKS, UNTOLD, Lack, Untold
from tests.contract.rigs import RIGS, Rig

NOBODY = PbxUserId("00000000-0000-4000-8000-000000000000")
NO_ANSWER = 19


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Hold each test over every backend that lacks nothing the test needs."""
    if "rig" in metafunc.fixturenames:
        needed = {need for mark in metafunc.definition.iter_markers("needs") for need in mark.args}
        names = [name for name in RIGS if not needed & LACKS[name]]
        metafunc.parametrize("rig", names, indirect=True)


@pytest.fixture
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with RIGS[request.param]() as one:
        one.lacks, one.untold = LACKS[request.param], UNTOLD[request.param]
        yield one


def cause_told(rig: Rig, cause: int, *, shown: int = NO_ANSWER) -> int:
    """Why a call ended: where the PBX doesn't tell it, what the callee's phone has ``shown``."""
    if Untold.CAUSES not in rig.untold:
        return cause
    return NO_ANSWER if Untold.PHONES in rig.untold else shown


# --- People -------------------------------------------------------------------------------------


def test_everybody_is_listed_with_his_line(rig: Rig) -> None:
    people = {person.extension: person for person in rig.backend.users()}

    assert len(people) == 9
    camille = people["1001"]
    assert (camille.id, camille.name) == (rig.user("1001"), "Camille Renard")
    assert (camille.login, camille.email) == ("demo1", "camille.renard@demo.test")
    assert rig.backend.user(camille.id).lines == camille.lines


def test_an_unknown_person_is_not_found(rig: Rig) -> None:
    with pytest.raises(NotFound):
        rig.backend.user(NOBODY)


@pytest.mark.parametrize("login", ["demo1", "DEMO1", "camille.renard@demo.test"])
def test_a_login_or_address_proves_who_one_is(rig: Rig, login: str) -> None:
    assert rig.backend.authenticate(login, "demo").user == rig.user("1001")


@pytest.mark.parametrize(
    ("login", "password"),
    [("demo1", "wrong"), ("nobody", "demo"), ("demo1", "")],
    ids=["wrong-password", "unknown-login", "no-password"],
)
def test_a_wrong_login_is_refused(rig: Rig, login: str, password: str) -> None:
    with pytest.raises(AuthenticationFailed):
        rig.backend.authenticate(login, password)


def test_checking_a_login_leaves_no_session(rig: Rig) -> None:
    rig.backend.authenticate("demo1", "demo")

    (presence,) = rig.backend.presences([rig.user("1001")])
    assert not presence.connected


def test_the_service_account_lacks_nothing(rig: Rig) -> None:
    assert rig.backend.check() == {}


def test_the_version_is_what_the_pbx_says_of_itself(rig: Rig) -> None:
    assert rig.backend.version() == rig.version
    assert bool(rig.version) is (Untold.VERSION not in rig.untold)


@pytest.mark.needs(Lack.VOICEMAIL, Lack.MUTE, Lack.DTMF)
def test_everything_can_be_done(rig: Rig) -> None:
    assert rig.backend.capabilities == frozenset(Capability)
    assert rig.backend.capabilities_of(rig.user("1001")) == frozenset(Capability)


# --- Placing calls ------------------------------------------------------------------------------


def test_a_placed_call_rings_the_own_phone(rig: Rig) -> None:
    call = rig.backend.place_call(rig.user("1001"), "1002")

    assert call.user == rig.user("1001")
    assert (call.state, call.direction) == (CallState.RINGING_SELF, Direction.OUTGOING)
    assert call.number == "1002"
    assert rig.call("1001").id == call.id
    assert rig.backend.calls(rig.user("1002")) == []


@pytest.mark.parametrize(
    ("extension", "number", "reason"),
    [
        pytest.param("1001", "4999", RejectReason.INVALID_EXTENSION, id="unknown-extension"),
        pytest.param("1001", "bob", RejectReason.INVALID_EXTENSION, id="no-number"),
        pytest.param("1008", "1001", RejectReason.PHONE_UNREACHABLE, id="unplugged"),
    ],
)
def test_a_call_that_can_not_be_placed_says_why(
    rig: Rig, extension: str, number: str, reason: RejectReason
) -> None:
    with pytest.raises(Rejected) as rejected:
        rig.backend.place_call(rig.user(extension), number)

    assert rejected.value.reason is reason
    assert rig.backend.calls() == []


def test_an_unknown_person_can_not_place_a_call(rig: Rig) -> None:
    with pytest.raises(Rejected) as rejected:
        rig.backend.place_call(NOBODY, "1002")

    assert rejected.value.reason is RejectReason.UNKNOWN_USER


@pytest.mark.parametrize("line", ["", "999"], ids=["no-line", "foreign-line"])
def test_who_has_no_such_line_can_not_place_a_call(rig: Rig, line: str) -> None:
    person = rig.do(
        lambda pbx: pbx.add_person(
            user_id="d3b07384-d113-4ec6-a7a5-000000000001", first_name="Ada", last_name="Aubin"
        )
    )

    with pytest.raises(Rejected) as rejected:
        rig.backend.place_call(rig.id_of(person), "1002", line=line)

    assert rejected.value.reason is RejectReason.NO_LINE


def test_a_named_line_is_used(rig: Rig) -> None:
    line = rig.backend.user(rig.user("1001")).lines[0].id

    assert rig.backend.place_call(rig.user("1001"), "1002", line=line).number == "1002"


# --- The course of a call -----------------------------------------------------------------------


async def test_a_click_to_call_is_told_step_by_step(rig: Rig) -> None:
    camille, nadia = rig.user("1001"), rig.user("1002")
    async with rig.listening() as listener:
        await listener.saw(StreamOpened)
        placed = rig.backend.place_call(camille, "1002")
        await listener.call(camille, lambda call: call.state is CallState.RINGING_SELF)
        rig.pick_up("1001")
        call = await listener.call(
            camille, lambda call: call.state is CallState.RINGING_PEER and bool(call.name)
        )
        assert (call.number, call.name) == ("1002", "Nadia Belkacem")
        ringing = await listener.call(nadia, lambda call: call.state is CallState.RINGING_SELF)
        assert (ringing.direction, ringing.number) == (Direction.INCOMING, "1001")
        rig.advance(3)
        rig.pick_up("1002")
        talking = await listener.call(camille, lambda call: call.state is CallState.TALKING)
        await listener.call(nadia, lambda call: call.state is CallState.TALKING)
        rig.advance(20)
        rig.backend.hang_up(nadia, ringing.id)
        ended = await listener.call(camille, lambda call: not call.is_live)
        await listener.call(nadia, lambda call: not call.is_live)

    assert {placed.id, call.id, talking.id, ended.id} == {placed.id}
    assert ended.conversation == ringing.conversation
    assert (ended.cause, ended.reached) == (16, CallState.TALKING)
    assert ended.answered_at is not None
    assert ended.ended_at is not None
    assert (ended.ended_at - ended.answered_at).total_seconds() == pytest.approx(20, abs=0.01)
    assert rig.backend.calls() == []


@pytest.mark.parametrize(
    ("number", "happens", "cause"),
    [
        pytest.param("1007", lambda rig: rig.advance(32), 19, id="no-answer"),
        pytest.param(
            "1002",
            lambda rig: rig.do(lambda pbx: pbx.reject(pbx.lines["1002"][1].legs[0])),
            21,
            id="rejected",
        ),
        pytest.param(
            "0199004299",
            lambda rig: None,
            17,
            id="outside-busy",
        ),
        pytest.param("0199004298", lambda rig: rig.advance(60), 19, id="outside-no-answer"),
    ],
)
async def test_a_call_nobody_takes_says_why(
    rig: Rig, number: str, happens: Callable[[Rig], object], cause: int
) -> None:
    user = rig.user("1001")
    async with rig.listening() as listener:
        await listener.saw(StreamOpened)
        rig.backend.place_call(user, number)
        rig.pick_up("1001")
        happens(rig)
        rig.advance(2)
        ended = await listener.call(user, lambda call: not call.is_live)

    assert ended.cause == cause_told(rig, cause)
    assert ended.reached is CallState.RINGING_PEER


async def test_who_was_heard_by_a_box_was_not_answered_and_did_not_give_up(rig: Rig) -> None:
    user = rig.user("1001")
    rig.backend.set_forward(
        rig.user("1002"),
        ForwardKind.UNCONDITIONAL,
        Forward(enabled=True, destination="*971002"),
    )
    async with rig.listening() as listener:
        await listener.saw(StreamOpened)
        rig.backend.place_call(user, "1002")
        rig.pick_up("1001")
        rig.advance(5)
        (call,) = rig.backend.calls(user)
        rig.put_down("1001")
        ended = await listener.call(user, lambda call: not call.is_live)

    assert (call.state, ended.cause) == (CallState.RINGING_PEER, NO_ANSWER)


async def test_who_gives_up_a_call_that_was_forwarded_gave_up(rig: Rig) -> None:
    user = rig.user("1001")
    rig.backend.set_forward(
        rig.user("1002"), ForwardKind.UNCONDITIONAL, Forward(enabled=True, destination="1003")
    )
    async with rig.listening() as listener:
        await listener.saw(StreamOpened)
        rig.backend.place_call(user, "1002")
        rig.pick_up("1001")
        rig.advance(2)
        rig.put_down("1001")
        ended = await listener.call(user, lambda call: not call.is_live)

    assert ended.cause == cause_told(rig, 16)


@pytest.mark.parametrize(
    ("before", "cause", "shown"),
    [
        pytest.param(
            lambda pbx: pbx.set_do_not_disturb(pbx.lines["1007"][0], enabled=True),
            17,
            NO_ANSWER,
            id="dnd",
        ),
        pytest.param(
            lambda pbx: pbx.plug(pbx.lines["1007"][1], plugged=False), 20, 20, id="unplugged"
        ),
        pytest.param(lambda pbx: pbx.dial(pbx.lines["1007"][1], "1003"), 17, 17, id="busy"),
    ],
)
async def test_a_callee_who_can_not_be_rung_says_why(
    rig: Rig, before: Callable[[object], object], cause: int, shown: int
) -> None:
    rig.do(before)
    user = rig.user("1001")
    async with rig.listening() as listener:
        await listener.saw(StreamOpened)
        rig.backend.place_call(user, "1007")
        rig.pick_up("1001")
        rig.advance(2)
        ended = await listener.call(user, lambda call: not call.is_live)

    assert ended.cause == cause_told(rig, cause, shown=shown)


async def test_who_does_not_pick_up_his_own_phone_calls_nobody(rig: Rig) -> None:
    user = rig.user("1001")
    async with rig.listening() as listener:
        await listener.saw(StreamOpened)
        rig.backend.place_call(user, "1002")
        rig.advance(30)
        ended = await listener.call(user, lambda call: not call.is_live)

    assert ended.reached is CallState.RINGING_SELF


async def test_a_call_is_cancelled_while_the_own_phone_rings(rig: Rig) -> None:
    user = rig.user("1001")
    async with rig.listening() as listener:
        await listener.saw(StreamOpened)
        call = rig.backend.place_call(user, "1002")
        rig.backend.hang_up(user, call.id)
        await listener.call(user, lambda call: not call.is_live)

    with pytest.raises(NotFound):
        rig.backend.hang_up(user, call.id)


def test_nobody_ends_somebody_elses_call(rig: Rig) -> None:
    call = rig.backend.place_call(rig.user("1001"), "1002")

    with pytest.raises(NotFound):
        rig.backend.hang_up(rig.user("1003"), call.id)
    assert rig.call("1001").is_live


async def test_a_call_from_outside_is_told_to_whom_it_rings(rig: Rig) -> None:
    user = rig.user("1001")
    async with rig.listening() as listener:
        await listener.saw(StreamOpened)
        rig.do(lambda pbx: pbx.call_in("0199004217", name="Hélène Marchetti", to="1001"))
        call = await listener.call(user, lambda call: call.state is CallState.RINGING_SELF)

    assert call.direction is Direction.INCOMING
    assert (call.number, call.name) == ("0199004217", "Hélène Marchetti")


async def test_who_withholds_his_number_shows_none(rig: Rig) -> None:
    user = rig.user("1001")
    async with rig.listening() as listener:
        await listener.saw(StreamOpened)
        rig.do(lambda pbx: pbx.call_in("", name="", to="1001"))
        call = await listener.call(user, lambda call: call.state is CallState.RINGING_SELF)

    assert (call.number, call.name) == ("", "")
    assert [(live.number, live.name) for live in rig.backend.calls(user)] == [("", "")]


def test_the_living_calls_of_everybody_are_listed(rig: Rig) -> None:
    rig.talk("1001", "1002")
    rig.dial("1003", "0199004217")

    calls = {call.user: call.state for call in rig.backend.calls()}
    assert calls == {
        rig.user("1001"): CallState.TALKING,
        rig.user("1002"): CallState.TALKING,
        rig.user("1003"): CallState.RINGING_PEER,
    }


# --- During a call ------------------------------------------------------------------------------


async def test_a_call_is_held_and_taken_back(rig: Rig) -> None:
    user = rig.user("1001")
    async with rig.listening() as listener:
        await listener.saw(StreamOpened)
        call = rig.talk("1001", "1002")
        rig.backend.hold(user, call.id, held=True)
        await listener.call(user, lambda call: call.state is CallState.HELD)
        assert rig.call("1001").state is CallState.HELD
        assert rig.call("1002").state is CallState.TALKING
        rig.backend.hold(user, call.id, held=False)
        await listener.until(lambda _: rig.call("1001").state is CallState.TALKING)


@pytest.mark.parametrize(
    ("command", "capability"),
    [
        pytest.param(
            lambda backend, call: backend.hold(call.user, call.id, held=True),
            Capability.HOLD,
            id="hold",
        ),
        pytest.param(
            lambda backend, call: backend.answer(call.user, call.id),
            Capability.ANSWER,
            id="answer",
        ),
    ],
)
def test_a_phone_that_takes_no_orders_says_so(
    rig: Rig, command: Callable[[Backend, Call], None], capability: Capability
) -> None:
    call = rig.backend.place_call(rig.user("1004"), "1002")

    with pytest.raises(NotSupported) as unsupported:
        command(rig.backend, call)
    assert unsupported.value.capability is capability


def test_a_call_is_answered_from_afar(rig: Rig) -> None:
    rig.dial("1002", "1001")
    rig.backend.answer(rig.user("1001"), rig.call("1001").id)

    assert rig.call("1001").state is CallState.TALKING


@pytest.mark.needs(Lack.MUTE)
async def test_a_call_is_muted_and_unmuted(rig: Rig) -> None:
    user = rig.user("1004")
    async with rig.listening() as listener:
        await listener.saw(StreamOpened)
        call = rig.talk("1004", "1002")
        rig.backend.mute(user, call.id, muted=True)
        await listener.call(user, lambda call: call.muted)
        rig.backend.mute(user, call.id, muted=False)
        assert not rig.call("1004").muted


@pytest.mark.needs(Lack.DTMF)
def test_tones_are_sent(rig: Rig) -> None:
    call = rig.talk("1001", "1002")
    rig.backend.send_dtmf(rig.user("1001"), call.id, "12*#")

    with pytest.raises(Rejected):
        rig.backend.send_dtmf(rig.user("1001"), call.id, "1a")


LACKING = {"mute": Lack.MUTE, "tones": Lack.DTMF}
COMMANDS: dict[str, Callable[[Rig, CallId], object]] = {
    "answer": lambda rig, call: rig.backend.answer(rig.user("1001"), call),
    "hold": lambda rig, call: rig.backend.hold(rig.user("1001"), call, held=True),
    "mute": lambda rig, call: rig.backend.mute(rig.user("1001"), call, muted=True),
    "tones": lambda rig, call: rig.backend.send_dtmf(rig.user("1001"), call, "1"),
    "transfer": lambda rig, call: rig.backend.transfer(
        rig.user("1001"), call, "1003", kind=TransferKind.BLIND
    ),
    "complete": lambda rig, call: rig.backend.complete_transfer(rig.user("1001"), call),
    "cancel": lambda rig, call: rig.backend.cancel_transfer(rig.user("1001"), call),
}


@pytest.mark.parametrize("command", list(COMMANDS))
def test_a_call_that_is_not_there_can_not_be_steered(rig: Rig, command: str) -> None:
    is_lacking = LACKING.get(command) in rig.lacks
    with pytest.raises(NotSupported if is_lacking else NotFound):
        COMMANDS[command](rig, CallId("1234.5"))


# --- Transfers ----------------------------------------------------------------------------------


async def test_a_blind_transfer_passes_the_caller_on(rig: Rig) -> None:
    async with rig.listening() as listener:
        await listener.saw(StreamOpened)
        rig.talk("1001", "1002")
        nadia = rig.call("1002")
        begun = rig.backend.transfer(nadia.user, nadia.id, "1003", kind=TransferKind.BLIND)
        await listener.call(nadia.user, lambda call: not call.is_live)
        rig.pick_up("1003")
        await listener.call(rig.user("1003"), lambda call: call.state is CallState.TALKING)
        await listener.call(rig.user("1001"), lambda call: call.number == "1003")

    assert begun is None


async def test_an_attended_transfer_is_completed(rig: Rig) -> None:
    async with rig.listening() as listener:
        await listener.saw(StreamOpened)
        rig.talk("1001", "1002")
        nadia = rig.call("1002")
        begun = rig.backend.transfer(nadia.user, nadia.id, "1003", kind=TransferKind.ATTENDED)
        assert begun is not None
        rig.pick_up("1003")
        await listener.call(rig.user("1003"), lambda call: call.state is CallState.TALKING)
        rig.backend.complete_transfer(nadia.user, nadia.id)
        await listener.call(nadia.user, lambda call: not call.is_live)
        camille = await listener.call(rig.user("1001"), lambda call: call.number == "1003")

    assert camille.state is CallState.TALKING
    assert {call.user for call in rig.backend.calls()} == {rig.user("1001"), rig.user("1003")}


async def test_an_attended_transfer_is_cancelled(rig: Rig) -> None:
    async with rig.listening() as listener:
        await listener.saw(StreamOpened)
        rig.talk("1001", "1002")
        nadia = rig.call("1002")
        rig.backend.transfer(nadia.user, nadia.id, "1003", kind=TransferKind.ATTENDED)
        await listener.call(rig.user("1003"), lambda call: call.state is CallState.RINGING_SELF)
        rig.backend.cancel_transfer(nadia.user, nadia.id)
        await listener.call(rig.user("1003"), lambda call: not call.is_live)

    assert rig.call("1002").number == "1001"
    with pytest.raises(NotFound):
        rig.backend.complete_transfer(nadia.user, nadia.id)


def test_a_call_with_nobody_else_is_not_transferred(rig: Rig) -> None:
    call = rig.backend.place_call(rig.user("1001"), "1002")

    with pytest.raises(Rejected) as rejected:
        rig.backend.transfer(call.user, call.id, "1003", kind=TransferKind.BLIND)
    assert rejected.value.reason is RejectReason.CONFLICT


def test_nobody_is_transferred_to_an_unknown_number(rig: Rig) -> None:
    call = rig.talk("1001", "1002")

    with pytest.raises(Rejected) as rejected:
        rig.backend.transfer(call.user, call.id, "4999", kind=TransferKind.BLIND)
    assert rejected.value.reason is RejectReason.INVALID_EXTENSION


# --- Presence -----------------------------------------------------------------------------------


def test_presences_say_what_the_phones_do(rig: Rig) -> None:
    rig.dial("1001", "1002")
    wanted = [rig.user(extension) for extension in ("1001", "1002", "1003", "1008")]
    camille, nadia, oskar, maud = rig.backend.presences([*wanted, NOBODY])

    # A PBX may show a phone that calls as one in use.
    assert camille.phone in {LineState.PROGRESSING, LineState.TALKING}
    assert nadia.phone is LineState.RINGING
    assert oskar.phone is LineState.AVAILABLE
    assert maud.phone is LineState.UNAVAILABLE


@pytest.mark.needs(Lack.CHAT)
def test_presences_say_chat_and_message(rig: Rig) -> None:
    wanted = [rig.user(extension) for extension in ("1001", "1002", "1003", "1004")]
    camille, nadia, oskar, tom = rig.backend.presences([*wanted, NOBODY])

    assert camille.chat is ChatState.NEVER_CHOSEN
    assert (nadia.chat, nadia.message) == (ChatState.AVAILABLE, "")
    assert (oskar.chat, oskar.message) == (ChatState.AWAY, "Back at 14:00")
    assert tom.chat is ChatState.BUSY


@pytest.mark.needs(Lack.CHAT)
@pytest.mark.parametrize(
    "state", [state for state in ChatState if state is not ChatState.NEVER_CHOSEN]
)
async def test_a_chosen_status_is_published(rig: Rig, state: ChatState) -> None:
    user = rig.user("1001")
    async with rig.listening() as listener:
        await listener.saw(StreamOpened)
        rig.backend.set_chat(user, state, message="À 15 h 🗓")
        event = await listener.saw(PresenceChanged, lambda one: one.presence.user == user)
        assert (event.presence.chat, event.presence.message) == (state, "À 15 h 🗓")
    rig.backend.set_chat(user, state, message="")

    (presence,) = rig.backend.presences([user])
    assert (presence.chat, presence.message) == (state, "")
    assert presence.chosen_at is not None


async def test_a_phone_is_followed_through_a_call(rig: Rig) -> None:
    user = rig.user("1002")

    def shows(state: LineState) -> Callable[[PresenceChanged], bool]:
        return lambda one: one.presence.user == user and one.presence.phone is state

    async with rig.listening() as listener:
        await listener.saw(StreamOpened)
        rig.dial("1001", "1002")
        await listener.saw(PresenceChanged, shows(LineState.RINGING))
        rig.pick_up("1002")
        await listener.saw(PresenceChanged, shows(LineState.TALKING))
        rig.put_down("1002")
        await listener.saw(PresenceChanged, shows(LineState.AVAILABLE))
        rig.do(lambda pbx: pbx.plug(pbx.lines["1002"][1], plugged=False))
        await listener.saw(PresenceChanged, shows(LineState.UNAVAILABLE))


# --- Forwards and do-not-disturb ----------------------------------------------------------------


@pytest.mark.parametrize("kind", list(ForwardKind))
async def test_a_forward_is_written_read_and_told(rig: Rig, kind: ForwardKind) -> None:
    user, forward = rig.user("1001"), Forward(enabled=True, destination="0639981208")
    async with rig.listening() as listener:
        await listener.saw(StreamOpened)
        rig.backend.set_forward(user, kind, forward)
        event = await listener.saw(ForwardChanged, lambda one: one.user == user)
    assert (event.kind, event.forward) == (kind, forward)
    assert rig.backend.forwards(user).by_kind[kind] == forward

    off = Forward(destination="0639981208")
    rig.backend.set_forward(user, kind, off)
    assert rig.backend.forwards(user).by_kind[kind] == off


def test_a_forward_needs_a_destination(rig: Rig) -> None:
    with pytest.raises(Rejected) as rejected:
        rig.backend.set_forward(rig.user("1001"), ForwardKind.BUSY, Forward(enabled=True))

    assert rejected.value.reason is RejectReason.INVALID_DATA


async def test_what_is_dialled_on_the_handset_is_told(rig: Rig) -> None:
    user = rig.user("1001")
    async with rig.listening() as listener:
        await listener.saw(StreamOpened)
        await asyncio.to_thread(rig.backend.forwards, user)  # what holds before is known
        rig.dial("1001", "*211002")
        event = await listener.saw(
            ForwardChanged, lambda one: one.user == user and one.forward.enabled
        )
        rig.dial("1001", "*25")
        dnd = await listener.saw(DoNotDisturbChanged, lambda one: one.user == user)
        await listener.saw(PresenceChanged, lambda one: one.presence.do_not_disturb)

    assert event.forward == Forward(enabled=True, destination="1002")
    assert dnd.enabled


def test_do_not_disturb_is_switched(rig: Rig) -> None:
    user = rig.user("1001")
    rig.backend.set_do_not_disturb(user, enabled=True)
    assert rig.backend.forwards(user).do_not_disturb
    (presence,) = rig.backend.presences([user])
    assert presence.do_not_disturb
    rig.backend.set_do_not_disturb(user, enabled=False)
    assert not rig.backend.forwards(user).do_not_disturb


def test_a_box_is_a_forwards_destination(rig: Rig) -> None:
    assert rig.backend.voicemail_destination(rig.user("1001")) == "*971001"
    assert rig.backend.voicemail_destination(rig.user("1007")) is None


# --- Voice messages -----------------------------------------------------------------------------


@pytest.mark.needs(Lack.VOICEMAIL)
def test_messages_come_newest_first(rig: Rig) -> None:
    newest, nameless, anonymous, *_, oldest = rig.backend.messages(rig.user("1001"))

    assert (newest.number, newest.name, newest.duration) == (
        "0199004217",
        "Hélène Marchetti",
        14,
    )
    assert newest.folder is VoicemailFolder.NEW
    assert (nameless.number, nameless.name) == ("0353017720", "")
    assert (anonymous.number, anonymous.name) == ("", "")
    assert oldest.folder is VoicemailFolder.OLD


@pytest.mark.needs(Lack.VOICEMAIL)
def test_a_message_is_heard(rig: Rig) -> None:
    message = rig.backend.messages(rig.user("1001"))[0]
    audio = bytearray()
    rig.backend.copy_audio(rig.user("1001"), message.id, audio.extend)

    with wave.open(BytesIO(audio)) as recording:
        assert recording.getnframes() == message.duration * recording.getframerate()


@pytest.mark.needs(Lack.VOICEMAIL)
def test_a_message_is_moved_and_deleted(rig: Rig) -> None:
    user = rig.user("1001")
    message = rig.backend.messages(user)[0]
    rig.backend.move_message(user, message.id, VoicemailFolder.FAMILY)
    assert rig.backend.messages(user)[0].folder is VoicemailFolder.FAMILY
    rig.backend.delete_message(user, message.id)
    assert message.id not in {one.id for one in rig.backend.messages(user)}
    with pytest.raises(NotFound):
        rig.backend.copy_audio(user, message.id, _unwanted)


@pytest.mark.needs(Lack.VOICEMAIL)
def test_nobody_hears_somebody_elses_message(rig: Rig) -> None:
    message = rig.backend.messages(rig.user("1001"))[0]

    with pytest.raises(NotFound):
        rig.backend.copy_audio(rig.user("1002"), message.id, _unwanted)


def _unwanted(piece: bytes) -> None:
    pytest.fail(f"{len(piece)} bytes of somebody else's message were handed over")


@pytest.mark.needs(Lack.VOICEMAIL)
def test_greetings_are_recorded_heard_replaced_and_deleted(rig: Rig) -> None:
    user = rig.user("1001")
    assert rig.backend.greetings(user) == frozenset()
    rig.backend.set_greeting(user, Greeting.BUSY, b"RIFF one")
    rig.backend.set_greeting(user, Greeting.BUSY, b"RIFF another")
    assert rig.backend.greetings(user) == {Greeting.BUSY}
    heard = bytearray()
    rig.backend.copy_greeting(user, Greeting.BUSY, heard.extend)
    assert heard == b"RIFF another"
    rig.backend.delete_greeting(user, Greeting.BUSY)
    rig.backend.delete_greeting(user, Greeting.BUSY)
    assert rig.backend.greetings(user) == frozenset()
    with pytest.raises(NotFound):
        rig.backend.copy_greeting(user, Greeting.BUSY, _unwanted)


@pytest.mark.needs(Lack.VOICEMAIL)
def test_who_has_no_box_greets_nobody(rig: Rig) -> None:
    assert rig.backend.greetings(rig.user("1007")) == frozenset()
    with pytest.raises(NotFound):
        rig.backend.set_greeting(rig.user("1007"), Greeting.NAME, b"RIFF")


@pytest.mark.needs(Lack.VOICEMAIL)
def test_who_has_no_box_has_no_messages(rig: Rig) -> None:
    assert list(rig.backend.messages(rig.user("1007"))) == []


async def test_a_new_message_is_told(rig: Rig) -> None:
    user = rig.user("1002")
    rig.backend.set_forward(
        user, ForwardKind.UNCONDITIONAL, Forward(enabled=True, destination="*971002")
    )
    async with rig.listening() as listener:
        await listener.saw(StreamOpened)
        rig.dial("1001", "1002")
        rig.advance(5)
        rig.put_down("1001")
        await listener.saw(VoicemailChanged, lambda one: one.user == user)

    if Lack.VOICEMAIL in rig.lacks:
        return
    (message,) = rig.backend.messages(user)
    assert (message.number, message.duration) == ("1001", 5)


# --- Directory and call log ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("term", "name", "number"),
    [
        pytest.param("ines", "Inès Morvan", "1005", id="colleague-without-accents"),
        pytest.param("MARCH", "Hélène Marchetti", "0199004217", id="outside"),
        pytest.param("1006", "Łucja Wiśniewska", "1006", id="by-extension"),
    ],
)
def test_the_directory_is_searched(rig: Rig, term: str, name: str, number: str) -> None:
    found = rig.backend.search(rig.user("1001"), term, timeout=5)

    (entry,) = [entry for entry in found if entry.name == name]
    assert number in {one for _, one in entry.numbers}


def test_a_search_without_a_match_finds_nothing(rig: Rig) -> None:
    assert list(rig.backend.search(rig.user("1001"), "zzz", timeout=5)) == []


def test_history_is_newest_first_and_paged_by_time(rig: Rig) -> None:
    user = rig.user("1001")
    rows = rig.backend.history(user, limit=100)
    assert [row.number for row in rows] == [
        "1006",
        "1003",
        "0199004217",
        "0261914450",
        "1005",
        "1002",
    ]
    assert (rows[0].direction, rows[0].answered, rows[0].duration) == (
        Direction.OUTGOING,
        True,
        33,
    )
    assert (rows[1].direction, rows[1].answered) == (Direction.INCOMING, False)
    assert list(rig.backend.history(user, limit=2, before=rows[1].started_at)) == list(rows[2:4])


def test_a_finished_call_comes_into_the_history(rig: Rig) -> None:
    rig.talk("1001", "1002")
    rig.advance(9)
    rig.put_down("1001")
    rig.advance(2)

    row = rig.backend.history(rig.user("1002"), limit=1)[0]
    assert (row.direction, row.number, row.name) == (
        Direction.INCOMING,
        "1001",
        "Camille Renard",
    )
    assert (row.answered, row.duration) == (True, 9)


# --- The stream ---------------------------------------------------------------------------------


async def test_a_lost_stream_is_told_and_living_calls_come_again(rig: Rig) -> None:
    async with rig.listening() as listener:
        await listener.saw(StreamOpened)
        rig.talk("1001", "1002")
        await listener.call(rig.user("1001"), lambda call: call.state is CallState.TALKING)
        rig.lose_stream()
        await listener.saw(StreamLost)
        rig.restore_stream()
        rig.put_down("1001")
        rig.talk("1003", "1004")
        await listener.until(
            lambda events: sum(isinstance(one, StreamOpened) for one in events) == 2
        )
        await listener.call(rig.user("1003"), lambda call: call.state is CallState.TALKING)


async def test_an_edited_person_is_told(rig: Rig) -> None:
    async with rig.listening() as listener:
        await listener.saw(StreamOpened)
        rig.do(lambda pbx: pbx.edit_person(pbx.lines["1003"][0], who="admin", mobile="+331"))
        await listener.saw(UserChanged, lambda one: one.user == rig.user("1003"))
