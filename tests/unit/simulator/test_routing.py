from __future__ import annotations

import pytest

from bluetel.telephony.simulator.events import CallMissed
from bluetel.telephony.simulator.legs import LegStatus
from bluetel.telephony.simulator.sound import RATE
from bluetel.telephony.types import CallState, Forward, ForwardKind, VoicemailFolder
from tests.unit.simulator.conftest import Office

ON = ForwardKind.UNCONDITIONAL


def _forward(office: Office, extension: str, destination: str, kind: ForwardKind = ON) -> None:
    forward = Forward(enabled=True, destination=destination)
    office.pbx.set_forward(office.person(extension), kind, forward)


def _missed(office: Office) -> list[tuple[str, str]]:
    return [
        (event.person.extension, event.reason)
        for event in office.diary
        if isinstance(event, CallMissed)
    ]


def test_do_not_disturb_goes_before_any_forward(office: Office) -> None:
    _forward(office, "1002", "1003")
    office.pbx.set_do_not_disturb(office.person("1002"), enabled=True)
    leg = office.click("1001", "1002")

    assert leg.box is office.person("1002").box
    assert not office.line("1003").legs
    assert _missed(office) == [("1002", "dnd")]


def test_do_not_disturb_without_a_box_plays_an_announcement(office: Office) -> None:
    office.pbx.set_do_not_disturb(office.person("1007"), enabled=True)
    office.pbx.dial(office.line("1001"), "1007")
    leg = office.leg("1001")

    assert (leg.status, leg.mates) == (LegStatus.UP, ())
    office.pbx.advance(office.pbx.habits.prompt)
    assert leg.cause == 16


def test_an_unconditional_forward_rings_the_other_phone_only(office: Office) -> None:
    _forward(office, "1003", "1002")
    office.pbx.dial(office.line("1001"), "1003")

    assert not office.line("1003").legs
    leg = office.leg("1001")
    assert (leg.status, leg.peer_number) == (LegStatus.UP, "1002")
    assert leg.call.requested == "1003"
    assert _missed(office) == [("1003", "unconditional-forward")]


def test_a_disabled_forward_does_nothing(office: Office) -> None:
    office.pbx.set_forward(office.person("1003"), ON, Forward(destination="1002"))
    office.pbx.dial(office.line("1001"), "1003")

    assert office.line("1003").legs


def test_a_busy_phone_forwards_where_its_busy_forward_says(office: Office) -> None:
    _forward(office, "1002", "1004", ForwardKind.BUSY)
    office.talk("1002", "1003")
    office.click("1001", "1002")

    assert office.leg("1004").peer_number == "1001"


def test_an_unanswered_phone_forwards_where_its_no_answer_forward_says(office: Office) -> None:
    _forward(office, "1002", "1004", ForwardKind.NO_ANSWER)
    office.click("1001", "1002")
    office.pbx.advance(30)

    assert office.leg("1004").status is LegStatus.RINGING


def test_a_phone_that_says_busy_counts_as_busy(office: Office) -> None:
    _forward(office, "1002", "1004", ForwardKind.BUSY)
    office.click("1001", "1002")
    office.pbx.reject(office.leg("1002"), busy=True)

    assert office.leg("1004").status is LegStatus.RINGING
    assert _missed(office) == [("1002", "busy")]


def test_a_rejected_call_is_not_missed_and_not_forwarded(office: Office) -> None:
    _forward(office, "1002", "1004", ForwardKind.BUSY)
    office.click("1001", "1002")
    office.pbx.reject(office.leg("1002"))

    assert not office.line("1004").legs
    assert _missed(office) == []


def test_an_unanswered_call_comes_to_the_box(office: Office) -> None:
    leg = office.click("1001", "1002")
    office.pbx.advance(30)

    assert leg.box is office.person("1002").box


def test_a_forward_nobody_takes_comes_to_the_first_persons_box(office: Office) -> None:
    _forward(office, "1002", "1003")
    leg = office.click("1001", "1002")
    office.pbx.advance(30)

    assert leg.box is office.person("1002").box


def test_a_forward_leads_outside(office: Office) -> None:
    _forward(office, "1002", "0639981208")
    leg = office.click("1001", "1002")
    office.pbx.advance(4)

    assert leg.state is CallState.TALKING
    assert leg.peer_number == "0639981208"


def test_a_forward_leads_to_a_box_by_its_code(office: Office) -> None:
    _forward(office, "1002", "*971003")

    assert office.click("1001", "1002").box is office.person("1003").box


@pytest.mark.parametrize(
    "destination",
    [pytest.param("*98", id="own-mailbox-code"), pytest.param("junk", id="not-a-number")],
)
def test_a_forward_that_leads_nowhere_hangs_up(office: Office, destination: str) -> None:
    _forward(office, "1002", destination)
    leg = office.click("1001", "1002")
    office.pbx.advance(office.pbx.habits.prompt)

    assert not leg.is_live


