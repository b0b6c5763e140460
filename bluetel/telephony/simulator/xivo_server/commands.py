"""What the commands of the CTI socket do to the model; nothing is acknowledged."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bluetel.telephony.simulator.legs import Leg
from bluetel.telephony.simulator.model import Refused
from bluetel.telephony.simulator.people import Person
from bluetel.telephony.simulator.xivo_server import records
from bluetel.telephony.simulator.xivo_server.records import message
from bluetel.telephony.types import CallState, Forward, TransferKind

if TYPE_CHECKING:
    from bluetel.telephony.simulator.xivo_server.sockets import CtiSocket

Arguments = Mapping[str, object]
CURRENT = (
    CallState.TALKING,
    CallState.RINGING_PEER,
    CallState.RINGING_SELF,
    CallState.HELD,
)
"""Which of several calls a command without ``uniqueId`` means."""

KNOWN_BUT_WITHOUT_EFFECT = frozenset(
    {
        "dialFromMobile", "dialByUsername", "dialFromQueue", "originate", "conference", "setData",
        "toggleMicrophone", "subscribeToVideoStatus", "unsubscribeFromAllVideoStatus",
        "displayNameLookup", "findCustomerCallHistory", "setUserPreference",
        "toggleUniqueAccountDevice", "flashTextBrowserRequest", "conferenceMuteMe",
        "conferenceUnmuteMe", "conferenceMuteAll", "conferenceUnmuteAll", "conferenceReset",
        "conferenceClose", "conferenceMute", "conferenceUnmute", "conferenceKick",
        "conferenceDeafen", "conferenceUndeafen", "conferenceInvite",
    }
)  # fmt: skip


class Wrong(Exception):
    """The command can't be carried out."""


def obey(socket: CtiSocket, text: str) -> None:
    """Carry out one frame of the client's."""
    try:
        frame = json.loads(text)
    except ValueError:
        frame = None
    if not isinstance(frame, dict):
        socket.say(message("Error", {"Error": "InvalidJson"}))
        return
    if frame.get("claz") == "ping":
        socket.say({})
        return
    name = str(frame.get("command", ""))
    arguments = {key: value for key, value in frame.items() if key not in {"claz", "command"}}
    socket.site.requests.append(
        {
            "method": "CTI",
            "path": name,
            "user": socket.login,
            "body": arguments,
            "time": socket.site.pbx.now.isoformat(),
        }
    )
    command = _COMMANDS.get(name)
    if command is None:
        command = _nothing if name in KNOWN_BUT_WITHOUT_EFFECT else _unknown
    try:
        command(socket, arguments)
    except Wrong:
        socket.say(message("Error", {"Error": f"command {name} failed"}))


def _nothing(socket: CtiSocket, arguments: Arguments) -> None:
    """A command whose doing nobody here can see."""


def _unknown(socket: CtiSocket, arguments: Arguments) -> None:
    raise Wrong


def _text(arguments: Arguments, name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str):
        raise Wrong
    return value


def _person(socket: CtiSocket) -> Person:
    if socket.person is None:
        raise Wrong
    return socket.person


def _leg(socket: CtiSocket, arguments: Arguments) -> Leg:
    """The leg a command means: by its id where this server reads it, else the current one."""
    legs = list(_person(socket).legs)
    wanted = arguments.get("uniqueId")
    if isinstance(wanted, str) and socket.site.readings.unique_ids:
        legs = [leg for leg in legs if leg.id == wanted]
    for state in CURRENT:
        for leg in legs:
            if leg.state is state:
                return leg
    raise Wrong


def _fail(socket: CtiSocket, number: str) -> None:
    """A call that can't be made: told by an event or by an ``Error``, by the reading chosen."""
    if socket.site.readings.dial_failure == "error":
        raise Wrong
    person = _person(socket)
    payload = {
        "eventType": "EventFailure",
        "DN": person.extension,
        "otherDN": number,
        "linkedId": "",
        "uniqueId": "",
        "userData": {},
    }
    socket.say(message("PhoneEvent", payload))


