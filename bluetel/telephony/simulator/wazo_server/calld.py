"""wazo-calld: calls and transfers, for oneself (``/users/me``) and for everybody."""

from __future__ import annotations

import re

from bluetel.telephony.errors import RejectReason
from bluetel.telephony.simulator.http import (
    Handler,
    HttpError,
    JsonObject,
    Request,
    Response,
    Route,
    Service,
    as_json,
    no_content,
)
from bluetel.telephony.simulator.legs import Leg, SimulatedTransfer
from bluetel.telephony.simulator.people import Person
from bluetel.telephony.simulator.transfers import Refused
from bluetel.telephony.simulator.wazo_server import calld_voicemails, errors, records
from bluetel.telephony.simulator.wazo_server.site import CONTEXT, Site
from bluetel.telephony.types import TransferKind

MISSING = "Missing data for required field."


# --- Finding ------------------------------------------------------------------------------------


def _me(request: Request) -> Person | None:
    return request.token.account.person if request.token else None


def _is_own_route(request: Request) -> bool:
    return "/users/me/" in request.path


def _leg(site: Site, request: Request, call_id: str) -> Leg:
    leg = site.pbx.legs.get(call_id)
    if leg is None or (leg.local and _is_own_route(request)):
        raise HttpError(
            errors.detailed(site, 404, "No such call", "no-such-call", {"call_id": call_id})
        )
    me = _me(request)
    if _is_own_route(request) and leg.person is not me:
        raise _not_yours(site, "call", call_id, me)
    return leg


def _not_yours(site: Site, kind: str, object_id: str, me: Person | None) -> HttpError:
    text = "User does not have permission to handle objects of other users"
    details: JsonObject = {kind: object_id, "user": me.id if me else None}
    return HttpError(errors.detailed(site, 403, text, "user-permission-denied", details))


def _refusal(site: Site, refused: Refused, *, person: Person, extension: str) -> Response:
    match refused.reason:
        case RejectReason.INVALID_EXTENSION:
            return _invalid_extension(site, extension)
        case RejectReason.NO_LINE:
            text, code = "User has no main line", "user-missing-main-line"
            return errors.detailed(site, 400, text, code, {"user_uuid": person.id})
        case RejectReason.PHONE_UNREACHABLE:
            line = person.lines[0]
            return errors.detailed(
                site,
                400,
                "Call origin unavailable",
                "call-origin-unavailable",
                {"line_id": line.id, "source_interface": f"PJSIP/sip{line.extension}"},
            )
        case _:
            text, code = "Invalid user's line", "invalid-user-line"
            return errors.detailed(site, 400, text, code, {"user_id": person.id, "line_id": 0})


def _invalid_extension(site: Site, extension: str) -> Response:
    details: JsonObject = {"context": CONTEXT, "exten": extension}
    return errors.detailed(site, 400, "Invalid extension", "invalid-extension", details)


# --- Calls --------------------------------------------------------------------------------------


def list_own_calls(site: Site, request: Request) -> Response:
    """``GET /users/me/calls``; empty for an account that is no user."""
    me = _me(request)
    legs = site.pbx.legs_of(me) if me else ()
    return as_json(200, {"items": [records.call(site, leg) for leg in legs]})


def list_calls(site: Site, request: Request) -> Response:
    """``GET /calls``: all channels, half-channels and outside parties included."""
    del request
    return as_json(200, {"items": [records.call(site, leg) for leg in site.pbx.legs_of()]})


def get_call(site: Site, request: Request) -> Response:
    """``GET /calls/{id}``."""
    return as_json(200, records.call(site, _leg(site, request, request.params["call"])))


def create_own_call(site: Site, request: Request) -> Response:
    """``POST /users/me/calls``; its answer already knows the dialled number, and says Down."""
    body = request.json()
    extension = body.get("extension")
    if not isinstance(extension, str):
        raise errors.invalid(site, {"extension": [MISSING]})
    me = _me(request)
    if me is None:
        text = "Given token has no user UUID"
        return errors.detailed(site, 400, text, "token-with-user-uuid-required", {})
    return _originate(site, request, me, extension, body, status="Down")


def create_call(site: Site, request: Request) -> Response:
    """``POST /calls``: ring ``source.user``'s phone, then call ``destination``."""
    body = request.json()
    source, destination = body.get("source"), body.get("destination")
    if not isinstance(source, dict) or "user" not in source:
        raise errors.invalid(site, {"source": {"user": [MISSING]}})
    if not isinstance(destination, dict) or not isinstance(destination.get("extension"), str):
        raise errors.invalid(site, {"destination": {"extension": [MISSING]}})
    extension = re.sub(r"\s", "", destination["extension"])
    if destination.get("context") != CONTEXT or site.pbx.resolve(extension) is None:
        details: JsonObject = {"context": destination.get("context"), "exten": extension}
        return errors.detailed(site, 400, "Invalid extension", "invalid-extension", details)
    person = site.pbx.find(str(source["user"]))
    if person is None:
        details = {"user_uuid": source["user"]}
        return errors.detailed(site, 400, "Invalid user: not found", "invalid-user", details)
    return _originate(site, request, person, extension, source, status="Ringing")


