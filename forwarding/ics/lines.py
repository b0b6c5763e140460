"""Content lines of RFC 5545 §3.1: unfolded, and taken apart without judging them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_STEPS = {"BEGI": 1, "END:": -1}


class NotACalendar(Exception):
    """The text isn't iCalendar: a sign-in page, perhaps, or a table."""


@dataclass(frozen=True, slots=True)
class Line:
    """One property: names in upper case, parameters without quotes."""

    name: str
    value: str
    params: Mapping[str, str] = field(default_factory=dict)


def unfold(data: bytes) -> list[str]:
    """The content lines of a file, in UTF-8 or else Windows' western code page.

    Raises :class:`NotACalendar`.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    if "BEGIN:VCALENDAR" not in text[:10_000].upper():
        raise NotACalendar
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\n ", "").replace("\n\t", "").split("\n")


def blocks(lines: list[str], names: frozenset[str]) -> Iterator[tuple[str, list[str]]]:
    """The components of these names with their own lines; zones come with what is nested in them.

    Lines that stand in none of them come one by one, as ``("", [line])``.
    """
    name, depth, inside = "", 0, list[str]()
    for line in lines:
        step = _STEPS.get(line[:4].upper(), 0)
        if not name:
            component = line[6:].strip().upper() if step > 0 else ""
            if component in names:
                name, depth, inside = component, 1, []
            elif not step:
                yield "", [line]
            continue
        depth += step
        if depth == 0:
            yield name, inside
            name = ""
        elif depth == 1 or name == "VTIMEZONE":
            inside.append(line)


def parse(line: str) -> Line | None:
    """The parts of a content line; None when it isn't one."""
    head, colon, value = line.partition(":")
    if '"' in head:
        colon_at = _outside_quotes(line, ":")
        if colon_at < 0:
            return None
        head, value = line[:colon_at], line[colon_at + 1 :]
    elif not colon:
        return None
    name, semicolon, rest = head.partition(";")
    if not semicolon:
        return Line(name.strip().upper(), value.strip())
    params: dict[str, str] = {}
    while rest:
        end = _outside_quotes(rest, ";")
        part, rest = (rest, "") if end < 0 else (rest[:end], rest[end + 1 :])
        key, _, text = part.partition("=")
        params[key.strip().upper()] = text.strip().strip('"')
    return Line(name.strip().upper(), value.strip(), params)


def _outside_quotes(text: str, wanted: str) -> int:
    is_quoted = False
    for index, character in enumerate(text):
        if character == '"':
            is_quoted = not is_quoted
        elif character == wanted and not is_quoted:
            return index
    return -1
