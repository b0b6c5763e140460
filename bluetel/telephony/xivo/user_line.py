"""One user's own CTI session: his calls, and beside them his settings and what he looks up.

Everything here runs on the loop of :class:`.loop.CtiLoop`. A command has done its work only when
the event came that it should cause; else it fails, visibly (``reference/xivo.md`` §12, §15.7).
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

from bluetel.telephony.errors import (
    NotFound,
    NotSupported,
    PbxUnavailable,
    Rejected,
    RejectReason,
    TelephonyError,
)
from bluetel.telephony.types import (
    Call,
    CallChanged,
    CallId,
    CallState,
    Capability,
    PbxEvent,
    PbxUserId,
    PhoneFacts,
    Transfer,
    TransferKind,
    VoicemailChanged,
)
from bluetel.telephony.xivo import hints
from bluetel.telephony.xivo.call_book import CallBook
from bluetel.telephony.xivo.lookups import Lookups
from bluetel.telephony.xivo.messages import (
    ConfigUpdate,
    CtiMessage,
    CurrentCalls,
    LineConfig,
    OwnPhoneChanged,
    PhoneEvent,
    PhoneStep,
    VoicemailCounters,
    is_a,
)
from bluetel.telephony.xivo.options import XivoOptions
from bluetel.telephony.xivo.own_settings import OwnSettings
from bluetel.telephony.xivo.phone_abilities import sends_tones, takes_orders
from bluetel.telephony.xivo.session import READY_WITHIN, CtiSession

logger = logging.getLogger(__name__)

_TONES = re.compile(r"[0-9*#]+")


class UserLine:
    """What one user's session knows and can do; the ``Listener`` of its socket."""

    def __init__(
        self,
        user: PbxUserId,
        *,
        options: XivoOptions,
        now: Callable[[], datetime],
        tell: Callable[[PbxEvent], None],
        note_phone: Callable[[PbxUserId, PhoneFacts], None],
        peer_code: Callable[[str], int | None],
    ) -> None:
        """``tell`` takes events for BlueTel; ``note_phone`` what is learnt of the telephone."""
        self.user = user
        self.session: CtiSession
        self.settings: OwnSettings
        self.lookups: Lookups
        self.book = CallBook(user, peer_code=peer_code)
        self.line: LineConfig | None = None
        self.counters: VoicemailCounters | None = None
        self.own_code: int | None = None
        self._options = options
        self._now = now
        self._tell = tell
        self._note_phone = note_phone
        self._is_synced = asyncio.Event()
        self._sync: asyncio.Task[None] | None = None
        self._locks: dict[str, asyncio.Lock] = {}
        self._transfers: set[CallId] = set()

    def attach(self, session: CtiSession) -> None:
        """Live on this session, which has this line for its listener."""
        self.session = session
        self.settings = OwnSettings(self.user, session, self._tell)
        self.lookups = Lookups(session, self._options)

    # --- Listener -------------------------------------------------------------------------------

    def opened(self) -> None:
        """Ask what the vendor's own client asks first."""
        self.settings.opened()
        self._sync = asyncio.get_running_loop().create_task(self._synchronise())

    def lost(self, reason: str) -> None:
        """Nothing is certain any more; what was known stays to be compared with."""
        del reason
        self.settings.lost()
        self._is_synced.clear()
        self._transfers.clear()
        if self._sync is not None:
            self._sync.cancel()
            self._sync = None

    def heard(self, message: CtiMessage) -> None:
        """Take what concerns this user."""
        match message:
            case PhoneEvent():
                self._say_calls(self.book.apply(message, now=self._now()))
                if not self.book.is_consulting():
                    self._transfers &= {call.id for call in self.book.calls()}
            case CurrentCalls(events=events):
                self._say_calls(self.book.reconcile(events, now=self._now()))
            case OwnPhoneChanged(code=code):
                self.own_code = code
                self._say_calls(self.book.note_own_phone(code, now=self._now()))
            case ConfigUpdate():
                self.settings.take(message)
            case LineConfig():
                self.line = message
                self._note_phone(self.user, message.phone)
            case VoicemailCounters():
                before, self.counters = self.counters, message
                if before not in (None, message):
                    self._tell(VoicemailChanged(user=self.user))
            case _:
                pass

    async def _synchronise(self) -> None:
        try:
            await self.session.ask("getConfig", is_a(LineConfig), objectType="line")
        except TelephonyError as error:
            logger.debug("the line of a user is not told: %s", error)
        try:
            await self._read_calls()
        except TelephonyError as error:
            logger.debug("the calls of a user are not told: %s", error)
        self._is_synced.set()

    def _say_calls(self, calls: Sequence[Call]) -> None:
        for call in calls:
            self._tell(CallChanged(call=call))

    # --- Calls ----------------------------------------------------------------------------------

    async def calls(self, *, within: float) -> Sequence[Call]:
        """The live calls, asked for now."""
        await self.session.ready(within)
        await self._read_calls(within=within)
        return self.book.calls()

    async def dial(self, number: str, *, within: float) -> Call:
        """Have the own phone call ``number``; see ``CallControl.place_call``."""
        async with self._one("call"):
            await self.session.ready(within)
            if self.line is not None and not self.line.has_line:
                raise Rejected("the user has no line", reason=RejectReason.NO_LINE)
            known = {call.conversation for call in self.book.calls()}
            self.book.click(number, now=self._now())

            def begins(message: CtiMessage) -> bool:
                return (
                    isinstance(message, PhoneEvent)
                    and message.step in {PhoneStep.DIALING, PhoneStep.RINGING}
                    and message.linked_id not in known
                    and message.number in {"", number}
                )

            try:
                event = await self.session.ask(
                    "dial",
                    begins,
                    refuses=_fails(known),
                    within=within,
                    what="dial",
                    changes=True,
                    destination=number,
                )
            except Rejected:
                self.book.forget_click()
                raise self._refused_call() from None
            assert isinstance(event, PhoneEvent)  # noqa: S101 — only such are accepted
            for call in self.book.calls():
                if self.book.is_of(call.id, event):
                    return call
            raise PbxUnavailable("the call ended at once", maybe_done=True)

    def _refused_call(self) -> Rejected:
        """Why a call could not be placed: XUC says only that, so the own phone's state decides."""
        if self.own_code in {hints.UNREACHABLE, hints.UNEXISTING}:
            return Rejected("the own phone is away", reason=RejectReason.PHONE_UNREACHABLE)
        return Rejected("the number leads nowhere", reason=RejectReason.INVALID_EXTENSION)

    async def hang_up(self, call: CallId) -> None:
        """End the own side of a call."""
        found = await self._find(call)
        await self._steer("hangup", found, {PhoneStep.RELEASED}, at_end=True)

    async def answer(self, call: CallId) -> None:
        """Pick up the desk phone."""
        found = await self._find(call)
        self._check_orders(Capability.ANSWER)
        if found.state is not CallState.RINGING_SELF:
            raise Rejected("the phone does not ring", reason=RejectReason.CONFLICT)
        await self._steer("answer", found, {PhoneStep.ESTABLISHED, PhoneStep.DIALING})

    async def hold(self, call: CallId, *, held: bool) -> None:
        """Hold or take back: XUC's command is a switch, so the state is looked at first."""
        async with self._one("hold"):
            found = await self._find(call)
            self._check_orders(Capability.HOLD)
            if held and found.state is CallState.HELD:
                return
            if not held and found.state is CallState.TALKING:
                return
            if found.state not in {CallState.HELD, CallState.TALKING}:
                raise Rejected("nobody to hold", reason=RejectReason.CONFLICT)
            step = PhoneStep.ON_HOLD if held else PhoneStep.ESTABLISHED
            await self._steer("hold", found, {step})

    async def send_dtmf(self, call: CallId, digits: str) -> None:
        """Send tones one by one; nothing confirms them."""
        phone = self.line.phone if self.line is not None else PhoneFacts()
        if not sends_tones(phone, self._options):
            raise NotSupported(Capability.DTMF)
        if not _TONES.fullmatch(digits):
            raise Rejected("not tones", reason=RejectReason.INVALID_DATA)
        await self._find(call)
        for digit in digits:
            self.session.say("sendDtmf", key=digit)

    async def transfer(self, call: CallId, number: str, *, kind: TransferKind) -> Transfer | None:
        """Pass the call on; see ``CallControl.transfer``."""
        async with self._one("call"):
            found = await self._find(call)
            self._check_control(Capability.TRANSFER)
            if found.state not in {CallState.TALKING, CallState.HELD} or call in self._transfers:
                raise Rejected("nobody to pass on", reason=RejectReason.CONFLICT)
            if kind is TransferKind.BLIND:
                await self._pass_on(found, number)
                return None
            await self._consult(found, number)
            self._transfers.add(call)
            return Transfer(id=call, call=call)

    async def complete_transfer(self, call: CallId) -> None:
        """Join the other two."""
        found = await self._in_transfer(call)
        await self._steer("completeTransfer", found, {PhoneStep.RELEASED}, named=False, at_end=True)
        self._transfers.discard(call)

    async def cancel_transfer(self, call: CallId) -> None:
        """Take the first caller back."""
        found = await self._in_transfer(call)
        await self._steer("cancelTransfer", found, {PhoneStep.ESTABLISHED}, named=False)
        self._transfers.discard(call)

    async def _pass_on(self, call: Call, number: str) -> None:
        try:
            await self.session.ask(
                "directTransfer",
                self._ends(call),
                refuses=_fails(set()),
                what="transfer",
                changes=True,
                destination=number,
            )
        except Rejected:
            raise Rejected("can't be passed on", reason=RejectReason.INVALID_EXTENSION) from None

    async def _consult(self, call: Call, number: str) -> None:
        self.book.consult(number)

        def begins(message: CtiMessage) -> bool:
            return (
                isinstance(message, PhoneEvent)
                and message.step is PhoneStep.DIALING
                and not self.book.is_of(call.id, message)
            )

        try:
            await self.session.ask(
                "attendedTransfer",
                begins,
                refuses=_fails({call.conversation}),
                what="transfer",
                changes=True,
                destination=number,
            )
        except Rejected:
            self.book.consult("")
            raise Rejected("can't be asked", reason=RejectReason.INVALID_EXTENSION) from None

    async def _in_transfer(self, call: CallId) -> Call:
        found = await self._find(call)
        if call not in self._transfers:
            raise NotFound("no transfer of this call is under way")
        return found

    async def _find(self, call: CallId) -> Call:
        await self.session.ready(READY_WITHIN)
        found = self.book.find(call)
        if found is None:
            await self._read_calls()
            found = self.book.find(call)
        if found is None:
            raise NotFound("no such call of this user")
        if not self._is_synced.is_set():
            await self._synced()
        return found

    async def _synced(self) -> None:
        async with asyncio.timeout(READY_WITHIN):
            await self._is_synced.wait()

    async def _steer(
        self,
        command: str,
        call: Call,
        steps: set[PhoneStep],
        *,
        named: bool = True,
        at_end: bool = False,
    ) -> None:
        """Give an order about a call and wait for the phone event that shows it was obeyed."""
        names: dict[str, Any] = {"uniqueId": call.id} if named and self._options.unique_ids else {}

        def obeyed(message: CtiMessage) -> bool:
            return (
                isinstance(message, PhoneEvent)
                and message.step in steps
                and self.book.is_of(call.id, message)
            )

        accepts = self._ends(call) if at_end else obeyed
        await self.session.ask(command, accepts, what=command, changes=True, **names)

    def _ends(self, call: Call) -> Callable[[CtiMessage], bool]:
        def ends(message: CtiMessage) -> bool:
            return (
                isinstance(message, PhoneEvent)
                and message.step is PhoneStep.RELEASED
                and self.book.is_of(call.id, message)
            )

        return ends

    def _check_control(self, needs: Capability) -> None:
        phone = self.line.phone if self.line is not None else PhoneFacts()
        if phone.web_rtc and not phone.has_device:
            # It rings in a browser of the PBX's own application, and only that can steer it.
            raise NotSupported(needs)

    def _check_orders(self, needs: Capability) -> None:
        phone = self.line.phone if self.line is not None else PhoneFacts()
        if not takes_orders(phone, self._options):
            raise NotSupported(needs)

    async def _read_calls(self, *, within: float | None = None) -> None:
        await self.session.ask(
            "getCurrentCallsPhoneEvents", is_a(CurrentCalls), within=within, fails_on_error=False
        )

    def _one(self, topic: str) -> asyncio.Lock:
        """The lock of a topic: two commands of one kind can't be told apart by their outcome."""
        return self._locks.setdefault(topic, asyncio.Lock())


def _fails(known: Collection[str]) -> Callable[[CtiMessage], bool]:
    """A failure event that is about no call there was before."""

    def fails(message: CtiMessage) -> bool:
        return (
            isinstance(message, PhoneEvent)
            and message.step is PhoneStep.FAILURE
            and message.linked_id not in known
        )

    return fails
