"""The sentences that say where calls go and why."""

from __future__ import annotations

from typing import assert_never

from django.utils.translation import gettext as _

from forwarding.rules import Reason


def reason_text(reason: Reason) -> str:
    """Why calls go where they go, in a few words."""
    match reason:
        case Reason.DO_NOT_DISTURB:
            return _("do not disturb")
        case Reason.OVERRIDE:
            return _("your own choice for now")
        case Reason.BUSY_BY_HAND:
            return _("your status is Busy")
        case Reason.MEETING:
            return _("meeting")
        case Reason.BUSY_BY_CALENDAR:
            return _("busy in a meeting")
        case Reason.SUPPRESSED:
            return _("not for this meeting")
        case Reason.OWN_FORWARD:
            return _("your own forward")
        case Reason.OWN:
            return _("nothing diverts your calls")
        case _:
            assert_never(reason)


def problem_text(code: str) -> str:
    """Why a rule can't be followed now."""
    if code == "calendar_rests":
        return _(
            "Your calendar could not be read for a day, so your meetings change nothing until it "
            "can be again. See the calendar settings."
        )
    if code == "no_voicemail":
        return _("You have no voicemail box any more, so calls ring.")
    return _("The number of your rule can't be used now, so calls ring. Check it in the settings.")
