"""What libphonenumber doesn't know, or says otherwise than a telephone needs it.

Checked against phonenumberslite 9.0: it calls only 112, 15, 17 and 18 emergency numbers of France,
and the mobile range reserved for fiction invalid.
"""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType, ShortNumberCost

from bluetel.telephony.numbers.model import Tariff

WORLD: Final = phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY
"""libphonenumber's region ``001``: services of no country, all of them with prices of their own."""

_EMERGENCY_FR = frozenset({"15", "17", "18", "112", "114", "115", "116117", "119", "191", "196"})
"""SAMU, police, fire, Europe, deaf, homeless, doctor on duty, children, air and sea rescue."""

_EMERGENCY = MappingProxyType(
    dict.fromkeys(("FR", "BL", "GF", "GP", "MF", "MQ", "PM", "RE", "YT"), _EMERGENCY_FR)
)

_FICTION = MappingProxyType(
    {
        33: (("63998", "FR"),),
        44: (("7700900", "GB"), ("1632960", "GB")),
    }
)
"""Ranges that the regulators (Arcep, Ofcom) keep for films and examples: nobody ever answers, so
they cost nothing, and demonstrations need them. The rest of these ranges libphonenumber knows."""

_TARIFFS = MappingProxyType(
    {
        PhoneNumberType.FIXED_LINE: Tariff.STANDARD,
        PhoneNumberType.MOBILE: Tariff.STANDARD,
        PhoneNumberType.FIXED_LINE_OR_MOBILE: Tariff.STANDARD,
        PhoneNumberType.VOIP: Tariff.STANDARD,
        PhoneNumberType.UAN: Tariff.STANDARD,
        PhoneNumberType.VOICEMAIL: Tariff.STANDARD,
        PhoneNumberType.TOLL_FREE: Tariff.FREE,
        PhoneNumberType.SHARED_COST: Tariff.SHARED_COST,
        PhoneNumberType.PREMIUM_RATE: Tariff.PREMIUM,
        # "Follow me" numbers such as +44 70: priced as their owner likes, and a classic of fraud.
        PhoneNumberType.PERSONAL_NUMBER: Tariff.PREMIUM,
    }
)

_SHORT_TARIFFS = MappingProxyType(
    {
        ShortNumberCost.TOLL_FREE: Tariff.FREE,
        ShortNumberCost.STANDARD_RATE: Tariff.STANDARD,
        ShortNumberCost.PREMIUM_RATE: Tariff.PREMIUM,
    }
)


@lru_cache(maxsize=4096)
def is_emergency(digits: str, *, country: str) -> bool:
    """Whether exactly these digits call for help there; ``1121234`` doesn't."""
    if not (digits.isascii() and digits.isdecimal()):
        return False
    return (
        digits == "112"
        or digits in _EMERGENCY.get(country, ())
        or phonenumbers.is_emergency_number(digits, country)
    )


@lru_cache(maxsize=4096)
def short_tariff(digits: str, *, country: str) -> Tariff | None:
    """What a short number of that country costs, or None when it is none."""
    code = phonenumbers.country_code_for_region(country)
    if not code or not re.fullmatch(r"[0-9]{2,12}", digits):
        return None
    # Made by hand: the parser would take a part of the digits for a prefix.
    zeros = len(digits) - len(digits[:-1].lstrip("0")) - 1
    number = PhoneNumber(
        country_code=code,
        national_number=int(digits),
        italian_leading_zero=zeros > 0,
        number_of_leading_zeros=zeros,
    )
    if not phonenumbers.is_valid_short_number_for_region(number, country):
        return None
    cost = phonenumbers.expected_cost_for_region(number, country)
    return _SHORT_TARIFFS.get(cost, Tariff.UNKNOWN)


def region_and_tariff(number: PhoneNumber) -> tuple[str | None, Tariff]:
    """The region, where one can be told, and what a call there costs."""
    region = phonenumbers.region_code_for_number(number)
    tariff = _TARIFFS.get(phonenumbers.number_type(number), Tariff.UNKNOWN)
    if tariff is Tariff.UNKNOWN:
        national = phonenumbers.national_significant_number(number)
        for prefix, home in _FICTION.get(number.country_code or 0, ()):
            if national.startswith(prefix):
                return home, Tariff.STANDARD
    return region, tariff
