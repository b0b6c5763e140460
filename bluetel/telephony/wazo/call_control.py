"""Calls placed and steered through calld, for one user each (``reference/wazo.md`` §2).

Everything but placing goes by the tenant-wide routes, so each command first reads the leg and
makes sure that it is this user's: somebody else's call is ``NotFound``.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

from bluetel.telephony.errors import (
    NotFound,
    NotSupported,
    Rejected,
    RejectReason,
)
from bluetel.telephony.http import Deadline
from bluetel.telephony.types import (
    Call,
    CallId,
    Capability,
    PbxUserId,
    Transfer,
    TransferKind,
)
from bluetel.telephony.wazo import decode
from bluetel.telephony.wazo.answers import PHONED_ERROR
from bluetel.telephony.wazo.calls import calls_of
from bluetel.telephony.wazo.legs import Leg
from bluetel.telephony.wazo.people import WazoPeople
from bluetel.telephony.wazo.rest import Service, WazoFailure, WazoRest, segment

_DIALLABLE = re.compile(r"[0-9*#]{1,40}")
_TONES = re.compile(r"[0-9*#]{1,64}")
_OVER = frozenset({"ended", "abandoned", "blind_transferred", "cancelled"})
MOST_TRANSFERS = 1024


class WazoCallControl:
    """The ``CallControl`` port."""

    def __init__(self, rest: WazoRest, people: WazoPeople) -> None:
        """Transfers are learnt from our own commands, and by :meth:`learn` from events."""
        self._rest = rest
        self._people = people
        self._lock = threading.Lock()
        self._transfers: OrderedDict[CallId, str] = OrderedDict()

    def place_call(
        self, user: PbxUserId, number: str, *, line: str = "", timeout: float = 4.5
    ) -> Call:
        """Ring the user's own phone; see the port. Everything is bounded by ``timeout``."""
        if not _DIALLABLE.fullmatch(number):
            raise Rejected("not a diallable number", reason=RejectReason.INVALID_EXTENSION)
        deadline = Deadline(timeout)
        context, body = self._origin(user, number, line=line, deadline=deadline)
        try:
            answer = self._post_call(body, deadline)
        except Rejected as exc:
            # The remembered context may be an old one; only a different one is worth a new try.
            if exc.reason not in {RejectReason.INVALID_EXTENSION, RejectReason.NO_LINE}:
                raise
            self._people.forget(user)
            fresh, body = self._origin(user, number, line=line, deadline=deadline)
            if fresh == context:
                raise
            answer = self._post_call(body, deadline)
        # The leg just made is the caller's, also while calld can't tell yet.
        leg = replace(decode.leg(answer), user=user, is_local=False)
        (call,) = calls_of([leg])
        return call

    def _post_call(self, body: object, deadline: Deadline) -> object:
        return self._rest.send(
            Service.CALLD, "POST", "/calls", what="place a call", body=body, deadline=deadline
        ).json()

    def _origin(
        self, user: PbxUserId, number: str, *, line: str, deadline: Deadline
    ) -> tuple[str, object]:
        """Where the call starts, and the request's body for it."""
        try:
            person = self._people.known(user, deadline=deadline)
        except NotFound:
            raise Rejected("no such user", reason=RejectReason.UNKNOWN_USER) from None
        origin = self._people.line(person, line=line)
        if origin is None:
            raise Rejected("the user has no such line", reason=RejectReason.NO_LINE)
        source: dict[str, object] = {"user": user}
        if line:
            source["line_id"] = int(origin.id)
        return origin.context, {
            "source": source,
            "destination": {
                "context": origin.context,
                "extension": number,
                "priority": 1,
            },
        }

    def calls(
        self, user: PbxUserId | None = None, *, timeout: float | None = None
    ) -> Sequence[Call]:
        """The live calls of one user, or of everybody."""
        deadline = None if timeout is None else Deadline(timeout)
        return [
            call for call in calls_of(self.legs(deadline=deadline)) if user in {None, call.user}
        ]

    def legs(self, *, deadline: Deadline | None = None) -> list[Leg]:
        """All living legs of the tenant, nobody's included."""
        body = self._rest.get(Service.CALLD, "/calls", what="list of calls", deadline=deadline)
        return [decode.leg(item) for item in decode.items(body, what="list of calls")]

    def hang_up(self, user: PbxUserId, call: CallId) -> None:
        """End the user's side."""
        self._own_leg(user, call)
        self._rest.send(Service.CALLD, "DELETE", _path(call), what="hang up")

    def answer(self, user: PbxUserId, call: CallId) -> None:
        """Pick up from afar: only some desk phones can (Yealink, Fanvil)."""
        self._own_leg(user, call)
        self._by_phone(call, "answer", needs=Capability.ANSWER)

    def hold(self, user: PbxUserId, call: CallId, *, held: bool) -> None:
        """Hold or resume by way of the desk phone: only some can, as above."""
        self._own_leg(user, call)
        self._by_phone(call, "hold/start" if held else "hold/stop", needs=Capability.HOLD)

    def mute(self, user: PbxUserId, call: CallId, *, muted: bool) -> None:
        """Silence the user towards the other, in Asterisk itself: works with any phone."""
        self._own_leg(user, call)
        action = "mute/start" if muted else "mute/stop"
        self._rest.send(Service.CALLD, "PUT", f"{_path(call)}/{action}", what="mute")

    def send_dtmf(self, user: PbxUserId, call: CallId, digits: str) -> None:
        """Send tones."""
        if not _TONES.fullmatch(digits):
            raise Rejected("not tones", reason=RejectReason.INVALID_DATA)
        self._own_leg(user, call)
        self._rest.send(
            Service.CALLD, "PUT", f"{_path(call)}/dtmf", what="tones", params={"digits": digits}
        )

    def transfer(
        self, user: PbxUserId, call: CallId, number: str, *, kind: TransferKind
    ) -> Transfer | None:
        """Begin a transfer of whoever the user talks to; ``Rejected`` with CONFLICT if nobody."""
        if not _DIALLABLE.fullmatch(number):
            raise Rejected("not a diallable number", reason=RejectReason.INVALID_EXTENSION)
        own = self._own_leg(user, call)
        if len(own.talks_to) != 1:
            raise Rejected(
                "a transfer needs exactly one other in the call", reason=RejectReason.CONFLICT
            )
        line = self._people.line(self._people.known(user))
        if line is None:
            raise Rejected("the user has no line", reason=RejectReason.NO_LINE)
        (transferred,) = own.talks_to
        # Unlike elsewhere in calld, an unknown key is 400 here.
        record = decode.transfer(
            self._rest.send(
                Service.CALLD,
                "POST",
                "/transfers",
                what="transfer",
                body={
                    "transferred_call": transferred,
                    "initiator_call": call,
                    "context": line.context,
                    "exten": number,
                    "flow": kind.value,
                },
            ).json()
        )
        if kind is TransferKind.BLIND:
            return None
        self.learn(record)
        return Transfer(id=record.id, call=call)

    def complete_transfer(self, user: PbxUserId, call: CallId) -> None:
        """Join the other two."""
        transfer = self._transfer_of(user, call)
        self._rest.send(
            Service.CALLD,
            "PUT",
            f"/transfers/{segment(transfer)}/complete",
            what="complete the transfer",
        )
        self._forget_transfer(call)

    def cancel_transfer(self, user: PbxUserId, call: CallId) -> None:
        """Take the first caller back."""
        transfer = self._transfer_of(user, call)
        self._rest.send(
            Service.CALLD, "DELETE", f"/transfers/{segment(transfer)}", what="cancel the transfer"
        )
        self._forget_transfer(call)

    def learn(self, record: decode.TransferRecord) -> None:
        """Remember a transfer under way, or that it is over: begun on a handset, or elsewhere."""
        if record.status in _OVER:
            self._forget_transfer(record.initiator_call)
            return
        with self._lock:
            self._transfers[record.initiator_call] = record.id
            if len(self._transfers) > MOST_TRANSFERS:
                self._transfers.popitem(last=False)

    def _forget_transfer(self, call: CallId) -> None:
        with self._lock:
            self._transfers.pop(call, None)

    def _transfer_of(self, user: PbxUserId, call: CallId) -> str:
        """The transfer this call has begun; ``NotFound`` where none is under way.

        There is no tenant-wide list of transfers. One begun by another process is found by its
        bridge, which bears the transfer's id once the third person has answered (recorded:
        calls_list_200_admin_after_transfer).
        """
        own = self._own_leg(user, call)
        with self._lock:
            known = self._transfers.get(call)
        for candidate in (known, *own.bridges):
            if candidate is not None and self._is_under_way(candidate, call):
                return candidate
        self._forget_transfer(call)
        raise NotFound("no transfer of this call is under way")

    def _is_under_way(self, transfer: str, call: CallId) -> bool:
        try:
            record = decode.transfer(
                self._rest.get(Service.CALLD, f"/transfers/{segment(transfer)}", what="transfer")
            )
        except NotFound:
            return False
        return record.initiator_call == call and record.status not in _OVER

    def _own_leg(self, user: PbxUserId, call: CallId) -> Leg:
        leg = decode.leg(self._rest.get(Service.CALLD, _path(call), what="call"))
        if leg.user != user:
            raise NotFound("no such call of this user")
        return leg

    def _by_phone(self, call: CallId, action: str, *, needs: Capability) -> None:
        try:
            self._rest.attempt(Service.CALLD, "PUT", f"{_path(call)}/{action}", what=str(needs))
        except WazoFailure as exc:
            if exc.error_id == PHONED_ERROR:
                raise NotSupported(needs) from None
            raise exc.error from None


def _path(call: CallId) -> str:
    return f"/calls/{segment(call)}"