# --- Calls --------------------------------------------------------------------------------------


def _dial(socket: CtiSocket, arguments: Arguments) -> None:
    number = _text(arguments, "destination")
    try:
        socket.site.pbx.place_call(_person(socket), number, who=socket.login)
    except Refused:
        _fail(socket, number)


def _hang_up(socket: CtiSocket, arguments: Arguments) -> None:
    socket.site.pbx.hang_up(_leg(socket, arguments))


def _answer(socket: CtiSocket, arguments: Arguments) -> None:
    leg = _leg(socket, arguments)
    if leg.line is None or not leg.line.takes_remote_control:
        return  # the phone does nothing, and XUC says nothing
    try:
        socket.site.pbx.answer(leg)
    except Refused:
        raise Wrong from None


def _hold(socket: CtiSocket, arguments: Arguments) -> None:
    leg = _leg(socket, arguments)
    if leg.line is None or not leg.line.takes_remote_control:
        return
    if leg.held:
        socket.site.pbx.resume(leg)
    elif not socket.site.pbx.hold(leg):
        raise Wrong


def _transfer(kind: TransferKind) -> Callable[[CtiSocket, Arguments], None]:
    def transfer(socket: CtiSocket, arguments: Arguments) -> None:
        number = _text(arguments, "destination")
        try:
            socket.site.pbx.start_transfer(_leg(socket, {}), number, kind=kind)
        except Refused:
            _fail(socket, number)

    return transfer


def _end_transfer(*, complete: bool) -> Callable[[CtiSocket, Arguments], None]:
    def end(socket: CtiSocket, arguments: Arguments) -> None:
        del arguments
        pbx = socket.site.pbx
        found = [pbx.transfer_of(leg) for leg in _person(socket).legs]
        transfer = next((one for one in found if one is not None), None)
        if transfer is None:
            raise Wrong
        if complete:
            pbx.complete_transfer(transfer)
        else:
            pbx.cancel_transfer(transfer)

    return end


def _dtmf(socket: CtiSocket, arguments: Arguments) -> None:
    if socket.site.readings.desk_phone_dtmf:
        socket.site.pbx.send_dtmf(_leg(socket, {}), _text(arguments, "key"))


def _current_calls(socket: CtiSocket, arguments: Arguments) -> None:
    del arguments
    if socket.person is None:
        socket.say(message("CurrentCallsPhoneEvents", {"events": []}))
        return
    socket.say(records.current_calls(socket.person, socket.site))


# --- Session and settings -----------------------------------------------------------------------


def _config(socket: CtiSocket, arguments: Arguments) -> None:
    if arguments.get("objectType") != "line":
        return
    if socket.person is None:
        socket.say(message("LineConfig", {"id": "-"}))
        return
    socket.say(records.line_config(socket.person))


def _subscribe(socket: CtiSocket, arguments: Arguments) -> None:
    numbers = arguments.get("phoneNumbers")
    if not isinstance(numbers, list) or not all(isinstance(one, str) for one in numbers):
        raise Wrong
    socket.subscribe(numbers)


def _unsubscribe(socket: CtiSocket, arguments: Arguments) -> None:
    del arguments
    socket.unsubscribe_all()


def _status(socket: CtiSocket, arguments: Arguments) -> None:
    """A status has a side effect: all but one switch do-not-disturb off."""
    status = _text(arguments, "status")
    person = _person(socket)
    socket.site.pbx.set_do_not_disturb(person, enabled=status == "donotdisturb", who=socket.login)
    socket.say(message("UserStatusUpdate", {"status": status}))


def _dnd(socket: CtiSocket, arguments: Arguments) -> None:
    state = arguments.get("state")
    if not isinstance(state, bool):
        raise Wrong
    socket.site.pbx.set_do_not_disturb(_person(socket), enabled=state, who=socket.login)


