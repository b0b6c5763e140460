"""The PBX's directory through dird and its call log through call-logd."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bluetel.telephony.http import Deadline
from bluetel.telephony.types import DirectoryEntry, LoggedCall, PbxUserId
from bluetel.telephony.wazo import decode
from bluetel.telephony.wazo.directory_records import directory_entries, logged_call
from bluetel.telephony.wazo.people import WazoPeople
from bluetel.telephony.wazo.rest import Service, WazoRest, segment

PROFILE = "default"
"""The directory profile that Wazo makes for each tenant by itself."""

MOST_ROWS = 1000


class WazoDirectory:
    """The ``Directory`` and ``CallLog`` ports."""

    def __init__(self, rest: WazoRest, people: WazoPeople) -> None:
        """Both services take the person's uuid in the path."""
        self._rest = rest
        self._people = people

    def search(self, user: PbxUserId, term: str, *, timeout: float) -> Sequence[DirectoryEntry]:
        """What dird finds for this user, his personal contacts included.

        A source that is slow or broken contributes nothing, without a word from Wazo.
        """
        if not term.strip():
            return []
        deadline = Deadline(timeout)
        person = self._people.known(user, deadline=deadline)
        body = self._rest.get(
            Service.DIRD,
            f"/directories/lookup/{PROFILE}/{segment(person.id)}",
            what="directory search",
            params={"term": term.strip()},
            deadline=deadline,
        )
        return directory_entries(body)

    def history(
        self, user: PbxUserId, *, limit: int, before: datetime | None = None
    ) -> Sequence[LoggedCall]:
        """The newest rows of the person's call log; ``before`` is exclusive."""
        person = self._people.known(user)
        params: dict[str, str | int] = {
            # 0 would mean "everything" to call-logd.
            "limit": max(1, min(limit, MOST_ROWS)),
            "order": "start",
            "direction": "desc",
        }
        if before is not None:
            params["until"] = before.isoformat()
        body = self._rest.get(
            Service.CALL_LOGD, f"/users/{segment(person.id)}/cdr", what="call log", params=params
        )
        return [logged_call(item, user=user) for item in decode.items(body, what="call log")]
