"""vCards read from anywhere and written as 3.0 or 4.0.

Reading never stops: a card that can't be used gives a :class:`Refused` with its line and reason,
and the next one is read. What a :class:`~contacts.card.Card` has no field for is kept as it came
and written back, so that an edit here loses nothing that another program put there.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO, Final, Literal

from contacts.card import (
    EMAIL_LIMIT,
    Card,
    CardEmail,
    CardNumber,
    Photo,
    Reason,
    Refused,
    many_lines,
    one_line,
    shown_name,
)
from contacts.vcard_lines import (
    Property,
    RawCard,
    components,
    escape,
    fold,
    raw_cards,
    read_property,
    render,
    unescape,
)
from contacts.vcard_numbers import label_word, read_number, write_number

PHOTO_LIMIT: Final = 512 * 1024
"""Bytes of a picture that is shown; a larger one is dropped by an import and kept by a sync."""

_ASSISTANT = (
    "X-ASSISTANT",
    "X-MS-ASSISTANT",
    "X-EVOLUTION-ASSISTANT",
    "X-KADDRESSBOOK-X-ASSISTANTSNAME",
)
_BINARY = {"PHOTO", "LOGO", "SOUND", "KEY"}
_DROPPED = {"BEGIN", "END", "VERSION", "REV", "PRODID", "AGENT"}
_GROUP_KIND = {"KIND", "X-ADDRESSBOOKSERVER-KIND"}
_IMAGES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
)


class UnreadableCard(ValueError):
    """A single card that can't be used."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


def read_cards(stream: BinaryIO) -> Iterator[Card | Refused]:
    """The cards of a file as it is read, for an import; pictures over the limit are dropped."""
    found = False
    for raw in raw_cards(stream):
        found = True
        try:
            yield _card(raw, keep_large=False)
        except UnreadableCard as error:
            yield Refused(raw.line, error.reason)
    if not found:
        yield Refused(1, Reason.NOT_A_CARD_FILE)


def read_card(text: str) -> Card:
    """One card of a server, with everything kept; raises :class:`UnreadableCard`."""
    data = text.encode("utf-8", "replace")
    limit = len(data) + 1
    raw = next(raw_cards(io.BytesIO(data), max_line=limit, max_card=limit), None)
    if raw is None:
        raise UnreadableCard(Reason.NOT_A_CARD_FILE)
    return _card(raw, keep_large=True)


def _card(raw: RawCard, *, keep_large: bool) -> Card:
    if raw.is_too_large:
        raise UnreadableCard(Reason.TOO_LARGE)
    if not raw.is_complete:
        raise UnreadableCard(Reason.UNFINISHED)
    lines = [line for line in map(read_property, raw.lines) if line is not None]
    card = _Reading(lines, keep_large=keep_large).card()
    if not card.name:
        raise UnreadableCard(Reason.NOBODY)
    return card


