"""What a number is once it has been read."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum

from phonenumbers import PhoneNumber

MAX_DIALLED = 40
"""The longest thing a PBX is ever told to dial, in characters."""


class NumberKind(StrEnum):
    """Who answers for a number: the PBX itself, the country's public network, or nobody known."""

    EXTENSION = "extension"
    SHORT = "short"
    EMERGENCY = "emergency"
    PUBLIC = "public"
    CODE = "code"


class Tariff(StrEnum):
    """What a call costs, as far as the numbering plan of its country tells."""

    FREE = "free"
    STANDARD = "standard"
    SHARED_COST = "shared_cost"
    PREMIUM = "premium"
    UNKNOWN = "unknown"


class InvalidReason(StrEnum):
    """Why a text is no number."""

    EMPTY = "empty"
    NO_DIGITS = "no_digits"
    LETTERS = "letters"
    SEVERAL = "several"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    UNREADABLE = "unreadable"


class InvalidNumber(ValueError):
    """The text can't be dialled; ``reason`` says why, and the text itself is never repeated."""

    def __init__(self, reason: InvalidReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberPlan:
    """How one PBX dials: its row's settings, with the defaults of a French site.

    ``extension_pattern`` is a regular expression for whole internal numbers. ``outside_prefix`` is
    dialled before public numbers, never before extensions, short or emergency numbers.
    ``allowed_codes`` are dialled exactly as they stand there. Raises ``ValueError`` for a pattern
    that doesn't compile and for prefixes that no keypad has.
    """

    extension_pattern: str = r"\d{2,6}"
    outside_prefix: str = ""
    international_prefix: str = "00"
    allowed_codes: Collection[str] = ()

    def __post_init__(self) -> None:
        try:
            re.compile(self.extension_pattern)
        except re.error as error:
            raise ValueError(f"extension pattern: {error}") from error
        for prefix in (self.outside_prefix, self.international_prefix):
            if not re.fullmatch(r"[0-9*#]{0,8}", prefix, re.ASCII):
                raise ValueError("a dialling prefix is up to 8 of 0-9, * and #")

    def is_internal(self, digits: str) -> bool:
        """Whether ``digits`` have the form of an extension."""
        return re.fullmatch(self.extension_pattern, digits) is not None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Number:
    """A number that can be dialled, judged, shown and compared.

    ``digits`` are those of the keypad; for PUBLIC numbers country code and national number.
    ``e164`` and ``region`` (libphonenumber's, ``001`` for world-wide services) are there for PUBLIC
    numbers only, ``region`` also for SHORT and EMERGENCY. ``extension`` is what came behind the
    number ("poste 12"): kept and shown, never dialled. ``text`` is what was read; ``parsed`` is
    libphonenumber's form of a PUBLIC number, if it was just made.
    """

    kind: NumberKind
    digits: str
    e164: str | None = None
    region: str | None = None
    tariff: Tariff = Tariff.UNKNOWN
    extension: str = ""
    text: str = field(default="", compare=False)
    parsed: PhoneNumber | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        return f"<Number {self.kind.value} {mask(self.e164 or self.digits)}>"


def mask(text: str) -> str:
    """``text`` as logs may have it: the first four digits, an ``x`` for each further one.

    Up to six digits (extensions, short numbers) stay as they are. Everything but keypad characters
    and ``+`` is dropped, so that a hostile text can't forge a log line.
    """
    kept = re.sub(r"[^0-9*#+]", "", text)[: MAX_DIALLED + 1]
    if sum(character.isdigit() for character in kept) <= 6:
        return kept or "(no number)"
    shown, masked = 0, []
    for character in kept:
        shown += character.isdigit()
        masked.append("x" if character.isdigit() and shown > 4 else character)
    return "".join(masked)
