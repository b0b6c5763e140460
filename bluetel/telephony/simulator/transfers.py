"""Blind and attended transfers, with the half-channels Wazo makes for them (recorded).

An attended transfer rings the third party on behalf of ``far``; once he has picked up, the
initiator talks to him through ``near``. Completing it moves ``near`` to the transferred party.
"""

from __future__ import annotations

from bluetel.telephony.errors import RejectReason
from bluetel.telephony.simulator.events import TransferEvent, TransferStep
from bluetel.telephony.simulator.legs import (
    NORMAL_CLEARING,
    Conversation,
    Leg,
    LegStatus,
    Party,
    SimulatedTransfer,
)
from bluetel.telephony.simulator.routing import Routing
from bluetel.telephony.types import TransferKind


class Refused(Exception):
    """The PBX says no to a command; ``reason`` is why."""

    def __init__(self, reason: RejectReason) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Transfers(Routing):
    """Moving one's call to somebody else; ``transfers`` are those under way, by id."""

    transfers: dict[str, SimulatedTransfer]

    def start_transfer(self, leg: Leg, number: str, *, kind: TransferKind) -> SimulatedTransfer:
        """Begin to move the party ``leg`` talks to; ``Refused`` unless it talks to one party."""
        mates = leg.mates
        if leg.status is not LegStatus.UP or len(mates) != 1 or mates[0].local or leg.transfer:
            raise Refused(RejectReason.CONFLICT)
        if self.resolve(number) is None:
            raise Refused(RejectReason.INVALID_EXTENSION)
        transfer = SimulatedTransfer(
            id=self.new_uuid(), kind=kind, initiator=leg, transferred=mates[0], number=number
        )
        self.transfers[transfer.id] = transfer
        leg.call.forwarded_from, leg.call.redirections = None, 0
        leg.transfer = transfer.transferred.transfer = transfer
        if leg.held:
            self.resume(leg)
        self._part(leg)
        self._part(transfer.transferred)
        self._say(TransferStep.CREATED, transfer)
        if kind is TransferKind.BLIND:
            self._send_away(transfer)
        else:
            self._consult(transfer)
        return transfer

    def complete_transfer(self, transfer: SimulatedTransfer) -> None:
        """Join the other two; while the third still rings, the transferred party waits for him."""
        if transfer.status != "answered":
            self._abandon(transfer, by=transfer.initiator)
            return
        initiator, transferred, near = transfer.initiator, transfer.transferred, transfer.near
        self._say(TransferStep.COMPLETED, transfer)
        if near:
            self._join(transferred, near, bridge_id=transfer.id)
        self._forget(transfer)
        self._introduce(transfer)
        self._changed(initiator)
        self._end(initiator, NORMAL_CLEARING)

    def cancel_transfer(self, transfer: SimulatedTransfer) -> None:
        """Give up on the third party and talk to the first again."""
        self._drop_third(transfer)
        self._take_back(transfer)

    def transfer_of(self, leg: Leg) -> SimulatedTransfer | None:
        """The transfer ``leg`` has begun and not finished."""
        transfer = leg.transfer
        return transfer if transfer and transfer.initiator is leg else None

    # --- Steps --------------------------------------------------------------------------------

    def _say(self, step: TransferStep, transfer: SimulatedTransfer) -> None:
        self._emit(TransferEvent(step, transfer))

    def _forget(self, transfer: SimulatedTransfer) -> None:
        if self.transfers.pop(transfer.id, None) is None:
            return
        transfer.status = "ended"
        for leg in (transfer.initiator, transfer.transferred):
            if leg.transfer is transfer:
                leg.transfer = None
        self._say(TransferStep.ENDED, transfer)

    def _send_away(self, transfer: SimulatedTransfer) -> None:
        transfer.status = "blind_transferred"
        self._say(TransferStep.UPDATED, transfer)
        self._end(transfer.initiator, NORMAL_CLEARING)
        self._dial(transfer.transferred, transfer.number)

    def _consult(self, transfer: SimulatedTransfer) -> None:
        initiator = transfer.initiator
        near, far = (
            self._new_leg(
                initiator.call,
                local=True,
                is_caller=is_caller,
                status=status,
                own=Party(initiator.number, initiator.name),
                peer=Party(transfer.number),
            )
            for is_caller, status in ((False, LegStatus.UP), (True, LegStatus.DIALLING))
        )
        near.transfer = far.transfer = transfer
        transfer.near, transfer.far = near, far
        self._say(TransferStep.UPDATED, transfer)
        transfer.status = "ringback"
        initiator.peer_number, initiator.peer_name = initiator.number, initiator.name
        self._changed(initiator)
        self._dial(far, transfer.number)
        initiator.peer_number, initiator.peer_name = far.peer_number, far.peer_name
        self._changed(initiator)

    def _connected(self, caller: Leg) -> None:
        transfer = caller.transfer
        if transfer is None:
            return
        if transfer.kind is TransferKind.BLIND:
            self._forget(transfer)
            return
        waiting = transfer.initiator if transfer.initiator.is_live else transfer.transferred
        if transfer.near is None or not waiting.is_live:
            return
        # The bridge of a transfer bears its id (recorded).
        self._join(waiting, transfer.near, bridge_id=transfer.id)
        if waiting is transfer.initiator and transfer.id in self.transfers:
            transfer.status = "answered"
            self._say(TransferStep.ANSWERED, transfer)
            self._changed(waiting)
        else:
            self._introduce(transfer)

    def _introduce(self, transfer: SimulatedTransfer) -> None:
        """The two who now talk see each other's number."""
        first = transfer.transferred if transfer.transferred.is_live else transfer.initiator
        thirds = transfer.far.mates if transfer.far else ()
        for third in thirds:
            first.peer_number, first.peer_name = third.number, third.name
            third.peer_number, third.peer_name = first.number, first.name
        self._changed(first, *thirds)

    def _drop_third(self, transfer: SimulatedTransfer, *, cause: int = NORMAL_CLEARING) -> None:
        near, far = transfer.near, transfer.far
        if near is None or far is None:
            return
        self._close_box(far)
        thirds = far.mates
        self._end_ringing(far, cause)
        self._end(near, cause)
        self._end(far, cause)
        for third in thirds:
            self._end(third, cause)

    def _take_back(self, transfer: SimulatedTransfer) -> None:
        initiator, transferred = transfer.initiator, transfer.transferred
        initiator.peer_number, initiator.peer_name = transferred.number, transferred.name
        self._join(initiator, transferred)
        self._say(TransferStep.CANCELLED, transfer)
        self._forget(transfer)
        self._changed(initiator, transferred)

    def _abandon(self, transfer: SimulatedTransfer, *, by: Leg) -> None:
        """One of the first two goes while the third is being rung or asked."""
        transfer.status = "abandoned"
        self._say(TransferStep.ABANDONED, transfer)
        self._forget(transfer)
        self._end(by, NORMAL_CLEARING)

    # --- Somebody goes ------------------------------------------------------------------------

    def hang_up(self, leg: Leg, *, cause: int = NORMAL_CLEARING) -> None:
        """One party goes; in a transfer the others may stay (see the module)."""
        transfer = leg.transfer
        if not leg.is_live:
            return
        if leg.local:
            self._left_alone(leg, cause)
        elif transfer is None or transfer.kind is TransferKind.BLIND:
            if transfer:
                self._forget(transfer)
            super().hang_up(leg, cause=cause)
        elif leg is transfer.initiator and transfer.status == "answered":
            self.complete_transfer(transfer)
        else:
            self._abandon(transfer, by=leg)

    def _left_alone(self, leg: Leg, cause: int) -> None:
        transfer = leg.transfer
        if transfer is None or not leg.local:
            self._end(leg, cause)
            return
        under_way = transfer.id in self.transfers
        self._drop_third(transfer, cause=cause)
        if under_way:
            self._take_back(transfer)
            return
        for party in (transfer.initiator, transfer.transferred):
            self._end(party, cause)

    def _conversation_over(self, call: Conversation) -> None:
        for transfer in tuple(self.transfers.values()):
            if transfer.initiator.call is call:
                self._forget(transfer)
        super()._conversation_over(call)