def test_a_loop_of_forwards_ends_in_the_first_persons_box(office: Office) -> None:
    _forward(office, "1002", "1003")
    _forward(office, "1003", "1002")
    leg = office.click("1001", "1002")

    assert leg.call.redirections == 11
    assert leg.box is office.person("1002").box


def test_ten_redirections_are_followed(office: Office) -> None:
    for index in range(10):
        office.pbx.add_person(
            user_id=f"hop-{index}", first_name="Hop", last_name="", extensions=[f"20{index:02}"]
        )
        _forward(office, f"20{index:02}", f"20{index + 1:02}" if index < 9 else "1002")
    office.click("1001", "2000")

    assert office.leg("1002").status is LegStatus.RINGING


# --- Voice messages -----------------------------------------------------------------------------


def test_what_is_said_to_a_box_becomes_a_message(office: Office) -> None:
    office.pbx.set_do_not_disturb(office.person("1002"), enabled=True)
    leg = office.click("1001", "1002")
    office.pbx.advance(7)
    office.pbx.put_down(leg)

    box = office.person("1002").box
    assert box is not None
    (message,) = box.messages.values()
    assert (message.number, message.name, message.duration) == ("1001", "Camille Renard", 7)
    assert message.folder is VoicemailFolder.NEW


def test_who_says_nothing_leaves_no_message(office: Office) -> None:
    leg = office.click("1001", "*971002")
    office.pbx.advance(0.5)
    office.pbx.put_down(leg)

    box = office.person("1002").box
    assert box is not None
    assert not box.messages


def test_an_outside_caller_speaks_and_hangs_up_by_himself(office: Office) -> None:
    office.pbx.set_do_not_disturb(office.person("1002"), enabled=True)
    office.pbx.call_in("", name="", to="1002")
    office.pbx.advance(60)

    box = office.person("1002").box
    assert box is not None
    (message,) = box.messages.values()
    assert (message.number, message.duration) == ("", 8)
    assert not office.pbx.legs


def test_the_audio_is_a_wav_file_as_long_as_the_message(office: Office) -> None:
    box = office.person("1002").box
    assert box is not None
    message = office.pbx.leave_message(box, number="1001", name="", duration=3)
    audio = office.pbx.audio(message)

    assert (audio[:4], audio[8:12]) == (b"RIFF", b"WAVE")
    assert len(audio) == 44 + 3 * RATE * 2


def test_messages_move_and_go(office: Office) -> None:
    box = office.person("1002").box
    assert box is not None
    message = office.pbx.leave_message(box, number="1001", name="", duration=3)
    office.pbx.move_message(box, message, VoicemailFolder.OLD, who="service")
    assert message.folder is VoicemailFolder.OLD
    office.pbx.delete_message(box, message, who="service")
    assert not box.messages


# --- Codes --------------------------------------------------------------------------------------


def test_codes_dialled_on_the_handset_change_settings_without_a_call(office: Office) -> None:
    line, person = office.line("1001"), office.person("1001")
    office.pbx.dial(line, "*210639981208")
    assert person.forwards[ON] == Forward(enabled=True, destination="0639981208")
    office.pbx.dial(line, "*21")
    assert person.forwards[ON] == Forward(destination="0639981208")
    office.pbx.dial(line, "*211002")
    office.pbx.dial(line, "#21")
    assert person.forwards[ON] == Forward(destination="1002")
    office.pbx.dial(line, "*25")
    office.pbx.dial(line, "*25")
    toggled = [write.after for write in office.pbx.writes if write.what == "do_not_disturb"]
    assert toggled == ["True", "False"]
    assert not office.pbx.legs


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        pytest.param("*22", ForwardKind.NO_ANSWER, id="no-answer"),
        pytest.param("*23", ForwardKind.BUSY, id="busy"),
    ],
)
def test_each_forward_has_its_code_and_one_clears_them_all(
    office: Office, code: str, kind: ForwardKind
) -> None:
    office.pbx.dial(office.line("1001"), f"{code}1002")
    assert office.person("1001").forwards[kind].enabled
    office.pbx.dial(office.line("1001"), "*20")
    assert not office.person("1001").forwards[kind].enabled


def test_a_code_clicked_runs_when_the_own_phone_is_picked_up(office: Office) -> None:
    leg = office.pbx.place_call(office.person("1001"), "*25")
    assert not office.person("1001").do_not_disturb
    office.pbx.answer(leg)
    assert office.person("1001").do_not_disturb
    office.pbx.advance(office.pbx.habits.prompt)
    assert not office.pbx.legs


def test_every_setting_written_is_noted_with_who_and_when(office: Office) -> None:
    _forward(office, "1002", "1003")
    office.pbx.set_do_not_disturb(office.person("1002"), enabled=True, who="bluetel")

    first, second = office.pbx.writes
    assert (first.who, first.what, first.before, first.after) == (
        "handset",
        "forward.unconditional",
        "off",
        "on 1003",
    )
    assert (second.who, second.what, second.after, second.at) == (
        "bluetel",
        "do_not_disturb",
        "True",
        office.pbx.now,
    )
