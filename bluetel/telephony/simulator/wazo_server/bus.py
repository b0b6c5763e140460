"""What happens in the model, as the events of Wazo's message bus, and who receives them.

Order and repetitions follow the recorded sessions: ``call_updated`` repeats unchanged while a
phone rings, and comes before ``call_created`` for the callee of a click-to-call; ``call_ended``
comes twice.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Protocol, assert_never

from bluetel.telephony.simulator.events import (
    BoxEvent,
    CallLogged,
    CallMissed,
    DoNotDisturbSet,
    DtmfSent,
    ForwardSet,
    LegEvent,
    LegStep,
    LineEvent,
    PersonEvent,
    PersonStep,
    PresenceEvent,
    SimulatorEvent,
    TransferEvent,
)
from bluetel.telephony.simulator.http import JsonObject
from bluetel.telephony.simulator.legs import Leg, LegStatus
from bluetel.telephony.simulator.people import Person
from bluetel.telephony.simulator.wazo_server import records, voicemail_records
from bluetel.telephony.simulator.wazo_server.site import PBX_UUID, TENANT, Site
from bluetel.telephony.simulator.wazo_server.tokens import Token
from bluetel.telephony.types import ForwardKind

EVERYBODY = "*"
FORWARD_NAMES = {
    ForwardKind.UNCONDITIONAL: "unconditional",
    ForwardKind.NO_ANSWER: "noanswer",
    ForwardKind.BUSY: "busy",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One bus event; ``user`` is whose it is, EVERYBODY for the whole tenant, None for nobody."""

    name: str
    access: str
    user: str | None
    envelope: JsonObject

    def frame(self, *, version: int) -> str:
        """The WebSocket text: wrapped for protocol 2, bare for protocol 1."""
        if version == 1:
            return json.dumps(self.envelope)
        return json.dumps({"op": "event", "code": 0, "data": self.envelope})


class Receiver(Protocol):
    """An open event socket."""

    token: Token

    def wants(self, name: str) -> bool:
        """Whether it has subscribed to that event and started."""

    def deliver(self, message: Message) -> None:
        """Take one event; must not block."""


