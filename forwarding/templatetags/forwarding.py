"""Where calls go, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.conf import settings
from django.utils.html import format_html
from django.utils.translation import gettext as _

from bluetel.telephony.numbers import display_text
from forwarding.rules import Reason
from forwarding.wording import reason_text

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def where(route: str, destination: str | None = "", voicemail: str = "") -> SafeString | str:
    """Where a call goes: "Voicemail", a number as people read it; ``voicemail`` is the box's."""
    match route:
        case "voicemail":
            return _("Voicemail")
        case "do_not_disturb":
            return _("Do not disturb")
        case "number" if destination and destination == voicemail:
            return _("Voicemail")
        case "number":
            shown = display_text(destination or "", country=settings.COUNTRY)
            return format_html('<span class="number">{}</span>', shown.replace(" ", "\u00a0"))
        case _:
            return _("Your phone rings")


@register.filter
def reason(code: str) -> str:
    """Why, in a few words, from the code of a reason."""
    return reason_text(Reason(code))
