"""Digits → which number they are, for one site and one PBX."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, ValidationResult

from bluetel.telephony.numbers.facts import (
    WORLD,
    is_emergency,
    region_and_tariff,
    short_tariff,
)
from bluetel.telephony.numbers.model import (
    InvalidNumber,
    InvalidReason,
    Number,
    NumberKind,
    NumberPlan,
    Tariff,
)
from bluetel.telephony.numbers.reading import Reading, read

REMEMBERED: Final = 16_384
"""How many public numbers are remembered once they have been read."""

_UNPARSED = MappingProxyType(
    {
        NumberParseException.TOO_SHORT_NSN: InvalidReason.TOO_SHORT,
        NumberParseException.TOO_SHORT_AFTER_IDD: InvalidReason.TOO_SHORT,
        NumberParseException.TOO_LONG: InvalidReason.TOO_LONG,
    }
)
_IMPOSSIBLE = MappingProxyType(
    {
        ValidationResult.TOO_SHORT: InvalidReason.TOO_SHORT,
        ValidationResult.TOO_LONG: InvalidReason.TOO_LONG,
    }
)


def parse(
    text: str,
    *,
    country: str,
    plan: NumberPlan,
    is_extension: Callable[[str], bool] | None = None,
) -> Number:
    """Read what somebody typed or pasted; ``docs/numbers.md`` says in which order.

    ``is_extension`` tells whether the PBX knows an internal number: a known one wins over a short
    number of the country, an unknown one doesn't. It is asked at most once. Raises
    ``InvalidNumber`` and nothing else, whatever the text.
    """
    reading = read(text)
    if reading.is_code:
        return Number(kind=NumberKind.CODE, digits=reading.digits, text=text)
    if not reading.is_international:
        here = _as_dialled_here(
            reading, text=text, country=country, plan=plan, is_extension=is_extension
        )
        if here is not None:
            return here
    prefixes = _Prefixes(plan.outside_prefix, plan.international_prefix)
    number, e164, region, tariff = _public_facts(reading, country, prefixes)
    return Number(
        kind=NumberKind.PUBLIC,
        digits=e164.removeprefix("+"),
        e164=e164,
        region=region,
        tariff=tariff,
        extension=reading.extension,
        text=text,
        parsed=number,
    )


def _as_dialled_here(
    reading: Reading,
    *,
    text: str,
    country: str,
    plan: NumberPlan,
    is_extension: Callable[[str], bool] | None,
) -> Number | None:
    """The number these digits are at this site, or None when only the public plan can tell."""
    digits, behind = reading.digits, reading.extension
    if re.fullmatch(r"[^/]+(?:/| - )[^/]+", reading.written) and not _is_valid(digits, country):
        raise InvalidNumber(InvalidReason.SEVERAL)
    if is_emergency(digits, country=country):
        return _emergency(digits, text=text, country=country)
    if digits in plan.allowed_codes:
        return Number(kind=NumberKind.CODE, digits=digits, text=text)
    internal = Number(
        kind=NumberKind.EXTENSION, digits=digits, tariff=Tariff.FREE, extension=behind, text=text
    )
    if is_extension is not None and is_extension(digits):
        return internal
    # Behind the outside-line prefix there is no extension: what follows is judged for itself.
    is_outside = bool(plan.outside_prefix) and digits.startswith(plan.outside_prefix)
    inner = digits.removeprefix(plan.outside_prefix) if is_outside else digits
    if is_emergency(inner, country=country):
        return _emergency(inner, text=text, country=country)
    tariff = short_tariff(inner, country=country)
    if tariff is not None:
        return Number(
            kind=NumberKind.SHORT,
            digits=inner,
            region=country,
            tariff=tariff,
            extension=behind,
            text=text,
        )
    return internal if not is_outside and plan.is_internal(digits) else None


def _emergency(digits: str, *, text: str, country: str) -> Number:
    return Number(
        kind=NumberKind.EMERGENCY, digits=digits, region=country, tariff=Tariff.FREE, text=text
    )


class _Prefixes(NamedTuple):
    """What is dialled before public numbers, as in :class:`NumberPlan`."""

    outside: str
    international: str


@lru_cache(maxsize=REMEMBERED)
def _public_facts(
    reading: Reading, country: str, prefixes: _Prefixes
) -> tuple[PhoneNumber, str, str | None, Tariff]:
    """A public number, as E.164, its region, and what a call there costs.

    Remembered: the targets of many users are judged in the second in which their meetings begin.
    """
    number, region, tariff = _public(reading, country=country, prefixes=prefixes)
    return number, phonenumbers.format_number(number, PhoneNumberFormat.E164), region, tariff


def _public(
    reading: Reading, *, country: str, prefixes: _Prefixes
) -> tuple[PhoneNumber, str | None, Tariff]:
    """The first way of reading that gives a number in use, else the first that could be one.

    With its region and tariff.
    """
    possible: tuple[PhoneNumber, str | None, Tariff] | None = None
    error = InvalidNumber(InvalidReason.UNREADABLE)
    for count, written in enumerate(_ways(reading, country=country, prefixes=prefixes)):
        try:
            number = _possible(written, country)
        except InvalidNumber as why:
            error = why if count == 0 else error
            continue
        judged = number, *region_and_tariff(number)
        if judged[2] is not Tariff.UNKNOWN:
            return judged
        possible = possible or judged
    if possible is not None:
        return possible
    if _is_two(reading.written, country):
        raise InvalidNumber(InvalidReason.SEVERAL)
    raise error


def _ways(reading: Reading, *, country: str, prefixes: _Prefixes) -> Iterator[str]:
    """What may have been meant, likeliest first."""
    digits = reading.digits
    if reading.is_international:
        yield f"+{digits}"
        # "+352 (0) 27…": the zero is dialled at home only, and not everywhere.
        yield re.sub(r"[^0-9+]", "", re.sub(r"\( *0 *\)", "", reading.written))
        return
    abroad = re.fullmatch(r"\+([1-9][0-9]{0,3})", reading.context)
    if abroad and int(abroad[1]) != phonenumbers.country_code_for_region(country):
        yield f"+{abroad[1]}{digits}"
        return
    yield from _as_dialled(digits, prefixes)
    if prefixes.outside and digits.startswith(prefixes.outside):
        yield from _as_dialled(digits.removeprefix(prefixes.outside), prefixes)


def _as_dialled(digits: str, prefixes: _Prefixes) -> Iterator[str]:
    if prefixes.international and digits.startswith(prefixes.international):
        yield f"+{digits.removeprefix(prefixes.international)}"
    yield digits


def _possible(written: str, country: str) -> PhoneNumber:
    try:
        number = phonenumbers.parse(written, country)
    except NumberParseException as error:
        reason = _UNPARSED.get(error.error_type, InvalidReason.UNREADABLE)
        raise InvalidNumber(reason) from None
    if phonenumbers.region_code_for_country_code(number.country_code or 0) == WORLD:
        # Satellite and world-wide services, whatever their length: the dial policy names them.
        return number
    length = phonenumbers.is_possible_number_with_reason(number)
    if length != ValidationResult.IS_POSSIBLE:
        raise InvalidNumber(_IMPOSSIBLE.get(length, InvalidReason.UNREADABLE))
    return number


def _is_valid(written: str, country: str) -> bool:
    try:
        return region_and_tariff(_possible(written, country))[1] is not Tariff.UNKNOWN
    except InvalidNumber:
        return False


def _is_two(written: str, country: str) -> bool:
    """Whether a run that is no number falls into two that are."""
    for separator in re.finditer(r"[ /\-]+", written):
        parts = written[: separator.start()], written[separator.end() :]
        if all(_is_valid(re.sub(r"[^0-9+]", "", part), country) for part in parts):
            return True
    return False