def _forward(prefix: str) -> Callable[[CtiSocket, Arguments], None]:
    kind = records.COMMAND_KINDS[prefix]

    def forward(socket: CtiSocket, arguments: Arguments) -> None:
        state, destination = arguments.get("state"), _text(arguments, "destination")
        if not isinstance(state, bool):
            raise Wrong
        # Nobody is forwarded to nowhere: an empty destination disables.
        setting = Forward(enabled=state and bool(destination), destination=destination)
        socket.site.pbx.set_forward(_person(socket), kind, setting, who=socket.login)

    return forward


# --- Directory and history ----------------------------------------------------------------------


def _look_up(socket: CtiSocket, arguments: Arguments) -> None:
    people = records.found_people(_text(arguments, "term"), socket.site)
    socket.say(records.table("DirectoryResult", people, socket.site, login=socket.login))


def _search(socket: CtiSocket, arguments: Arguments) -> None:
    """Answered twice: by sheets, and for older clients by the table too."""
    people = records.found_people(_text(arguments, "term"), socket.site)
    socket.say(records.table("DirectoryResult", people, socket.site, login=socket.login))
    socket.say(records.sheets("ContactSheet", people, socket.site, login=socket.login))


def _favourites(kind: str) -> Callable[[CtiSocket, Arguments], None]:
    def favourites(socket: CtiSocket, arguments: Arguments) -> None:
        del arguments
        chosen = socket.site.favourites.get(socket.login, set())
        people = [one for one in socket.site.pbx.everybody() if str(one.number) in chosen]
        show = records.table if kind == "Favorites" else records.sheets
        socket.say(show(kind, people, socket.site, login=socket.login))

    return favourites


def _set_favourite(*, wanted: bool) -> Callable[[CtiSocket, Arguments], None]:
    def change(socket: CtiSocket, arguments: Arguments) -> None:
        contact, source = _text(arguments, "contactId"), _text(arguments, "source")
        chosen = socket.site.favourites.setdefault(socket.login, set())
        is_known = any(str(one.number) == contact for one in socket.site.pbx.everybody())
        action = "Added" if wanted else "Removed"
        if not is_known or source != "internal":
            action = "AddFail" if wanted else "RemoveFail"
        elif wanted:
            chosen.add(contact)
        else:
            chosen.discard(contact)
        told = {"action": action, "contact_id": contact, "source": source}
        socket.say(message("FavoriteUpdated", told))

    return change


def _history(name: str) -> Callable[[CtiSocket, Arguments], None]:
    def history(socket: CtiSocket, arguments: Arguments) -> None:
        value = arguments.get(name)
        if value is not None and not isinstance(value, int):
            raise Wrong
        size, days = (value, None) if name == "size" else (None, value)
        socket.say(records.history(_person(socket), socket.site, size=size, days=days))

    return history


_COMMANDS: Mapping[str, Callable[[CtiSocket, Arguments], None]] = {
    "dial": _dial,
    "hangup": _hang_up,
    "answer": _answer,
    "hold": _hold,
    "directTransfer": _transfer(TransferKind.BLIND),
    "attendedTransfer": _transfer(TransferKind.ATTENDED),
    "completeTransfer": _end_transfer(complete=True),
    "cancelTransfer": _end_transfer(complete=False),
    "sendDtmf": _dtmf,
    "getCurrentCallsPhoneEvents": _current_calls,
    "getConfig": _config,
    "subscribeToPhoneHints": _subscribe,
    "unsubscribeFromAllPhoneHints": _unsubscribe,
    "userStatusUpdate": _status,
    "dnd": _dnd,
    "uncFwd": _forward("uncFwd"),
    "naFwd": _forward("naFwd"),
    "busyFwd": _forward("busyFwd"),
    "directoryLookUp": _look_up,
    "searchContacts": _search,
    "getFavorites": _favourites("Favorites"),
    "getFavoriteContacts": _favourites("FavoriteContactSheet"),
    "addFavorite": _set_favourite(wanted=True),
    "removeFavorite": _set_favourite(wanted=False),
    "getUserCallHistory": _history("size"),
    "getUserCallHistoryByDays": _history("days"),
}
