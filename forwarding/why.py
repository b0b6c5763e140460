"""The rules in their order, with what each says now and which of them wins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from forwarding.rules import Reason

_BY_OWN = {Reason.OWN_FORWARD, Reason.OWN, Reason.SUPPRESSED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of *Why?*: ``where`` is a claim's target (``route``, ``destination``) or None."""

    name: str
    wins: bool = False
    where: Mapping[str, Any] | None = None
    result: str = ""
    note: str = ""


def rules_in_order(routing: Mapping[str, Any], forwards: Mapping[str, Any]) -> Iterator[Rule]:
    """The rules, first that counts first; of ``selectors.routing_of`` and ``forwards_of``."""
    winner = Reason(routing["reason_code"])
    claims = {Reason(one["reason_code"]): one for one in routing["losing"]}
    if winner not in _BY_OWN:
        claims[winner] = routing
    is_quiet = bool(forwards["do_not_disturb"])
    yield Rule(
        name=_("Do not disturb"),
        wins=winner is Reason.DO_NOT_DISTURB,
        result=_("On") if is_quiet else _("Off"),
    )
    if winner is Reason.OVERRIDE:
        yield Rule(name=_("Your own choice for this time"), wins=True, where=routing)
    names = {
        Reason.BUSY_BY_HAND: _("Busy, set by you"),
        Reason.MEETING: _("Meeting"),
        Reason.BUSY_BY_CALENDAR: _("Busy because of the meeting"),
    }
    for reason, name in names.items():
        claim = claims.get(reason)
        if claim is None:
            yield Rule(name=name, result=_("Not now"))
        else:
            yield Rule(
                name=name, wins=reason is winner, where=claim, note=_note(reason, winner, claim)
            )
    if routing["suppressed"]:
        yield Rule(name=_("Not for this meeting"), result=_("Your choice"))
    own = forwards["unconditional"]
    yield Rule(
        name=_("What your phone had itself"),
        wins=winner in _BY_OWN,
        where={"route": "number", "destination": own["destination"]} if own["enabled"] else None,
        result="" if own["enabled"] else _("No forward"),
        note="" if winner in _BY_OWN else _("Comes back afterwards."),
    )


def _note(reason: Reason, winner: Reason, claim: Mapping[str, Any]) -> str:
    if reason is winner:
        return _("From your calendar. The title stays there.") if reason is Reason.MEETING else ""
    if claim.get("problem"):
        return _("Can't be used now: calls ring rather than get lost.")
    return _("Loses: a rule above comes first.")
