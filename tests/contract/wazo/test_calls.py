"""Calls are placed and steered on a Wazo that answers as a real one did."""

from __future__ import annotations

import re
from functools import partial

import pytest

from bluetel.telephony.errors import (
    Forbidden,
    NotFound,
    NotSupported,
    PbxUnavailable,
    ProtocolError,
    Rejected,
    RejectReason,
)
from bluetel.telephony.types import (
    CallId,
    CallState,
    Capability,
    Direction,
    PbxUserId,
    TransferKind,
    UserChanged,
)
from bluetel.telephony.wazo.backend import WazoBackend
from bluetel.telephony.wazo.decode import TransferRecord
from tests.contract.wazo.conftest import ALICE, BOB, CAROL, NOBODY, SERVICE_TOKEN, config, ok
from tests.contract.wazo.player import Player, Reply, body_of, recording, reply

CALLS = "/api/calld/1.0/calls"
USER = f"/api/confd/1.1/users/{ALICE}"
HERS = CallId("1795333711.0")
HIS = CallId("1795333804.6")
TRANSFERS = "/api/calld/1.0/transfers"
TRANSFER = "e1dd29e8-83a2-404d-b34c-1cc8f43baf73"


def error(status: int, error_id: str, **details: object) -> Reply:
    return Reply(
        status,
        {"message": "m", "error_id": error_id, "details": details, "timestamp": 1.5},
        {"Content-Type": "application/json"},
    )


