"""The simulator's own interface, ``/_simulator/``: handsets, outside callers, faults, log.

No PBX has it. It answers loopback only.
"""

from __future__ import annotations

from bluetel.telephony.simulator.http import (
    HttpError,
    JsonObject,
    Request,
    Response,
    Route,
    Service,
    as_json,
    no_content,
)
from bluetel.telephony.simulator.legs import Leg
from bluetel.telephony.simulator.model import Refused
from bluetel.telephony.simulator.people import DeskLine, Person
from bluetel.telephony.simulator.wazo_server import errors
from bluetel.telephony.simulator.wazo_server.faults import UnknownFault
from bluetel.telephony.simulator.wazo_server.site import Site
from bluetel.telephony.types import CallState

DEFAULT_PHONES = 12
HANDSET_STATES = {
    CallState.RINGING_SELF: "ringing",
    CallState.RINGING_PEER: "calling",
    CallState.TALKING: "talking",
    CallState.HELD: "held",
}
URGENT_FIRST = (
    CallState.RINGING_SELF,
    CallState.TALKING,
    CallState.RINGING_PEER,
    CallState.HELD,
)


def list_phones(site: Site, request: Request) -> Response:
    """``GET /phones[?limit=]``: the first desk phones, then the outside ones in a call."""
    limit = int(request.query.get("limit", DEFAULT_PHONES))
    lines = sorted(site.pbx.lines.items(), key=lambda item: (len(item[0]), item[0]))[:limit]
    phones = [_phone(person, line) for _, (person, line) in lines]
    phones += [_outside_phone(leg) for leg in site.pbx.outside_legs()]
    return as_json(200, {"phones": phones})


def _shown(legs: list[Leg]) -> JsonObject:
    leg = min(legs, key=lambda leg: URGENT_FIRST.index(leg.state), default=None)
    if leg is None:
        return {"state": "idle", "number": "", "name_shown": "", "since": None}
    return {
        "state": HANDSET_STATES[leg.state],
        "number": leg.peer_number,
        "name_shown": "" if leg.peer_name == leg.peer_number else leg.peer_name,
        "since": leg.since.isoformat() if leg.since else None,
    }


def _phone(person: Person, line: DeskLine) -> JsonObject:
    return {
        "extension": line.extension,
        "name": person.name,
        "user": person.id,
        "plugged": line.plugged,
        "do_not_disturb": person.do_not_disturb,
        **_shown(line.legs),
        "outside": False,
    }


def _outside_phone(leg: Leg) -> JsonObject:
    return {
        "extension": leg.outside,
        "name": leg.name,
        "user": None,
        "plugged": True,
        "do_not_disturb": False,
        **_shown([leg]),
        "outside": True,
    }


# --- Handsets -----------------------------------------------------------------------------------


def act(site: Site, request: Request) -> Response:
    """``POST /phones/{extension}/{action}``: 204, 404 for no such phone, 409 when it can't."""
    extension, action = request.params["extension"], request.params["action"]
    found = site.pbx.lines.get(extension)
    if found is None:
        return _act_outside(site, extension, action)
    person, line = found
    try:
        match action:
            case "plug" | "unplug":
                site.pbx.plug(line, plugged=action == "plug")
            case "dnd_on" | "dnd_off":
                site.pbx.set_do_not_disturb(person, enabled=action == "dnd_on")
            case "dial":
                number = request.json().get("number")
                if not isinstance(number, str):
                    return _refused(400, "number is missing")
                site.pbx.dial(line, number)
            case _:
                _handle(site, line.legs, action)
    except Refused as refused:
        return _refused(409, str(refused))
    return no_content()


def _act_outside(site: Site, number: str, action: str) -> Response:
    legs = [leg for leg in site.pbx.outside_legs() if leg.outside == number]
    if not legs:
        return _refused(404, "no such phone")
    try:
        _handle(site, legs, action)
    except Refused as refused:
        return _refused(409, str(refused))
    return no_content()


