"""The model's people, calls and messages as the ports' values."""

from __future__ import annotations

from collections.abc import Iterable

from bluetel.telephony.simulator.legs import (
    INTERWORKING,
    NO_ANSWER,
    NORMAL_CLEARING,
    SUBSCRIBER_ABSENT,
    USER_BUSY,
    Conversation,
    Leg,
    LogEntry,
)
from bluetel.telephony.simulator.people import Box, BoxMessage, OutsideEntry, Person
from bluetel.telephony.types import (
    Call,
    CallId,
    CallState,
    ConversationId,
    Direction,
    DirectoryEntry,
    Forwards,
    Line,
    LoggedCall,
    PbxUser,
    PbxUserId,
    Presence,
    VoicemailMessage,
)

CONTEXT = "internal"
MISSED_CAUSES = {
    "busy": USER_BUSY,
    "dnd": USER_BUSY,
    "no-answer": NO_ANSWER,
    "phone-unreachable": SUBSCRIBER_ABSENT,
    "channel-unavailable": SUBSCRIBER_ABSENT,
}


def call_of(leg: Leg, person: Person) -> Call:
    """One person's call, from his leg."""
    return Call(
        user=person.id,
        id=CallId(leg.id),
        conversation=ConversationId(leg.call.id),
        state=leg.state,
        direction=Direction.OUTGOING if leg.is_caller else Direction.INCOMING,
        number=leg.peer_number,
        name="" if leg.originating else leg.peer_name,
        started_at=leg.created_at,
        answered_at=leg.talked_at,
        ended_at=leg.ended_at,
        cause=_cause(leg),
        reached=leg.reached,
        muted=leg.muted,
    )


def _cause(leg: Leg) -> int | None:
    """Why the call ended: for a caller who was not put through, why the peer was not reached."""
    if leg.reached is not CallState.RINGING_PEER or leg.cause not in (
        NORMAL_CLEARING,
        INTERWORKING,
    ):
        return leg.cause
    told = [
        other.cause
        for other in leg.call.legs
        if other.person is not leg.person
        and other.answered_at is None
        and other.cause not in (None, NORMAL_CLEARING, INTERWORKING)
    ]
    if told:
        return told[-1]
    is_alone = all(other.person is leg.person for other in leg.call.legs if not other.local)
    if leg.call.missed == "unconditional-forward" and is_alone:
        return NO_ANSWER  # a box or an announcement was heard
    return MISSED_CAUSES.get(leg.call.missed, NORMAL_CLEARING)


def main_leg(legs: Iterable[Leg]) -> Leg:
    """Which of a person's legs in one conversation stands for his call: alive, then furthest."""
    order = list(CallState)
    return max(legs, key=lambda leg: (leg.is_live, order.index(leg.reached)))


def calls_of(call: Conversation, *, only: Person | None = None) -> list[Call]:
    """Each person's call in one conversation."""
    by_person: dict[str, list[Leg]] = {}
    people: dict[str, Person] = {}
    for leg in call.legs:
        if leg.person and only in (None, leg.person):
            by_person.setdefault(leg.person.id, []).append(leg)
            people[leg.person.id] = leg.person
    return [call_of(main_leg(legs), people[user]) for user, legs in by_person.items()]


def user_of(person: Person) -> PbxUser:
    """A person with his lines."""
    return PbxUser(
        id=person.id,
        first_name=person.first_name,
        last_name=person.last_name,
        email=person.email,
        login=person.login,
        mobile=person.mobile,
        language=person.language,
        time_zone=person.time_zone,
        lines=tuple(
            Line(
                id=str(line.id),
                extension=line.extension,
                context=CONTEXT,
                name=f"sip{line.extension}",
            )
            for line in person.lines
        ),
    )


def presence_of(person: Person) -> Presence:
    """Phone, do-not-disturb and chat."""
    return Presence(
        user=person.id,
        phone=person.line_state,
        do_not_disturb=person.do_not_disturb,
        chat=person.chat.state,
        message=person.chat.message or "",
        connected=person.connected,
        chosen_at=person.chat.chosen_at,
    )


def forwards_of(person: Person) -> Forwards:
    """The three forwards and do-not-disturb, as they are now."""
    return Forwards(by_kind=dict(person.forwards), do_not_disturb=person.do_not_disturb)


def message_of(box: Box, message: BoxMessage) -> VoicemailMessage:
    """A voice message; its time has whole seconds, as a PBX stores it."""
    return VoicemailMessage(
        id=message.id,
        box=str(box.id),
        folder=message.folder,
        number=message.number,
        name=message.name,
        duration=message.duration,
        received_at=message.received_at.replace(microsecond=0),
        transcript=message.transcript,
        box_number=box.number,
    )


def person_entry(person: Person) -> DirectoryEntry:
    """A colleague in the directory."""
    numbers = [("extension", person.extension), ("mobile", person.mobile)]
    return DirectoryEntry(
        name=person.name,
        numbers=tuple((label, number) for label, number in numbers if number),
        email=person.email,
        user=PbxUserId(person.id),
        source="people",
        entry_id=str(person.number),
    )


def outside_entry(entry: OutsideEntry) -> DirectoryEntry:
    """An outside party in the directory."""
    numbers = [("work", entry.number), ("mobile", entry.mobile)]
    return DirectoryEntry(
        name=entry.name,
        numbers=tuple((label, number) for label, number in numbers if number),
        email=entry.email,
        company=entry.company,
        source="companies",
        entry_id=entry.number,
    )


def logged_call(entry: LogEntry, person: Person) -> LoggedCall:
    """A call log row, seen from one of its people."""
    outgoing = entry.source is person
    return LoggedCall(
        id=str(entry.id),
        direction=Direction.OUTGOING if outgoing else Direction.INCOMING,
        answered=entry.answered,
        number=entry.destination_number if outgoing else entry.source_number,
        name=entry.destination_name if outgoing else entry.source_name,
        started_at=entry.started_at,
        duration=entry.seconds if entry.answered else 0,
        conversation=ConversationId(entry.conversation),
    )
