"""The lines of vCard files, as they come from the wild: RFC 2426, RFC 6350, versit's vCard 2.1.

Bytes in, properties out, and back. Tolerated: any line ending, byte order marks, UTF-16, Latin-1
without saying so, folds in the middle of a character, quoted-printable soft breaks, base64 without
indentation, line breaks that somebody's export left in a note, cards inside cards (``AGENT``).
The grammar is small and the tolerance is most of it, so it is written here rather than taken from
a library that stops at the first line it can't read.
"""

from __future__ import annotations

import codecs
import quopri
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, Final

MAX_LINE: Final = 4 * 1024 * 1024
"""Bytes of one property; a longer one, always a picture, is left out."""
MAX_CARD: Final = 8 * 1024 * 1024

_CHUNK = 64 * 1024
_BREAK = re.compile(rb"\r\n|\n|\r")
_STARTS_PROPERTY = re.compile(rb"(?:[A-Za-z0-9_-]+\.)?[A-Za-z][A-Za-z0-9_-]*[ \t]*[;:]")
_IS_QUOTED_PRINTABLE = re.compile(rb"[^:]*;[ \t]*(?:ENCODING=)?QUOTED-PRINTABLE[;:]", re.IGNORECASE)
_IS_BASE64 = re.compile(rb"[^:]*;[ \t]*(?:ENCODING=)?(?:BASE64|B)[;:]", re.IGNORECASE)
_BEGIN = re.compile(rb"[ \t]*BEGIN[ \t]*:[ \t]*VCARD[ \t]*", re.IGNORECASE)
_END = re.compile(rb"[ \t]*END[ \t]*:[ \t]*VCARD[ \t]*", re.IGNORECASE)
_AGENT = re.compile(rb"(?:[A-Za-z0-9_-]+\.)?AGENT[^:]*:[ \t]*", re.IGNORECASE)
_HEAD = re.compile(
    r"""(?:(?P<group>[A-Za-z0-9_-]+)\.)?(?P<name>[A-Za-z0-9_-]+)[ \t]*"""
    r"""(?P<params>(?:;(?:"[^"]*"|[^":;])*)*):(?P<value>.*)""",
    re.DOTALL,
)
_PARAM = re.compile(r';((?:"[^"]*"|[^";])*)')
_LISTED = re.compile(r'(?:^|,)((?:"[^"]*"|[^",])*)')
_CARET = {"^n": "\n", "^N": "\n", "^^": "^", "^'": '"'}
_ENCODINGS = {"QUOTED-PRINTABLE", "BASE64", "B", "8BIT", "7BIT"}
_ASCII_LIKE = {"", "utf-8", "iso8859-1", "cp1252", "ascii", "iso8859-15"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One line taken apart: ``value`` is still escaped as the format has it, but decoded.

    Names of the property and its parameters are upper case; ``types`` are lower case.
    """

    name: str
    value: str
    group: str = ""
    params: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def param(self, name: str) -> str:
        """The parameter's first value, or the empty string."""
        return next((values[0] for key, values in self.params if key == name and values), "")

    @property
    def types(self) -> frozenset[str]:
        """What sort it is, however it was written."""
        return frozenset(
            word.strip().lower()
            for key, values in self.params
            if key == "TYPE"
            for value in values
            for word in value.split(",")  # TYPE="voice,work"
            if word.strip()
        )


@dataclass(slots=True)
class RawCard:
    """The lines between BEGIN and END, unfolded; ``line`` is where it begins in the file."""

    line: int
    lines: list[bytes] = field(default_factory=list)
    is_complete: bool = False
    is_too_large: bool = False


def raw_cards(
    stream: BinaryIO, *, max_line: int = MAX_LINE, max_card: int = MAX_CARD
) -> Iterator[RawCard]:
    """The cards of a file, one at a time: memory holds one card, whatever the file's size."""
    gathering: _Gathering | None = None
    for number, line in _physical_lines(stream, max_line):
        if gathering is None:
            if _BEGIN.fullmatch(line):
                gathering = _Gathering(number, max_line, max_card)
        elif _BEGIN.fullmatch(line):
            if gathering.opens_agent():
                gathering.depth += 1
            else:
                yield gathering.card  # its end is missing
                gathering = _Gathering(number, max_line, max_card)
        elif _END.fullmatch(line):
            if gathering.depth:
                gathering.depth -= 1
            else:
                gathering.finish()
                yield gathering.card
                gathering = None
        elif not gathering.depth:
            gathering.add(line)
    if gathering is not None:
        yield gathering.card


class _Gathering:
    """Unfolds the lines of one card."""

    def __init__(self, line: int, max_line: int, max_card: int) -> None:
        self._max_line, self._max_card = max_line, max_card
        self.card = RawCard(line)
        self.depth = 0
        self._size = 0
        self._open = bytearray()
        self._is_quoted = self._is_base64 = self._is_cut = False

    def opens_agent(self) -> bool:
        """Whether a card inside this one begins here."""
        return bool(self.depth) or _AGENT.fullmatch(self._open) is not None

    def add(self, line: bytes) -> None:
        if not line.strip():
            self._is_quoted = False
        elif self._is_quoted and self._open.endswith(b"="):
            del self._open[-1:]
            self._append(line)
        elif line[:1] in {b" ", b"\t"} and (self._open or self._is_cut):
            self._append(line.strip() if self._is_base64 else line[1:])
        elif _STARTS_PROPERTY.match(line):
            self._flush()
            self._append(line)
            self._is_quoted = _IS_QUOTED_PRINTABLE.match(line) is not None
            self._is_base64 = _IS_BASE64.match(line) is not None
        elif self._open or self._is_cut:
            # Base64 that was not indented, or a line break left unescaped.
            self._append(line.strip() if self._is_base64 else b"\\n" + line)

    def finish(self) -> None:
        self._flush()
        self.card.is_complete = True

    def _append(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._max_card:
            self.card.is_too_large = True
        elif len(self._open) + len(part) <= self._max_line and not self._is_cut:
            self._open += part
        else:
            self._is_cut = True

    def _flush(self) -> None:
        if self._open and not self._is_cut:
            self.card.lines.append(bytes(self._open))
        self._open.clear()
        self._is_cut = False


def _physical_lines(stream: BinaryIO, max_line: int) -> Iterator[tuple[int, bytes]]:
    """The file's lines with their numbers from 1, as UTF-8 bytes or whatever they were."""
    number, pending, ends_in_return = 1, bytearray(), False
    for chunk in _chunks(stream):
        text = chunk
        if ends_in_return and text.startswith(b"\n"):
            text = text[1:]
        ends_in_return = text.endswith(b"\r") if text else ends_in_return
        parts = _BREAK.split(text)
        for part in parts[:-1]:
            pending += part[: max_line + 1 - len(pending)]
            yield number, bytes(pending)
            number += 1
            pending.clear()
        pending += parts[-1][: max_line + 1 - len(pending)]
    if pending:
        yield number, bytes(pending)


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    first = stream.read(_CHUNK)
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")
        yield decoder.decode(first).encode("utf-8", "replace")
        while chunk := stream.read(_CHUNK):
            yield decoder.decode(chunk).encode("utf-8", "replace")
        return
    yield first.removeprefix(codecs.BOM_UTF8)
    while chunk := stream.read(_CHUNK):
        yield chunk


def read_property(line: bytes) -> Property | None:
    """One unfolded line; None when it is no property at all."""
    head, colon, value = line.partition(b":")
    charset = re.search(rb"CHARSET=\"?([A-Za-z0-9_:.-]+)", head, re.IGNORECASE)
    declared = charset.group(1).decode("ascii") if charset else ""
    is_quoted = _IS_QUOTED_PRINTABLE.match(line) is not None
    if is_quoted:
        text = (
            _decoded(head, "")
            + ":"
            + _one_logical_line(_decoded(quopri.decodestring(value), declared))
        )
    else:
        text = _decoded(head + colon + value, declared)
    matched = _HEAD.fullmatch(text)
    if matched is None:
        return None
    params = _params(matched["params"])
    value_text = matched["value"].strip() if not is_quoted else matched["value"]
    if any(key == "ENCODING" for key, _ in params):
        value_text = re.sub(r"\s+", "", value_text)
    return Property(
        group=matched["group"] or "", name=matched["name"].upper(), params=params, value=value_text
    )


def _params(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The parameters, those of vCard 2.1 without a name under the name they have since."""
    found: list[tuple[str, tuple[str, ...]]] = []
    for matched in _PARAM.finditer(text):
        key, equals, listed = matched.group(1).partition("=")
        if not equals:
            word = key.strip().strip('"')
            if word.upper() in _ENCODINGS:
                key, listed = "ENCODING", word
            elif word.upper() in {"URL", "URI", "INLINE", "CONTENT-ID", "CID"}:
                key, listed = "VALUE", "uri" if word.upper() in {"URL", "URI"} else word
            else:
                key, listed = "TYPE", word
        key = key.strip().upper()
        values = tuple(
            re.sub(r"\^[nN^']", lambda caret: _CARET[caret.group()], value.strip().strip('"'))
            for value in _LISTED.findall(listed)
        )
        if key == "CHARSET" or not key:
            continue
        if key == "ENCODING":
            if values[0].upper() not in {"B", "BASE64"}:
                continue
            values = ("b",)
        found.append((key, values))
    return tuple(found)


def _one_logical_line(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")


def _decoded(raw: bytes, declared: str) -> str:
    """Text, guessing where the file says nothing or lies: UTF-8 is never valid by accident."""
    try:
        codec = codecs.lookup(declared).name if declared else ""
    except LookupError:
        codec = ""
    tried = ["utf-8", codec or "cp1252"] if codec in _ASCII_LIKE else [codec, "utf-8", "cp1252"]
    for name in tried:
        try:
            return raw.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    return raw.decode("latin-1")


# --- Writing ----------------------------------------------------------------------------------


def unescape(value: str) -> str:
    """The text that an escaped value means."""
    return re.sub(r"\\(.)", lambda matched: _unescaped(matched.group(1)), value, flags=re.DOTALL)


def _unescaped(character: str) -> str:
    if character in "nN":
        return "\n"
    # "C:\temp" of programs that don't escape: the backslash is text.
    return character if character in "\\,;:" else "\\" + character


def escape(text: str) -> str:
    """The text as a value of versions 3.0 and 4.0."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace(",", "\\,").replace(";", "\\;")


def components(value: str) -> list[str]:
    """The unescaped parts of a structured value such as N or ORG."""
    parts = re.findall(r"(?:^|;)((?:\\.|[^;\\])*\\?)", value, flags=re.DOTALL)
    return [unescape(part) for part in parts]


def render(line: Property) -> str:
    """A property as one unfolded line."""
    group = f"{line.group}." if line.group else ""
    params = "".join(
        f";{key}={','.join(_param_value(value) for value in values)}" for key, values in line.params
    )
    return f"{group}{line.name}{params}:{line.value}"


def _param_value(value: str) -> str:
    text = value.replace("^", "^^").replace("\n", "^n").replace('"', "^'")
    return f'"{text}"' if re.search(r"[,:;]", text) else text


def fold(lines: Iterable[str]) -> str:
    """The lines as a file has them: at most 75 bytes each, never cut inside a character."""
    folded: list[bytes] = []
    for line in lines:
        text = line.encode("utf-8", "replace")
        start, room = 0, 75
        while len(text) - start > room:
            end = start + room
            while text[end] & 0xC0 == 0x80:
                end -= 1
            folded.append(text[start:end] + b"\r\n ")
            start, room = end, 74
        folded.append(text[start:] + b"\r\n")
    return b"".join(folded).decode("utf-8")
