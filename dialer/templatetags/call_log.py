"""How a finished call is told: which way it went, who, when, how long."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from bluetel.telephony.numbers import display_text

register = template.Library()

LoggedCall = Mapping[str, object]


@register.filter
def other_party(call: LoggedCall) -> str:
    """A name, else the number as it is written here, else that it was withheld."""
    number = display_text(str(call["number"] or ""), country=settings.COUNTRY)
    return str(call["name"] or number or _("Number withheld"))


@register.filter
def day_of(started_at: str) -> str:
    """The heading a call stands under: today, yesterday, or the date where the reader is."""
    day = _local(started_at).date()
    days = (timezone.localdate() - day) / timedelta(days=1)
    if days == 0:
        return _("Today")
    if days == 1:
        return _("Yesterday")
    shown = date_format(day, "l j F" if day.year == timezone.localdate().year else "l j F Y")
    return shown[:1].upper() + shown[1:]


@register.filter
def time_of(call: LoggedCall) -> str:
    """The hour and minute it began, where the reader is."""
    return f"{_local(call['started_at']):%H:%M}"


@register.filter
def moment_of(call: LoggedCall) -> str:
    """When it began: the time today, else the day."""
    started_at = str(call["started_at"])
    is_today = _local(started_at).date() == timezone.localdate()
    return time_of(call) if is_today else day_of(started_at)


@register.filter
def sign_of(call: LoggedCall) -> str:
    """The sprite's sign: missed, diverted, incoming or outgoing."""
    if call["missed"]:
        return "i-phone-missed"
    if call["routing"]:
        return "i-phone-forwarded"
    return "i-phone-incoming" if call["direction"] == "incoming" else "i-phone-outgoing"


@register.filter
def kind_of(call: LoggedCall) -> str:
    """The same in a word."""
    if call["missed"]:
        return pgettext("call", "Missed")
    if call["direction"] == "incoming":
        return pgettext("call", "Incoming")
    return pgettext("call", "Outgoing") if call["duration"] else _("Not answered")


@register.filter
def lasted(call: LoggedCall) -> str:
    """``6 min``, or seconds below a minute; nothing for a call that nobody took."""
    seconds = int(str(call["duration"]))
    if not seconds:
        return ""
    if seconds < 60:
        return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
    return _("%(n)d min") % {"n": round(seconds / 60)}


@register.filter
def diverted_to(call: LoggedCall) -> str:
    """Where it went instead of the user's own phone, and by which decision."""
    routing = call["routing"]
    if not isinstance(routing, Mapping):
        return ""
    match routing["route"]:
        case "number":
            number = display_text(str(routing["destination"] or ""), country=settings.COUNTRY)
            where = _("Went to %(number)s") % {"number": number}
        case "voicemail":
            where = _("Went to voicemail")
        case "do_not_disturb":
            where = _("Do not disturb was on")
        case _:
            return ""
    return f"{where}: {routing['reason']}" if routing["reason"] else where


def _local(time: object) -> datetime:
    found = parse_datetime(str(time))
    if found is None:
        raise ValueError("a call without a time")
    return timezone.localtime(found)