class TestPlacing:
    def test_it_sends_what_a_real_client_sent(self, player: Player, backend: WazoBackend) -> None:
        player.answer("POST", CALLS, reply("wazo-calld/calls_create_201_admin"))
        call = backend.place_call(ALICE, "1003")
        (sent,) = player.asked("POST", CALLS)
        assert sent.body == recording("wazo-calld/calls_create_201_admin")["request"]["body"]
        assert sent.headers["X-Auth-Token"] == SERVICE_TOKEN
        assert sent.headers["Content-Type"] == "application/json"
        assert "Wazo-Tenant" not in sent.headers
        assert (call.user, call.id, call.conversation) == (
            ALICE,
            "1795333822.10",
            "1795333822.10",
        )
        assert (call.state, call.direction, call.number) == (
            CallState.RINGING_SELF,
            Direction.OUTGOING,
            "1003",
        )

    def test_a_leg_so_new_that_it_has_no_owner_is_the_callers(
        self, player: Player, backend: WazoBackend
    ) -> None:
        record = body_of("wazo-calld/calls_create_201_admin")
        player.answer("POST", CALLS, Reply(201, record | {"user_uuid": None, "sip_call_id": None}))
        assert backend.place_call(ALICE, "1003").user == ALICE

    def test_the_users_line_is_looked_up_once(self, player: Player, backend: WazoBackend) -> None:
        player.answer("POST", CALLS, reply("wazo-calld/calls_create_201_admin"))
        backend.place_call(ALICE, "1003")
        backend.place_call(ALICE, "1003")
        assert len(player.asked("GET", USER)) == 1

    def test_a_chosen_line_is_named(self, player: Player, backend: WazoBackend) -> None:
        player.answer("POST", CALLS, reply("wazo-calld/calls_create_201_admin"))
        backend.place_call(ALICE, "1003", line="3")
        assert player.asked("POST", CALLS)[0].body["source"] == {"user": ALICE, "line_id": 3}

    @pytest.mark.parametrize("number", ["", "+33199004217", "01 99", "a", "1" * 41, "1;2"])
    def test_what_cannot_be_dialled_is_never_sent(
        self, player: Player, backend: WazoBackend, number: str
    ) -> None:
        with pytest.raises(Rejected) as caught:
            backend.place_call(ALICE, number)
        assert caught.value.reason is RejectReason.INVALID_EXTENSION
        assert player.requests == []

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (
                reply("wazo-calld/users_me_calls_create_400_bad_extension"),
                RejectReason.INVALID_EXTENSION,
            ),
            (reply("wazo-calld/calls_create_400_unknown_user"), RejectReason.UNKNOWN_USER),
            (error(400, "user-missing-main-line"), RejectReason.NO_LINE),
            (
                error(400, "call-origin-unavailable", line_id=3, source_interface="PJSIP/x"),
                RejectReason.PHONE_UNREACHABLE,
            ),
            (error(400, "call-creation"), RejectReason.OTHER),
            (reply("wazo-calld/calls_create_400_malformed_json"), RejectReason.INVALID_DATA),
        ],
        ids=["bad extension", "unknown user", "no line", "unplugged", "other", "shape D"],
    )
    def test_a_refusal_has_its_reason(
        self, player: Player, backend: WazoBackend, answer: Reply, reason: RejectReason
    ) -> None:
        player.answer("POST", CALLS, answer)
        with pytest.raises(Rejected) as caught:
            backend.place_call(ALICE, "9999")
        assert caught.value.reason is reason
        assert len(player.asked("POST", CALLS)) == 1

    def test_asterisk_down_is_unavailable_and_not_done(
        self, player: Player, backend: WazoBackend
    ) -> None:
        player.answer("POST", CALLS, reply("wazo-calld/users_me_calls_create_503_asterisk_down"))
        with pytest.raises(PbxUnavailable) as caught:
            backend.place_call(ALICE, "1002")
        assert not caught.value.maybe_done
        assert len(player.asked("POST", CALLS)) == 1

    @pytest.mark.parametrize("played", [Reply(0, hang=True), Reply(0, drop=True)])
    def test_no_answer_may_mean_that_it_rings_and_is_never_tried_again(
        self, player: Player, backend: WazoBackend, played: Reply
    ) -> None:
        player.answer("POST", CALLS, played)
        with pytest.raises(PbxUnavailable) as caught:
            backend.place_call(ALICE, "1002", timeout=0.3)
        assert caught.value.maybe_done
        assert len(player.asked("POST", CALLS)) == 1

    def test_a_look_up_that_hangs_uses_up_the_time_and_nothing_rings(
        self, player: Player, backend: WazoBackend
    ) -> None:
        player.answer("GET", USER, Reply(0, hang=True))
        with pytest.raises(PbxUnavailable) as caught:
            backend.place_call(ALICE, "1002", timeout=0.3)
        assert not caught.value.maybe_done
        assert player.asked("POST", CALLS) == []

    def test_a_sign_in_that_hangs_uses_up_the_time_and_nothing_rings(
        self, player: Player, backend: WazoBackend
    ) -> None:
        player.answer("POST", "/api/auth/0.1/token", Reply(0, hang=True))
        with pytest.raises(PbxUnavailable):
            backend.place_call(ALICE, "1002", timeout=0.3)
        assert player.asked("POST", CALLS) == []

    def test_a_user_without_a_line_is_told_so(self, player: Player, backend: WazoBackend) -> None:
        player.answer("GET", USER, ok(body_of("wazo-confd/users_get_200") | {"lines": []}))
        with pytest.raises(Rejected) as caught:
            backend.place_call(ALICE, "1003")
        assert caught.value.reason is RejectReason.NO_LINE

    def test_a_line_he_has_not_is_told_so(self, player: Player, backend: WazoBackend) -> None:
        with pytest.raises(Rejected) as caught:
            backend.place_call(ALICE, "1003", line="99")
        assert caught.value.reason is RejectReason.NO_LINE
        assert player.asked("POST", CALLS) == []

    def test_an_unknown_user_is_told_so(self, player: Player, backend: WazoBackend) -> None:
        path = f"/api/confd/1.1/users/{NOBODY}"
        player.answer("GET", path, reply("wazo-confd/users_get_404"))
        with pytest.raises(Rejected) as caught:
            backend.place_call(NOBODY, "1003")
        assert caught.value.reason is RejectReason.UNKNOWN_USER

    def test_a_user_id_that_is_no_uuid_is_asked_of_nobody(
        self, player: Player, backend: WazoBackend
    ) -> None:
        with pytest.raises(Rejected):
            backend.place_call(PbxUserId("../../etc"), "1003")
        assert player.requests == []

    def test_a_line_that_moved_meanwhile_is_read_again(
        self, player: Player, backend: WazoBackend
    ) -> None:
        created = reply("wazo-calld/calls_create_201_admin")
        player.answer("POST", CALLS, created)
        backend.place_call(ALICE, "1003")
        moved = body_of("wazo-confd/users_get_200")
        moved["lines"][0]["extensions"][0]["context"] = "moved"
        player.answer("GET", USER, ok(moved))
        player.answer(
            "POST", CALLS, reply("wazo-calld/users_me_calls_create_400_bad_extension"), created
        )
        backend.place_call(ALICE, "1003")
        assert player.asked("POST", CALLS)[-1].body["destination"]["context"] == "moved"

    def test_an_event_about_the_user_has_his_line_read_again(
        self, player: Player, backend: WazoBackend
    ) -> None:
        player.answer("POST", CALLS, reply("wazo-calld/calls_create_201_admin"))
        backend.place_call(ALICE, "1003")
        backend._people.forget(UserChanged(user=ALICE).user)
        backend.place_call(ALICE, "1003")
        assert len(player.asked("GET", USER)) == 2

    def test_an_answer_nobody_can_read_is_a_protocol_error(
        self, player: Player, backend: WazoBackend
    ) -> None:
        player.answer("POST", CALLS, Reply(201, b"<html>"))
        with pytest.raises(ProtocolError):
            backend.place_call(ALICE, "1003")

    def test_a_configured_tenant_goes_with_every_request(self, player: Player) -> None:
        player.answer("POST", CALLS, reply("wazo-calld/calls_create_201_admin"))
        backend = WazoBackend(config(player, tenant="e1c7bd1e-e1c6-4686-93ef-5f07be49e664"))
        try:
            backend.place_call(ALICE, "1003")
        finally:
            backend.close()
        sent = [*player.asked("GET"), *player.asked("POST", CALLS)]
        assert {request.headers["Wazo-Tenant"] for request in sent} == {
            "e1c7bd1e-e1c6-4686-93ef-5f07be49e664"
        }


