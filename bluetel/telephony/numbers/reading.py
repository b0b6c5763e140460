"""Pasted text → the digits in it, before anybody asks what number they are."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote

from bluetel.telephony.numbers.model import MAX_DIALLED, InvalidNumber, InvalidReason

MAX_TEXT: Final = 500
"""Longer texts hold no number that anybody pasted on purpose."""

SHORT_RUN: Final = 7
"""Fewer digits than this amid words are a room, a year or an hour as likely as a number."""

_SAME_AS = MappingProxyType(
    {
        "\uff0b": "+",
        "\uff0a": "*",
        "\uff03": "#",
        "\uff08": "(",
        "\uff09": ")",
        "\uff0e": ".",
        "\uff0f": "/",
        "\uff1a": ":",
        "\uff1b": ";",
        "\uff1d": "=",
        "\uff20": "@",
        "\u00b7": ".",
        "\u2022": ".",
        "\u2044": "/",
        "\u2212": "-",
    }
)
"""Full-width forms and look-alikes; dashes and spaces go by their Unicode category."""

_SCHEME = re.compile(r"(?:tel|callto):(?://)?(?=\S)", re.IGNORECASE)
_PARAMETER = re.compile(r";([A-Za-z][A-Za-z0-9-]*)=([^;,\s]*)")
_EXTENSION = re.compile(
    r"(?:\b|(?<=\d))(?:extension|extn?|poste|interne|durchwahl|dw|x)[ .:]*([0-9]{1,11})(?![0-9])",
    re.IGNORECASE,
)
_LABEL = re.compile(r"\b(?:tel|telephone|phone|number|numero|num|nr|no|n)\b", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]")
_GLUED = re.compile(r"[0-9][.\-/]*[^\W\d_]|[^\W\d_][\-/]?[0-9]|[0-9] ?@|@ ?[0-9]")
_BRACKETED = re.compile(r"\([^()]*\)")
_TIDY = re.compile(r"\+[0-9]+(?: [0-9]+)*")
_NOT_OF_A_NUMBER = re.compile(r"[^0-9 ().\-/+]+|(?=\+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The one run of digits in a text.

    ``written`` keeps its brackets and separators; ``extension`` is what followed it; ``context``
    is RFC 3966's ``phone-context``. A code has ``*`` or ``#`` among its digits.
    """

    digits: str
    is_code: bool = False
    is_international: bool = False
    written: str = ""
    extension: str = ""
    context: str = ""


def plain(text: str) -> str:
    """``text`` with ASCII digits, plain spaces and dashes, without accents and invisible marks.

    Superscripts and circled numbers are no digits of a number and stay what they are.
    """
    return "".join(map(_plain_character, unicodedata.normalize("NFD", text)))


def _plain_character(character: str) -> str:
    if character.isascii():
        return character if character >= " " else "\n"
    if character in _SAME_AS:
        return _SAME_AS[character]
    match unicodedata.category(character):
        case "Nd":
            return str(unicodedata.decimal(character))
        case "Cf" | "Mn" | "Me":
            return ""
        case "Zs":
            return " "
        case "Pd":
            return "-"
        case "Cc" | "Zl" | "Zp":
            return "\n"
    return character


def read(text: str) -> Reading:
    """The one number-like thing in ``text``; raises ``InvalidNumber`` for none and for several."""
    if len(text) > MAX_TEXT:
        raise InvalidNumber(InvalidReason.TOO_LONG)
    if _TIDY.fullmatch(text) and len(digits := re.sub(r"[^0-9]", "", text)) <= MAX_DIALLED:
        # As directories write them, and the rest would come to the same.
        return Reading(digits=digits, is_international=True, written=text)
    cleaned = plain(text).strip()
    if not cleaned:
        raise InvalidNumber(InvalidReason.EMPTY)
    if scheme := _SCHEME.match(cleaned):
        cleaned = plain(unquote(cleaned[scheme.end() :])).strip()
    parameters = {name.lower(): value for name, value in _PARAMETER.findall(cleaned)}
    cleaned = _PARAMETER.sub(" ", cleaned).strip()
    if not re.search(r"[0-9*#]", cleaned):
        raise InvalidNumber(InvalidReason.NO_DIGITS)
    if "*" in cleaned or "#" in cleaned:
        return Reading(digits=_code(cleaned), is_code=True)
    cleaned, extension, is_labelled = _without_extension(cleaned)
    run = _only_run(cleaned, is_labelled=is_labelled)
    return Reading(
        digits=re.sub(r"[^0-9]", "", run),
        is_international=run.startswith("+"),
        written=run,
        extension=extension or re.sub(r"[^0-9]", "", parameters.get("ext", ""))[:11],
        context=parameters.get("phone-context", ""),
    )


def _code(cleaned: str) -> str:
    code = re.sub(r"[ .\-/()]", "", cleaned)
    if len(code) > MAX_DIALLED:
        raise InvalidNumber(InvalidReason.TOO_LONG)
    if not re.fullmatch(r"[0-9*#]+", code):
        letters = _LETTER.search(code)
        raise InvalidNumber(InvalidReason.LETTERS if letters else InvalidReason.UNREADABLE)
    return code


def _without_extension(cleaned: str) -> tuple[str, str, bool]:
    """Take "poste 12" off the end, or just the word where nothing else is the number."""
    found = _EXTENSION.search(cleaned)
    if not found:
        return cleaned, "", False
    head, tail = cleaned[: found.start()], cleaned[found.end() :]
    if not re.search(r"[0-9]", head):
        return f"{head} {found[1]}{tail}", "", True
    if re.search(r"[0-9]", tail):
        raise InvalidNumber(InvalidReason.SEVERAL)
    return f"{head} {tail}", found[1], False


def _only_run(cleaned: str, *, is_labelled: bool) -> str:
    if _GLUED.search(cleaned):
        raise InvalidNumber(InvalidReason.LETTERS)
    pieces = [piece.strip(" .-/") for piece in _NOT_OF_A_NUMBER.split(cleaned)]
    runs = [piece for piece in pieces if re.search(r"[0-9]", piece)]
    if len(runs) > 1:
        raise InvalidNumber(InvalidReason.SEVERAL)
    run = runs[0]
    digits = len(re.sub(r"[^0-9]", "", run))
    words = _LABEL.sub("", _BRACKETED.sub("", cleaned))
    if digits < SHORT_RUN and not is_labelled and _LETTER.search(words):
        raise InvalidNumber(InvalidReason.LETTERS)
    if digits > MAX_DIALLED:
        raise InvalidNumber(InvalidReason.TOO_LONG)
    return run
