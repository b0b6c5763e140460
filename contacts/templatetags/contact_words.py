"""Words about contacts: what a number is for, and which books say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.utils.translation import gettext as _

from contacts.wording import label_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contacts.entries import EntryNumber, Origin

register = template.Library()


@register.filter
def number_label(number: EntryNumber) -> str:
    """What a number is for: its owner's word, or ours."""
    return number.own_label or label_text(number.kind)


@register.filter
def number_sign(number: EntryNumber) -> str:
    """The sign of the sprite that stands beside a number."""
    return "i-smartphone" if number.kind == "mobile" else "i-phone"


@register.filter
def origins_text(origins: Iterable[Origin]) -> str:
    """Which books say it: "My contacts, Directory (as +33 1 99 00 10 02)"."""
    return ", ".join(
        _("%(book)s (as %(number)s)") % {"book": origin.book, "number": origin.written}
        if origin.written
        else origin.book
        for origin in origins
    )
