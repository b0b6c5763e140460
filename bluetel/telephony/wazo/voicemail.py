"""Voice messages through calld, by the boxes confd names (``reference/wazo.md`` §6)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from bluetel.telephony.errors import NotFound
from bluetel.telephony.http import Deadline
from bluetel.telephony.ports import Taker
from bluetel.telephony.types import Greeting, PbxUserId, VoicemailFolder, VoicemailMessage
from bluetel.telephony.wazo import voicemail_records
from bluetel.telephony.wazo.people import WazoPeople
from bluetel.telephony.wazo.rest import Service, WazoFailure, WazoRest, segment

LONGEST_COPY = 300.0
"""Seconds that reading one recording may take."""


class WazoVoicemail:
    """The ``VoicemailBox`` port; only messages in a box of the user's are ever touched."""

    def __init__(self, rest: WazoRest, people: WazoPeople) -> None:
        """A message is found by trying the user's boxes: there is one, seldom two."""
        self._rest = rest
        self._people = people

    def messages(self, user: PbxUserId) -> Sequence[VoicemailMessage]:
        """All messages of all his boxes, newest first."""
        found = [
            message
            for box in self._boxes(user)
            for message in voicemail_records.messages(self._content(box), box=str(box))
        ]
        return sorted(found, key=lambda message: message.received_at, reverse=True)

    def copy_audio(self, user: PbxUserId, message: str, into: Taker) -> None:
        """Hand the recording over; reading it doesn't mark it read (from Wazo 24.16 on)."""
        self._on_message(user, message, "GET", "/recording", into=into)

    def move_message(self, user: PbxUserId, message: str, folder: VoicemailFolder) -> None:
        """Put a message into a folder."""
        body = {"folder_id": voicemail_records.FOLDER_IDS[folder]}
        self._on_message(user, message, "PUT", body=body)

    def delete_message(self, user: PbxUserId, message: str) -> None:
        """Delete for good."""
        self._on_message(user, message, "DELETE")

    def greetings(self, user: PbxUserId) -> frozenset[Greeting]:
        """Those that calld finds; each is asked for."""
        box = self._main_box(user)
        if box is None:
            return frozenset()
        return frozenset(greeting for greeting in Greeting if self._has_greeting(box, greeting))

    def copy_greeting(self, user: PbxUserId, greeting: Greeting, into: Taker) -> None:
        """Hand it over."""
        self._greeting(self._own_box(user), greeting, "GET", into=into)

    def set_greeting(self, user: PbxUserId, greeting: Greeting, sound: bytes) -> None:
        """Write it; calld makes a new one by POST and replaces one by PUT."""
        box = self._own_box(user)
        method = "PUT" if self._has_greeting(box, greeting) else "POST"
        self._greeting(box, greeting, method, body=sound)

    def delete_greeting(self, user: PbxUserId, greeting: Greeting) -> None:
        """Delete it."""
        with suppress(NotFound):
            self._greeting(self._own_box(user), greeting, "DELETE")

    def _has_greeting(self, box: int, greeting: Greeting) -> bool:
        try:
            self._greeting(box, greeting, "HEAD")
        except NotFound:
            return False
        return True

    def _greeting(
        self,
        box: int,
        greeting: Greeting,
        method: str,
        *,
        body: bytes | None = None,
        into: Taker | None = None,
    ) -> None:
        path = f"/voicemails/{box}/greetings/{greeting.value}"
        self._rest.send(
            Service.CALLD, method, path, what="voicemail greeting", body=body, into=into
        )

    def _main_box(self, user: PbxUserId) -> int | None:
        return next(iter(self._boxes(user)), None)

    def _own_box(self, user: PbxUserId) -> int:
        box = self._main_box(user)
        if box is None:
            raise NotFound("this user has no box")
        return box

    def _boxes(self, user: PbxUserId) -> list[int]:
        person = self._people.known(user)
        body = self._rest.get(
            Service.CONFD, f"/users/{segment(person.id)}/voicemails", what="boxes"
        )
        return [box.id for box in voicemail_records.boxes(body)]

    def _content(self, box: int) -> object:
        """A box with its messages; a message deleted while calld reads makes a 500: once more."""
        path = f"/voicemails/{box}"
        try:
            return self._rest.attempt(Service.CALLD, "GET", path, what="voicemail").json()
        except WazoFailure as exc:
            if exc.status != 500:
                raise exc.error from None
        return self._rest.get(Service.CALLD, path, what="voicemail")

    def _on_message(
        self,
        user: PbxUserId,
        message: str,
        method: str,
        rest: str = "",
        *,
        body: object = None,
        into: Taker | None = None,
    ) -> None:
        for box in self._boxes(user):
            path = f"/voicemails/{box}/messages/{segment(message)}{rest}"
            # What is handed over piece by piece lasts as long as its reader is slow.
            deadline = Deadline(LONGEST_COPY) if into else None
            try:
                self._rest.send(
                    Service.CALLD,
                    method,
                    path,
                    what="voicemail message",
                    body=body,
                    deadline=deadline,
                    into=into,
                )
            except NotFound:
                continue
            return
        raise NotFound("no such message in a box of this user")
