"""What XiVO can't do fails as *not supported*, each thing by name, and nothing is done half."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from bluetel.telephony.errors import NotSupported
from bluetel.telephony.types import (
    Call,
    CallId,
    CallState,
    Capability,
    ChatState,
    VoicemailFolder,
)
from tests.contract.lacks import XIVO_LACKS, Lack
from tests.contract.rigs import RIGS, Rig, xivo_rig

NO_CALL = CallId("1234.5")

COMMANDS: dict[str, tuple[Lack, Capability, Callable[[Rig], object]]] = {
    "list messages": (
        Lack.VOICEMAIL,
        Capability.VOICEMAIL,
        lambda rig: rig.backend.messages(rig.user("1001")),
    ),
    "hear a message": (
        Lack.VOICEMAIL,
        Capability.VOICEMAIL_AUDIO,
        lambda rig: rig.backend.copy_audio(rig.user("1001"), "1", print),
    ),
    "move a message": (
        Lack.VOICEMAIL,
        Capability.VOICEMAIL,
        lambda rig: rig.backend.move_message(rig.user("1001"), "1", VoicemailFolder.OLD),
    ),
    "delete a message": (
        Lack.VOICEMAIL,
        Capability.VOICEMAIL,
        lambda rig: rig.backend.delete_message(rig.user("1001"), "1"),
    ),
    "mute": (
        Lack.MUTE,
        Capability.MUTE,
        lambda rig: rig.backend.mute(rig.user("1001"), NO_CALL, muted=True),
    ),
    "unmute": (
        Lack.MUTE,
        Capability.MUTE,
        lambda rig: rig.backend.mute(rig.user("1001"), NO_CALL, muted=False),
    ),
    "send tones": (
        Lack.DTMF,
        Capability.DTMF,
        lambda rig: rig.backend.send_dtmf(rig.user("1001"), NO_CALL, "1"),
    ),
    "choose a status": (
        Lack.CHAT,
        Capability.PRESENCE,
        lambda rig: rig.backend.set_chat(rig.user("1001"), ChatState.AWAY, message=""),
    ),
}


@pytest.fixture(params=[name for name in RIGS if name.startswith("xivo")])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with RIGS[request.param]() as one:
        yield one


@pytest.mark.parametrize("command", list(COMMANDS))
def test_what_xivo_lacks_fails_as_not_supported(rig: Rig, command: str) -> None:
    lack, capability, act = COMMANDS[command]
    assert lack in XIVO_LACKS
    writes = rig.do(lambda pbx: len(pbx.writes))

    with pytest.raises(NotSupported) as unsupported:
        act(rig)

    assert unsupported.value.capability is capability
    assert rig.do(lambda pbx: len(pbx.writes)) == writes


def test_the_capabilities_name_nothing_that_is_lacking(rig: Rig) -> None:
    lacking = {
        Capability.VOICEMAIL,
        Capability.VOICEMAIL_AUDIO,
        Capability.MUTE,
        Capability.DTMF,
    }
    assert not rig.backend.capabilities & lacking
    assert not rig.backend.capabilities_of(rig.user("1001")) & lacking


def test_nobody_is_shown_a_status_he_never_chose_here(rig: Rig) -> None:
    presences = rig.backend.presences([rig.user("1003"), rig.user("1004")])

    assert {presence.chat for presence in presences} == {ChatState.NEVER_CHOSEN}


def test_a_held_call_is_taken_back_by_the_switch_and_not_held_twice(rig: Rig) -> None:
    call = rig.talk("1001", "1002")
    rig.backend.hold(call.user, call.id, held=True)
    rig.backend.hold(call.user, call.id, held=True)
    assert rig.call("1001").state is CallState.HELD
    rig.backend.hold(call.user, call.id, held=False)
    rig.backend.hold(call.user, call.id, held=False)

    assert rig.call("1001").state is CallState.TALKING


def test_tones_are_sent_where_the_administrator_says_that_desk_phones_take_them() -> None:
    with xivo_rig(desk_phone_dtmf=True) as rig:
        call: Call = rig.talk("1001", "1002")
        rig.backend.send_dtmf(call.user, call.id, "12*#")

        assert Capability.DTMF in rig.backend.capabilities_of(call.user)
