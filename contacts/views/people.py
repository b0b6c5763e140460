"""The contact list and one person's card."""

from __future__ import annotations

from itertools import groupby
from string import ascii_uppercase
from typing import TYPE_CHECKING, Final

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from contacts import colleagues
from contacts.duplicates import proposals
from contacts.entries import entries_of
from contacts.models import Photo
from contacts.remote_clashes import clashes_of
from contacts.selectors import find_contact, in_order, letters_in, position_of
from contacts.shelf import shelf_of
from contacts.shown import Shown, presence_of, shown_by_search
from contacts.wording import clash_texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bluetel.accounts.http import SignedInRequest
    from bluetel.accounts.models import User
    from contacts.duplicates import Proposal
    from contacts.entries import Entry
    from contacts.selectors import Position
    from contacts.shelf import Shelf
    from contacts.shown import Part

PAGE: Final = 60
OTHER_LETTERS: Final = "#"
IMAGES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})


@login_required
@require_safe
def people(request: SignedInRequest) -> HttpResponse:
    """The list, or what a search finds in it; ``open`` names the card that stands beside it."""
    user = request.user
    colleagues.keep_up(now=timezone.now())
    shelf = shelf_of(user)
    text = request.GET.get("q", "").strip()
    book = _book(request.GET.get("book", ""), shelf)
    shown, context = (
        shown_by_search(user, text, book) if text else _page(request, user, shelf, book)
    )
    context |= {
        "shown": shown,
        "books": [(pk, shelf.name_of(pk)) for pk in shelf.ids],
        "book": book,
        "q": text,
        "opened": _opened(request, user, shelf, shown),
    }
    return render(request, "contacts/people.html", context)


@login_required
@require_safe
def rows(request: SignedInRequest) -> HttpResponse:
    """What a search finds, as the part of the page that a script puts in while one types."""
    user = request.user
    colleagues.keep_up(now=timezone.now())
    book = _book(request.GET.get("book", ""), shelf_of(user))
    text = request.GET.get("q", "").strip()
    shown, context = shown_by_search(user, text, book)
    context |= {"shown": shown, "book": book, "q": text}
    return render(request, "contacts/_found.html", context)


@login_required
@require_safe
def card(request: SignedInRequest, contact_id: str) -> HttpResponse:
    """One person's card."""
    return render(request, "contacts/card.html", _card(request, contact_id))


@login_required
@require_safe
def card_part(request: SignedInRequest, contact_id: str) -> HttpResponse:
    """The same as a part of the list's page, beside the list."""
    return render(request, "contacts/_card.html", _card(request, contact_id) | {"is_aside": True})


@login_required
@require_safe
def photo(request: SignedInRequest, contact_id: str) -> HttpResponse:
    """A contact's picture: only ever as the picture that it claims to be."""
    contact = find_contact(request.user, contact_id)
    picture = Photo.objects.filter(contact=contact).first() if contact else None
    if picture is None or picture.media_type not in IMAGES:
        raise Http404
    return HttpResponse(
        bytes(picture.content),
        content_type=picture.media_type,
        headers={"Cache-Control": "private, max-age=600", "Content-Security-Policy": "sandbox"},
    )


def _card(request: SignedInRequest, contact_id: str) -> dict[str, object]:
    user = request.user
    colleagues.keep_up(now=timezone.now())
    contact = find_contact(user, contact_id)
    if contact is None:
        raise Http404
    return _card_context(user, contact.pk, shelf_of(user))


def _card_context(user: User, contact: int, shelf: Shelf) -> dict[str, object]:
    entry = entries_of([contact], shelf, viewer=user, whole=True)[0]
    contacts = [part.contact.pk for part in entry.parts]
    similar = proposals(user, only=contacts, limit=1)
    return {
        "clashes": [clash_texts(clash) for clash in clashes_of(user, contacts=contacts)],
        "entry": entry,
        "presence": presence_of(user, [entry]).get(entry.user_id or ""),
        "similar": _other(similar[0], entry) if similar else None,
    }


def _other(proposal: Proposal, entry: Entry) -> Entry:
    return proposal.other if proposal.one.id == entry.id else proposal.one


def _page(request: SignedInRequest, user: User, shelf: Shelf, book: int | None) -> Part:
    """A page of the list from where the address says, with the ways on and back."""
    books = [book] if book is not None else shelf.ids
    after = _position(request.GET.get("after", "")) or _letter(request.GET.get("letter", ""))
    before = _position(request.GET.get("before", ""))
    contacts = in_order(
        books,
        after=after,
        before=before,
        limit=PAGE + 1,
        shelf=None if book is not None else shelf,
    )
    has_more = len(contacts) > PAGE
    contacts = contacts[1:] if before and has_more else contacts[:PAGE]
    entries = {
        part.contact.pk: entry
        for entry in entries_of([contact.pk for contact in contacts], shelf, viewer=user)
        for part in entry.parts
    }
    presence = presence_of(user, entries.values())
    shown = [
        (heading(contact.sort_name), Shown(entry, presence.get(entry.user_id or "")))
        for contact in contacts
        if (entry := entries.get(contact.pk)) is not None
    ]
    first = _cursor(position_of(contacts[0])) if contacts else ""
    last = _cursor(position_of(contacts[-1])) if contacts else ""
    known = set(letters_in(books))
    return [one for _, one in shown], {
        "groups": [
            (letter, [one for _, one in group])
            for letter, group in groupby(shown, key=lambda pair: pair[0])
        ],
        "letters": [(letter, letter in known) for letter in ascii_uppercase],
        "earlier": first if (before and has_more) or (after and not before and contacts) else "",
        "later": last if (has_more and not before) or before else "",
    }


def _opened(
    request: SignedInRequest, user: User, shelf: Shelf, shown: Sequence[Shown]
) -> dict[str, object] | None:
    """The card beside the list: the one that was asked for, or the first."""
    contact = find_contact(user, request.GET.get("open", ""))
    if contact is not None:
        return _card_context(user, contact.pk, shelf)
    first = next((one.entry for one in shown if one.entry.parts), None)
    return _card_context(user, first.parts[0].contact.pk, shelf) if first else None


def heading(sort_name: str) -> str:
    """Under which letter a name stands."""
    first = sort_name[:1].upper()
    return first if first in ascii_uppercase and first else OTHER_LETTERS


def _book(text: str, shelf: Shelf) -> int | None:
    is_id = text.isascii() and text.isdecimal() and len(text) < 19
    return int(text) if is_id and int(text) in shelf.books else None


def _cursor(position: Position) -> str:
    name, pk = position
    return f"{pk}-{name}"


def _position(text: str) -> Position | None:
    """What :func:`_cursor` wrote; anything else is no place in a list."""
    pk, dash, name = text.partition("-")
    if not dash or not (pk.isascii() and pk.isdecimal() and len(pk) < 19):
        return None
    return (name, int(pk)) if name.isascii() and name.isprintable() else None


def _letter(text: str) -> Position | None:
    """The place before all names that begin with a letter."""
    return (text.lower(), -1) if len(text) == 1 and text in ascii_uppercase else None
