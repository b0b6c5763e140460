"""Wazo's directory results and call log rows into our types.

A directory profile's columns are the administrator's: their order, titles and number vary, and
several may have one type. So columns are found by type, never by index or by title
(``reference/wazo.md`` §7).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from bluetel.telephony.types import (
    ConversationId,
    Direction,
    DirectoryEntry,
    LoggedCall,
    PbxUserId,
)
from bluetel.telephony.wazo.fields import Fields

_LABELS = {
    "number": "",
    "callable": "",
    "phone": "",
    "exten": "extension",
    "extension": "extension",
    "mobile": "mobile",
    "work": "work",
    "office": "work",
    "home": "home",
    "fax": "fax",
}
"""Column types that hold numbers; the empty label is to be judged by the number and its source."""

_SHORT = re.compile(r"[0-9*#]{1,6}")
_INTERNAL_BACKENDS = frozenset({"wazo", "conference"})


def directory_entries(value: object) -> list[DirectoryEntry]:
    """The answer of ``/directories/lookup``; an entry without a name or number is kept out."""
    fields = Fields(value, what="lookup")
    types = [kind if isinstance(kind, str) else "" for kind in fields.items("column_types")]
    found = (_entry(result, types) for result in fields.items("results"))
    return [entry for entry in found if entry is not None]


def _entry(value: object, types: Sequence[str]) -> DirectoryEntry | None:
    fields = Fields(value, what="lookup result")
    relations = fields.inner("relations")
    backend = fields.text("backend")
    cells = list(zip(types, fields.items("column_values"), strict=False))
    user = relations.text_or_none("user_uuid")
    first, last = _first(cells, "firstname"), _first(cells, "lastname")
    name = _first(cells, "name") or f"{first} {last}".strip()
    numbers = tuple(_numbers(cells, backend))
    if not name and not numbers:
        return None
    return DirectoryEntry(
        name=name,
        numbers=numbers,
        email=_first(cells, "email"),
        company=_first(cells, "company") or _first(cells, "society"),
        user=None if user is None else PbxUserId(user),
        source=fields.text("source"),
        entry_id=relations.text_or_none("source_entry_id") or "",
    )


def _texts(value: object) -> Iterable[str]:
    """A cell's texts: custom displays put lists into one."""
    for text in value if isinstance(value, list) else (value,):
        if isinstance(text, str) and text.strip():
            yield text.strip()


def _first(cells: Iterable[tuple[str, object]], kind: str) -> str:
    return next((text for cell, value in cells if cell == kind for text in _texts(value)), "")


def _numbers(cells: Iterable[tuple[str, object]], backend: str) -> Iterable[tuple[str, str]]:
    seen = set()
    for kind, value in cells:
        label = _LABELS.get(kind)
        if label is None:
            continue
        for number in _texts(value):
            if number not in seen:
                seen.add(number)
                yield label or _label(number, backend), number


def _label(number: str, backend: str) -> str:
    """A number of a Wazo user is his extension or his mobile: he has no others."""
    if backend not in _INTERNAL_BACKENDS:
        return "other"
    return "extension" if _SHORT.fullmatch(number) else "mobile"


def logged_call(value: object, *, user: PbxUserId) -> LoggedCall:
    """One row of ``/users/{uuid}/cdr``, seen from ``user``; voicemail is not an answer."""
    fields = Fields(value, what="call log row")
    is_caller = fields.text_or_none("source_user_uuid") == user
    if is_caller:
        number = fields.text_or_none("destination_extension")
        name = fields.text_or_none("destination_name")
        number = number or fields.optional_text("requested_extension")
        name = name or fields.optional_text("requested_name")
    else:
        number = fields.text_or_none("source_extension")
        name = fields.text_or_none("source_name")
    conversation = fields.optional_text("conversation_id")
    return LoggedCall(
        id=str(fields.whole("id")),
        direction=Direction.OUTGOING if is_caller else Direction.INCOMING,
        answered=fields.flag("answered") and fields.optional_text("call_status") != "voicemail",
        number=number or "",
        name=name or "",
        started_at=fields.moment("start"),
        duration=fields.optional_whole("duration") or 0,
        conversation=ConversationId(conversation) if conversation else None,
    )