class TestListing:
    def test_everybodys_calls_or_one_users(self, player: Player, backend: WazoBackend) -> None:
        player.answer("GET", CALLS, reply("wazo-calld/calls_list_200_admin"))
        assert {call.user: call.state for call in backend.calls()} == {
            ALICE: CallState.TALKING,
            BOB: CallState.TALKING,
        }
        (hers,) = backend.calls(ALICE)
        assert (hers.id, hers.number, hers.name) == (HERS, "1002", "Bob Durand")

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            (
                "calls_list_200_admin_ringing",
                {ALICE: CallState.RINGING_PEER, CAROL: CallState.RINGING_SELF},
            ),
            ("calls_list_200_admin_on_hold", {ALICE: CallState.TALKING, CAROL: CallState.HELD}),
            (
                "calls_list_200_admin_after_transfer",
                {ALICE: CallState.TALKING, CAROL: CallState.TALKING},
            ),
            ("users_me_calls_list_200_empty", {}),
            ("users_me_calls_list_200_ringing", {ALICE: CallState.RINGING_PEER}),
        ],
    )
    def test_each_recorded_list(
        self,
        player: Player,
        backend: WazoBackend,
        name: str,
        expected: dict[PbxUserId, CallState],
    ) -> None:
        player.answer("GET", CALLS, reply(f"wazo-calld/{name}"))
        assert {call.user: call.state for call in backend.calls()} == expected

    def test_asterisk_down(self, player: Player, backend: WazoBackend) -> None:
        player.answer("GET", CALLS, reply("wazo-calld/users_me_calls_list_503_asterisk_down"))
        with pytest.raises(PbxUnavailable) as caught:
            backend.calls(timeout=5)
        assert not caught.value.maybe_done
        assert "asterisk-ari-unreachable" in str(caught.value)

    def test_a_missing_right(self, player: Player, backend: WazoBackend) -> None:
        player.answer("GET", CALLS, reply("wazo-calld/calls_list_401_user"))
        with pytest.raises(Forbidden) as caught:
            backend.calls()
        assert caught.value.right == "calld.calls.read"


