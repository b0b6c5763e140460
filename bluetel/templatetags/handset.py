"""What a simulated handset shows, from the simulator's own record of it.

``static/js/demo-phones.js`` says the same. A record has ``extension name plugged do_not_disturb
state number name_shown since outside``.
"""

from __future__ import annotations

from collections.abc import Mapping

from django import template

from dialer.templatetags.phone_numbers import phone_number

register = template.Library()

HandsetRecord = Mapping[str, object]


@register.filter
def handset_state(phone: HandsetRecord | None) -> str:
    """``idle ringing calling talking held``, or why an idle phone would not ring."""
    if not phone:
        return ""
    if not phone["plugged"]:
        return "unplugged"
    return "dnd" if phone["state"] == "idle" and phone["do_not_disturb"] else str(phone["state"])


@register.filter
def place(phone: HandsetRecord | None) -> str:
    """``desk`` in the house, ``outside`` for a number of the public network."""
    if not phone:
        return ""
    return "outside" if phone["outside"] else "desk"


@register.filter
def owner(phone: HandsetRecord | None) -> str:
    """Whose phone it is; a number outside may have no name."""
    return str(phone["name"] or phone_number(str(phone["extension"]))) if phone else ""


@register.filter
def other_side(phone: HandsetRecord | None) -> str:
    """Name and number on the display; empty when nobody is on the line."""
    if not phone or phone["state"] == "idle":
        return ""
    number = phone_number(str(phone["number"] or ""))
    name = str(phone["name_shown"] or "")
    return f"{name} {number}".strip() if name != number else number


@register.filter
def can_hang_up(state: str) -> bool:
    """Whether there is a call to end or to refuse."""
    return state in {"ringing", "calling", "talking", "held"}


@register.filter
def ending(state: str) -> str:
    """The simulator's action behind Hang up: a ringing call is refused."""
    return "reject" if state == "ringing" else "hang_up"
