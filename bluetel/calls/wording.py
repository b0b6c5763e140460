"""The sentences for numbers that can't be read and for numbers that may not be called."""

from __future__ import annotations

from typing import assert_never

from django.conf import settings
from django.utils.translation import gettext as _

from bluetel.calls.rules import Refused, Rule
from bluetel.telephony.numbers import InvalidReason


def unreadable_text(reason: InvalidReason, text: str) -> str:
    """What is wrong with a number that can't be read."""
    match reason:
        case InvalidReason.EMPTY:
            why = _("Type a number or a name first.")
        case InvalidReason.NO_DIGITS | InvalidReason.LETTERS:
            why = _("“%(text)s” is neither a number nor somebody we know.") % {
                "text": _shortened(text)
            }
        case InvalidReason.SEVERAL:
            why = _("There is more than one number in this text. Keep the one you want.")
        case InvalidReason.TOO_SHORT:
            why = _("This number is too short.")
        case InvalidReason.TOO_LONG:
            why = _("This is too long for a number.")
        case InvalidReason.UNREADABLE:
            why = _("This is not a number that exists.")
        case _:
            assert_never(reason)
    return why


def not_dialled(why: str) -> str:
    """The same to somebody who wanted to call it: he need not wait for a phone to ring."""
    return " ".join([why, _("Nothing was dialled.")])


def refusal_text(refusal: Refused, *, is_forward: bool = False) -> str:
    """Which rule of the house says no to a call or a forward, and whom to ask."""
    match refusal.rule:
        case Rule.CODE:
            why = _("codes with * or # are switched off here")
        case Rule.OWN_NUMBER:
            return _("This is your own number: calls would go round in circles.")
        case Rule.PREMIUM:
            why = _("this number costs extra")
        case Rule.SHARED_COST:
            why = _("this is a shared-cost number")
        case Rule.SATELLITE:
            why = _("satellite numbers (%(code)s) are not allowed") % {"code": refusal.detail}
        case Rule.UNIVERSAL:
            why = _("worldwide special numbers (%(code)s) are not allowed") % {
                "code": refusal.detail
            }
        case Rule.COUNTRY:
            why = _("calls to this country (%(region)s) are not allowed") % {
                "region": refusal.detail
            }
        case Rule.UNKNOWN:
            why = _("nobody can say what this number costs")
        case _:
            assert_never(refusal.rule)
    said = _("Not forwarded: %(why)s.") if is_forward else _("Not called: %(why)s.")
    return f"{said % {'why': why}} {_whom_to_ask()}"


def _whom_to_ask() -> str:
    contact = settings.ENV.policy_contact
    if contact:
        return _("Your company does not allow these. Ask %(contact)s if you need one.") % {
            "contact": contact
        }
    return _("Your company does not allow these. Ask your telephone administrator if you need one.")


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 40 else f"{text[:39]}…"