@pytest.fixture
def talking(player: Player) -> None:
    """Alice talks to Bob."""
    player.answer("GET", f"{CALLS}/{HERS}", reply("wazo-calld/calls_get_200_admin"))


@pytest.mark.usefixtures("talking")
class TestSteering:
    def test_hanging_up(self, player: Player, backend: WazoBackend) -> None:
        player.answer("DELETE", f"{CALLS}/{HERS}", reply("wazo-calld/calls_delete_204_admin"))
        backend.hang_up(ALICE, HERS)
        assert len(player.asked("DELETE", CALLS)) == 1

    def test_muting_sends_a_body_as_newer_wazos_demand(
        self, player: Player, backend: WazoBackend
    ) -> None:
        for action, name in (("start", "mute"), ("stop", "unmute")):
            player.answer(
                "PUT",
                f"{CALLS}/{HERS}/mute/{action}",
                reply(f"wazo-calld/users_me_calls_{name}_204"),
            )
        backend.mute(ALICE, HERS, muted=True)
        backend.mute(ALICE, HERS, muted=False)
        assert [request.body for request in player.asked("PUT")] == [{}, {}]

    def test_tones(self, player: Player, backend: WazoBackend) -> None:
        player.answer("PUT", f"{CALLS}/{HERS}/dtmf", reply("wazo-calld/users_me_calls_dtmf_204"))
        backend.send_dtmf(ALICE, HERS, "12#*")
        assert player.asked("PUT")[0].query == {"digits": "12#*"}

    @pytest.mark.parametrize("digits", ["", "1a", "1 2", "+"])
    def test_what_is_no_tone_is_never_sent(
        self, player: Player, backend: WazoBackend, digits: str
    ) -> None:
        with pytest.raises(Rejected):
            backend.send_dtmf(ALICE, HERS, digits)
        assert player.requests == []

    @pytest.mark.parametrize("action", ["hold/start", "hold/stop", "answer"])
    def test_a_phone_that_cannot_says_so(
        self, player: Player, backend: WazoBackend, action: str
    ) -> None:
        player.answer("PUT", f"{CALLS}/{HERS}/{action}", error(503, "phoned-error"))
        commands = {
            "answer": partial(backend.answer, ALICE, HERS),
            "hold/start": partial(backend.hold, ALICE, HERS, held=True),
            "hold/stop": partial(backend.hold, ALICE, HERS, held=False),
        }
        with pytest.raises(NotSupported) as caught:
            commands[action]()
        expected = Capability.ANSWER if action == "answer" else Capability.HOLD
        assert caught.value.capability is expected

    def test_a_phone_that_can(self, player: Player, backend: WazoBackend) -> None:
        for action in ("hold/start", "hold/stop", "answer"):
            player.answer("PUT", f"{CALLS}/{HERS}/{action}", Reply(204))
        backend.hold(ALICE, HERS, held=True)
        backend.hold(ALICE, HERS, held=False)
        backend.answer(ALICE, HERS)
        assert [r.path.rsplit(HERS)[1] for r in player.asked("PUT")] == [
            "/hold/start",
            "/hold/stop",
            "/answer",
        ]

    def test_any_other_failure_of_holding_is_that_failure(
        self, player: Player, backend: WazoBackend
    ) -> None:
        player.answer(
            "PUT",
            f"{CALLS}/{HERS}/hold/start",
            reply("wazo-calld/users_me_calls_hold_start_500_without_phoned"),
        )
        with pytest.raises(PbxUnavailable):
            backend.hold(ALICE, HERS, held=True)

    def test_somebody_elses_call_is_not_found_and_not_touched(
        self, player: Player, backend: WazoBackend
    ) -> None:
        with pytest.raises(NotFound):
            backend.hang_up(BOB, HERS)
        assert player.asked("DELETE", CALLS) == []

    def test_a_call_that_has_ended_is_not_found(self, player: Player, backend: WazoBackend) -> None:
        player.answer("GET", f"{CALLS}/{HERS}", reply("wazo-calld/calls_get_404"))
        with pytest.raises(NotFound):
            backend.hang_up(ALICE, HERS)

    @pytest.mark.parametrize("call", ["", "..", "."])
    def test_an_id_that_is_no_id_goes_nowhere(
        self, player: Player, backend: WazoBackend, call: str
    ) -> None:
        with pytest.raises(ProtocolError):
            backend.hang_up(ALICE, CallId(call))
        assert player.asked("DELETE", CALLS) == []

    def test_an_id_cannot_leave_its_place_in_the_path(
        self, player: Player, backend: WazoBackend
    ) -> None:
        with pytest.raises(NotFound):
            backend.hang_up(ALICE, CallId("../transfers/x?y#z"))
        assert re.search(r"/calls/[^/]+$", player.asked("GET")[-1].path)


