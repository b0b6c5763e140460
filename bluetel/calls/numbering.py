"""What a user typed, read with his PBX's number plan and judged by the house's rules."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from bluetel.accounts.models import Pbx, User
from bluetel.calls.callers import Caller, caller_of
from bluetel.calls.errors import InvalidNumber, NumberRefused
from bluetel.calls.rules import DialPolicy, Refused, judge
from bluetel.calls.wording import not_dialled, refusal_text, unreadable_text
from bluetel.telephony import numbers
from bluetel.telephony.text import safe_text

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a call may go: ``shown`` echoes what was asked, ``dialed`` is what the PBX is told."""

    shown: str
    dialed: str
    name: str
    contact_id: str
    emergency: bool


def plan_of(pbx: Pbx) -> numbers.NumberPlan:
    """The number plan kept on the PBX row."""
    return numbers.NumberPlan(
        extension_pattern=pbx.extension_pattern,
        outside_prefix=pbx.outside_prefix,
        international_prefix=pbx.international_prefix,
        allowed_codes=tuple(pbx.allowed_codes.split()),
    )


def number_plans() -> list[numbers.NumberPlan]:
    """The number plans of all PBXs: what one of them can dial is a number."""
    rows = Pbx.objects.only(
        "extension_pattern", "outside_prefix", "international_prefix", "allowed_codes"
    )
    return [plan_of(pbx) for pbx in rows]


def policy_of(pbx: Pbx) -> DialPolicy:
    """The house's dial policy as this PBX applies it."""
    return DialPolicy(
        site_country=settings.COUNTRY,
        allowed_regions=frozenset(settings.ALLOWED_REGIONS) or None,
        allowed_codes=frozenset(pbx.allowed_codes.split()),
    )


def read_number(pbx: Pbx, text: str) -> numbers.Number:
    """What number ``text`` is on this PBX; raises ``InvalidNumber`` with a sentence."""
    plan = plan_of(pbx)
    try:
        return numbers.parse(
            text,
            country=settings.COUNTRY,
            plan=plan,
            is_extension=lambda digits: plan.is_internal(digits) and _in_house(pbx, digits),
        )
    except numbers.InvalidNumber as error:
        raise InvalidNumber(unreadable_text(error.reason, text)) from None


def judged(user: User, pbx: Pbx, text: str) -> tuple[numbers.Number, str]:
    """Read ``text`` and judge it: the number, and what the PBX is told for it.

    Every path that dials or forwards comes through here. Raises ``InvalidNumber`` or
    ``NumberRefused``, each with the sentence the user reads.
    """
    number = read_number(pbx, text)
    verdict = judge(number, policy=policy_of(pbx), own_extensions=[user.extension])
    dialed = numbers.dial_string(number, country=settings.COUNTRY, plan=plan_of(pbx))
    if isinstance(verdict, Refused):
        logger.warning(
            "call refused: rule %s, user %s, number %s",
            verdict.rule,
            user.pk,
            numbers.mask(number.text),
        )
        raise NumberRefused(refusal_text(verdict), refusal=verdict)
    return number, dialed


def target_for(user: User, pbx: Pbx, text: str) -> Target:
    """What ``text`` leads to, with the name behind it; raises as :func:`judged` does."""
    try:
        number, dialed = judged(user, pbx, text)
    except InvalidNumber as error:
        raise InvalidNumber(not_dialled(error.message)) from None
    is_internal = number.kind is numbers.NumberKind.EXTENSION
    colleague = User.objects.filter(pbx=pbx, extension=dialed).first() if is_internal else None
    known = None
    if colleague is not None:
        known = Caller(colleague.display_name, f"user-{colleague.pk}")
    elif number.kind is not numbers.NumberKind.EMERGENCY:
        known = caller_of(user, number.text)
    return Target(
        shown=safe_text(text, limit=64),
        dialed=dialed,
        name=known.name if known else "",
        contact_id=known.contact_id if known else "",
        emergency=number.kind is numbers.NumberKind.EMERGENCY,
    )


def _in_house(pbx: Pbx, digits: str) -> bool:
    """Whether ``digits`` is an extension of the house, or would be: it lies in a block of theirs.

    A block is a hundred numbers. Whether an unassigned one exists is for the PBX to say; the public
    short number that looks the same (in France all of 10xx) is not what the caller means.
    """
    in_block = User.objects.filter(pbx=pbx, extension__startswith=digits[:-2])
    return any(
        extension == digits or (len(extension) == len(digits) > 2)
        for extension in in_block.values_list("extension", flat=True)
    )


def no_such_extension(text: str) -> InvalidNumber:
    """What the caller reads when the PBX doesn't know the number."""
    return InvalidNumber(
        _("The phone system does not know %(number)s. Nothing was dialled.")
        % {"number": safe_text(text, limit=64)}
    )