def _originate(
    site: Site,
    request: Request,
    person: Person,
    extension: str,
    options: JsonObject,
    *,
    status: str,
) -> Response:
    number = re.sub(r"\s", "", extension)
    line_id = options.get("line_id")
    try:
        leg = site.pbx.place_call(
            person,
            number,
            line_id=line_id if isinstance(line_id, int) else None,
            all_lines=options.get("all_lines") is True,
            who=request.who,
        )
    except Refused as refused:
        return _refusal(site, refused, person=person, extension=number)
    record = records.call(site, leg)
    return as_json(201, {**record, "status": status, "dialed_extension": number})


def hang_up(site: Site, request: Request) -> Response:
    """``DELETE …/calls/{id}``."""
    site.pbx.hang_up(_leg(site, request, request.params["call"]))
    return no_content()


def mute(site: Site, request: Request) -> Response:
    """``PUT …/calls/{id}/mute/start`` or ``stop``."""
    leg = _leg(site, request, request.params["call"])
    site.pbx.mute(leg, muted=request.path.endswith("/start"))
    return no_content()


def send_dtmf(site: Site, request: Request) -> Response:
    """``PUT …/calls/{id}/dtmf?digits=``."""
    leg = _leg(site, request, request.params["call"])
    digits = request.query.get("digits", "")
    if not re.fullmatch(r"[0-9*#]+", digits):
        raise errors.invalid(site, {"digits": ["String does not match expected pattern."]})
    site.pbx.send_dtmf(leg, digits)
    return no_content()


def _phone_says_no(site: Site) -> Response:
    details: JsonObject = {"original_error": "400 Client Error"}
    return errors.detailed(site, 503, "wazo-phoned request error", "phoned-error", details)


def hold(site: Site, request: Request) -> Response:
    """``PUT …/calls/{id}/hold/start`` or ``stop``: 503 where the phone takes no orders."""
    leg = _leg(site, request, request.params["call"])
    if leg.line is None or not leg.line.takes_remote_control:
        return _phone_says_no(site)
    if request.path.endswith("/start"):
        site.pbx.hold(leg)
    else:
        site.pbx.resume(leg)
    return no_content()


def answer(site: Site, request: Request) -> Response:
    """``PUT …/calls/{id}/answer``: 503 where the phone takes no orders."""
    leg = _leg(site, request, request.params["call"])
    if leg.line is None or not leg.line.takes_remote_control:
        return _phone_says_no(site)
    try:
        site.pbx.answer(leg)
    except Refused:
        return _phone_says_no(site)
    return no_content()


# --- Transfers ----------------------------------------------------------------------------------

OWN_FIELDS = {"initiator_call", "exten", "flow", "timeout"}
ADMIN_FIELDS = OWN_FIELDS | {"transferred_call", "context", "variables"}


def create_transfer(site: Site, request: Request) -> Response:
    """``POST …/transfers``; unlike calls it refuses unknown keys."""
    body = request.json()
    own = _is_own_route(request)
    needed = ["initiator_call", "exten"] + ([] if own else ["transferred_call", "context"])
    broken: JsonObject = {name: [MISSING] for name in needed if name not in body}
    known = OWN_FIELDS if own else ADMIN_FIELDS
    broken |= {name: ["Unknown field."] for name in body if name not in known}
    flow = body.get("flow", "attended")
    if flow not in ("attended", "blind"):
        broken["flow"] = ["Must be one of: attended, blind."]
    if broken:
        raise errors.invalid(site, broken)
    leg = site.pbx.legs.get(str(body["initiator_call"]))
    extension = re.sub(r"\s", "", str(body["exten"]))
    if leg is None:
        return _cannot_transfer(site, "initiator channel not found")
    if own and leg.person is not _me(request):
        raise _not_yours(site, "call", leg.id, _me(request))
    if not own and (not leg.mates or leg.mates[0].id != body["transferred_call"]):
        return _cannot_transfer(site, "transferred channel not found")
    if leg.transfer:
        text, code = "Transfer already started", "transfer-already-started"
        return errors.detailed(site, 409, text, code, {"transfer_id": leg.transfer.id})
    try:
        transfer = site.pbx.start_transfer(leg, extension, kind=TransferKind(str(flow)))
    except Refused as refused:
        if refused.reason is RejectReason.INVALID_EXTENSION:
            return _invalid_extension(site, extension)
        return _cannot_transfer(site, "transferred channel not found")
    record = records.transfer(transfer)
    return as_json(201, {**record, "recipient_call": None, "status": "starting"})


def _cannot_transfer(site: Site, message: str) -> Response:
    text, code = "Transfer creation failed", "transfer-creation-error"
    return errors.detailed(site, 400, text, code, {"message": message})