def _handle(site: Site, legs: list[Leg], action: str) -> None:
    wanted: dict[str, tuple[CallState, ...]] = {
        "answer": (CallState.RINGING_SELF,),
        "reject": (CallState.RINGING_SELF,),
        "hang_up": URGENT_FIRST,
        "hold": (CallState.TALKING,),
        "resume": (CallState.HELD,),
    }
    if action not in wanted:
        raise HttpError(_refused(404, "no such action"))
    leg = next((leg for state in wanted[action] for leg in legs if leg.state is state), None)
    if leg is None:
        raise HttpError(_refused(409, f"can't {action} now"))
    match action:
        case "answer":
            site.pbx.answer(leg)
        case "reject":
            site.pbx.reject(leg)
        case "hang_up":
            site.pbx.put_down(leg)
        case "hold":
            if not site.pbx.hold(leg):
                raise HttpError(_refused(409, "nobody to hold"))
        case _:
            site.pbx.resume(leg)


def call_in(site: Site, request: Request) -> Response:
    """``POST /calls`` ``{"from", "name", "to"}``: an outside call comes in."""
    body = request.json()
    try:
        leg = site.pbx.call_in(
            str(body.get("from", "")), name=str(body.get("name", "")), to=str(body.get("to", ""))
        )
    except Refused as refused:
        return _refused(409, str(refused))
    return as_json(201, {"conversation": leg.call.id})


# --- Messages, faults, log ----------------------------------------------------------------------


def leave_message(site: Site, request: Request) -> Response:
    """``POST /messages`` ``{"to", "from", "name", "duration", "transcript"}``: one in a box."""
    body = request.json()
    box = site.pbx.boxes.get(str(body.get("to", "")))
    duration = body.get("duration", 5)
    if box is None or not isinstance(duration, int):
        return _refused(404, "no such box")
    message = site.pbx.leave_message(
        box,
        number=str(body.get("from", "")),
        name=str(body.get("name", "")),
        duration=duration,
        transcript=str(body.get("transcript", "")),
    )
    return as_json(201, {"id": message.id})


def set_faults(site: Site, request: Request) -> Response:
    """``POST /faults``: switch what is named; ``expire_tokens`` and ``drop_stream`` happen once."""
    for name, value in request.json().items():
        if name == "expire_tokens" and value is True:
            site.expire_tokens()
        elif name == "drop_stream" and value is True:
            site.drop_stream()
        else:
            try:
                site.faults.set(name, value)
            except UnknownFault as unknown:
                return _refused(400, f"no such fault: {unknown}")
            if name == "withhold":
                site.tokens.withhold(site.faults.withhold)
    return no_content()


def get_log(site: Site, request: Request) -> Response:
    """``GET /log``: commands received, settings written by them and on handsets, traffic."""
    del request
    writes = [
        {
            "time": write.at.isoformat(),
            "who": write.who,
            "what": write.what,
            "user": write.user,
            "before": write.before,
            "after": write.after,
        }
        for write in site.pbx.writes
    ]
    traffic = {
        "requests": site.traffic.requests,
        "connections": site.traffic.connections,
    }
    return as_json(200, {"requests": site.requests, "writes": writes, "traffic": traffic})


def clear_log(site: Site, request: Request) -> Response:
    """``DELETE /log``: forget what came so far."""
    del request
    site.requests.clear()
    site.pbx.writes.clear()
    return no_content()


def _refused(status: int, message: str) -> Response:
    return errors.bare(status, message)


SERVICE = Service(
    name="control",
    prefix="/_simulator",
    routes=(
        Route(method="GET", path="/phones", access=None, handler=list_phones),
        Route(method="POST", path="/phones/{extension}/{action}", access=None, handler=act),
        Route(method="POST", path="/calls", access=None, handler=call_in),
        Route(method="POST", path="/messages", access=None, handler=leave_message),
        Route(method="POST", path="/faults", access=None, handler=set_faults),
        Route(method="GET", path="/log", access=None, handler=get_log),
        Route(method="DELETE", path="/log", access=None, handler=clear_log),
    ),
    unauthorized=errors.unauthorized_detailed,
    malformed=errors.malformed_bare,
    unavailable=errors.down_reason,
)