class Bus:
    """Turns the model's events into messages and hands them to the sockets."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.receivers: set[Receiver] = set()
        site.pbx.listen(self.translate)

    def publish(
        self, name: str, access: str, user: str | None, data: JsonObject, **headers: str
    ) -> None:
        """Send one event to all who want it and may see it."""
        interested = [one for one in self.receivers if one.wants(name) and _sees(one, access, user)]
        if not interested:
            return
        envelope: JsonObject = {"tenant_uuid": TENANT, **headers, "name": name}
        if user:
            envelope[f"user_uuid:{user}"] = True
        envelope |= {
            "required_access": f"event.{name}",
            "required_acl": access,
            "origin_uuid": PBX_UUID,
            "timestamp": self._site.local(self._site.pbx.now),
            "data": data,
        }
        message = Message(name=name, access=access, user=user, envelope=envelope)
        for one in interested:
            one.deliver(message)

    # --- From the model -----------------------------------------------------------------------

    def translate(self, event: SimulatorEvent) -> None:
        """Publish what Wazo publishes for this."""
        if not self.receivers:
            return
        match event:
            case LegEvent(step, leg):
                self._leg(step, leg)
            case DtmfSent(leg, digit):
                data: JsonObject = {"call_id": leg.id, "digit": digit, "user_uuid": _user(leg)}
                self._of_call("call_dtmf_created", leg, data)
            case PresenceEvent(person, chosen):
                self.publish(
                    "chatd_presence_updated",
                    f"events.chatd.users.{person.id}.presences.updated",
                    EVERYBODY,
                    records.presence(person, just_chosen=chosen),
                )
            case LineEvent(line):
                self.publish(
                    "line_status_updated",
                    f"events.lines.{line.id}.status.updated",
                    EVERYBODY,
                    records.line_status(line),
                )
            case CallMissed():
                self._missed(event)
            case TransferEvent(step, transfer):
                person_id = _user(transfer.initiator)
                self.publish(
                    f"transfer_{step}",
                    f"events.transfers.{person_id}",
                    person_id,
                    records.transfer(transfer),
                )
            case CallLogged():
                self._logged(event)
            case _:
                self._configuration(event)

    def _configuration(self, event: ForwardSet | DoNotDisturbSet | BoxEvent | PersonEvent) -> None:
        match event:
            case ForwardSet(person, kind):
                name = FORWARD_NAMES[kind]
                setting = records.forward(person.forwards[kind])
                self._setting(person, "forwards", name, setting)
            case DoNotDisturbSet(person):
                self._setting(person, "services", "dnd", {"enabled": person.do_not_disturb})
            case BoxEvent():
                self._box(event)
            case PersonEvent(step, person):
                self._person(step, person.number, person.id)
            case _:
                assert_never(event)

    def _setting(self, person: Person, group: str, name: str, setting: JsonObject) -> None:
        data: JsonObject = {
            "user_id": person.number,
            "user_uuid": person.id,
            "tenant_uuid": TENANT,
            **setting,
        }
        access = f"events.config.users.{person.id}.{group}.{name}.updated"
        self.publish(f"users_{group}_{name}_updated", access, person.id, data)

    def _of_call(self, name: str, leg: Leg, data: JsonObject) -> None:
        user = _user(leg)
        self.publish(name, f"events.calls.{user}", user, data)

    def _leg(self, step: LegStep, leg: Leg) -> None:
        match step:
            case LegStep.CREATED:
                record = records.call(self._site, leg)
                if leg.call.clicked and not leg.is_caller:
                    self._of_call("call_updated", leg, {**record, "status": "Down"})
                self._of_call("call_created", leg, record)
            case LegStep.CHANGED:
                record = records.call(self._site, leg)
                for _ in range(2 if leg.status is LegStatus.RINGING else 1):
                    self._of_call("call_updated", leg, record)
            case LegStep.ANSWERED:
                self._of_call("call_answered", leg, records.call(self._site, leg))
            case LegStep.HELD | LegStep.RESUMED:
                data: JsonObject = {"call_id": leg.id, "user_uuid": _user(leg)}
                self._of_call(f"call_{step}", leg, data)
            case LegStep.ENDED:
                record = records.ended_call(self._site, leg)
                for _ in range(2):
                    self._of_call("call_ended", leg, record)
            case _:
                assert_never(step)

    def _missed(self, event: CallMissed) -> None:
        caller, person = event.caller, event.person
        self.publish(
            "user_missed_call",
            f"events.calls.{person.id}",
            person.id,
            {
                "user_uuid": person.id,
                "caller_user_uuid": _user(caller),
                "caller_id_name": caller.name,
                "caller_id_number": caller.number,
                "dialed_extension": caller.call.requested,
                "conversation_id": caller.call.id,
                "reason": event.reason,
            },
        )

    def _box(self, event: BoxEvent) -> None:
        self.publish(
            f"user_voicemail_message_{event.step}",
            f"events.users.{event.person.id}.voicemails",
            event.person.id,
            {
                "user_uuid": event.person.id,
                "voicemail_id": event.box.id,
                "message_id": event.message.id,
                "message": voicemail_records.message(event.box, event.message),
            },
        )

    def _person(self, step: PersonStep, number: int, person_id: str) -> None:
        data: JsonObject = {
            "id": number,
            "uuid": person_id,
            "subscription_type": 0,
            "created_at": None,
            "tenant_uuid": TENANT,
        }
        self.publish(f"user_{step}", f"events.config.user.{step}", EVERYBODY, data)

    def _logged(self, event: CallLogged) -> None:
        entry = event.entry
        self.publish(
            "call_log_created",
            "events.call_log.created",
            EVERYBODY,
            records.log_entry(self._site, entry),
        )
        for person in entry.participants:
            self.publish(
                "call_log_user_created",
                f"events.call_log.user.{person.id}.created",
                person.id,
                records.log_entry(self._site, entry, tags=False),
            )

    # --- Sessions -----------------------------------------------------------------------------

    def session_expires_soon(self, token: Token) -> None:
        """Tell the owner of a token that it is about to expire."""
        account = token.account
        self.publish(
            "auth_session_expire_soon",
            f"events.auth.users.{account.uuid}.sessions.{token.session}.expire_soon",
            account.uuid,
            {"uuid": token.session, "user_uuid": account.uuid, "tenant_uuid": TENANT},
            session_uuid=token.session,
        )


def _user(leg: Leg) -> str | None:
    return leg.person.id if leg.person else None


def _sees(receiver: Receiver, access: str, user: str | None) -> bool:
    token = receiver.token
    if not token.sees_everybody and user not in (EVERYBODY, token.account.uuid):
        return False
    return token.may(access)
