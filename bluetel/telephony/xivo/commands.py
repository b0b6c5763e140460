"""Every command of XUC's WebSocket and its arguments; pure (``contracts/xivo/xuc.json``).

BlueTel sends some of them; all are here, so that a command's frame is written in one place only
and a wrong argument fails here and not silently on the PBX, which acknowledges nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

_CONFERENCE = ("numConf",)
_PARTICIPANT = ("numConf", "index")
_CHAT = ("request", "sequence", "to")


@dataclass(frozen=True, slots=True)
class Shape:
    """The arguments a command must and may have."""

    needed: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


COMMANDS: Mapping[str, Shape] = {
    # calls
    "dial": Shape(("destination",), ("variables",)),
    "dialFromMobile": Shape(("destination",), ("variables",)),
    "dialByUsername": Shape(("username",), ("variables",)),
    "dialFromQueue": Shape(
        ("destination", "queueId", "callerIdName", "callerIdNumber"), ("variables",)
    ),
    "originate": Shape(("destination",)),
    "hangup": Shape(optional=("uniqueId",)),
    "answer": Shape(optional=("uniqueId",)),
    "hold": Shape(optional=("uniqueId",)),
    "directTransfer": Shape(("destination",)),
    "attendedTransfer": Shape(("destination",), ("device",)),
    "completeTransfer": Shape(),
    "cancelTransfer": Shape(),
    "conference": Shape(),
    "toggleMicrophone": Shape(("uniqueId",)),
    "sendDtmf": Shape(("key",)),
    "setData": Shape(("variables",)),
    "getCurrentCallsPhoneEvents": Shape(),
    # session and presence
    "getConfig": Shape(("objectType",)),
    "subscribeToPhoneHints": Shape(("phoneNumbers",)),
    "unsubscribeFromAllPhoneHints": Shape(),
    "userStatusUpdate": Shape(("status",)),
    "subscribeToVideoStatus": Shape(("usernames",)),
    "unsubscribeFromAllVideoStatus": Shape(),
    # forwards
    "dnd": Shape(("state",)),
    "uncFwd": Shape(("state", "destination")),
    "naFwd": Shape(("state", "destination")),
    "busyFwd": Shape(("state", "destination")),
    # directory
    "directoryLookUp": Shape(("term",)),
    "searchContacts": Shape(("term",)),
    "getFavorites": Shape(),
    "getFavoriteContacts": Shape(),
    "addFavorite": Shape(("contactId", "source")),
    "removeFavorite": Shape(("contactId", "source")),
    "displayNameLookup": Shape(("username",)),
    # history
    "getUserCallHistory": Shape(("size",)),
    "getUserCallHistoryByDays": Shape(("days",)),
    "findCustomerCallHistory": Shape(("id", "request")),
    # user
    "setUserPreference": Shape(("key", "value", "value_type")),
    "toggleUniqueAccountDevice": Shape(("deviceType",)),
    # chat
    "flashTextBrowserRequest": Shape(_CHAT, ("message",)),
    # conferences
    "conferenceMuteMe": Shape(_CONFERENCE),
    "conferenceUnmuteMe": Shape(_CONFERENCE),
    "conferenceMuteAll": Shape(_CONFERENCE),
    "conferenceUnmuteAll": Shape(_CONFERENCE),
    "conferenceReset": Shape(_CONFERENCE),
    "conferenceClose": Shape(_CONFERENCE),
    "conferenceMute": Shape(_PARTICIPANT),
    "conferenceUnmute": Shape(_PARTICIPANT),
    "conferenceKick": Shape(_PARTICIPANT),
    "conferenceDeafen": Shape(_PARTICIPANT),
    "conferenceUndeafen": Shape(_PARTICIPANT),
    "conferenceInvite": Shape(
        ("numConf", "exten", "role", "earlyJoin"),
        ("variables", "marked", "leaveWhenLastMarkedLeave", "callerId"),
    ),
}

PING = json.dumps({"claz": "ping"})


def frame(name: str, arguments: Mapping[str, object]) -> str:
    """A command as its frame; ``ValueError`` for one that XUC doesn't have, or other arguments."""
    shape = COMMANDS.get(name)
    if shape is None:
        raise ValueError(f"XUC has no command {name}")
    given = set(arguments)
    if not set(shape.needed) <= given <= {*shape.needed, *shape.optional}:
        raise ValueError(f"{name} does not take exactly {sorted(given)}")
    return json.dumps({"claz": "web", "command": name, **arguments})
