"""Whether calls may be sent somewhere: asked when it is chosen, and again when its time has come.

Refused are the user himself, whoever sends calls back to him, emergency numbers, and what the dial
policy refuses for clicks too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from bluetel.accounts.models import User
from bluetel.calls.errors import CallError, NoLine, NumberRefused
from bluetel.calls.numbering import judged
from bluetel.calls.wording import refusal_text
from bluetel.telephony.numbers import NumberKind
from forwarding.errors import TargetRefused
from forwarding.models import Automation, Line
from forwarding.rules import Choice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from forwarding.situation import Known

HOPS = 10


class Ways:
    """Where the colleagues of a PBX send their calls, read once for many users.

    ``known`` are the users who will be asked about: all their rules' numbers are looked up at the
    first question.
    """

    def __init__(self, known: Iterable[Known] = ()) -> None:
        self._on: dict[tuple[int, str], list[str]] = {}
        self._ahead: dict[int, set[str]] = {}
        for one in known:
            if one.user.pbx_id is not None:
                rules = one.automation.calendar_dialed, one.automation.im_dialed
                self._ahead.setdefault(one.user.pbx_id, set()).update(filter(None, rules))

    def on_from(self, pbx_id: int, extensions: set[str]) -> list[str]:
        """Where calls to these extensions are sent on, as the PBX holds it."""
        wanted = extensions | self._ahead.pop(pbx_id, set())
        self._read(pbx_id, {one for one in wanted if (pbx_id, one) not in self._on})
        return [on for extension in extensions for on in self._on[pbx_id, extension]]

    def _read(self, pbx_id: int, extensions: set[str]) -> None:
        if not extensions:
            return
        self._on |= {(pbx_id, extension): [] for extension in extensions}
        colleagues = User.objects.filter(pbx=pbx_id, extension__in=extensions).exclude(extension="")
        by_id = dict(colleagues.values_list("pk", "extension"))
        for line in Line.objects.filter(pk__in=by_id):
            for value in (line.applied, (line.own or {}).get("unconditional")):
                if value and value["enabled"]:
                    self._on[pbx_id, by_id[line.pk]].append(value["destination"])


def judge_target(user: User, text: str, *, ahead: bool, ways: Ways | None = None) -> str:
    """What the PBX is told for ``text``; raises ``CallError`` with the sentence the user reads.

    ``ahead`` looks also at where the colleagues on the way would send calls by their rules.
    """
    if user.pbx is None or not user.pbx_user_id:
        raise NoLine
    try:
        number, dialed = judged(user, user.pbx, text)
    except NumberRefused as error:
        sentence = refusal_text(error.refusal, is_forward=True)
        raise NumberRefused(sentence, refusal=error.refusal) from None
    if number.kind is NumberKind.EMERGENCY:
        raise TargetRefused(_("Calls can't be forwarded to an emergency number."))
    if leads_back(user, dialed, ahead=ahead, ways=ways or Ways()):
        raise TargetRefused(
            _("Calls to %(number)s are forwarded to yourself, so they would go in a circle.")
            % {"number": text.strip()[:64]}
        )
    return dialed


def problem_of(known: Known, rule: str, ways: Ways) -> tuple[str, str]:
    """What the PBX is to be told now for a rule's number, and the code of why it must not be."""
    automation = known.automation
    is_calendar = rule == "calendar"
    if (automation.calendar_route if is_calendar else automation.im_route) != Choice.NUMBER:
        return "", ""
    text = automation.calendar_number if is_calendar else automation.im_number
    try:
        return judge_target(known.user, text, ahead=False, ways=ways), ""
    except NumberRefused as error:
        return "", error.refusal.rule.value
    except CallError as error:
        return "", error.code


def leads_back(user: User, dialed: str, *, ahead: bool, ways: Ways) -> bool:
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
        waiting = ways.on_from(user.pbx_id or 0, extensions)
        if ahead:
            waiting += _sent_on_by_rules(user, extensions)
    return True


def _sent_on_by_rules(user: User, extensions: set[str]) -> Iterator[str]:
    rules = Automation.objects.filter(user__pbx=user.pbx_id, user__extension__in=extensions)
    for automation in rules.exclude(user__extension=""):
        if automation.calendar_route == Choice.NUMBER:
            yield automation.calendar_dialed
        if automation.im_route == Choice.NUMBER:
            yield automation.im_dialed
