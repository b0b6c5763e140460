"""Presence through chatd (``reference/wazo.md`` §4)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from bluetel.telephony.errors import NotFound, Rejected, RejectReason
from bluetel.telephony.http import Deadline
from bluetel.telephony.types import ChatState, PbxUserId, Presence
from bluetel.telephony.wazo import decode
from bluetel.telephony.wazo.answers import NOT_INITIALIZED
from bluetel.telephony.wazo.people import is_uuid
from bluetel.telephony.wazo.rest import Service, WazoFailure, WazoRest, segment

AT_ONCE = 30
"""Uuids per request: longer addresses are refused by nginx."""

PAUSES = (0.5, 1.0, 2.0)
"""Seconds between tries while chatd reads everything anew, after its start or Asterisk's."""

BUDGET = 15.0


class WazoPresences:
    """The ``PresenceBook`` port."""

    def __init__(self, rest: WazoRest, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """``sleep`` is given so that tests needn't wait."""
        self._rest = rest
        self._sleep = sleep

    def presences(self, users: Sequence[PbxUserId]) -> Sequence[Presence]:
        """The presence of these people, 30 to a request; unknown people are left out."""
        wanted = list(dict.fromkeys(user for user in users if is_uuid(user)))
        found: list[Presence] = []
        for start in range(0, len(wanted), AT_ONCE):
            found += self._some(wanted[start : start + AT_ONCE])
        return found

    def set_chat(self, user: PbxUserId, state: ChatState, *, message: str) -> None:
        """Publish a chosen status; an empty message clears the one there was.

        With the PBX's bus down chatd answers 500 and stores the change all the same (recorded:
        presence_put_during_bus_outage), so a 500 is read back before it counts as a failure.
        """
        name = decode.CHAT_NAMES.get(state)
        if name is None:
            raise Rejected("nobody can choose this status", reason=RejectReason.INVALID_DATA)
        if not is_uuid(user):
            raise NotFound("no such user")
        path = f"/users/{segment(user)}/presences"
        try:
            self._rest.attempt(
                Service.CHATD,
                "PUT",
                path,
                what="set chat status",
                body={"state": name, "status": message or None},
            )
        except WazoFailure as exc:
            if exc.status != 500 or not self._holds(path, state, message):
                raise exc.error from None

    def _holds(self, path: str, state: ChatState, message: str) -> bool:
        stored = decode.presence(self._rest.get(Service.CHATD, path, what="presence"))
        return (stored.chat, stored.message) == (state, message)

    def _some(self, users: Sequence[PbxUserId]) -> list[Presence]:
        deadline = Deadline(BUDGET)
        pauses = iter(PAUSES)
        while True:
            try:
                answer = self._rest.attempt(
                    Service.CHATD,
                    "GET",
                    "/users/presences",
                    what="presences",
                    params={"user_uuid": ",".join(users)},
                    deadline=deadline,
                )
            except WazoFailure as exc:
                pause = next(pauses, None) if exc.error_id == NOT_INITIALIZED else None
                if pause is None:
                    raise exc.error from None
                self._sleep(pause)
                continue
            body = answer.json()
            found = [decode.presence(item) for item in decode.items(body, what="presences")]
            asked = set(users)
            return [presence for presence in found if presence.user in asked]
