"""Every recorded answer of the services we use decodes, or maps to an error."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bluetel.telephony.errors import TelephonyError
from bluetel.telephony.http import Answer
from bluetel.telephony.types import PbxUserId
from bluetel.telephony.wazo import decode
from bluetel.telephony.wazo.answers import failure
from bluetel.telephony.wazo.directory_records import directory_entries, logged_call
from tests.contract.wazo.conftest import ALICE
from tests.contract.wazo.player import RECORDINGS


def _list_of(read: Callable[[Any], object]) -> Callable[[Any], object]:
    return lambda body: [read(item) for item in decode.items(body, what="list")]


def _cdr(row: Any) -> object:
    return logged_call(row, user=PbxUserId(ALICE))


def _forwards(body: Any) -> object:
    return decode.forwards(body, do_not_disturb=False)


READERS: list[tuple[str, Callable[[Any], object] | None]] = [
    (r"POST /0\.1/token", decode.token_grant),
    (r"GET /0\.1/token/[^/]+", decode.token_grant),
    (r"POST /0\.1/token/[^/]+/scopes/check", decode.scopes),
    (r"GET /0\.1/users", _list_of(decode.login)),
    (r"GET /0\.1/users/[^/]+", decode.login),
    (r"POST /1\.0/(users/me/)?calls", decode.leg),
    (r"GET /1\.0/(users/me/)?calls", _list_of(decode.leg)),
    (r"GET /1\.0/calls/[^/]+", decode.leg),
    (r"GET /1\.0/users/me/transfers", _list_of(decode.transfer)),
    (r"(POST|GET) /1\.0/(users/me/)?transfers(/[^/]+)?", decode.transfer),
    (r"GET /1\.0/users/presences", _list_of(decode.presence)),
    (r"GET /1\.0/users/[^/]+/presences", decode.presence),
    (r"GET /1\.1/infos", decode.version),
    (r"GET /1\.1/users", _list_of(decode.user)),
    (r"POST /1\.1/users", None),
    (r"GET /1\.1/users/[^/]+", decode.user),
    (r"GET /1\.1/users/[^/]+/forwards", _forwards),
    (r"GET /1\.1/users/[^/]+/services/dnd", decode.enabled),
    (r"GET /1\.1/users/[^/]+/services", None),
    (r"GET /1\.1/users/[^/]+/lines/.*", None),
    (r"GET /0\.1/directories/lookup/[^/]+", directory_entries),
    (r"GET /0\.1/directories/personal/[^/]+", directory_entries),
    (r"GET /0\.1/directories/(lookup/[^/]+/headers|[^/]+/sources|reverse/.*)", None),
    (r"GET /1\.0/(users/[^/]+/)?cdr", _list_of(_cdr)),
    (r"GET /1\.0/cdr/[^/]+", _cdr),
    (r"(GET|HEAD) /[0-9.]+/status", None),
    (r"DELETE /0\.1/token/[^/]+", None),
]
"""By route; None for those whose answers nobody here reads."""

# Lists in a view that is not ours, and one in another format.
OTHERS = {"users_list_200_view_directory", "users_list_200_view_summary", "cdr_list_200_csv"}

PATHS = sorted(
    path for path in RECORDINGS.glob("*/*.json") if path.parent.name != "wazo-websocketd"
)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_it_decodes_or_maps_to_an_error(path: Path) -> None:
    exchange = json.loads(path.read_text())
    request, response = exchange["request"], exchange["response"]
    if response["status"] >= 300:
        content = json.dumps(response["body"]).encode()
        read = Answer(status=response["status"], body=content)
        assert isinstance(failure(read, what="x", is_command=True), TelephonyError)
        return
    if response["body"] is None or path.stem in OTHERS:
        return
    route = f"{request['method']} {request['path']}"
    reader = next(
        (reader for pattern, reader in READERS if re.fullmatch(pattern, route)), "unknown"
    )
    assert reader != "unknown", route
    if callable(reader):
        assert reader(response["body"]) is not None
