"""Reading voice messages; nobody reads another's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bluetel.calls.rules import number_of_caller
from contacts import callers, colleagues
from contacts.selectors import find_contact
from voicemail.errors import MessageNotFound
from voicemail.messages import MessageRecord, record_of
from voicemail.models import UNREAD, Box, Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from bluetel.accounts.models import User
    from bluetel.calls.callers import Caller


def shown_messages(user: User) -> QuerySet[Message]:
    """The user's messages that aren't about to be deleted, newest first."""
    return Message.objects.filter(user=user, delete_at=None).order_by("-received_at", "-pk")


def unread_count(user: User | int) -> int:
    """How many of his messages he has not heard."""
    return Message.objects.filter(user=user, delete_at=None, folder__in=UNREAD).count()


def message_of(user: User, message_id: str, *, deleted: bool = False) -> Message:
    """One of the user's own messages; raises ``MessageNotFound``.

    One that waits to be deleted is found with ``deleted`` only.
    """
    if message_id.isascii() and message_id.isdecimal() and len(message_id) < 19:
        found = Message.objects.filter(user=user, pk=message_id, delete_at__isnull=not deleted)
        message = found.select_related("user__pbx").first()
        if message is not None:
            return message
    raise MessageNotFound


def last_read_at(user: User) -> datetime | None:
    """When the PBX last listed this user's messages."""
    return Box.objects.filter(user=user).values_list("read_at", flat=True).first()


def records_of(user: User, messages: Sequence[Message], *, now: datetime) -> list[MessageRecord]:
    """The records of these messages, with the callers that the user's books know."""
    known = callers_of(user, (message.number for message in messages), now=now)
    return [record_of(message, known) for message in messages]


def latest_messages(user: User, *, limit: int, now: datetime) -> list[MessageRecord]:
    """The newest of his messages, as the PBX last listed them."""
    return records_of(user, list(shown_messages(user)[:limit]), now=now)


def callers_of(user: User, numbers: Iterable[str], *, now: datetime) -> dict[str, Caller]:
    """Who is behind these numbers in the books the user sees, by the number as given."""
    colleagues.keep_up(now=now)
    return callers.callers_of(user, filter(number_of_caller, numbers))


def company_of(user: User, record: MessageRecord) -> str:
    """The company of whoever left the message, as far as it is known."""
    contact = find_contact(user, record["contact_id"]) if record["contact_id"] else None
    return contact.company if contact and contact.company != record["name"] else ""