def list_own_transfers(site: Site, request: Request) -> Response:
    """``GET /users/me/transfers``: those the user has begun."""
    me = _me(request)
    own = [item for item in site.pbx.transfers.values() if me and item.initiator.person is me]
    return as_json(200, {"items": [records.transfer(item) for item in own]})


def _transfer(site: Site, request: Request) -> SimulatedTransfer:
    transfer_id = request.params["transfer"]
    transfer = site.pbx.transfers.get(transfer_id)
    if transfer is None:
        details: JsonObject = {"transfer_id": transfer_id}
        raise HttpError(errors.detailed(site, 404, "No such transfer", "no-such-transfer", details))
    me = _me(request)
    if _is_own_route(request) and transfer.initiator.person is not me:
        raise _not_yours(site, "transfer", transfer_id, me)
    return transfer


def get_transfer(site: Site, request: Request) -> Response:
    """``GET /transfers/{id}``."""
    return as_json(200, records.transfer(_transfer(site, request)))


def complete_transfer(site: Site, request: Request) -> Response:
    """``PUT …/transfers/{id}/complete``."""
    site.pbx.complete_transfer(_transfer(site, request))
    return no_content()


def cancel_transfer(site: Site, request: Request) -> Response:
    """``DELETE …/transfers/{id}``."""
    transfer = _transfer(site, request)
    if transfer.kind is TransferKind.BLIND:
        text, code = "Transfer cancellation failed", "transfer-cancellation-error"
        return errors.detailed(site, 400, text, code, {"transfer_id": transfer.id})
    site.pbx.cancel_transfer(transfer)
    return no_content()


# --- Lines, status ------------------------------------------------------------------------------


def list_lines(site: Site, request: Request) -> Response:
    """``GET /lines``: the endpoints' registrations."""
    del request
    items = [records.line_status(line) for _, line in site.pbx.lines.values()]
    return as_json(200, {"items": items, "total": len(items), "filtered": len(items)})


def status(site: Site, request: Request) -> Response:
    """``GET /status``: ok whatever happens, as observed."""
    del site, request
    ok = {"status": "ok"}
    plugins = {"endpoints": ok, "voicemails": {**ok, "cache_items": 1}}
    return as_json(200, {"plugins": plugins, "ari": ok, "bus_consumer": ok, "service_token": ok})


def _both(method: str, path: str, access: str, handler: Handler) -> tuple[Route, Route]:
    """The user's own route and everybody's, which differ by prefix only."""
    return (
        Route(
            method=method,
            path=f"/users/me{path}",
            access=f"calld.users.me.{access}",
            handler=handler,
        ),
        Route(method=method, path=path, access=f"calld.{access}", handler=handler),
    )


SERVICE = Service(
    name="calld",
    prefix="/api/calld/1.0",
    routes=(
        Route(
            method="GET",
            path="/users/me/calls",
            access="calld.users.me.calls.read",
            handler=list_own_calls,
        ),
        Route(
            method="POST",
            path="/users/me/calls",
            access="calld.users.me.calls.create",
            handler=create_own_call,
        ),
        Route(method="GET", path="/calls", access="calld.calls.read", handler=list_calls),
        Route(method="POST", path="/calls", access="calld.calls.create", handler=create_call),
        Route(
            method="GET", path="/calls/{call}", access="calld.calls.{call}.read", handler=get_call
        ),
        *_both("DELETE", "/calls/{call}", "calls.{call}.delete", hang_up),
        *_both("PUT", "/calls/{call}/mute/start", "calls.{call}.mute.start.update", mute),
        *_both("PUT", "/calls/{call}/mute/stop", "calls.{call}.mute.stop.update", mute),
        *_both("PUT", "/calls/{call}/hold/start", "calls.{call}.hold.start.update", hold),
        *_both("PUT", "/calls/{call}/hold/stop", "calls.{call}.hold.stop.update", hold),
        *_both("PUT", "/calls/{call}/dtmf", "calls.{call}.dtmf.update", send_dtmf),
        *_both("PUT", "/calls/{call}/answer", "calls.{call}.answer.update", answer),
        Route(
            method="GET",
            path="/users/me/transfers",
            access="calld.users.me.transfers.read",
            handler=list_own_transfers,
        ),
        *_both("POST", "/transfers", "transfers.create", create_transfer),
        Route(
            method="GET",
            path="/transfers/{transfer}",
            access="calld.transfers.{transfer}.read",
            handler=get_transfer,
        ),
        *_both("DELETE", "/transfers/{transfer}", "transfers.{transfer}.delete", cancel_transfer),
        *_both(
            "PUT",
            "/transfers/{transfer}/complete",
            "transfers.{transfer}.complete.update",
            complete_transfer,
        ),
        *calld_voicemails.ROUTES,
        Route(method="GET", path="/lines", access="calld.lines.read", handler=list_lines),
        Route(method="GET", path="/status", access=None, handler=status),
    ),
    unauthorized=errors.unauthorized_detailed,
    malformed=errors.malformed_bare,
    unavailable=errors.ari_down,
)
