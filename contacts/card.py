"""A person's card, whatever book, file or server it came from: a frozen value without a home.

Readers (:mod:`contacts.vcard`, :mod:`contacts.csv_cards`) make cards, writers take them, the
two-way sync compares them by :func:`digest`.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Literal

from bluetel.telephony.text import safe_text

NAME_LIMIT = 200
NUMBER_LIMIT = 80
EMAIL_LIMIT = 254
NOTE_LIMIT = 20_000

# Control and format characters (direction overrides among them), surrogates, unassigned.
_UNSAFE = {"Cc", "Cf", "Cs", "Cn"}


class Label(StrEnum):
    """What a number is for, in the API's words; nobody calls a fax or a pager."""

    WORK = "work"
    MOBILE = "mobile"
    HOME = "home"
    EXTENSION = "extension"
    OTHER = "other"
    FAX = "fax"
    PAGER = "pager"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardNumber:
    """One number, written as its owner wrote it, with ``+`` and spaces.

    ``extension`` are digits to dial once the call is answered. ``own_label`` is the owner's own
    word for it ("Car"). ``marks`` are type words of the vCard that ``label`` doesn't say
    (``home`` of a mobile at home), kept for the way back.
    """

    number: str
    label: Label = Label.OTHER
    is_preferred: bool = False
    extension: str = ""
    own_label: str = ""
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CardEmail:
    """One e-mail address; ``marks`` are its type words (``work``, ``home``)."""

    address: str
    is_preferred: bool = False
    own_label: str = ""
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A picture as it came; it is only ever shown as the image type it claims to be."""

    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One person, or a company.

    ``name`` is what is shown and never empty. ``prefix`` … ``suffix`` are the parts of the name as
    far as they are known. ``kept`` are vCard lines of no interest here (addresses, birthdays,
    other programs' own), unfolded and in their order, given back when the card is written.
    """

    uid: str = ""
    name: str
    family_name: str = ""
    given_name: str = ""
    middle_name: str = ""
    prefix: str = ""
    suffix: str = ""
    company: str = ""
    department: str = ""
    title: str = ""
    assistant: str = ""
    note: str = ""
    numbers: tuple[CardNumber, ...] = ()
    emails: tuple[CardEmail, ...] = ()
    photo: Photo | None = None
    is_group: bool = False
    """A distribution list rather than somebody; shown nowhere, but not lost in a sync."""
    kept: tuple[str, ...] = ()
    version: Literal["3.0", "4.0"] = "3.0"
    """The vCard version it came in, so that it goes back as it was."""


class Reason(StrEnum):
    """Why a file's card or row was refused."""

    NOT_A_CARD_FILE = "not_a_card_file"
    UNKNOWN_COLUMNS = "unknown_columns"
    UNFINISHED = "unfinished"
    TOO_LARGE = "too_large"
    NOBODY = "nobody"
    """Neither a name nor a company, an address or a number."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A card or row that was not taken: where it begins in the file, and why."""

    line: int
    reason: Reason


def one_line(text: str, *, limit: int = NAME_LIMIT) -> str:
    """A name or number made safe to show: composed, one line, no control or direction marks."""
    return unicodedata.normalize("NFC", safe_text(text, limit=limit))


def many_lines(text: str, *, limit: int = NOTE_LIMIT) -> str:
    """A note: composed, with its line breaks and blanks, without control or direction marks."""
    plain = text[: limit * 2].replace("\r\n", "\n").replace("\r", "\n")
    kept = (c for c in plain if c in "\n\t" or unicodedata.category(c) not in _UNSAFE)
    return unicodedata.normalize("NFC", "".join(kept)).strip()[:limit].rstrip()


def shown_name(
    *, prefix: str = "", given: str = "", middle: str = "", family: str = "", suffix: str = ""
) -> str:
    """The parts of a name in the order Western cards show them."""
    return " ".join(part for part in (prefix, given, middle, family, suffix) if part)


def digest(card: Card) -> str:
    """A short text that is equal for cards with equal content.

    The order of kept lines doesn't count, for servers shuffle them; neither do identifier and
    version, which some servers rewrite.
    """
    parts: list[object] = []
    for one in fields(card):
        value = getattr(card, one.name)
        if one.name in {"uid", "version"}:
            continue
        if one.name == "kept":
            value = sorted(value)
        elif isinstance(value, Photo):
            value = [value.media_type, hashlib.sha256(value.content).hexdigest()]
        elif one.name in {"numbers", "emails"}:
            value = [[getattr(entry, part.name) for part in fields(entry)] for entry in value]
        parts.append([one.name, value])
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def differences(one: Card, other: Card) -> tuple[str, ...]:
    """The names of the fields in which two cards differ, for a page that lets the user choose."""
    return tuple(
        part.name
        for part in fields(Card)
        if part.name not in {"uid", "kept", "version"}
        and getattr(one, part.name) != getattr(other, part.name)
    )


def with_numbers(card: Card, numbers: Iterable[tuple[Label, str]]) -> Card:
    """``card`` with these numbers; one that stays keeps its own label, extension and marks.

    For a form or the API, which know labels and numbers only.
    """
    known = {(number.label, number.number): number for number in card.numbers}
    by_number: dict[str, Sequence[CardNumber]] = {
        number.number: [one for one in card.numbers if one.number == number.number]
        for number in card.numbers
    }
    kept: list[CardNumber] = []
    for label, written in numbers:
        same = known.get((label, written))
        if same is None and len(by_number.get(written, ())) == 1:
            # Only its label changed: what the old label implied goes with it.
            same = replace(by_number[written][0], label=label, own_label="", marks=())
        kept.append(same or CardNumber(number=written, label=label))
    return replace(card, numbers=tuple(kept))
