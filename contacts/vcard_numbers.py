"""A vCard's TEL: what a number is for in five dialects, and ``tel:`` addresses (RFC 3966)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal
from urllib.parse import unquote

from contacts.card import NUMBER_LIMIT, CardNumber, Label, one_line
from contacts.vcard_lines import Property, escape, render, unescape

_EXTENSION_TYPE: Final = "x-extension"
_TYPES: Final[tuple[tuple[Label, frozenset[str]], ...]] = (
    # In this order: a fax at work is a fax, a mobile at home a mobile.
    (Label.FAX, frozenset({"fax"})),
    (Label.PAGER, frozenset({"pager", "beeper"})),
    (Label.EXTENSION, frozenset({_EXTENSION_TYPE, "internal"})),
    (Label.MOBILE, frozenset({"cell", "mobile", "iphone"})),
    (Label.WORK, frozenset({"work"})),
    (Label.HOME, frozenset({"home"})),
)
_WRITTEN: Final = {
    Label.FAX: ("fax",),
    Label.PAGER: ("pager",),
    Label.EXTENSION: (_EXTENSION_TYPE,),
    Label.MOBILE: ("cell",),
    Label.WORK: ("work",),
    Label.HOME: ("home",),
    Label.OTHER: (),
}
_WORDS: Final = {
    # What people and Apple's programs write into X-ABLabel, in English and French.
    Label.WORK: {"work", "office", "business", "bureau", "travail", "professionnel"},
    Label.MOBILE: {"mobile", "cell", "portable", "gsm", "iphone"},
    Label.HOME: {"home", "domicile", "maison", "personnel"},
    Label.EXTENSION: {"extension", "internal", "poste", "interne"},
    Label.FAX: {"fax", "workfax", "homefax", "otherfax", "télécopie", "télécopieur"},
    Label.PAGER: {"pager", "bip"},
}
_MEANING: Final = {word: label for label, words in _WORDS.items() for word in words}
_NEUTRAL: Final = frozenset({"voice", "pref"})
_TEL = re.compile(r"(?:tel|callto):(.*)", re.IGNORECASE | re.DOTALL)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_TRAILING_EXTENSION = re.compile(
    r"(?P<number>.*\d.*?)(?:;ext=|[\s,;]+(?:(?:ext|extension|poste)\b\.?\s*:?|x)\s*)(?P<extension>\d{1,11})",
    re.IGNORECASE,
)


def label_word(text: str) -> str:
    """A label as somebody sees it: Apple writes its own ones as ``_$!<Work>!$_``."""
    word = one_line(text, limit=60)
    return word.removeprefix("_$!<").removesuffix(">!$_")


def meaning_of(word: str) -> Label | None:
    """What a label's word says a number is for, or None: it is the owner's own."""
    return _MEANING.get(word.casefold().replace(" ", ""))


def read_number(line: Property, *, own_label: str) -> CardNumber | None:
    """The number of a TEL line; None when it is empty or no telephone number (``sip:``)."""
    written, extension = read_written(
        unescape(line.value) if line.param("VALUE").lower() != "uri" else line.value
    )
    if not written:
        return None
    types = line.types
    label = meaning_of(own_label)
    consumed: frozenset[str] = frozenset()
    for kind, words in _TYPES:
        if types & words:
            consumed = words
            if label is None or kind in {Label.FAX, Label.PAGER}:
                label = kind
            break
    marks = types - consumed - _NEUTRAL
    if own_label.casefold() == (label or Label.OTHER).value:
        own_label = ""  # it says what the label says
    return CardNumber(
        number=written,
        label=label or Label.OTHER,
        is_preferred="pref" in types or line.param("PREF") == "1",
        extension=extension,
        own_label=own_label,
        marks=tuple(sorted(marks)),
    )


def read_written(value: str) -> tuple[str, str]:
    """The number as its owner wrote it, and the digits to dial afterwards; both may be empty."""
    text = value.strip()
    matched = _TEL.fullmatch(text)
    if matched is None:
        if _SCHEME.match(text):
            return "", ""
        number = one_line(text, limit=NUMBER_LIMIT)
        trailing = _TRAILING_EXTENSION.fullmatch(number)
        if trailing is None:
            return number, ""
        return trailing["number"].rstrip(" ,;"), trailing["extension"]
    number, *parameters = unquote(matched.group(1)).split(";")
    named = dict(part.partition("=")[::2] for part in parameters)
    lowered = {key.strip().lower(): text.strip() for key, text in named.items()}
    context = lowered.get("phone-context", "")
    if context.startswith("+") and not number.lstrip().startswith("+"):
        number = f"{context}{number}"
    digits = re.sub(r"\D", "", lowered.get("ext", ""))[:11]
    return one_line(number.removeprefix("//"), limit=NUMBER_LIMIT), digits


def write_number(
    number: CardNumber, *, version: Literal["3.0", "4.0"], groups: Iterator[str]
) -> Iterator[str]:
    """The TEL line, and its label's line where its owner has a word of his own.

    As text in both versions: ``tel:`` addresses would lose the spaces people put in numbers.
    """
    own_label = number.own_label
    if number.label is Label.EXTENSION and not own_label:
        own_label = "Extension"  # what other programs show; they don't know the type
    words = [*_WRITTEN[number.label], *number.marks]
    params: tuple[tuple[str, tuple[str, ...]], ...] = ()
    if version == "3.0" and number.is_preferred:
        words.append("pref")
    if words:
        params += (("TYPE", tuple(words)),)
    if version == "4.0" and number.is_preferred:
        params += (("PREF", ("1",)),)
    value = number.number + (f" ext. {number.extension}" if number.extension else "")
    group = next(groups) if own_label else ""
    yield render(Property(group=group, name="TEL", params=params, value=escape(value)))
    if group:
        yield f"{group}.X-ABLabel:{escape(own_label)}"
