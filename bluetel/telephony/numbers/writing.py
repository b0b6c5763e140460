"""Numbers on their way out: to the PBX, to a page, and compared with each other."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat

from bluetel.telephony.numbers.model import (
    MAX_DIALLED,
    InvalidNumber,
    Number,
    NumberKind,
    NumberPlan,
)
from bluetel.telephony.numbers.parsing import REMEMBERED, parse
from bluetel.telephony.numbers.reading import plain

_OTHER = re.compile(r"[^0-9+ ().\-/]")

REMEMBERED_LENGTH = 80
"""No number is written with more characters than that."""


def dial_string(number: Number, *, country: str, plan: NumberPlan) -> str:
    """What the PBX is told, always ``^[0-9*#]{1,40}$``.

    Extensions, short and emergency numbers and codes go as they are; a number of the site's own
    country as it is dialled there; others with the international prefix. Only public numbers get
    the outside-line prefix.
    """
    if number.kind is not NumberKind.PUBLIC:
        return number.digits
    national = _national_of(number.e164 or "", country)
    # A national number as short as an extension would ring the extension.
    if national and (plan.outside_prefix or not plan.is_internal(national)):
        return f"{plan.outside_prefix}{national}"
    return f"{plan.outside_prefix}{plan.international_prefix}{number.digits}"


def display(number: Number, *, country: str) -> str:
    """As the site's country writes it: national numbers in its groups, others from ``+`` on.

    Extensions, short numbers and codes stay plain. What it gives, ``parse`` reads as the same
    number.
    """
    if number.kind is not NumberKind.PUBLIC:
        shown = number.digits
    else:
        shown = _displayed(_parsed(number), country)
    return f"{shown} x{number.extension}" if number.extension else shown


def display_public(digits: str, *, country: str) -> str:
    """The same of a PUBLIC number of which the ``digits`` are known already."""
    code = phonenumbers.country_code_for_region(country)
    national = digits.removeprefix(str(code))
    if national == digits or national.startswith("0"):
        return _displayed(phonenumbers.parse(f"+{digits}"), country)
    return _displayed(PhoneNumber(country_code=code, national_number=int(national)), country)


def _displayed(parsed: PhoneNumber, country: str) -> str:
    shown = _grouped(parsed, country)
    # Up to six digits would be read as an extension again.
    if len(_digits_of(shown)) > 6:
        return shown
    return phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)


def display_text(text: str, *, country: str) -> str:
    """``text`` as :func:`display` would write it; a name, or what is no number, stays as it is."""
    return _display_text(text, country) if len(text) <= REMEMBERED_LENGTH else text


@lru_cache(maxsize=4096)
def _display_text(text: str, country: str) -> str:
    if says_more(text):
        return text
    try:
        return display(parse(text, country=country, plan=NumberPlan()), country=country)
    except InvalidNumber:
        return text


def says_more(text: str) -> bool:
    """Whether there is more in ``text`` than a number and its separators: it is shown as it is."""
    return _OTHER.search(text if text.isascii() else plain(text)) is not None


def same(one: Number, other: Number) -> bool:
    """Whether both ring the same phone; what stands behind them ("poste 12") isn't dialled."""
    return (one.kind, one.e164 or one.digits) == (other.kind, other.e164 or other.digits)


def keypad_only(text: str) -> str:
    """The keypad characters of ``text``, at most 40: for numbers a PBX reports."""
    return re.sub(r"[^0-9*#]", "", text if text.isascii() else plain(text))[:MAX_DIALLED]


@lru_cache(maxsize=REMEMBERED)
def _national_of(e164: str, country: str) -> str:
    return _national(phonenumbers.parse(e164), country)


def _parsed(number: Number) -> PhoneNumber:
    return number.parsed or phonenumbers.parse(number.e164 or "")


def _national(parsed: PhoneNumber, country: str) -> str:
    """The digits dialled within the site's country, or the empty string for numbers abroad."""
    return _digits_of(_grouped(parsed, country))


def _grouped(parsed: PhoneNumber, country: str) -> str:
    """The same in the country's groups."""
    if parsed.country_code != phonenumbers.country_code_for_region(country):
        return ""
    return phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)


def _digits_of(text: str) -> str:
    return re.sub(r"[^0-9]", "", text)
