"""What the call bar says of a call; ``static/js/call-view.js`` says the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from dialer.templatetags.phone_numbers import phone_number

register = template.Library()

CallRecord = Mapping[str, object]

KEYS = (
    ("1", ""),
    ("2", "ABC"),
    ("3", "DEF"),
    ("4", "GHI"),
    ("5", "JKL"),
    ("6", "MNO"),
    ("7", "PQRS"),
    ("8", "TUV"),
    ("9", "WXYZ"),
    ("*", ""),
    ("0", "+"),
    ("#", ""),
)


@register.simple_tag
def keypad() -> tuple[tuple[str, str], ...]:
    """The twelve keys of a telephone with the letters under them."""
    return KEYS


@register.filter
def phase_of(call: CallRecord | None) -> str:
    """The call's state, ``incoming`` while somebody else's call rings, else why it ended.

    Ended calls are ``ended-<reason>``, or ``ended-missed`` when an incoming one was not answered.
    """
    if not call:
        return ""
    state, is_incoming = str(call["state"]), call["direction"] == "incoming"
    if state == "ended":
        reason = str(call["end_reason"] or "failed")
        was_missed = is_incoming and call["answered_at"] is None and reason != "refused"
        return "ended-missed" if was_missed else f"ended-{reason}"
    return "incoming" if is_incoming and state == "ringing_self" else state


@register.filter
def party(call: CallRecord | None) -> str:
    """Who the other side is: a name, else the number, else that there is none."""
    if not call:
        return ""
    return str(call["name"] or phone_number(str(call["number"] or "")) or _("Unknown number"))


@register.filter
def party_and_number(call: CallRecord | None) -> str:
    """Name and number with a comma, or whichever is known."""
    number = aside(call)
    return f"{party(call)}, {number}" if number else party(call)


@register.filter
def aside(call: CallRecord | None) -> str:
    """The number to write beside the name; empty when it already stands for the name."""
    return phone_number(str(call["number"])) if call and call["name"] and call["number"] else ""


@register.filter
def lasting(call: CallRecord | None) -> str:
    """Minutes and seconds since the answer, ``4:07``; up to the end if the call has ended."""
    begun = moment(call["answered_at"]) if call else None
    if call is None or begun is None:
        return "0:00"
    span = max((moment(call["ended_at"]) or timezone.now()) - begun, timedelta())
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


@register.filter
def ended(call: CallRecord | None) -> str:
    """The number, where a name stands above it, and when the call ended where the reader is."""
    at = moment(call["ended_at"]) if call else None
    time = timezone.localtime(at).strftime("%H:%M") if at else ""
    return " · ".join(filter(None, [aside(call), time]))


def moment(value: object) -> datetime | None:
    """A time of a call record, which holds ISO texts or datetimes."""
    return value if isinstance(value, datetime) else parse_datetime(str(value or ""))