class _Reading:
    """One card's properties on their way into a :class:`Card`."""

    def __init__(self, lines: Sequence[Property], *, keep_large: bool) -> None:
        self._lines = lines
        self._keep_large = keep_large
        self._own_labels: Mapping[str, str] = {
            line.group: label_word(unescape(line.value))
            for line in lines
            if line.name == "X-ABLABEL" and line.group
        }
        self._texts: dict[str, str] = {}
        self._notes: list[str] = []
        self._numbers: list[CardNumber] = []
        self._emails: list[CardEmail] = []
        self._photo: Photo | None = None
        self._is_group = False
        self._kept: list[Property] = []
        self._labelled: set[str] = set()
        self._takers: dict[str, Callable[[Property], bool]] = {
            "N": self._name,
            "ORG": self._company,
            "NOTE": self._note,
            "TEL": self._number,
            "EMAIL": self._email,
            **dict.fromkeys(("FN", "TITLE", "UID"), self._plain),
            **dict.fromkeys(_ASSISTANT, self._assistant),
            **dict.fromkeys(_GROUP_KIND, self._kind),
            **dict.fromkeys(_BINARY, self._binary),
        }

    def card(self) -> Card:
        for line in self._lines:
            if line.name not in _DROPPED and not self._take(line):
                self._kept.append(line)
        texts = self._texts
        parts = {
            part: texts.get(part, "") for part in ("prefix", "given", "middle", "family", "suffix")
        }
        kept = [
            render(line)
            for line in self._kept
            if not (line.name == "X-ABLABEL" and line.group in self._labelled)
        ]
        return Card(
            uid=texts.get("UID", ""),
            name=texts.get("FN") or shown_name(**parts) or self._other_name(),
            family_name=parts["family"],
            given_name=parts["given"],
            middle_name=parts["middle"],
            prefix=parts["prefix"],
            suffix=parts["suffix"],
            company=texts.get("company", ""),
            department=texts.get("department", ""),
            title=texts.get("TITLE", ""),
            assistant=texts.get("assistant", ""),
            note="\n\n".join(self._notes),
            numbers=tuple(self._numbers),
            emails=tuple(self._emails),
            photo=self._photo,
            is_group=self._is_group,
            kept=tuple(kept),
            version="4.0" if self._version() == "4.0" else "3.0",
        )

    def _version(self) -> str:
        return next((line.value.strip() for line in self._lines if line.name == "VERSION"), "")

    def _other_name(self) -> str:
        """What a card without a name is shown as."""
        if company := self._texts.get("company"):
            return company
        nickname = next((line for line in self._lines if line.name == "NICKNAME"), None)
        if nickname is not None and (text := one_line(unescape(nickname.value))):
            return text
        if self._emails:
            return self._emails[0].address
        return self._numbers[0].number if self._numbers else ""

    def _take(self, line: Property) -> bool:
        """Whether the line went into a field; otherwise it is kept."""
        take = self._takers.get(line.name)
        return take is not None and take(line)

    def _plain(self, line: Property) -> bool:
        return self._text(line.name, line.value)

    def _assistant(self, line: Property) -> bool:
        # Several programs' own properties often say the same name twice.
        said = one_line(unescape(line.value))
        return self._text("assistant", line.value) or said == self._texts["assistant"]

    def _note(self, line: Property) -> bool:
        if note := many_lines(unescape(line.value)):
            self._notes.append(note)
        return True

    def _kind(self, line: Property) -> bool:
        self._is_group = self._is_group or line.value.strip().lower() == "group"
        return False

    def _text(self, field: str, value: str) -> bool:
        text = one_line(unescape(value))
        if field in self._texts and text:
            return False
        if text:
            self._texts[field] = text
        return True

    def _name(self, line: Property) -> bool:
        if "family" in self._texts:
            return False
        # A bare comma separates several names within one part (RFC 2426 §3.1.2).
        spaced = re.sub(r"(?<!\\),", " ", line.value)
        found = [one_line(part) for part in components(spaced)]
        for part, text in zip(
            ("family", "given", "middle", "prefix", "suffix"), found, strict=False
        ):
            self._texts[part] = text
        return True

    def _company(self, line: Property) -> bool:
        if "company" in self._texts:
            return False
        found = [one_line(part) for part in components(line.value)]
        if any(found):
            self._texts["company"] = found[0]
            self._texts["department"] = " / ".join(part for part in found[1:] if part)
        return True

    def _number(self, line: Property) -> bool:
        number = read_number(line, own_label=self._own_labels.get(line.group, ""))
        if number is None:
            return not line.value.strip()
        self._labelled.add(line.group)
        self._numbers.append(number)
        return True

    def _email(self, line: Property) -> bool:
        address = one_line(unescape(line.value), limit=EMAIL_LIMIT)
        if not address:
            return True
        self._labelled.add(line.group)
        self._emails.append(
            CardEmail(
                address=address.removeprefix("mailto:"),
                is_preferred="pref" in line.types or line.param("PREF") == "1",
                own_label=self._own_labels.get(line.group, ""),
                marks=tuple(sorted(line.types - {"pref", "internet"})),
            )
        )
        return True

    def _binary(self, line: Property) -> bool:
        content = _content(line)
        if content is None:
            return False
        if line.name == "PHOTO" and self._photo is None and len(content) <= PHOTO_LIMIT:
            kind = next((name for start, name in _IMAGES if content.startswith(start)), None)
            if kind is not None:
                self._photo = Photo(media_type=kind, content=content)
                return True
        return not self._keep_large and len(content) > PHOTO_LIMIT


