"""A directory's table, whose columns an administrator chose and named, as entries; pure.

Columns are found by their headers and never by their place (``reference/xivo.md`` §6).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

from bluetel.telephony.types import DirectoryEntry, PbxUserId
from bluetel.telephony.xivo.messages import ContactSheets, DirectoryResult, DirectoryRow
from bluetel.telephony.xivo.options import XivoOptions


class Columns:
    """Which column of a table holds what; -1 where there is none."""

    def __init__(self, headers: Sequence[str], options: XivoOptions) -> None:
        names = [_folded(header) for header in headers]

        def place(wanted: Sequence[str]) -> int:
            for name in map(_folded, wanted):
                if name in names:
                    return names.index(name)
            return -1

        self.number = place(options.number_headers)
        self.mobile = place(options.mobile_headers)
        self.name = place(options.name_headers)
        self.first_name = place(options.first_name_headers)
        self.last_name = place(options.last_name_headers)
        self.email = place(options.email_headers)
        self.company = place(options.company_headers)

    def names_of(self, row: DirectoryRow) -> str:
        """First and last name where both have a column, else the name's."""
        parts = (_cell(row, self.first_name), _cell(row, self.last_name))
        return " ".join(part for part in parts if part) or _cell(row, self.name)


def entries(
    found: DirectoryResult, options: XivoOptions, *, users: Mapping[str, PbxUserId]
) -> list[DirectoryEntry]:
    """The rows with a name or a number; ``users`` are the colleagues by their number."""
    columns = Columns(found.headers, options)
    read = [_entry(row, columns, users) for row in found.rows]
    return [entry for entry in read if entry.name or entry.numbers]


def sheet_entries(found: ContactSheets, *, users: Mapping[str, PbxUserId]) -> list[DirectoryEntry]:
    """The same of the newer answer."""
    return [
        DirectoryEntry(
            name=sheet.name,
            company=sheet.company,
            email=sheet.email,
            numbers=tuple(
                ("extension" if number in users else "other", number) for number in sheet.numbers
            ),
            user=next((users[number] for number in sheet.numbers if number in users), None),
            source="xivo",
            entry_id=sheet.username,
        )
        for sheet in found.sheets
    ]


def codes(found: DirectoryResult, options: XivoOptions) -> dict[str, int]:
    """The phone states that a result tells by the way, by number."""
    columns = Columns(found.headers, options)
    return {
        number: row.code
        for row in found.rows
        if row.code is not None and (number := _cell(row, columns.number))
    }


def _entry(row: DirectoryRow, columns: Columns, users: Mapping[str, PbxUserId]) -> DirectoryEntry:
    number, mobile = _cell(row, columns.number), _cell(row, columns.mobile)
    user = users.get(number)
    numbers = [("extension" if user else "work", number), ("mobile", mobile)]
    return DirectoryEntry(
        name=columns.names_of(row),
        numbers=tuple((label, one) for label, one in numbers if one),
        email=_cell(row, columns.email),
        company=_cell(row, columns.company),
        user=user,
        source=row.source or "xivo",
        entry_id=row.contact_id,
    )


def _cell(row: DirectoryRow, column: int) -> str:
    return row.cells[column].strip() if 0 <= column < len(row.cells) else ""


def _folded(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in parts if char.isalnum())