@pytest.fixture
def consulting(player: Player) -> None:
    """Bob talks to Alice and may transfer her."""
    (his,) = body_of("wazo-calld/users_me_calls_list_200_incoming_talking")["items"]
    player.answer("GET", f"{CALLS}/{HIS}", ok(his))
    bob = body_of("wazo-confd/users_list_200_by_email")["items"][0]
    player.answer("GET", f"/api/confd/1.1/users/{BOB}", ok(bob))
    player.answer("POST", TRANSFERS, reply("wazo-calld/users_me_transfers_create_201_attended"))
    player.answer("GET", f"{TRANSFERS}/{TRANSFER}", reply("wazo-calld/transfers_get_200"))
    done = reply("wazo-calld/users_me_transfers_complete_204")
    player.answer("PUT", f"{TRANSFERS}/{TRANSFER}/complete", done)
    player.answer("DELETE", f"{TRANSFERS}/{TRANSFER}", Reply(204))


@pytest.mark.usefixtures("consulting")
class TestTransfers:
    def test_an_attended_transfer_names_both_calls_and_the_context(
        self, player: Player, backend: WazoBackend
    ) -> None:
        transfer = backend.transfer(BOB, HIS, "1003", kind=TransferKind.ATTENDED)
        assert transfer is not None
        assert (transfer.id, transfer.call) == (TRANSFER, HIS)
        (sent,) = player.asked("POST", TRANSFERS)
        assert sent.body == {
            "transferred_call": "1795333803.5",
            "initiator_call": HIS,
            "context": "ctx-acme-internal-bb82e352-4a5a-42e3-b0cd-bb0675d2296f",
            "exten": "1003",
            "flow": "attended",
        }

    def test_what_is_remembered_of_transfers_is_bounded(
        self, backend: WazoBackend, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bluetel.telephony.wazo.call_control.MOST_TRANSFERS", 2)
        for number in range(4):
            record = TransferRecord(
                id=str(number), initiator_call=CallId(str(number)), status="starting"
            )
            backend._calls.learn(record)
        assert list(backend._calls._transfers) == ["2", "3"]

    def test_a_blind_transfer_is_done_with_the_request(
        self, player: Player, backend: WazoBackend
    ) -> None:
        assert backend.transfer(BOB, HIS, "1003", kind=TransferKind.BLIND) is None
        assert player.asked("POST", TRANSFERS)[0].body["flow"] == "blind"

    def test_it_is_completed_or_cancelled_by_the_call(
        self, player: Player, backend: WazoBackend
    ) -> None:
        backend.transfer(BOB, HIS, "1003", kind=TransferKind.ATTENDED)
        backend.complete_transfer(BOB, HIS)
        backend.transfer(BOB, HIS, "1003", kind=TransferKind.ATTENDED)
        backend.cancel_transfer(BOB, HIS)
        assert len(player.asked("PUT", TRANSFERS)) == 1
        assert len(player.asked("DELETE", TRANSFERS)) == 1

    def test_a_transfer_begun_by_another_process_is_found_by_its_bridge(
        self, player: Player, backend: WazoBackend
    ) -> None:
        (his,) = body_of("wazo-calld/users_me_calls_list_200_incoming_talking")["items"]
        player.answer("GET", f"{CALLS}/{HIS}", ok(his | {"bridges": [TRANSFER]}))
        backend.complete_transfer(BOB, HIS)
        assert len(player.asked("PUT", TRANSFERS)) == 1

    def test_a_bridge_of_somebody_elses_transfer_is_no_transfer_of_his(
        self, player: Player, backend: WazoBackend
    ) -> None:
        (his,) = body_of("wazo-calld/users_me_calls_list_200_incoming_talking")["items"]
        player.answer("GET", f"{CALLS}/{HIS}", ok(his | {"bridges": [TRANSFER]}))
        record = body_of("wazo-calld/transfers_get_200") | {"initiator_call": "other"}
        player.answer("GET", f"{TRANSFERS}/{TRANSFER}", ok(record))
        with pytest.raises(NotFound):
            backend.complete_transfer(BOB, HIS)

    def test_without_a_transfer_there_is_none_to_complete(self, backend: WazoBackend) -> None:
        with pytest.raises(NotFound):
            backend.complete_transfer(BOB, HIS)

    def test_one_that_is_over_is_none(self, player: Player, backend: WazoBackend) -> None:
        backend.transfer(BOB, HIS, "1003", kind=TransferKind.ATTENDED)
        record = body_of("wazo-calld/transfers_get_200") | {"status": "ended"}
        player.answer("GET", f"{TRANSFERS}/{TRANSFER}", ok(record))
        with pytest.raises(NotFound):
            backend.cancel_transfer(BOB, HIS)

    @pytest.mark.parametrize("mates", [{}, {"a": None, "b": None}], ids=["nobody", "conference"])
    def test_it_needs_exactly_one_other(
        self, player: Player, backend: WazoBackend, mates: dict[str, None]
    ) -> None:
        (his,) = body_of("wazo-calld/users_me_calls_list_200_incoming_talking")["items"]
        player.answer("GET", f"{CALLS}/{HIS}", ok(his | {"talking_to": mates}))
        with pytest.raises(Rejected) as caught:
            backend.transfer(BOB, HIS, "1003", kind=TransferKind.BLIND)
        assert caught.value.reason is RejectReason.CONFLICT
        assert player.asked("POST", TRANSFERS) == []

    def test_a_second_one_at_once_is_a_conflict(self, player: Player, backend: WazoBackend) -> None:
        player.answer("POST", TRANSFERS, error(409, "transfer-already-started"))
        with pytest.raises(Rejected) as caught:
            backend.transfer(BOB, HIS, "1003", kind=TransferKind.ATTENDED)
        assert caught.value.reason is RejectReason.CONFLICT

    def test_an_undiallable_target_is_never_sent(
        self, player: Player, backend: WazoBackend
    ) -> None:
        with pytest.raises(Rejected):
            backend.transfer(BOB, HIS, "+33 1", kind=TransferKind.BLIND)
        assert player.asked("POST", TRANSFERS) == []

    def test_a_user_without_a_line_cannot_transfer(
        self, player: Player, backend: WazoBackend
    ) -> None:
        bob = body_of("wazo-confd/users_list_200_by_email")["items"][0] | {"lines": []}
        player.answer("GET", f"/api/confd/1.1/users/{BOB}", ok(bob))
        with pytest.raises(Rejected) as caught:
            backend.transfer(BOB, HIS, "1003", kind=TransferKind.BLIND)
        assert caught.value.reason is RejectReason.NO_LINE