def _content(line: Property) -> bytes | None:
    """The bytes inside a property, or None when it only points to them."""
    text = line.value
    if line.param("ENCODING") != "b":
        matched = re.match(r"data:[^,]*;base64,", text, re.IGNORECASE)
        if matched is None:
            return None
        text = text[matched.end() :]
    try:
        return base64.b64decode(re.sub(r"\s+", "", text))
    except (binascii.Error, ValueError):
        return None


# --- Writing ----------------------------------------------------------------------------------


def write_card(card: Card, *, version: Literal["3.0", "4.0"] | None = None) -> str:
    """The card as text with CRLF line ends; in the version it came in unless one is asked."""
    return fold(_lines(card, version or card.version))


def write_cards(cards: Iterable[Card], *, version: Literal["3.0", "4.0"] = "3.0") -> Iterator[str]:
    """A file of cards, piece by piece."""
    for card in cards:
        yield write_card(card, version=version)


def _lines(card: Card, version: Literal["3.0", "4.0"]) -> Iterator[str]:
    yield "BEGIN:VCARD"
    yield f"VERSION:{version}"
    yield from _person_lines(card)
    groups = _free_groups(card.kept)
    for number in card.numbers:
        yield from write_number(number, version=version, groups=groups)
    for email in card.emails:
        yield from _email_lines(email, version=version, groups=groups)
    if card.photo is not None:
        yield _photo_line(card.photo, version)
    for line in card.kept:
        yield _kept_line(line, version)
    yield "END:VCARD"


def _person_lines(card: Card) -> Iterator[str]:
    if card.uid:
        yield f"UID:{escape(card.uid)}"
    yield f"FN:{escape(card.name)}"
    parts = (card.family_name, card.given_name, card.middle_name, card.prefix, card.suffix)
    yield "N:" + ";".join(escape(part) for part in parts)
    if card.company or card.department:
        units = [unit for unit in card.department.split(" / ") if unit]
        yield "ORG:" + ";".join(escape(part) for part in (card.company, *units))
    for name, text in (("TITLE", card.title), ("NOTE", card.note)):
        if text:
            yield f"{name}:{escape(text)}"
    if card.assistant:
        for name in _ASSISTANT[:3]:
            yield f"{name}:{escape(card.assistant)}"


def _email_lines(
    email: CardEmail, *, version: Literal["3.0", "4.0"], groups: Iterator[str]
) -> Iterator[str]:
    words = [*email.marks]
    if version == "3.0":
        words = ["INTERNET", *words, *(["pref"] if email.is_preferred else [])]
    params: tuple[tuple[str, tuple[str, ...]], ...] = ()
    if words:
        params += (("TYPE", tuple(words)),)
    if version == "4.0" and email.is_preferred:
        params += (("PREF", ("1",)),)
    group = next(groups) if email.own_label else ""
    yield render(Property(group=group, name="EMAIL", params=params, value=escape(email.address)))
    if group:
        yield f"{group}.X-ABLabel:{escape(email.own_label)}"


def _photo_line(photo: Photo, version: str) -> str:
    text = base64.b64encode(photo.content).decode("ascii")
    if version == "4.0":
        return f"PHOTO:data:{photo.media_type};base64,{text}"
    return f"PHOTO;ENCODING=b;TYPE={photo.media_type.partition('/')[2].upper()}:{text}"


def _kept_line(line: str, version: str) -> str:
    """A kept line; version 4.0 knows no encoding parameter, it has data addresses instead."""
    if version == "4.0" and "ENCODING=b" in line.partition(":")[0]:
        kept = read_property(line.encode())
        if kept is not None:
            kind = next(iter(sorted(kept.types)), "")
            media = f"image/{kind}" if kept.name in {"PHOTO", "LOGO"} and kind else ""
            return render(
                Property(
                    group=kept.group,
                    name=kept.name,
                    value=f"data:{media or 'application/octet-stream'};base64,{kept.value}",
                )
            )
    return line


def _free_groups(kept: Iterable[str]) -> Iterator[str]:
    """Group names that no kept line uses."""
    taken = {line.partition(".")[0].lower() for line in kept if "." in line.partition(":")[0]}
    count = 0
    while True:
        count += 1
        if f"item{count}" not in taken:
            yield f"item{count}"
