"""XUC's HTTP face: signing in, renewal, REST 1.0; and confd's user list beside it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from bluetel.telephony.simulator.http import (
    MalformedBody,
    Request,
    Response,
    as_json,
    unknown_route,
)
from bluetel.telephony.simulator.model import Refused
from bluetel.telephony.simulator.people import Person
from bluetel.telephony.simulator.xivo_server.site import XucSite
from bluetel.telephony.types import Forward, ForwardKind

if TYPE_CHECKING:
    from bluetel.telephony.simulator.xivo_server.poster import Poster

TOKEN_LIFE = 3600
_OLD = re.compile(r"/xuc/api/1\.0/([A-Za-z]+)/([^/]+)/([^/]+)/")
_HANDSHAKE = re.compile(r"/xuc/api/1\.0/handshake/[^/]+/")
FORWARDS = {
    "uncForward": ForwardKind.UNCONDITIONAL,
    "naForward": ForwardKind.NO_ANSWER,
    "busyForward": ForwardKind.BUSY,
}


def refusal(status: int, code: str, text: str) -> Response:
    """An error in XUC's words."""
    return as_json(status, {"error": code, "message": text})


def answer(site: XucSite, poster: Poster, request: Request) -> Response:
    """What XUC answers now."""
    if site.faults.unavailable:
        return Response(status=503, body=b"", content_type="text/html")
    try:
        match request.method, request.path:
            case "POST", "/xuc/api/2.0/auth/login":
                return _login(site, request)
            case "GET", "/xuc/api/2.0/auth/check":
                return _check(site, request)
            case "GET", "/1.1/users":
                return _users(site, request)
            case "POST", path if path.startswith("/xuc/api/1.0/"):
                return _old(site, poster, request)
    except MalformedBody:
        return refusal(400, "InvalidJson", "the body can't be read")
    return unknown_route()


def _login(site: XucSite, request: Request) -> Response:
    body = request.json()
    login, password = body.get("login"), body.get("password")
    if not isinstance(login, str) or not isinstance(password, str):
        raise MalformedBody
    if site.faults.refuse_logins:
        return refusal(401, site.faults.refuse_logins, "refused")
    token = site.sign_in(login, password)
    if token is None:
        return refusal(401, "InvalidCredentials", "Invalid credentials")
    return as_json(200, {"login": login, "token": token, "TTL": TOKEN_LIFE})


def _check(site: XucSite, request: Request) -> Response:
    """A fresh token for a valid one, which it replaces."""
    old = request.headers.get("authorization", "").removeprefix("Bearer ")
    login = site.tokens.pop(old, None)
    if login is None:
        return refusal(401, "TokenExpired", "the token has expired")
    return as_json(200, {"login": login, "token": site.new_token(login)})


# --- REST 1.0 -----------------------------------------------------------------------------------


def _old(site: XucSite, poster: Poster, request: Request) -> Response:
    if site.api_key and request.headers.get("x-xivo-api-key") != site.api_key:
        return refusal(403, "Forbidden", "no key")
    if _HANDSHAKE.fullmatch(request.path):
        poster.post_all_states()
        return Response(status=200)
    found = _OLD.fullmatch(request.path)
    if found is None:
        return unknown_route()
    name, _, login = found.groups()
    act = _ACTIONS.get(name)
    if act is None or (name in {"naForward", "busyForward"} and not _has_others(site)):
        return unknown_route()
    person = site.person(login)
    if person is None:
        return refusal(404, "UserNotFound", "no such user")
    return act(site, person, request)


def _has_others(site: XucSite) -> bool:
    return site.readings.rest_other_forwards


def _dial(site: XucSite, person: Person, request: Request) -> Response:
    number = request.json().get("number")
    if not isinstance(number, str):
        raise MalformedBody
    try:
        site.pbx.place_call(person, number, who="rest")
    except Refused as refused:
        return refusal(500, "UnhandledError", str(refused))
    return Response(status=200)


def _dnd(site: XucSite, person: Person, request: Request) -> Response:
    state = request.json().get("state")
    if not isinstance(state, bool):
        raise MalformedBody
    site.pbx.set_do_not_disturb(person, enabled=state, who="rest")
    return Response(status=200)


def _forward(kind: ForwardKind) -> Callable[[XucSite, Person, Request], Response]:
    def forward(site: XucSite, person: Person, request: Request) -> Response:
        body = request.json()
        state, destination = body.get("state"), body.get("destination", "")
        if not isinstance(state, bool) or not isinstance(destination, str):
            raise MalformedBody
        setting = Forward(enabled=state and bool(destination), destination=destination)
        site.pbx.set_forward(person, kind, setting, who="rest")
        return Response(status=200)

    return forward


_ACTIONS: dict[str, Callable[[XucSite, Person, Request], Response]] = {
    "dial": _dial,
    "dnd": _dnd,
    **{name: _forward(kind) for name, kind in FORWARDS.items()},
}


# --- confd --------------------------------------------------------------------------------------


def _users(site: XucSite, request: Request) -> Response:
    people = list(site.pbx.everybody())
    skip, limit = int(request.query.get("skip", 0)), int(request.query.get("limit", 10_000))
    shown = people[skip : skip + limit]
    if request.query.get("view") == "directory":
        items = [{"id": one.number, "exten": one.extension or None} for one in shown]
    else:
        items = [
            {
                "id": one.number,
                "uuid": one.id,
                "firstname": one.first_name,
                "lastname": one.last_name,
                "username": one.login or None,
                "email": one.email or None,
                "mobile_phone_number": one.mobile or None,
            }
            for one in shown
        ]
    return as_json(200, {"total": len(people), "items": items})
