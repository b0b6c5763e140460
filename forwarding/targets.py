"""Whether calls may be sent somewhere: asked when it is chosen, and again when its time has come.

Refused are the user himself, whoever sends calls back to him, emergency numbers, and what the dial
policy refuses for clicks too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from bluetel.accounts.models import User
from bluetel.calls.errors import CallError, NoLine, NumberRefused
from bluetel.calls.numbering import target_for
from forwarding.errors import TargetRefused
from forwarding.models import Automation, Line
from forwarding.rules import Choice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forwarding.situation import Known

HOPS = 10


def judge_target(user: User, text: str, *, ahead: bool) -> str:
    """What the PBX is told for ``text``; raises ``CallError`` with the sentence the user reads.

    ``ahead`` looks also at where the colleagues on the way would send calls by their rules.
    """
    if user.pbx is None or not user.pbx_user_id:
        raise NoLine
    target = target_for(user, user.pbx, text)
    if target.emergency:
        raise TargetRefused(_("Calls can't be forwarded to an emergency number."))
    if leads_back(user, target.dialed, ahead=ahead):
        raise TargetRefused(
            _("Calls to %(number)s are forwarded to yourself, so they would go in a circle.")
            % {"number": target.shown}
        )
    return target.dialed


def problem_of(known: Known, rule: str) -> tuple[str, str]:
    """What the PBX is to be told now for a rule's number, and the code of why it must not be."""
    automation = known.automation
    is_calendar = rule == "calendar"
    if (automation.calendar_route if is_calendar else automation.im_route) != Choice.NUMBER:
        return "", ""
    text = automation.calendar_number if is_calendar else automation.im_number
    try:
        return judge_target(known.user, text, ahead=False), ""
    except NumberRefused as error:
        return "", error.refusal.rule.value
    except CallError as error:
        return "", error.code


def leads_back(user: User, dialed: str, *, ahead: bool) -> bool:
    """Whether a call sent to ``dialed`` would be sent on until it comes back to ``user``."""
    seen: set[str] = set()
    waiting = [dialed]
    for _hop in range(HOPS):
        if not waiting:
            return False
        extensions = {one for one in waiting if one not in seen}
        if user.extension in extensions:
            return True
        seen |= extensions
        colleagues = User.objects.filter(pbx=user.pbx, extension__in=extensions).exclude(
            extension=""
        )
        waiting = list(_sent_on(list(colleagues.values_list("pk", flat=True)), ahead=ahead))
    return True


def _sent_on(user_ids: list[int], *, ahead: bool) -> Iterator[str]:
    for line in Line.objects.filter(pk__in=user_ids):
        for value in (line.applied, (line.own or {}).get("unconditional")):
            if value and value["enabled"]:
                yield value["destination"]
    if ahead:
        for automation in Automation.objects.filter(pk__in=user_ids):
            if automation.calendar_route == Choice.NUMBER:
                yield automation.calendar_dialed
            if automation.im_route == Choice.NUMBER:
                yield automation.im_dialed
