"""How a person's phone and chat states are shown: shape, word and colour together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

register = template.Library()

PHONE_WORDS = {
    "available": _("Available"),
    "busy": _("Busy"),
    "ringing": _("Ringing"),
    "offline": _("Offline"),
    "unknown": _("Unknown"),
}
IM_WORDS = {
    "available": _("Available"),
    "busy": _("Busy"),
    "away": _("Away"),
    "offline": _("Offline"),
    "unknown": _("Unknown"),
}
TITLES = {
    ("phone", True): _("Phone: %(state)s since %(time)s"),
    ("phone", False): _("Phone: %(state)s"),
    ("im", True): _("Chat: %(state)s since %(time)s"),
    ("im", False): _("Chat: %(state)s"),
}
AGED = {
    "phone": _("Phone: unknown, last heard of at %(time)s, %(age)s ago"),
    "im": _("Chat: unknown, last heard of at %(time)s, %(age)s ago"),
}
AGES = {"min": _("%(n)s min"), "h": _("%(n)s h"), "d": _("%(n)s d")}
HOUR, DAY = 60, 24 * 60
"""In minutes, from which on an age is told in hours, and in days from the second one on."""


@register.inclusion_tag("presence/_badge.html")
def presence_badge(
    person: Mapping[str, object] | None,
    words: bool = False,  # noqa: FBT001, FBT002 -- a tag's own form: {% presence_badge p words=True %}
) -> dict[str, object]:
    """The two signs of a person record (DESIGN: ``user_id``, ``phone``, ``im``), live in the page.

    Without ``words`` the name must stand beside the signs. A state that has no sign, and a person
    nobody knows anything of, show as unknown: never a guess.
    """
    record = person or {}
    phone = known(record.get("phone"), PHONE_WORDS)
    im = known(record.get("im"), IM_WORDS)
    return {
        "user_id": record.get("user_id", ""),
        "phone": phone,
        "im": im,
        "phone_word": gettext(PHONE_WORDS[phone]),
        "im_word": gettext(IM_WORDS[im]),
        "title": "; ".join(
            [
                _title("phone", phone, PHONE_WORDS[phone], record.get("phone_since")),
                _title("im", im, IM_WORDS[im], record.get("im_since")),
            ]
        ),
        "words": words,
        "sprite": static("icons.svg"),
    }


def _title(part: str, state: str, word: str, since: object) -> str:
    """One half of the signs' title: the word, and since when where that is known.

    Of what nobody vouches for any more: how old the last news of it is.
    """
    time = moment_text(since)
    if state == "unknown" and time:
        return gettext(AGED[part]) % {"time": time, "age": age_text(since)}
    return gettext(TITLES[part, bool(time)]) % {"state": gettext(word).lower(), "time": time}


def age_text(since: object) -> str:
    """How long ago something was, in whole minutes, hours or days: ``static/js/times.js`` too."""
    time = since if isinstance(since, datetime) else parse_datetime(str(since))
    minutes = max(0, (timezone.now() - time) // timedelta(minutes=1)) if time else 0
    if minutes < HOUR:
        unit, count = "min", minutes
    elif minutes < 2 * DAY:
        unit, count = "h", minutes // HOUR
    else:
        unit, count = "d", minutes // DAY
    return gettext(AGES[unit]) % {"n": count}


def known(state: object, words: Mapping[str, str]) -> str:
    """``state`` if it has a sign, else ``unknown``."""
    return state if isinstance(state, str) and state in words else "unknown"


@register.simple_tag
def presence_words() -> dict[str, str]:
    """All words of the signs in the reader's language, as ``phone-busy`` → "Busy"."""
    return {
        **{f"phone-{state}": gettext(word) for state, word in PHONE_WORDS.items()},
        **{f"im-{state}": gettext(word) for state, word in IM_WORDS.items()},
        **{
            f"title-{part}{'-since' if has_time else ''}": gettext(title)
            % {"state": "{state}", "time": "{time}"}
            for (part, has_time), title in TITLES.items()
        },
        **{
            f"title-{part}-aged": gettext(title) % {"time": "{time}", "age": "{age}"}
            for part, title in AGED.items()
        },
        **{f"age-{unit}": gettext(age) % {"n": "{n}"} for unit, age in AGES.items()},
    }


@register.simple_tag
def im_choices() -> list[tuple[str, str]]:
    """The statuses one can choose, with their words."""
    return [(state, gettext(word)) for state, word in IM_WORDS.items() if state != "unknown"]


@register.filter
def im_word(state: str) -> str:
    """A chat status inside a sentence."""
    return gettext(IM_WORDS[known(state, IM_WORDS)]).lower()


@register.filter
def status_phase(status: Mapping[str, object]) -> str:
    """Why a status holds, with ``-until`` where it has an end: ``static/js/my-status.js`` too."""
    return f"{status['source']}-until" if status["until"] else str(status["source"])


@register.filter
def moment_text(value: object) -> str:
    """A time for people: hours and minutes, with the day before it when it is a day or more off."""
    time = value if isinstance(value, datetime) else parse_datetime(str(value or ""))
    if time is None:
        return ""
    here, now = timezone.localtime(time), timezone.localtime()
    clock = here.strftime("%H:%M")
    if abs(here - now) < timedelta(days=1):
        return clock
    return f"{date_format(here, 'j M')} {clock}"


@register.filter
def initials(name: str) -> str:
    """The first letters of the first and last word, for the square beside a name.

    "Łucja Wiśniewska" gives "ŁW"; words that begin with no letter, and so numbers, give none.
    """
    firsts = [word[0] for word in str(name).split() if word[0].isalpha()]
    return "".join(firsts[:1] + firsts[1:][-1:]).upper()
