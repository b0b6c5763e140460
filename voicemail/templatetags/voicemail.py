"""How a voice message is told: who, when, how long."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bluetel.telephony.numbers import display_text

register = template.Library()

VoiceRecord = Mapping[str, object]


@register.filter
def caller(message: VoiceRecord) -> str:
    """A name, else the number as it is written here, else that it was withheld."""
    number = display_text(str(message["number"] or ""), country=settings.COUNTRY)
    return str(message["name"] or number or _("Number withheld"))


@register.filter
def received(message: VoiceRecord) -> str:
    """When it came, as short as it is clear: a time today, then days of the week, then dates."""
    at = timezone.localtime(parse_datetime(str(message["received_at"])))
    days = (timezone.localdate() - at.date()) / timedelta(days=1)
    if days <= 0:
        return f"{at:%H:%M}"
    if days < 2:
        return _("Yesterday")
    if days < 7:
        return date_format(at, "l").capitalize()
    return date_format(at, "j F Y")


@register.filter
def received_in_full(message: VoiceRecord) -> str:
    """Day and time: ``Today, 09:32``."""
    at = timezone.localtime(parse_datetime(str(message["received_at"])))
    is_today = at.date() == timezone.localdate()
    day = _("Today") if is_today else date_format(at, "l j F Y").capitalize()
    return f"{day}, {at:%H:%M}"


@register.filter
def span(seconds: int) -> str:
    """Minutes and seconds: ``0:48``, ``1:02:05``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@register.filter
def span_in_words(seconds: int) -> str:
    """``48 seconds``, and minutes from a minute on."""
    minutes, rest = divmod(int(seconds), 60)
    parts = []
    if minutes:
        parts.append(ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes})
    if rest or not minutes:
        parts.append(ngettext("%(n)d second", "%(n)d seconds", rest) % {"n": rest})
    return " ".join(parts)
