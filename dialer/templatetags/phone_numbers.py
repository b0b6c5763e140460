"""Numbers as people read them."""

from __future__ import annotations

from django import template
from django.conf import settings

from bluetel.telephony.numbers import display_text

register = template.Library()


@register.filter
def phone_number(text: str | None) -> str:
    """``text`` grouped as the site's country writes it; what is no number stays as it is."""
    return display_text(text or "", country=settings.COUNTRY)
