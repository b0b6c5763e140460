"""Writing a contact: new, changed, deleted, set apart from a namesake."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from contacts import deletions, services
from contacts.card import Label
from contacts.entries import entries_of
from contacts.errors import ContactError, ContactNotFound, ReadOnly, Unusable
from contacts.forms import TEXTS, ContactForm, NumberRow
from contacts.selectors import find_contact, public_id
from contacts.shelf import book_name, is_elsewhere, may_edit, shelf_of
from contacts.stored_cards import card_by_id
from contacts.wording import error_text, label_text

if TYPE_CHECKING:
    from bluetel.accounts.http import SignedInRequest
    from bluetel.accounts.models import User
    from contacts.models import Contact


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: SignedInRequest) -> HttpResponse:
    """A new contact; ``from`` names somebody whose card is to begin with, ``number`` a number."""
    user = request.user
    if request.method != "POST":
        return _form(request, _begun(request))
    form = ContactForm.of_post(request.POST)
    try:
        contact = services.create(
            user, form.draft(), book=form.book or services.PERSONAL, now=timezone.now()
        )
    except Unusable as error:
        form.refuse(error)
    except ContactError as error:
        messages.error(request, error_text(error))
    else:
        messages.success(request, _("%(name)s is in your contacts.") % {"name": contact.name})
        return redirect("contacts:card", contact.pk)
    return _form(request, form, status=400)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: SignedInRequest, contact_id: str) -> HttpResponse:
    """Change a contact, and the book it is in."""
    contact = _own(request.user, contact_id)
    if contact is None:
        return _read_only(request)
    book = services.PERSONAL if contact.book.is_default else str(contact.book_id)
    if request.method != "POST":
        form = ContactForm.of_card(card_by_id(contact.pk, with_photo=False), book=book)
        return _form(request, form, contact=contact)
    form = ContactForm.of_post(request.POST)
    moved = form.book if form.book and form.book != book else None
    try:
        services.update(request.user, contact_id, form.draft(), book=moved, now=timezone.now())
    except Unusable as error:
        form.refuse(error)
    except ContactError as error:
        messages.error(request, error_text(error))
    else:
        return redirect("contacts:card", contact_id)
    return _form(request, form, contact=contact, status=400)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: SignedInRequest, contact_id: str) -> HttpResponse:
    """Ask whether it is meant, then take the contact out of its book."""
    contact = _own(request.user, contact_id)
    if contact is None:
        return _read_only(request)
    if request.method == "POST":
        try:
            deletion = deletions.delete(request.user, contact_id, now=timezone.now())
        except ContactNotFound as error:
            raise Http404 from error
        except ReadOnly:
            return _read_only(request)
        messages.success(
            request,
            _("%(name)s is no longer in “%(book)s”.")
            % {"name": contact.name, "book": book_name(contact.book, request.user.pbx_id)},
            extra_tags=f"undo:{reverse('contacts:restore', args=[deletion.pk])}",
        )
        return redirect("contacts:people")
    entry = entries_of([contact.pk], shelf_of(request.user), viewer=request.user)[0]
    context = {
        "contact": contact,
        "id": contact_id,
        "book": book_name(contact.book, request.user.pbx_id),
        "others": [part.book for part in entry.parts if part.contact.pk != contact.pk],
    }
    return render(request, "contacts/delete.html", context)


@login_required
@require_POST
def restore(request: SignedInRequest, deletion_id: int) -> HttpResponse:
    """Have a contact back that was deleted a while ago."""
    try:
        contact = deletions.restore(request.user, deletion_id, now=timezone.now())
    except ContactNotFound as error:
        raise Http404 from error
    except ReadOnly:
        return _read_only(request)
    messages.success(request, _("%(name)s is in your contacts.") % {"name": contact.name})
    return redirect("contacts:card", contact.pk)


@login_required
@require_POST
def set_apart(request: SignedInRequest, contact_id: str) -> HttpResponse:
    """Say that one of a person's contacts is somebody else."""
    try:
        contact = services.set_apart(request.user, contact_id)
    except ContactNotFound as error:
        raise Http404 from error
    except ReadOnly:
        return _read_only(request)
    return redirect("contacts:card", public_id(contact.pk, contact.user_id))


def _begun(request: SignedInRequest) -> ContactForm:
    """The form before anything is written."""
    form = ContactForm(texts=dict.fromkeys(TEXTS, ""), numbers=[], book=request.GET.get("book", ""))
    form.texts["name"] = request.GET.get("name", "")[:200]
    if request.GET.get("number"):
        form.numbers.append(NumberRow(number=request.GET["number"][:80]))
    known = find_contact(request.user, request.GET.get("from", ""))
    if known is not None:
        card = card_by_id(known.pk, with_photo=False)
        if is_elsewhere(known.book, request.user.pbx_id):
            dialled = (one for one in card.numbers if one.label is not Label.EXTENSION)
            card = replace(card, numbers=tuple(dialled))
        form = ContactForm.of_card(card, book="")
        form.texts["note"] = ""
    return form


def _form(
    request: SignedInRequest,
    form: ContactForm,
    *,
    contact: Contact | None = None,
    status: int = 200,
) -> HttpResponse:
    shelf = shelf_of(request.user)
    books = [(services.PERSONAL, _("My contacts"))]
    books += [
        (str(book.pk), shelf.name_of(book.pk))
        for book in shelf.books.values()
        if may_edit(request.user, book) and not book.is_default
    ]
    context = {
        "form": form,
        "contact": contact,
        "contact_id": public_id(contact.pk, contact.user_id) if contact else "",
        "books": books,
        "labels": [(label.value, label_text(label)) for label in Label],
    }
    return render(request, "contacts/edit.html", context, status=status)


def _own(user: User, contact_id: str) -> Contact | None:
    """The contact if the user may change it, None if he may only read it; else there is none."""
    try:
        return services.own_contact(user, contact_id)
    except ReadOnly:
        return None
    except ContactNotFound as error:
        raise Http404 from error


def _read_only(request: SignedInRequest) -> HttpResponse:
    return render(request, "contacts/read_only.html", status=403)
