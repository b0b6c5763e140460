"""Forwards and do-not-disturb through confd (``reference/wazo.md`` §5)."""

from __future__ import annotations

from bluetel.telephony.errors import Rejected, RejectReason
from bluetel.telephony.types import Forward, ForwardKind, Forwards, PbxUserId
from bluetel.telephony.wazo import decode, voicemail_records
from bluetel.telephony.wazo.people import WazoPeople
from bluetel.telephony.wazo.rest import Service, WazoRest, segment


class WazoForwardControl:
    """The ``ForwardControl`` port.

    confd doesn't check the tenant on these routes, so the person is looked up first, which does.
    """

    def __init__(self, rest: WazoRest, people: WazoPeople, *, voicemail_prefix: str) -> None:
        """``voicemail_prefix`` is the feature code that leads into a box by its number."""
        self._rest = rest
        self._people = people
        self._prefix = voicemail_prefix

    def forwards(self, user: PbxUserId) -> Forwards:
        """What the PBX holds now, in two requests."""
        path = self._path(user)
        service = self._rest.get(Service.CONFD, f"{path}/services/dnd", what="do-not-disturb")
        return decode.forwards(
            self._rest.get(Service.CONFD, f"{path}/forwards", what="forwards"),
            do_not_disturb=decode.enabled(service),
        )

    def set_forward(self, user: PbxUserId, kind: ForwardKind, forward: Forward) -> None:
        """Write one forward; the destination is sent as it is, Wazo doesn't check it."""
        if forward.enabled and not forward.destination:
            raise Rejected("a forward needs a destination", reason=RejectReason.INVALID_DATA)
        self._rest.send(
            Service.CONFD,
            "PUT",
            f"{self._path(user)}/forwards/{decode.FORWARD_NAMES[kind]}",
            what="set forward",
            body={"enabled": forward.enabled, "destination": forward.destination or None},
        )

    def set_do_not_disturb(self, user: PbxUserId, *, enabled: bool) -> None:
        """Switch do-not-disturb."""
        self._rest.send(
            Service.CONFD,
            "PUT",
            f"{self._path(user)}/services/dnd",
            what="set do-not-disturb",
            body={"enabled": enabled},
        )

    def voicemail_destination(self, user: PbxUserId) -> str | None:
        """The prefix and the number of the user's box.

        A forward is dialled from the main line's context, so a box of another one can't be
        reached by it and counts as none.
        """
        line = self._people.line(self._people.known(user))
        for box in voicemail_records.boxes(
            self._rest.get(Service.CONFD, f"{self._path(user)}/voicemails", what="boxes")
        ):
            if line is not None and box.context == line.context:
                return f"{self._prefix}{box.number}"
        return None

    def _path(self, user: PbxUserId) -> str:
        return f"/users/{segment(self._people.known(user).id)}"
