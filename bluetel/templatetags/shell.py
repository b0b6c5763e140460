"""Small tags that the shared templates are made of: icons, keys, and parts a script fills in."""

from __future__ import annotations

import uuid

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """One sign of the sprite, hidden from screen readers: a word always stands beside it."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        f" icon--{size}" if size else "",
        static("icons.svg"),
        name,
    )


@register.simple_tag
def sprite() -> str:
    """Where the signs are drawn: ``{% sprite %}#ph-busy`` is one of them."""
    return static("icons.svg")


@register.simple_tag
def site_country() -> str:
    """The site's country, ISO 3166: scripts group numbers as it is done there."""
    country: str = settings.COUNTRY
    return country


@register.simple_tag
def intent_key() -> str:
    """A fresh idempotency key: one form, sent twice by a double click, makes one call."""
    return str(uuid.uuid4())


@register.simple_tag
def slot(name: str, text: object = "") -> SafeString:
    """A text that the page's script may replace later.

    ``<bdi>`` keeps a caller's name from turning the sentence around it: names are hostile text.
    """
    return format_html('<bdi data-slot="{}">{}</bdi>', name, "" if text is None else text)


@register.simple_tag
def when(phases: str, phase: str = "") -> SafeString:
    """Attributes of an element that shows in some phases and is hidden in all others.

    The page's script goes by the same list when the phase changes: each text is written once.
    """
    hidden = SafeString("" if phase in phases.split() else " hidden")
    return format_html('data-when="{}"{}', phases, hidden)


@register.filter
def begins(text: str, start: str) -> bool:
    """Whether ``text`` begins with ``start``."""
    return text.startswith(start)
