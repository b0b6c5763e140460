"""One person of the directory as a value that no longer knows LDAP."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from bluetel.ldap.attributes import NUMBER_FIELDS, AttributeMap, Field
from bluetel.ldap.entries import Entry
from bluetel.telephony.text import safe_text

_NAME_LIMIT = 200
_NOTE_LIMIT = 2000
_NUMBER_LIMIT = 64
_NUMBERS_KEPT = 20
_EMAILS_KEPT = 10

_PHOTO_TYPES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture as the directory holds it; the type is read from its first bytes."""

    content_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class LdapPerson:
    """Somebody of the directory, with clean texts of bounded length.

    ``id`` is stable over renames and moves (entryUUID, objectGUID). ``marker`` changes whenever
    the entry does, and compares with nothing but itself. ``numbers`` are ``(label, number)`` as
    written in the directory, labelled as the contact base labels them. ``manager`` and
    ``assistant`` are names, not DNs.
    """

    id: str
    marker: str
    dn: str
    login: str
    name: str
    given_name: str
    family_name: str
    emails: tuple[str, ...]
    company: str
    department: str
    title: str
    manager: str
    assistant: str
    note: str
    numbers: tuple[tuple[str, str], ...]
    photo: Photo | None


def person_of(
    entry: Entry,
    *,
    attributes: AttributeMap,
    photo_limit: int,
    authority: str = "",
    name_of: Callable[[str], str] | None = None,
) -> LdapPerson | None:
    """The person of an entry; None when it has no id or no name to show.

    ``authority`` is mixed into the marker where change numbers are each server's own. ``name_of``
    turns the DN of a manager or assistant into a name; without it, only a ``CN=`` in the DN does.
    """
    identifier = id_of(entry, attributes=attributes)
    given = _text(entry, attributes, Field.GIVEN_NAME)
    family = _text(entry, attributes, Field.FAMILY_NAME)
    emails = tuple(
        dict.fromkeys(
            email
            for email in _values(entry, attributes, Field.EMAIL, limit=254)
            if "@" in email and " " not in email
        )
    )[:_EMAILS_KEPT]
    name = _text(entry, attributes, Field.NAME) or f"{given} {family}".strip()
    company = _text(entry, attributes, Field.COMPANY)
    name = name or company or (emails[0] if emails else "")
    if not identifier or not name:
        return None
    names = name_of or common_name
    return LdapPerson(
        id=identifier,
        marker=marker_of(entry, attributes=attributes, authority=authority),
        dn=entry.dn,
        login=_text(entry, attributes, Field.LOGIN),
        name=name,
        given_name=given,
        family_name=family,
        emails=emails,
        company=company,
        department=_text(entry, attributes, Field.DEPARTMENT),
        title=_text(entry, attributes, Field.TITLE),
        manager=_person_text(entry, attributes, Field.MANAGER, names),
        assistant=_person_text(entry, attributes, Field.ASSISTANT, names),
        note=_text(entry, attributes, Field.NOTE, limit=_NOTE_LIMIT),
        numbers=_numbers(entry, attributes),
        photo=_photo(entry, attributes, limit=photo_limit),
    )


def id_of(entry: Entry, *, attributes: AttributeMap) -> str:
    """The stable id as text, empty when there is none; objectGUID as Microsoft writes GUIDs."""
    for name in attributes[Field.ID]:
        for raw in entry.raw(name):
            if name.lower() == "objectguid":
                return str(uuid.UUID(bytes_le=raw)) if len(raw) == 16 else ""
            return safe_text(raw.decode("utf-8", errors="replace"), limit=_NAME_LIMIT).lower()
    return ""


def marker_of(entry: Entry, *, attributes: AttributeMap, authority: str = "") -> str:
    """What differs once the entry has changed; empty when the directory doesn't tell."""
    changed = entry.text(*attributes[Field.CHANGED])
    return f"{authority}:{changed}" if authority and changed else changed


def common_name(dn_or_text: str) -> str:
    r"""The name in the first ``CN=`` of a DN; a text that is no DN as it is; else empty.

    >>> common_name(r"CN=Morvan\, Inès,OU=People,DC=demo,DC=test")
    'Morvan, Inès'
    """
    if not is_dn(dn_or_text):
        return dn_or_text
    match = re.match(r"\s*cn\s*=\s*((?:\\.|[^,+\\])*)", dn_or_text, re.IGNORECASE | re.DOTALL)
    return _unescape(match.group(1).strip()) if match else ""


def is_dn(text: str) -> bool:
    """Whether this reads like the name of an entry rather than of a person."""
    return re.match(r"\s*[A-Za-z][A-Za-z0-9-]*\s*=[^,]*(,|$)", text) is not None


def _unescape(value: str) -> str:
    # RFC 4514: "\," or the UTF-8 bytes in hex, as in "\C3\A8".
    octets = re.sub(
        rb"\\([0-9A-Fa-f]{2})|\\(.)",
        lambda match: bytes.fromhex(match[1].decode()) if match[1] else match[2],
        value.encode(),
        flags=re.DOTALL,
    )
    return octets.decode("utf-8", errors="replace")


def _values(entry: Entry, attributes: AttributeMap, name: Field, *, limit: int) -> tuple[str, ...]:
    cleaned = (
        safe_text(value, limit=limit)
        for attribute in attributes[name]
        for value in entry.texts(attribute)
    )
    return tuple(value for value in cleaned if value)


def _text(entry: Entry, attributes: AttributeMap, name: Field, *, limit: int = _NAME_LIMIT) -> str:
    return next(iter(_values(entry, attributes, name, limit=limit)), "")


def _person_text(
    entry: Entry, attributes: AttributeMap, name: Field, name_of: Callable[[str], str]
) -> str:
    raw = entry.text(*attributes[name])
    return safe_text(name_of(raw), limit=_NAME_LIMIT) if raw else ""


def _numbers(entry: Entry, attributes: AttributeMap) -> tuple[tuple[str, str], ...]:
    found: dict[tuple[str, str], None] = {}
    for label in NUMBER_FIELDS:
        for value in _values(entry, attributes, label, limit=_NUMBER_LIMIT):
            number = _short_of_sip(value)
            if any(character.isdecimal() for character in number):
                found[(label.value, number)] = None
    return tuple(found)[:_NUMBERS_KEPT]


def _short_of_sip(value: str) -> str:
    """``ipPhone`` often holds ``sip:1005@pbx``: the part before the @ is what one dials."""
    match = re.fullmatch(r"(?:sips?:)?([+0-9][0-9]*)@\S+", value, re.IGNORECASE)
    return match.group(1) if match else value


def _photo(entry: Entry, attributes: AttributeMap, *, limit: int) -> Photo | None:
    for name in attributes[Field.PHOTO]:
        for data in entry.raw(name):
            if 0 < len(data) <= limit:
                for start, content_type in _PHOTO_TYPES:
                    if data.startswith(start):
                        return Photo(content_type, data)
    return None
