"""Contacts as CSV, read from any of the usual programs and written so that a spreadsheet is safe.

A cell that a spreadsheet would take for a formula, one that begins with ``= + - @``, is written
with an apostrophe before it; a reading takes exactly that one apostrophe off again. In the columns
of numbers what is nothing but numbers keeps its ``+`` and has no apostrophe, for other programs
dial what stands there: without a letter, a quote or ``=`` the worst that a spreadsheet makes of it
is a sum. CSV has no place for pictures, own labels, preferences and what other programs keep in
vCards: vCard is the format that loses nothing.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO, Final

from contacts.card import (
    EMAIL_LIMIT,
    NUMBER_LIMIT,
    Card,
    CardEmail,
    CardNumber,
    Label,
    Reason,
    Refused,
    many_lines,
    one_line,
    shown_name,
)
from contacts.csv_columns import Column, Field, columns_of
from contacts.vcard_numbers import label_word, meaning_of, read_written

MAX_ENTRIES: Final = 50
"""Numbers, and addresses, that are read of one row."""

_SEVERAL: Final = " ::: "  # Google's own separator of several values in one cell
_FORMULA = re.compile(r"'*[=+\-@\t\r\n\0＝＋－＠]")  # noqa: RUF001 — full-width forms count too
_ESCAPED = re.compile(r"'+[=+\-@\t\r\n\0＝＋－＠]")  # noqa: RUF001
_NUMBER = re.compile(r"[+0-9(][0-9 .\-()/]*(?: ext\. [0-9]+)?")
_QUOTED_TEXT = re.compile(r'="(.*)"', re.DOTALL)  # ="0199…": how spreadsheets keep leading zeros
_DELIMITERS: Final = ",;\t|"
_FALLBACK: Final = "bluetel-cp1252"

_TEXTS: Final = (
    ("Name", "name"),
    ("First Name", "given_name"),
    ("Middle Name", "middle_name"),
    ("Last Name", "family_name"),
    ("Name Prefix", "prefix"),
    ("Suffix", "suffix"),
    ("Company", "company"),
    ("Department", "department"),
    ("Job Title", "title"),
    ("Assistant's Name", "assistant"),
)
_PHONES: Final = (
    ("Extension", Label.EXTENSION),
    ("Business Phone", Label.WORK),
    ("Mobile Phone", Label.MOBILE),
    ("Home Phone", Label.HOME),
    ("Other Phone", Label.OTHER),
    ("Business Fax", Label.FAX),
    ("Pager", Label.PAGER),
)
_HEADERS: Final = (
    *(header for header, _ in _TEXTS),
    "E-mail Address",
    *(header for header, _ in _PHONES),
    "Notes",
)


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are no UTF-8 are what an older Windows program wrote."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return wrong.decode("cp1252", "replace"), error.end


codecs.register_error(_FALLBACK, _as_windows)


# --- Reading ----------------------------------------------------------------------------------


def read_csv(stream: BinaryIO) -> Iterator[Card | Refused]:
    """The people of a CSV file as it is read; rows that name nobody are reported, empty ones not.

    The delimiter, the encoding and the meaning of the columns are found from the first line.
    """
    text = _opened(stream)
    header, skipped = text.readline(), 0
    if hint := re.fullmatch(r"sep=(.)\s*", header, re.IGNORECASE):
        delimiter, header, skipped = hint.group(1), text.readline(), 1
    else:
        delimiter = _delimiter(header)
    names = next(csv.reader([header], delimiter=delimiter), [])
    columns = columns_of(names)
    if not any(column is not None and column.field in _NAMING for column in columns):
        yield Refused(1 + skipped, Reason.UNKNOWN_COLUMNS)
        return
    rows = csv.reader(text, delimiter=delimiter)
    before = 1 + skipped
    while True:
        line = before + rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            yield Refused(line, Reason.TOO_LARGE)
            continue
        if any(cell.strip() for cell in row):
            card = _card(columns, row)
            yield card if card.name else Refused(line, Reason.NOBODY)


_NAMING: Final = {Field.NAME, Field.GIVEN, Field.FAMILY, Field.COMPANY, Field.EMAIL, Field.NUMBER}


def _opened(stream: BinaryIO) -> io.TextIOBase:
    buffered = io.BufferedReader(_Raw(stream))
    start = buffered.peek(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return io.TextIOWrapper(buffered, encoding="utf-16", errors="replace", newline="")
    return io.TextIOWrapper(buffered, encoding="utf-8-sig", errors=_FALLBACK, newline="")


class _Raw(io.RawIOBase):
    """Anything with ``read``, such as an upload, as the standard library's readers want it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _delimiter(header: str) -> str:
    """The delimiter that splits the first line most, quoted parts aside."""
    outside = re.sub(r'"[^"]*"', "", header)
    return max(_DELIMITERS, key=outside.count)


