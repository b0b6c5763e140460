"""Entries of the contact base: one person, with what each visible book says of him.

Whatever several books say alike is one line that names them all; the first is the most trusted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeVar

from django.conf import settings

from bluetel.telephony.numbers import display_text
from contacts.card import Label
from contacts.models import Contact, Email, Line, Photo
from contacts.records import email_key
from contacts.rules import Kind, kind_of
from contacts.selectors import public_id
from contacts.shelf import is_elsewhere, may_edit

if TYPE_CHECKING:
    from bluetel.accounts.models import User
    from contacts.models import Book
    from contacts.shelf import Shelf

_KIND_ORDER: Final = {kind.value: place for place, kind in enumerate(Kind)}
_LAST: Final = len(_KIND_ORDER)

Row = TypeVar("Row", Line, Email)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """A book that says something; ``written`` is how, where a page shows it otherwise."""

    book: str
    written: str = ""
    is_own: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryNumber:
    """One number of a person, once, however many books have it.

    ``kind`` is the label's word in the API, ``own_label`` its owner's own word. Machines and what
    has nothing to dial are not callable, nor is an extension of another PBX, which ``pbx`` names.
    """

    number: str
    kind: str
    own_label: str = ""
    extension: str = ""
    is_callable: bool
    is_preferred: bool = False
    pbx: str = ""
    origins: tuple[Origin, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Another text about a person, and which books say it."""

    text: str
    origins: tuple[Origin, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One contact of the person: what one book says."""

    contact: Contact
    id: str
    book: str
    is_own: bool
    may_edit: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Somebody, as one reader may know him.

    ``id`` is that of the most trusted contact, ``photo_id`` that of the one with a picture;
    ``is_elsewhere`` of a colleague whose telephone is on another PBX.
    """

    id: str
    name: str
    parts: tuple[Part, ...] = ()
    user_id: str | None = None
    is_me: bool = False
    is_elsewhere: bool = False
    title: str = ""
    department: str = ""
    company: str = ""
    photo_id: str = ""
    numbers: tuple[EntryNumber, ...] = ()
    emails: tuple[Statement, ...] = ()
    notes: tuple[Statement, ...] = ()
    assistants: tuple[Statement, ...] = ()
    sources: tuple[str, ...] = field(default=())

    @property
    def calls(self) -> Sequence[EntryNumber]:
        """What can be called, the preferred number first; nothing of oneself."""
        return () if self.is_me else [number for number in self.numbers if number.is_callable]

    @property
    def role(self) -> str:
        """What he does and where, on one line."""
        texts = (self.title, self.department, self.company)
        return ", ".join(text for text in texts if text and text != self.name)

    @property
    def place(self) -> str:
        """Where he works, in few words."""
        return next((one for one in (self.company, self.department) if one != self.name), "")

    @property
    def editable(self) -> Part | None:
        """The contact that an edit changes: the reader's own before a shared one."""
        return next((part for part in reversed(self.parts) if part.may_edit), None)


def entries_of(
    contacts: Sequence[int], shelf: Shelf, *, viewer: User, whole: bool = False
) -> list[Entry]:
    """The entries that these contacts belong to, in their order, each once.

    ``whole`` reads notes and assistants too, for a card.
    """
    members = _members(contacts, shelf, whole=whole)
    ids = [contact.pk for group in members for contact in group]
    lines = _by_contact(Line.objects.filter(contact__in=ids).order_by("contact", "position"))
    emails = _by_contact(Email.objects.filter(contact__in=ids).order_by("contact", "position"))
    pictured = set(Photo.objects.filter(contact__in=ids).values_list("contact", flat=True))
    return [
        _entry(group, lines, emails, pictured, shelf=shelf, viewer=viewer, whole=whole)
        for group in members
    ]


def _members(contacts: Sequence[int], shelf: Shelf, *, whole: bool) -> list[list[Contact]]:
    rows = Contact.objects.filter(book__in=shelf.ids).defer("kept")
    if not whole:
        rows = rows.defer("note")
    found = {row.pk: row for row in rows.filter(pk__in=contacts)}
    persons = {row.person_id for row in found.values() if row.person_id}
    by_person: dict[int, list[Contact]] = defaultdict(list)
    for row in rows.filter(person__in=persons) if persons else ():
        by_person[row.person_id or 0].append(row)
    place = {book: at for at, book in enumerate(shelf.books)}
    groups: dict[tuple[str, int], list[Contact]] = {}
    for pk in contacts:
        one = found.get(pk)
        if one is None:
            continue
        if one.person_id is None:
            groups["contact", pk] = [one]
        elif ("person", one.person_id) not in groups:
            groups["person", one.person_id] = sorted(
                by_person[one.person_id], key=lambda row: (place[row.book_id], row.pk)
            )
    return list(groups.values())


def _by_contact(rows: Iterable[Row]) -> Mapping[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.contact_id].append(row)
    return found


def _entry(
    group: Sequence[Contact],
    lines: Mapping[int, list[Line]],
    emails: Mapping[int, list[Email]],
    pictured: set[int],
    *,
    shelf: Shelf,
    viewer: User,
    whole: bool,
) -> Entry:
    leader = group[0]
    user = next((contact.user_id for contact in group if contact.user_id), None)
    parts = tuple(_part(contact, shelf.books[contact.book_id], shelf, viewer) for contact in group)
    said = list(zip(group, parts, strict=True))
    first = shelf.books[leader.book_id]
    elsewhere = first.name if is_elsewhere(first, shelf.pbx) else ""
    return Entry(
        id=public_id(leader.pk, leader.user_id),
        name=leader.name,
        parts=parts,
        user_id=str(user) if user else None,
        is_me=user == viewer.pk,
        is_elsewhere=bool(elsewhere),
        title=_first(contact.title for contact in group),
        department=_first(contact.department for contact in group),
        company=_first(contact.company for contact in group),
        photo_id=next((part.id for part in parts if part.contact.pk in pictured), ""),
        numbers=_numbers([(part, lines.get(contact.pk, ())) for contact, part in said], elsewhere),
        emails=_statements(
            (row.address, email_key(row.address), part)
            for contact, part in said
            for row in emails.get(contact.pk, ())
        ),
        notes=_statements((contact.note, contact.note, part) for contact, part in said)
        if whole
        else (),
        assistants=_statements(
            (contact.assistant, contact.assistant.casefold(), part) for contact, part in said
        ),
        sources=tuple(dict.fromkeys(part.book for part in parts)),
    )


def _part(contact: Contact, book: Book, shelf: Shelf, viewer: User) -> Part:
    return Part(
        contact=contact,
        id=public_id(contact.pk, contact.user_id),
        book=shelf.name_of(book.pk),
        is_own=book.kind == book.Kind.PERSONAL,
        may_edit=may_edit(viewer, book),
    )


def _numbers(
    said: Sequence[tuple[Part, Sequence[Line]]], elsewhere: str
) -> tuple[EntryNumber, ...]:
    """Each number once: as the most trusted book writes it, preferred if any book says so.

    ``elsewhere`` is the PBX of a colleague who is not on the reader's: whoever dialled his
    extension here would reach somebody else, whichever book it is in.
    """
    found: dict[str, EntryNumber] = {}
    _, first = said[0]
    undialled = {line.digits for line in first if elsewhere and line.label == Label.EXTENSION}
    for part, lines in said:
        for line in lines:
            is_callable = line.is_callable and line.digits not in undialled
            # A fax with the number of a telephone doesn't hide the telephone.
            key = f"{line.digits or line.number}{'' if is_callable else '-'}"
            known = found.get(key)
            if known is None:
                found[key] = EntryNumber(
                    number=line.number,
                    kind=line.label,
                    own_label=line.own_label,
                    extension=line.extension,
                    is_callable=is_callable,
                    is_preferred=line.is_preferred,
                    pbx=elsewhere if line.digits in undialled else "",
                    origins=(Origin(book=part.book, is_own=part.is_own),),
                )
                continue
            written = "" if _reads_as(line.number) in _readings(known.number) else line.number
            origin = Origin(book=part.book, written=written, is_own=part.is_own)
            others = () if origin in known.origins else (origin,)
            found[key] = replace(
                known,
                is_preferred=known.is_preferred or line.is_preferred,
                origins=(*known.origins, *others),
            )
    return tuple(sorted(found.values(), key=_number_order))


def _readings(number: str) -> set[str]:
    """A number as it was entered, and as a page shows it."""
    return {_reads_as(number), _reads_as(display_text(number, country=settings.COUNTRY))}


def _reads_as(number: str) -> str:
    """A number without its spaces and signs: grouping alone is no other writing."""
    return "".join(c for c in number if c.isalnum() or c in "+*#")


def _number_order(number: EntryNumber) -> tuple[bool, bool, int]:
    kind = kind_of(number.kind)
    place = _KIND_ORDER[kind.value] if kind is not None else _LAST
    return (not number.is_callable, not number.is_preferred, place)


def _statements(said: Iterable[tuple[str, str, Part]]) -> tuple[Statement, ...]:
    found: dict[str, Statement] = {}
    for text, key, part in said:
        if not text:
            continue
        origin = Origin(book=part.book, is_own=part.is_own)
        known = found.get(key)
        if known is None:
            found[key] = Statement(text=text, origins=(origin,))
        elif origin not in known.origins:
            found[key] = replace(known, origins=(*known.origins, origin))
    return tuple(found.values())


def _first(texts: Iterable[str]) -> str:
    return next((text for text in texts if text), "")
