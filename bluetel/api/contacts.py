"""``/api/v1/contacts``: the caller's own contacts, and those of books shared with him."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Field, Query, Router, Schema, Status

from bluetel.accounts.http import SignedInRequest
from bluetel.api.changes import Body
from bluetel.api.errors import ApiError
from bluetel.api.schemas import Error
from contacts import deletions, selectors, services
from contacts.card import Label
from contacts.drafts import Draft
from contacts.errors import ContactError, ContactNotFound, ReadOnly, UnknownBook, Unusable
from contacts.models import Book, Contact, Email, Line
from contacts.shelf import book_name, is_elsewhere, may_edit, shelf_of
from contacts.wording import problem_text
from contacts.writings import is_number

if TYPE_CHECKING:
    from bluetel.accounts.models import User
    from contacts.selectors import Position

router = Router(tags=["contacts"])
ERRORS = {400: Error, 404: Error, 409: Error}
MOST: Final = 500
CURSOR_LIMIT: Final = 400


class Number(Schema):
    """A number as entered; nobody calls a fax or a pager."""

    label: str = Field("other", description=f"one of: {', '.join(Label)}")
    number: str
    preferred: bool = False
    extension: str | None = Field(None, description="digits to dial once the call is answered")


class ContactBody(Body):
    """What is written. ``book`` is ``personal`` or the id of a shared book.

    PUT changes the fields that are sent; ``email`` is the first of several addresses.
    ``unreadable`` are lines of other programs that no telephone can call.
    """

    name: str | None = None
    company: str | None = None
    email: str | None = None
    numbers: list[Number] | None = None
    unreadable: list[str] | None = None
    book: str | None = None
    title: str | None = None
    department: str | None = None
    assistant: str | None = None
    note: str | None = None


class ContactRecord(Schema):
    """A contact, whole."""

    id: str
    name: str
    company: str
    email: str
    emails: list[str]
    numbers: list[Number]
    unreadable: list[str]
    extension_elsewhere: str = Field(
        description="of a colleague on another PBX: it can't be called from the caller's"
    )
    book: str
    book_name: str
    editable: bool
    title: str
    department: str
    assistant: str
    note: str


class ContactPage(Schema):
    """Contacts in the order of their names."""

    contacts: list[ContactRecord]
    next: str | None = Field(None, description="send it as `after` for the following ones")


@router.get("", response={200: ContactPage, **ERRORS}, summary="Own and shared contacts")
def listed(
    request: SignedInRequest,
    after: str = "",
    book: str = "",
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> dict[str, object]:
    """By name; ``book`` asks for one book, the company's directory among them."""
    viewer = request.user
    shelf = shelf_of(viewer)
    books = [pk for pk in shelf.ids if shelf.is_own(pk)]
    if book:
        books = [_book(viewer, book).pk]
    found = selectors.in_order(books, after=_position(after), limit=limit + 1)
    shown = found[:limit]
    follows = _cursor(selectors.position_of(shown[-1])) if len(found) > limit else None
    return {"contacts": _records(viewer, shown), "next": follows}


@router.post("", response={201: ContactRecord, **ERRORS}, summary="Add a contact")
def add(request: SignedInRequest, body: ContactBody) -> Status[dict[str, object]]:
    """A name or a company is enough."""
    draft = _draft(body, new=True)
    try:
        contact = services.create(
            request.user, draft, book=body.book or services.PERSONAL, now=timezone.now()
        )
    except ContactError as error:
        raise _told(error) from error
    return Status(201, _records(request.user, [contact])[0])


@router.get("/{contact_id}", response={200: ContactRecord, **ERRORS}, summary="One contact")
def one(request: SignedInRequest, contact_id: str) -> dict[str, object]:
    """Of any book that the caller may see."""
    contact = selectors.find_contact(request.user, contact_id)
    if contact is None:
        raise _told(ContactNotFound())
    return _records(request.user, [contact])[0]


@router.put("/{contact_id}", response={200: ContactRecord, **ERRORS}, summary="Change a contact")
def change(request: SignedInRequest, contact_id: str, body: ContactBody) -> dict[str, object]:
    """Fields that are not sent stay as they are."""
    try:
        contact = services.update(
            request.user, contact_id, _draft(body), book=body.book, now=timezone.now()
        )
    except ContactError as error:
        raise _told(error) from error
    return _records(request.user, [contact])[0]


