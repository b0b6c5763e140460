"""Tokens: signed in once, renewed in time, deleted always, and what a 401 leads to."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

from bluetel.telephony.errors import (
    AuthenticationFailed,
    Forbidden,
    PbxUnavailable,
    ProtocolError,
    Rejected,
    RejectReason,
    TokenExpired,
)
from bluetel.telephony.types import CallId
from bluetel.telephony.wazo.backend import Clockwork, WazoBackend
from tests.contract.wazo.conftest import (
    ALICE,
    PASSWORD,
    SERVICE_TOKEN,
    TENANT,
    config,
    ok,
)
from tests.contract.wazo.player import Player, Reply, body_of, recording, reply
from tests.unit.telephony.wazo.mutations import renamed

TOKEN = "/api/auth/0.1/token"
CALLS = "/api/calld/1.0/calls"
CONFD = "/api/confd/1.1/users"
EMPTY = reply("wazo-calld/users_me_calls_list_200_empty")
EXPIRED = reply("wazo-calld/users_me_calls_401_revoked")
ALICES_TOKEN = body_of("wazo-auth/token_create_200_user_alice")["data"]["token"]
SERVICE = reply("wazo-auth/token_create_200_external_api")


def service_token(number: int) -> Reply:
    body = body_of("wazo-auth/token_create_200_external_api")
    body["data"]["token"] = f"00000000-0000-4000-8000-{number:012}"
    return ok(body)


def is_deleted(player: Player, token: str) -> bool:
    return bool(player.asked("DELETE", f"{TOKEN}/{token}"))


class TestServiceAccount:
    def test_it_signs_in_as_a_real_client_does(self, player: Player, backend: WazoBackend) -> None:
        player.answer("GET", CALLS, EMPTY)
        backend.calls()
        (sent,) = player.asked("POST", TOKEN)
        known = recording("wazo-auth/token_create_200_external_api")["request"]
        assert sent.body == known["body"]
        assert sent.headers["Authorization"].startswith("Basic ")

    def test_closing_deletes_its_token(self, player: Player, backend: WazoBackend) -> None:
        player.answer("GET", CALLS, EMPTY)
        backend.calls()
        backend.close()
        assert is_deleted(player, SERVICE_TOKEN)

    def test_a_closed_backend_says_so(self, player: Player, backend: WazoBackend) -> None:
        backend.close()
        with pytest.raises(PbxUnavailable, match="closed"):
            backend.calls()
        assert player.requests == []

    def test_a_wrong_password(self, player: Player, backend: WazoBackend) -> None:
        player.answer("POST", TOKEN, reply("wazo-auth/token_create_401_wrong_password"))
        with pytest.raises(AuthenticationFailed) as caught:
            backend.calls()
        assert not isinstance(caught.value, TokenExpired)

    def test_too_many_sessions(self, player: Player, backend: WazoBackend) -> None:
        player.answer("POST", TOKEN, reply("wazo-auth/token_create_429_session_limit"))
        with pytest.raises(Rejected) as caught:
            backend.calls()
        assert caught.value.reason is RejectReason.TOO_MANY_SESSIONS

    def test_auth_down(self, player: Player, backend: WazoBackend) -> None:
        player.answer("GET", CALLS, reply("wazo-calld/users_me_calls_503_auth_down"))
        with pytest.raises(PbxUnavailable, match="authentication-server-unreachable"):
            backend.calls()

    def test_many_threads_at_once_sign_in_once(self, player: Player, backend: WazoBackend) -> None:
        player.answer("GET", CALLS, EMPTY)
        with ThreadPoolExecutor(12) as threads:
            list(threads.map(lambda _: backend.calls(), range(40)))
        assert len(player.asked("POST", TOKEN)) == 1

    def test_it_is_renewed_in_time_and_the_old_token_deleted(self, player: Player) -> None:
        player.answer("POST", TOKEN, service_token(1), service_token(2))
        player.answer("GET", CALLS, EMPTY)
        now = [0.0]
        backend = WazoBackend(config(player), clockwork=Clockwork(clock=lambda: now[0]))
        backend.calls()
        now[0] = 0.76 * 7200
        backend.calls()
        backend.close()
        assert len(player.asked("POST", TOKEN)) == 2
        assert is_deleted(player, "00000000-0000-4000-8000-000000000001")
        assert is_deleted(player, "00000000-0000-4000-8000-000000000002")


class TestRefusals:
    def test_an_expired_token_is_replaced_and_the_request_replayed_once(
        self, player: Player, backend: WazoBackend
    ) -> None:
        player.answer("POST", TOKEN, service_token(1), service_token(2))
        player.answer("GET", CALLS, EXPIRED, EMPTY)
        assert backend.calls() == []
        assert [r.headers["X-Auth-Token"][-1] for r in player.asked("GET", CALLS)] == ["1", "2"]

    def test_a_command_is_replayed_too_for_a_401_was_never_carried_out(
        self, player: Player, backend: WazoBackend
    ) -> None:
        player.answer("POST", TOKEN, service_token(1), service_token(2))
        player.answer("POST", CALLS, EXPIRED, reply("wazo-calld/calls_create_201_admin"))
        backend.place_call(ALICE, "1003")
        assert len(player.asked("POST", CALLS)) == 2

    def test_a_new_token_that_is_refused_as_well_ends_it(
        self, player: Player, backend: WazoBackend
    ) -> None:
        player.answer("POST", TOKEN, service_token(1), service_token(2), service_token(3))
        player.answer("GET", CALLS, EXPIRED)
        with pytest.raises(TokenExpired):
            backend.calls()
        assert len(player.asked("GET", CALLS)) == 2

    def test_a_missing_right_is_not_retried(self, player: Player, backend: WazoBackend) -> None:
        player.answer("GET", CALLS, reply("wazo-calld/calls_list_401_user"))
        with pytest.raises(Forbidden):
            backend.calls()
        assert len(player.asked("GET", CALLS)) == 1
        assert len(player.asked("POST", TOKEN)) == 1

    def test_where_confd_does_not_tell_auth_is_asked_and_the_right_is_missing(
        self, player: Player, backend: WazoBackend
    ) -> None:
        player.answer("HEAD", f"{TOKEN}/{SERVICE_TOKEN}", reply("wazo-auth/token_head_204"))
        player.answer("GET", f"{CONFD}/{ALICE}", reply("wazo-confd/users_get_401_other"))
        with pytest.raises(Forbidden) as caught:
            backend.user(ALICE)
        assert caught.value.right.startswith("confd.users.")
        assert len(player.asked("POST", TOKEN)) == 1

    def test_where_confd_does_not_tell_auth_is_asked_and_the_token_is_dead(
        self, player: Player, backend: WazoBackend
    ) -> None:
        player.answer("POST", TOKEN, SERVICE, service_token(2))
        player.answer("HEAD", f"{TOKEN}/{SERVICE_TOKEN}", reply("wazo-auth/token_head_404_unknown"))
        player.answer(
            "GET",
            f"{CONFD}/{ALICE}",
            reply("wazo-confd/users_list_401_revoked_token"),
            reply("wazo-confd/users_get_200"),
        )
        assert backend.user(ALICE).extension == "1001"

    def test_where_auth_cannot_be_asked_the_pbx_is_unavailable(
        self, player: Player, backend: WazoBackend
    ) -> None:
        player.answer("HEAD", f"{TOKEN}/{SERVICE_TOKEN}", Reply(503))
        player.answer("GET", f"{CONFD}/{ALICE}", reply("wazo-confd/users_list_401_revoked_token"))
        with pytest.raises(PbxUnavailable):
            backend.user(ALICE)

    def test_a_storm_of_401_signs_in_once(self, player: Player, backend: WazoBackend) -> None:
        player.answer("POST", TOKEN, service_token(1), service_token(2), service_token(3))
        player.answer("GET", CALLS, EMPTY)
        backend.calls()
        player.refused_tokens["00000000-0000-4000-8000-000000000001"] = EXPIRED
        with ThreadPoolExecutor(10) as threads:
            assert list(threads.map(lambda _: backend.calls(), range(40))) == [[]] * 40
        assert len(player.asked("POST", TOKEN)) == 2


class TestAuthenticate:
    @pytest.fixture(autouse=True)
    def _alices_login(self, player: Player, backend: WazoBackend) -> None:
        player.answer("GET", CALLS, EMPTY)
        backend.calls()
        player.answer("POST", TOKEN, reply("wazo-auth/token_create_200_user_alice"))
        player.answer("DELETE", f"{TOKEN}/{ALICES_TOKEN}", reply("wazo-auth/token_delete_200"))

    def test_it_says_who_and_leaves_no_session_behind(
        self, player: Player, backend: WazoBackend
    ) -> None:
        identity = backend.authenticate("alice", "alice-secret")
        assert (identity.user, identity.login) == (ALICE, "alice")
        assert is_deleted(player, ALICES_TOKEN)

    def test_the_token_would_not_live_long_anyway(
        self, player: Player, backend: WazoBackend
    ) -> None:
        backend.authenticate("alice", "alice-secret")
        assert player.asked("POST", TOKEN)[-1].body["expiration"] <= 60

    def test_an_accent_in_the_password(self, player: Player, backend: WazoBackend) -> None:
        backend.authenticate("alice", "é€")
        assert player.asked("POST", TOKEN)[-1].headers["Authorization"] == (
            "Basic YWxpY2U6w6nigqw="
        )

    @pytest.mark.parametrize(
        "name", ["wrong_password", "unknown_user", "disabled_user", "no_credentials"]
    )
    def test_every_refused_login(self, player: Player, backend: WazoBackend, name: str) -> None:
        player.answer("POST", TOKEN, reply(f"wazo-auth/token_create_401_{name}"))
        with pytest.raises(AuthenticationFailed):
            backend.authenticate("alice", "nope")

    @pytest.mark.parametrize(
        ("login", "password"), [("", "x"), ("alice", ""), ("a:b", "x")], ids=str
    )
    def test_what_cannot_be_a_login_is_never_sent(
        self, player: Player, backend: WazoBackend, login: str, password: str
    ) -> None:
        before = len(player.asked("POST", TOKEN))
        with pytest.raises(AuthenticationFailed):
            backend.authenticate(login, password)
        assert len(player.asked("POST", TOKEN)) == before

    @pytest.mark.parametrize("field", ["metadata", "utc_expires_at", "utc_issued_at"])
    def test_an_answer_that_cannot_be_read_has_its_token_deleted_all_the_same(
        self, player: Player, backend: WazoBackend, field: str
    ) -> None:
        body = renamed(body_of("wazo-auth/token_create_200_user_alice"), ("data", field))
        player.answer("POST", TOKEN, ok(body))
        with pytest.raises(ProtocolError):
            backend.authenticate("alice", "alice-secret")
        assert is_deleted(player, ALICES_TOKEN)

    def test_an_answer_without_a_token_leaves_nothing_to_delete(
        self, player: Player, backend: WazoBackend
    ) -> None:
        player.answer("POST", TOKEN, ok({"data": {}}))
        with pytest.raises(ProtocolError):
            backend.authenticate("alice", "alice-secret")
        assert player.asked("DELETE") == []

    def test_an_account_that_is_nobodys_is_no_person(
        self, player: Player, backend: WazoBackend
    ) -> None:
        player.answer("POST", TOKEN, service_token(7))
        with pytest.raises(AuthenticationFailed):
            backend.authenticate("robot", "x")
        assert is_deleted(player, "00000000-0000-4000-8000-000000000007")

    def test_a_person_of_another_tenant_is_turned_away(
        self, player: Player, backend: WazoBackend
    ) -> None:
        body = body_of("wazo-auth/token_create_200_user_alice")
        body["data"]["metadata"]["tenant_uuid"] = "e94c69fb-3e60-4057-ab74-94be6f523734"
        player.answer("POST", TOKEN, ok(body))
        with pytest.raises(AuthenticationFailed):
            backend.authenticate("alice", "alice-secret")
        assert is_deleted(player, ALICES_TOKEN)

    def test_with_a_configured_tenant_that_one_counts(self, player: Player) -> None:
        with_tenant = WazoBackend(config(player, tenant=TENANT))
        assert with_tenant.authenticate("alice", "alice-secret").user == ALICE
        with_tenant.close()
        elsewhere = WazoBackend(config(player, tenant="e94c69fb-3e60-4057-ab74-94be6f523734"))
        with pytest.raises(AuthenticationFailed):
            elsewhere.authenticate("alice", "alice-secret")
        elsewhere.close()

    def test_a_deletion_that_fails_once_is_tried_again(
        self, player: Player, backend: WazoBackend
    ) -> None:
        path = f"{TOKEN}/{ALICES_TOKEN}"
        player.answer("DELETE", path, Reply(0, drop=True), reply("wazo-auth/token_delete_200"))
        backend.authenticate("alice", "alice-secret")
        assert len(player.asked("DELETE", path)) == 2

    def test_one_that_never_succeeds_is_logged_without_the_token(
        self, player: Player, backend: WazoBackend, caplog: pytest.LogCaptureFixture
    ) -> None:
        player.answer("DELETE", f"{TOKEN}/{ALICES_TOKEN}", Reply(500))
        backend.authenticate("alice", "alice-secret")
        assert "could not be deleted" in caplog.text
        assert ALICES_TOKEN not in caplog.text


class TestCheck:
    CHECK = f"{TOKEN}/{SERVICE_TOKEN}/scopes/check"

    def test_all_is_well(self, player: Player, backend: WazoBackend) -> None:
        player.answer("POST", self.CHECK, ok({"scopes": {}}))
        backend.check()
        asked = player.asked("POST", self.CHECK)[0].body["scopes"]
        player.answer("POST", self.CHECK, ok({"scopes": dict.fromkeys(asked, True)}))
        assert backend.check() == {}

    def test_a_missing_right_says_what_stops_working(
        self, player: Player, backend: WazoBackend
    ) -> None:
        player.answer("POST", self.CHECK, ok({"scopes": {}}))
        backend.check()
        asked = player.asked("POST", self.CHECK)[0].body["scopes"]
        granted = dict.fromkeys(asked, True) | {"calld.calls.create": False}
        player.answer("POST", self.CHECK, ok({"scopes": granted}))
        assert backend.check() == {"calld.calls.create": "no call can be placed"}

    def test_rights_are_asked_with_their_wildcards_filled_in_and_told_with_them(
        self, player: Player, backend: WazoBackend
    ) -> None:
        player.answer("POST", self.CHECK, ok({"scopes": {}}))
        missing = backend.check()
        assert "calld.calls.*.delete" in missing
        assert not any("*" in scope for scope in player.asked("POST", self.CHECK)[0].body["scopes"])

    def test_a_configured_tenant_is_checked_too(self, player: Player) -> None:
        player.answer("POST", self.CHECK, ok({"scopes": {}}))
        backend = WazoBackend(config(player, tenant=TENANT))
        missing = backend.check()
        backend.close()
        assert "auth.tenants.read" in missing
        assert player.asked("POST", self.CHECK)[0].body["tenant_uuid"] == TENANT

    def test_the_recorded_answer_is_read(self, player: Player, backend: WazoBackend) -> None:
        player.answer("POST", self.CHECK, reply("wazo-auth/token_scopes_check_200"))
        missing = backend.check()
        assert "websocketd" not in missing
        assert "confd.users.read" in missing

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (reply("wazo-auth/token_get_404_unknown"), TokenExpired),
            (reply("wazo-auth/token_get_403_wrong_tenant"), Forbidden),
            (Reply(503), PbxUnavailable),
        ],
        ids=["dead token", "wrong tenant", "auth down"],
    )
    def test_a_check_that_fails(
        self, player: Player, backend: WazoBackend, answer: Reply, error: type[Exception]
    ) -> None:
        player.answer("POST", self.CHECK, answer)
        with pytest.raises(error):
            backend.check()

    def test_the_version(self, player: Player, backend: WazoBackend) -> None:
        player.answer("GET", "/api/confd/1.1/infos", reply("wazo-confd/infos_get_200"))
        assert backend.version() == "26.08"

    @pytest.mark.parametrize(
        "answer", [reply("wazo-confd/unknown_route_404"), ok({})], ids=["no route", "no version"]
    )
    def test_no_version(self, player: Player, backend: WazoBackend, answer: Reply) -> None:
        player.answer("GET", "/api/confd/1.1/infos", answer)
        assert backend.version() == ""


def test_no_secret_is_ever_logged(
    player: Player, backend: WazoBackend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    player.answer("GET", CALLS, EXPIRED, EMPTY)
    player.answer("POST", CALLS, Reply(0, drop=True))
    player.answer("HEAD", f"{TOKEN}/{SERVICE_TOKEN}", reply("wazo-auth/token_head_204"))
    player.answer("PUT", f"{CALLS}/1795333711.0/dtmf", Reply(204))
    player.answer("GET", f"{CALLS}/1795333711.0", reply("wazo-calld/calls_get_200_admin"))
    backend.calls()
    with pytest.raises(PbxUnavailable):
        backend.place_call(ALICE, "0639980001")
    backend.send_dtmf(ALICE, CallId("1795333711.0"), "987654")
    player.answer("GET", f"{CONFD}/{ALICE}", reply("wazo-confd/users_get_401_other"))
    with pytest.raises(Forbidden) as caught:
        backend.user(ALICE)
    backend.close()
    assert "connectionpool" in {record.module for record in caplog.records}
    for secret in (SERVICE_TOKEN, PASSWORD, "0639980001", "987654", "Basic "):
        assert secret not in caplog.text
        assert secret not in str(caught.value)
        assert secret not in repr(backend)
