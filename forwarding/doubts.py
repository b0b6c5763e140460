"""Numbers that calls are sent to though nobody is known to have them: said, and never refused.

The PBX has groups, queues and boxes that no list of people names, and it takes any number for a
forward without a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _

from bluetel.accounts.models import User
from bluetel.calls.callers import caller_of
from bluetel.calls.errors import InvalidNumber
from bluetel.calls.numbering import read_number
from bluetel.telephony.numbers import NumberKind
from bluetel.telephony.types import ForwardKind
from forwarding.messages import WarningRecord
from forwarding.rules import Choice

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forwarding.messages import AutomationRecord, ForwardsRecord

UNKNOWN_EXTENSION: Final = "unknown_extension"


def doubts_of_rules(user: User, rules: AutomationRecord) -> list[WarningRecord]:
    """What is to be said of the numbers in use; ``field`` is the number's path in the record."""
    calendar, im = rules["calendar"], rules["im"]
    used = [
        (f"{name}.number", rule["number"])
        for name, rule in (("calendar", calendar), ("im", im))
        if rule["route"] == Choice.NUMBER
    ]
    return _doubts(user, used)


def doubts_of_forwards(user: User, forwards: ForwardsRecord) -> list[WarningRecord]:
    """The same of own forwards, wherever they were set."""
    by_kind = {
        ForwardKind.UNCONDITIONAL: forwards["unconditional"],
        ForwardKind.BUSY: forwards["busy"],
        ForwardKind.NO_ANSWER: forwards["no_answer"],
    }
    used = [
        (f"{kind.value}.destination", forward["destination"])
        for kind, forward in by_kind.items()
        if forward["enabled"]
    ]
    return _doubts(user, used)


def _doubts(user: User, used: Iterable[tuple[str, str]]) -> list[WarningRecord]:
    strangers = [(field, _stranger(user, text)) for field, text in used]
    return [
        WarningRecord(code=UNKNOWN_EXTENSION, field=field, message=_sentence(extension))
        for field, extension in strangers
        if extension
    ]


def _stranger(user: User, text: str) -> str:
    """The extension that ``text`` is, if nobody whom the user may know has it; else nothing.

    On a PBX with no other people than he, nothing is known of its numbers.
    """
    if user.pbx is None:
        return ""
    try:
        number = read_number(user.pbx, text)
    except InvalidNumber:
        return ""
    if number.kind is not NumberKind.EXTENSION:
        return ""
    people = User.objects.filter(pbx=user.pbx).exclude(extension="")
    if people.filter(extension=number.digits).exists():
        return ""
    is_known = caller_of(user, number.digits) is not None
    return "" if is_known or not people.exclude(pk=user.pk).exists() else number.digits


def _sentence(extension: str) -> str:
    return _(
        "Nobody here has extension %(extension)s. Calls sent there may be lost, unless it is a "
        "group or a queue."
    ) % {"extension": extension}