@router.delete("/{contact_id}", response={204: None, **ERRORS}, summary="Delete a contact")
def delete(request: SignedInRequest, contact_id: str) -> Status[None]:
    """It is gone from its book; what other books say of the same person stays."""
    try:
        deletions.delete(request.user, contact_id, now=timezone.now())
    except ContactError as error:
        raise _told(error) from error
    return Status(204, None)


def _draft(body: ContactBody, *, new: bool = False) -> Draft:
    numbers = None
    preferred = None
    if body.numbers is not None:
        numbers = [(number.label, number.number) for number in body.numbers]
        chosen = [place for place, number in enumerate(body.numbers) if number.preferred]
        preferred = chosen[0] if chosen else None
    return Draft(
        name=body.name if body.name is not None or not new else "",
        company=body.company,
        title=body.title,
        department=body.department,
        email=body.email,
        assistant=body.assistant,
        note=body.note,
        numbers=numbers,
        preferred=preferred,
        extensions=[number.extension for number in body.numbers or ()],
        unreadable=body.unreadable,
        are_apart=True,
    )


def _told(error: ContactError) -> ApiError:
    match error:
        case Unusable(problems=(first, *_others)):
            code = "invalid_number" if first.field == "number" else "invalid_request"
            return ApiError(code, f"{first.field}: {problem_text(first)}")
        case UnknownBook():
            return ApiError("invalid_request", _("There is no such address book."))
        case ReadOnly():
            return ApiError("not_supported", _("You can read this address book, not change it."))
        case _:
            return ApiError("not_found", _("There is nothing here."))


def _book(viewer: User, name: str) -> Book:
    try:
        return services.book_for(viewer, name)
    except UnknownBook as error:
        raise _told(error) from error


def _records(viewer: User, contacts: Sequence[Contact]) -> list[dict[str, object]]:
    ids = [contact.pk for contact in contacts]
    numbers: dict[int, list[dict[str, object]]] = defaultdict(list)
    unreadable: dict[int, list[str]] = defaultdict(list)
    country, plans = settings.COUNTRY, [services.plan_for(viewer)]
    books = {contact.pk: contact.book for contact in contacts}
    elsewhere = {pk for pk, book in books.items() if is_elsewhere(book, viewer.pbx_id)}
    extensions: dict[int, str] = {}
    for line in Line.objects.filter(contact__in=ids).order_by("contact", "position"):
        if line.contact_id in elsewhere and line.label == Label.EXTENSION:
            extensions[line.contact_id] = line.number
            continue
        if not is_number(line.number, country, plans):
            unreadable[line.contact_id].append(line.number)
            continue
        numbers[line.contact_id].append(
            {
                "label": line.label,
                "number": line.number,
                "preferred": line.is_preferred,
                "extension": line.extension,
            }
        )
    emails: dict[int, list[str]] = defaultdict(list)
    for email in Email.objects.filter(contact__in=ids).order_by("contact", "position"):
        emails[email.contact_id].append(email.address)
    return [
        {
            "id": selectors.public_id(contact.pk, contact.user_id),
            "name": contact.name,
            "company": contact.company,
            "email": next(iter(emails[contact.pk]), ""),
            "emails": emails[contact.pk],
            "numbers": numbers[contact.pk],
            "unreadable": unreadable[contact.pk],
            "extension_elsewhere": extensions.get(contact.pk, ""),
            "book": services.PERSONAL if contact.book.is_default else str(contact.book_id),
            "book_name": book_name(contact.book, viewer.pbx_id),
            "editable": may_edit(viewer, contact.book),
            "title": contact.title,
            "department": contact.department,
            "assistant": contact.assistant,
            "note": contact.note,
        }
        for contact in contacts
    ]


def _cursor(position: Position) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def _position(cursor: str) -> Position | None:
    if not cursor:
        return None
    position = _decoded(cursor)
    if position is None:
        raise ApiError("invalid_request", _("This is not where a list goes on."))
    return position


def _decoded(cursor: str) -> Position | None:
    """What :func:`_cursor` made, or nothing: cursors come back from outside."""
    padded = cursor[:CURSOR_LIMIT] + "=" * (-len(cursor) % 4)
    try:
        parts = json.loads(base64.urlsafe_b64decode(padded))
    except ValueError:
        return None
    match parts:
        case [str(name), int(pk)] if name.isascii() and name.isprintable():
            return name, pk
        case _:
            return None
