"""Telephone numbers: what people type and paste, what a PBX is told, what a page shows.

``docs/numbers.md`` says in prose what is read as what. The country is always the site's, as an
ISO 3166 region code; the number plan is the PBX's. Everything here is pure.
"""

from __future__ import annotations

from bluetel.telephony.numbers.facts import is_emergency
from bluetel.telephony.numbers.model import (
    InvalidNumber,
    InvalidReason,
    Number,
    NumberKind,
    NumberPlan,
    Tariff,
    mask,
)
from bluetel.telephony.numbers.parsing import parse
from bluetel.telephony.numbers.writing import (
    dial_string,
    display,
    display_public,
    display_text,
    keypad_only,
    same,
    says_more,
)

__all__ = [
    "InvalidNumber",
    "InvalidReason",
    "Number",
    "NumberKind",
    "NumberPlan",
    "Tariff",
    "dial_string",
    "display",
    "display_public",
    "display_text",
    "is_emergency",
    "keypad_only",
    "mask",
    "parse",
    "same",
    "says_more",
]
