"""Which mail is about which message of the PBX: the right one, or none. Pure.

A mail carries no message id, so box, caller and time must do. A PBX sends the mail when the
recording ends, with both times from one clock. A mail belongs to a message when each is clearly
nearest to the other; several of one caller that lie close together are told apart by their order,
if there are as many mails as messages, and otherwise not at all.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

FARTHEST = timedelta(seconds=10)
"""A mail is sent at most so long before or after its recording."""
MARGIN = timedelta(seconds=3)
"""Nearer than the next by less than this is not clear: both times are whole seconds."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A mail: ``caller`` is what identifies the number, empty for none; ``box`` may be unknown."""

    id: int
    box: str
    caller: str
    at: datetime
    serial: int = 0


@dataclass(frozen=True, slots=True)
class Left:
    """A message in a box, from the first to the last second of its recording."""

    id: int
    box: str
    caller: str
    began: datetime
    ended: datetime


def pairs(mails: Iterable[Sent], messages: Iterable[Left]) -> dict[int, int]:
    """The message of each mail for which one is certain, by their ids."""
    of_caller: dict[str, tuple[list[Sent], list[Left]]] = defaultdict(lambda: ([], []))
    for mail in mails:
        of_caller[mail.caller][0].append(mail)
    for message in messages:
        of_caller[message.caller][1].append(message)
    found: dict[int, int] = {}
    for sent, left in of_caller.values():
        found |= _certain(sent, left)
    return found


def _certain(mails: Sequence[Sent], messages: Sequence[Left]) -> dict[int, int]:
    near = {
        (mail.id, message.id): gap
        for mail in mails
        for message in messages
        if (not mail.box or not message.box or mail.box == message.box)
        and (gap := _gap(mail, message)) <= FARTHEST
    }
    found = {}
    for (mail_id, message_id), gap in near.items():
        rivals = [
            other
            for (one, another), other in near.items()
            if (one == mail_id) != (another == message_id)
        ]
        if all(other - gap >= MARGIN for other in rivals):
            found[mail_id] = message_id
    taken = set(found.values())
    open_mails = [mail for mail in mails if mail.id not in found]
    open_messages = [message for message in messages if message.id not in taken]
    return found | _in_order(open_mails, open_messages, near)


def _in_order(
    mails: Sequence[Sent], messages: Sequence[Left], near: Mapping[tuple[int, int], timedelta]
) -> dict[int, int]:
    """First with first and so on, where both orders are plain and all of them are here."""
    mails = [mail for mail in mails if any(one == mail.id for one, _ in near)]
    messages = [message for message in messages if any(one == message.id for _, one in near)]
    mails.sort(key=lambda mail: (mail.at, mail.serial))
    messages.sort(key=lambda message: message.ended)
    is_plain = all(
        earlier.at < later.at or earlier.serial < later.serial
        for earlier, later in itertools.pairwise(mails)
    ) and all(
        later.ended - earlier.ended >= timedelta(seconds=2)
        for earlier, later in itertools.pairwise(messages)
    )
    together = list(zip(mails, messages, strict=False))
    if (
        len(mails) != len(messages)
        or not is_plain
        or any((mail.id, message.id) not in near for mail, message in together)
    ):
        return {}
    return {mail.id: message.id for mail, message in together}


def _gap(mail: Sent, message: Left) -> timedelta:
    """How far the mail's time is from the recording's."""
    return max(message.began - mail.at, mail.at - message.ended, timedelta())
