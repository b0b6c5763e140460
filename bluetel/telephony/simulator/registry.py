"""Accounts and settings of the simulated PBX: the part that switches no calls."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from uuid import UUID

from bluetel.telephony.simulator.clock import GivenClock
from bluetel.telephony.simulator.events import (
    BoxEvent,
    BoxStep,
    DoNotDisturbSet,
    ForwardSet,
    PersonEvent,
    PersonStep,
    PresenceEvent,
    SimulatorEvent,
    Write,
)
from bluetel.telephony.simulator.legs import Leg, LogEntry
from bluetel.telephony.simulator.people import (
    Box,
    BoxMessage,
    Chat,
    DeskLine,
    OutsideEntry,
    Person,
)
from bluetel.telephony.simulator.sound import tone
from bluetel.telephony.types import (
    ChatState,
    Forward,
    ForwardKind,
    PbxUserId,
    VoicemailFolder,
)

Listener = Callable[[SimulatorEvent], None]

HANDSET = "handset"
"""Who is written down for what somebody did at his desk phone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How this PBX and the world outside behave; durations in seconds.

    ``outside_answers_after`` None means that nobody outside ever picks up. ``prompt`` is how long
    an announcement ("the person you called…") plays before the PBX hangs up.
    """

    own_ring: float = 30.0
    outside_answers_after: float | None = 4.0
    outside_ring: float = 60.0
    prompt: float = 1.5
    outside_speaks: float = 8.0
    longest_message: float = 120.0
    log_delay: float = 1.0
    longest_call: float = 36_000.0
    voicemail_prefix: str = "*97"
    redirections: int = 10


OUTSIDE_NUMBER = re.compile(
    r"0[0-9]{5,17}|1[578]|11[2459]|116[0-9]{3}|118[0-9]{3}|19[167]|3[0-9]{3}|[0-9]{8}[0-9]{0,10}"
)
"""What the dial plan sends to the outside line: national, 00…, short and emergency numbers."""


class Registry(GivenClock):
    """People, lines, boxes, directory, log; every change is told to the listeners.

    Look-ups are by key, so that 20,000 people cost no more per event than nine.
    """

    def __init__(self, *, now: datetime, habits: Habits | None = None) -> None:
        super().__init__(now=now)
        self.habits = habits or Habits()
        self.people: dict[str, Person] = {}
        self.lines: dict[str, tuple[Person, DeskLine]] = {}
        self.logins: dict[str, Person] = {}
        self.boxes: dict[str, Box] = {}
        self.directory: list[OutsideEntry] = []
        self.legs: dict[str, Leg] = {}
        self.log: list[LogEntry] = []
        self.writes: list[Write] = []
        self._log_of: dict[str, list[LogEntry]] = {}
        self._listeners: list[Listener] = []
        self._random = random.Random(20_260_101)  # noqa: S311 ids, not secrets
        self._serials = count()
        self._line_ids = count(1)
        self._person_ids = count(3)
        self._box_ids = count(1)
        self._message_serials = count(1)

    # --- Telling ------------------------------------------------------------------------------

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Have every event told to ``listener``; calling what is returned ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def _emit(self, event: SimulatorEvent) -> None:
        for listener in tuple(self._listeners):
            listener(event)

    def _write(self, who: str, what: str, person: Person, before: str, after: str) -> None:
        self.writes.append(
            Write(at=self.now, who=who, what=what, user=person.id, before=before, after=after)
        )

    def new_uuid(self) -> str:
        """A uuid that is the same in each run, in the order asked for."""
        return str(UUID(int=self._random.getrandbits(128), version=4))

    # --- People -------------------------------------------------------------------------------

    def add_person(
        self,
        *,
        user_id: str,
        first_name: str,
        last_name: str,
        extensions: Sequence[str] = (),
        make: str = "Yealink",
        email: str = "",
        login: str = "",
        password: str = "",
        mobile: str = "",
        box: bool = False,
    ) -> Person:
        """Add somebody, with a line per extension and, if wanted, a box of the same number."""
        person = Person(
            id=PbxUserId(user_id),
            number=next(self._person_ids),
            first_name=first_name,
            last_name=last_name,
            email=email,
            login=login,
            password=password,
            mobile=mobile,
        )
        for extension in extensions:
            line = DeskLine(id=next(self._line_ids), extension=extension, make=make)
            person.lines.append(line)
            self.lines[extension] = (person, line)
        if box and extensions:
            person.box = Box(
                id=next(self._box_ids), number=extensions[0], name=person.name, owner=person.id
            )
            self.boxes[extensions[0]] = person.box
        self.people[user_id] = person
        self._index_logins(person)
        self._emit(PersonEvent(PersonStep.CREATED, person))
        return person

    def _index_logins(self, person: Person) -> None:
        for login in (person.login, person.email):
            if login:
                self.logins[login.casefold()] = person

    def _forget_logins(self, person: Person) -> None:
        for login in (person.login, person.email):
            if login and self.logins.get(login.casefold()) is person:
                del self.logins[login.casefold()]

    def find(self, user_id: str) -> Person | None:
        """The person of that uuid."""
        return self.people.get(user_id)

    def by_login(self, login: str) -> Person | None:
        """Who signs in with that name or e-mail address, whatever its case."""
        return self.logins.get(login.casefold())

    def by_extension(self, extension: str) -> Person | None:
        """Whose line that is."""
        found = self.lines.get(extension)
        return found[0] if found else None

    def edit_person(
        self,
        person: Person,
        *,
        who: str,
        first_name: str | None = None,
        last_name: str | None = None,
        email: str | None = None,
        mobile: str | None = None,
        time_zone: str | None = None,
        language: str | None = None,
    ) -> None:
        """Change what is given, as an administrator or the person himself would."""
        before = person.name
        self._forget_logins(person)
        person.first_name = person.first_name if first_name is None else first_name
        person.last_name = person.last_name if last_name is None else last_name
        person.email = person.email if email is None else email
        person.mobile = person.mobile if mobile is None else mobile
        person.time_zone = person.time_zone if time_zone is None else time_zone
        person.language = person.language if language is None else language
        self._index_logins(person)
        self._write(who, "user", person, before, person.name)
        self._emit(PersonEvent(PersonStep.EDITED, person))

    # --- Presence -----------------------------------------------------------------------------

    def choose_chat(
        self,
        person: Person,
        state: ChatState,
        *,
        who: str,
        message: str | None = None,
        keep_message: bool = False,
    ) -> None:
        """Publish a status; ``keep_message`` leaves the text as it is."""
        before = f"{person.chat.state} {person.chat.message or ''}".strip()
        text = person.chat.message if keep_message else message
        person.chat = Chat(state=state, message=text, chosen_at=self.now)
        self._write(who, "chat", person, before, f"{state} {text or ''}".strip())
        self._emit(PresenceEvent(person, chosen=True))

    def add_session(self, person: Person) -> None:
        """He signed in somewhere: he is ``connected``."""
        person.sessions += 1
        self._emit(PresenceEvent(person))

    def remove_session(self, person: Person) -> None:
        """One of his sessions ended."""
        person.sessions = max(0, person.sessions - 1)
        self._emit(PresenceEvent(person))

    # --- Forwards and do-not-disturb ----------------------------------------------------------

    def set_forward(
        self, person: Person, kind: ForwardKind, forward: Forward, *, who: str = HANDSET
    ) -> None:
        """Write one forward; told even when nothing changed, as the PBX does."""
        before, person.forwards[kind] = person.forwards[kind], forward
        self._write(who, f"forward.{kind}", person, _shown(before), _shown(forward))
        self._emit(ForwardSet(person, kind))

    def set_do_not_disturb(self, person: Person, *, enabled: bool, who: str = HANDSET) -> None:
        """Switch do-not-disturb; told even when nothing changed, and presence with it."""
        before, person.do_not_disturb = person.do_not_disturb, enabled
        self._write(who, "do_not_disturb", person, str(before), str(enabled))
        self._emit(DoNotDisturbSet(person))
        self._emit(PresenceEvent(person))

    # --- Voice messages -----------------------------------------------------------------------

    def leave_message(
        self,
        box: Box,
        *,
        number: str,
        name: str,
        duration: int,
        received_at: datetime | None = None,
        folder: VoicemailFolder = VoicemailFolder.NEW,
        transcript: str = "",
    ) -> BoxMessage:
        """Put a message into a box; an anonymous caller has no number and no name."""
        serial = next(self._message_serials)
        at = received_at or self.now
        message = BoxMessage(
            id=f"{int(at.timestamp())}-{serial:08x}",
            serial=serial,
            number=number,
            name=name,
            duration=duration,
            received_at=at,
            folder=folder,
            transcript=transcript,
        )
        box.messages[message.id] = message
        self._emit(BoxEvent(BoxStep.CREATED, self.people[box.owner], box, message))
        return message

    def move_message(
        self, box: Box, message: BoxMessage, folder: VoicemailFolder, *, who: str
    ) -> None:
        """Put a message into another folder."""
        person = self.people[box.owner]
        self._write(who, f"voicemail.{message.id}", person, message.folder, folder)
        message.folder = folder
        self._emit(BoxEvent(BoxStep.UPDATED, person, box, message))

    def delete_message(self, box: Box, message: BoxMessage, *, who: str) -> None:
        """Delete a message for good."""
        person = self.people[box.owner]
        del box.messages[message.id]
        self._write(who, f"voicemail.{message.id}", person, message.folder, "deleted")
        self._emit(BoxEvent(BoxStep.DELETED, person, box, message))

    def audio(self, message: BoxMessage) -> bytes:
        """The recording as WAV: one tone as long as the message, its pitch by its serial."""
        return tone(seconds=message.duration, hertz=300 + 20 * (message.serial % 16))

    # --- Log ----------------------------------------------------------------------------------

    def log_of(self, person: Person) -> Sequence[LogEntry]:
        """The logged calls somebody took part in, oldest first."""
        return self._log_of.get(person.id, ())

    def add_to_log(self, entry: LogEntry) -> None:
        """Write a finished call down without telling anybody, as for calls of the past."""
        self.log.append(entry)
        for person in entry.participants:
            self._log_of.setdefault(person.id, []).append(entry)

    def everybody(self) -> Iterable[Person]:
        """All people in the order they were added."""
        return self.people.values()


def _shown(forward: Forward) -> str:
    return f"{'on' if forward.enabled else 'off'} {forward.destination}".strip()