def _card(columns: Sequence[Column | None], row: Sequence[str]) -> Card:
    labels: dict[str, str] = {}
    texts: dict[Field, str] = {}
    numbers: list[CardNumber] = []
    emails: list[CardEmail] = []
    cells = [
        (column, _plain(cell))
        for column, cell in zip(columns, row, strict=False)
        if column is not None
    ]
    for column, cell in cells:
        if column.field in {Field.NUMBER_LABEL, Field.EMAIL_LABEL}:
            labels[column.group] = cell
    for column, cell in cells:
        if column.field is Field.NUMBER:
            numbers += _numbers(cell, column, labels.get(column.group, ""))
        elif column.field is Field.EMAIL:
            emails += _emails(cell, labels.get(column.group, ""))
        elif cell.strip() and column.field not in texts:
            clean = many_lines(cell) if column.field is Field.NOTE else one_line(cell)
            texts[column.field] = clean
    parts = {
        "prefix": texts.get(Field.PREFIX, ""),
        "given": texts.get(Field.GIVEN, ""),
        "middle": texts.get(Field.MIDDLE, ""),
        "family": texts.get(Field.FAMILY, ""),
        "suffix": texts.get(Field.SUFFIX, ""),
    }
    company = texts.get(Field.COMPANY, "")
    others = [company, *(email.address for email in emails), *(one.number for one in numbers)]
    return Card(
        name=texts.get(Field.NAME) or shown_name(**parts) or next(filter(None, others), ""),
        family_name=parts["family"],
        given_name=parts["given"],
        middle_name=parts["middle"],
        prefix=parts["prefix"],
        suffix=parts["suffix"],
        company=company,
        department=texts.get(Field.DEPARTMENT, ""),
        title=texts.get(Field.TITLE, ""),
        assistant=texts.get(Field.ASSISTANT, ""),
        note=texts.get(Field.NOTE, ""),
        numbers=tuple(dict.fromkeys(numbers))[:MAX_ENTRIES],
        emails=tuple(dict.fromkeys(emails))[:MAX_ENTRIES],
    )


def _numbers(cell: str, column: Column, label: str) -> Iterator[CardNumber]:
    is_preferred = label.startswith("* ")  # Google's mark
    word = label_word(label.removeprefix("* "))
    meant = meaning_of(word) if word else column.label
    own_label = word if meant is None and word.casefold() != Label.OTHER.value else ""
    for part in cell.split(_SEVERAL.strip()):
        number, extension = read_written(part)
        number = number or one_line(part, limit=NUMBER_LIMIT)  # "sip:…" and the like
        if any(character.isalnum() for character in number):
            yield CardNumber(
                number=number,
                extension=extension,
                label=meant or Label.OTHER,
                own_label=own_label,
                is_preferred=is_preferred,
            )


def _emails(cell: str, label: str) -> Iterator[CardEmail]:
    for part in cell.split(_SEVERAL.strip()):
        address = one_line(part, limit=EMAIL_LIMIT)
        if "@" in address:
            mark = label.removeprefix("* ").strip().lower()
            yield CardEmail(
                address=address,
                is_preferred=label.startswith("* "),
                marks=(mark,) if mark in {"work", "home"} else (),
            )


def _plain(cell: str) -> str:
    """A cell's text without what protects it from spreadsheets."""
    if _ESCAPED.match(cell):
        return cell[1:]
    quoted = _QUOTED_TEXT.fullmatch(cell)
    return quoted.group(1).replace('""', '"') if quoted else cell


# --- Writing ----------------------------------------------------------------------------------


def write_csv(cards: Iterable[Card], *, delimiter: str = ",") -> Iterator[str]:
    """A CSV file line by line, with headers that Outlook and Google know; UTF-8 with its mark.

    Several numbers of one kind share a cell, the preferred first, divided as Google does it.
    ``;`` is the delimiter that a French spreadsheet opens without asking.
    """
    yield "\ufeff" + _line(_HEADERS, delimiter)
    for card in cards:
        if not card.is_group:
            yield _line(_cells(card), delimiter)


def as_read_back(card: Card) -> Card:
    """What is left of a card that goes out as CSV and comes in again."""
    return _card(columns_of(_HEADERS), list(_cells(card)))


def _cells(card: Card) -> Iterator[str]:
    for _, name in _TEXTS:
        yield escape_cell(str(getattr(card, name)))
    emails = sorted(card.emails, key=lambda email: not email.is_preferred)
    yield escape_cell(_SEVERAL.join(email.address for email in emails))
    numbers = sorted(card.numbers, key=lambda number: not number.is_preferred)
    for _, label in _PHONES:
        written = [
            one.number + (f" ext. {one.extension}" if one.extension else "")
            for one in numbers
            if one.label is label
        ]
        cell = _SEVERAL.join(written)
        yield cell if all(map(_NUMBER.fullmatch, written)) else escape_cell(cell)
    yield escape_cell(card.note)


def _line(cells: Iterable[str], delimiter: str) -> str:
    output = io.StringIO()
    writer = csv.writer(output, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(cells)
    return output.getvalue()


def escape_cell(text: str) -> str:
    """The text as a cell that no spreadsheet runs (ASVS 1.2.10); call logs are written so too."""
    return "'" + text if _FORMULA.match(text) else text
