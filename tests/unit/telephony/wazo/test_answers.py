"""Every recorded error of every service has its place in the error tree, and gives nothing away."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bluetel.telephony.errors import (
    Forbidden,
    NotFound,
    PbxUnavailable,
    ProtocolError,
    Rejected,
    RejectReason,
    TelephonyError,
)
from bluetel.telephony.http import Answer
from bluetel.telephony.wazo.answers import (
    Problem,
    Refusal,
    failure,
    forbidden,
    problem,
    refusal,
)
from tests.unit.telephony.wazo.transcripts import RECORDINGS

_HTTP = sorted(
    path for path in RECORDINGS.glob("wazo-*/*.json") if "websocketd" not in path.parts[-2]
)


def answer_of(path: Path) -> Answer:
    response = json.loads(path.read_text())["response"]
    return answer(response["status"], response["body"])


def answer(status: int, body: Any, **more: Any) -> Answer:
    if isinstance(body, dict) and set(body) == {"_text"}:
        return Answer(status=status, body=body["_text"].encode(), media_type="text/html", **more)
    return Answer(status=status, body=b"" if body is None else json.dumps(body).encode(), **more)


def named(name: str) -> Answer:
    return answer_of(RECORDINGS / f"{name}.json")


ERRORS = [path for path in _HTTP if answer_of(path).status >= 400]
EXPECTED: dict[int, type[TelephonyError]] = {
    400: Rejected,
    403: Forbidden,
    404: NotFound,
    405: ProtocolError,
    409: Rejected,
    429: PbxUnavailable,
    500: PbxUnavailable,
    503: PbxUnavailable,
}


@pytest.mark.parametrize("path", ERRORS, ids=lambda path: f"{path.parts[-2]}/{path.stem}")
class TestEveryRecordedError:
    def test_it_has_its_place(self, path: Path) -> None:
        read = answer_of(path)
        if read.status == 401:
            assert refusal(read) in Refusal
        else:
            assert type(failure(read, what="x", is_command=True)) is EXPECTED[read.status]

    def test_its_text_holds_no_token_and_no_number(self, path: Path) -> None:
        read = answer_of(path)
        texts = [
            str(failure(read, what="x", is_command=True)),
            str(forbidden(read, what="x")),
            repr(read),
        ]
        # A right may name a user's uuid; a token stands alone.
        for text in texts:
            assert not re.search(r"(?<![.\w-])[0-9a-f]{8}-[0-9a-f]{4}-", text), text
            assert "9999" not in text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("wazo-auth/users_list_401_expired_token", Refusal.EXPIRED),
        ("wazo-auth/users_list_401_missing_acl", Refusal.FORBIDDEN),
        ("wazo-auth/users_get_401_unknown_tenant_header", Refusal.FORBIDDEN),
        ("wazo-calld/users_me_calls_401_revoked", Refusal.EXPIRED),
        ("wazo-calld/calls_list_401_user", Refusal.FORBIDDEN),
        ("wazo-chatd/presences_list_401_other_tenant", Refusal.FORBIDDEN),
        ("wazo-call-logd/cdr_list_401_no_token", Refusal.EXPIRED),
        ("wazo-confd/users_list_401_revoked_token", Refusal.UNCLEAR),
        ("wazo-confd/users_list_401_user_token", Refusal.UNCLEAR),
        ("wazo-dird/directories_lookup_401_revoked", Refusal.UNCLEAR),
    ],
)
def test_a_401_is_sorted_as_far_as_its_body_tells(name: str, expected: Refusal) -> None:
    assert refusal(named(name)) is expected


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("wazo-calld/calls_list_401_user", "calld.calls.read"),
        ("wazo-confd/users_list_401_user_token", "confd.users.read"),
        ("wazo-dird/directories_lookup_401_revoked", ""),
    ],
)
def test_a_missing_right_is_named_where_the_answer_names_it(name: str, right: str) -> None:
    assert forbidden(named(name), what="x").right == right


@pytest.mark.parametrize(
    ("error_id", "reason"),
    [
        ("invalid-extension", RejectReason.INVALID_EXTENSION),
        ("user-missing-main-line", RejectReason.NO_LINE),
        ("invalid-user-line", RejectReason.NO_LINE),
        ("call-origin-unavailable", RejectReason.PHONE_UNREACHABLE),
        ("invalid-user", RejectReason.UNKNOWN_USER),
        ("invalid-data", RejectReason.INVALID_DATA),
        ("call-creation", RejectReason.OTHER),
        ("transfer-creation-error", RejectReason.OTHER),
        ("transfer-completion-error", RejectReason.CONFLICT),
        ("something-new", RejectReason.INVALID_DATA),
    ],
)
def test_a_400_gives_its_reason(error_id: str, reason: RejectReason) -> None:
    body = {"message": "m", "error_id": error_id, "details": {}, "timestamp": 1.0}
    error = failure(answer(400, body), what="x", is_command=True)
    assert isinstance(error, Rejected)
    assert error.reason is reason


def test_a_409_is_a_conflict() -> None:
    error = failure(
        answer(409, {"error_id": "transfer-already-started"}), what="x", is_command=True
    )
    assert isinstance(error, Rejected)
    assert error.reason is RejectReason.CONFLICT


@pytest.mark.parametrize(
    ("status", "is_command", "maybe_done"),
    [
        (500, True, True),
        (502, True, True),
        (504, True, True),
        (503, True, False),
        (500, False, False),
    ],
)
def test_a_command_may_have_been_done_unless_the_service_says_it_cannot(
    status: int, *, is_command: bool, maybe_done: bool
) -> None:
    error = failure(answer(status, None), what="x", is_command=is_command)
    assert isinstance(error, PbxUnavailable)
    assert error.maybe_done is maybe_done


def test_when_to_come_back_is_handed_on() -> None:
    error = failure(answer(503, None, retry_after=7.0), what="x", is_command=False)
    assert isinstance(error, PbxUnavailable)
    assert error.retry_after == 7.0


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<html>", id="HTML"),
        pytest.param(b"[" * 100_000, id="too deep"),
        pytest.param(b'"text"', id="a string"),
        pytest.param(b"[1, null]", id="a list of no strings"),
        pytest.param(b'{"error_id": 5, "details": []}', id="other types"),
        pytest.param(b'{"error_id": "A token? 5f1a2c3e", "details": {"reason": 1}}', id="odd id"),
    ],
)
def test_a_body_of_no_known_shape_is_no_problem(body: bytes) -> None:
    assert problem(Answer(status=400, body=body)) == Problem()


def test_a_redirect_is_a_protocol_error() -> None:
    assert isinstance(failure(answer(302, None), what="x", is_command=False), ProtocolError)
