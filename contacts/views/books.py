"""Address books: the list of them, one of them, its file."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from contacts import books as shelving
from contacts.errors import ContactError, ReadOnly, UnknownBook, Unusable
from contacts.exporting import FORMATS
from contacts.exporting import export as exported
from contacts.forms import BookForm
from contacts.jobs import join_book_soon
from contacts.models import Book, Contact, ImportRun
from contacts.services import default_book
from contacts.shelf import book_name, may_edit, shelf_of
from contacts.wording import error_text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from bluetel.accounts.http import SignedInRequest

CARDS_PER_PART: Final = 100
RUNS_SHOWN: Final = 5


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def books(request: SignedInRequest) -> HttpResponse:
    """The books that one may see; a new one is made here."""
    user = request.user
    form = BookForm()
    if request.method == "POST":
        form = BookForm.of_post(request.POST)
        try:
            made = shelving.create_book(
                user,
                name=form.name,
                group=form.group_id,
                members_may_edit=form.members_may_edit,
            )
        except Unusable as error:
            form.refuse(error)
        else:
            return redirect("contacts:book", made.pk)
    default_book(user)
    shelf = shelf_of(user)
    counts = dict(
        Contact.objects.filter(book__in=shelf.ids, is_group=False)
        .values_list("book")
        .annotate(Count("pk"))
        .order_by()
    )
    shown = [
        {
            "book": book,
            "name": book_name(book, user.pbx_id),
            "count": counts.get(book.pk, 0),
            "may_edit": may_edit(user, book),
            "may_manage": shelving.may_manage(user, book),
        }
        for book in reversed(list(shelf.books.values()))
    ]
    context = {"shown": shown, "form": form, "groups": shelving.groups_of(user)}
    return render(request, "contacts/books.html", context, status=400 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def book(request: SignedInRequest, book_id: int) -> HttpResponse:
    """One book: its name, whom it is shared with, what goes in and out."""
    user = request.user
    found = _visible(request, book_id)
    form = BookForm(
        name=found.name,
        group=str(found.group_id or ""),
        members_may_edit=found.members_may_edit,
    )
    if request.method == "POST":
        form = BookForm.of_post(request.POST)
        try:
            shelving.change_book(
                user,
                book_id,
                name=form.name,
                group=form.group_id,
                members_may_edit=form.members_may_edit,
            )
        except Unusable as error:
            form.refuse(error)
        except ReadOnly:
            return render(request, "contacts/read_only.html", status=403)
        else:
            if form.group_id != found.group_id:
                join_book_soon(book_id)
            messages.success(request, _("Saved."))
            return redirect("contacts:book", book_id)
    context = {
        "book": found,
        "name": book_name(found, user.pbx_id),
        "count": Contact.objects.filter(book=found, is_group=False).count(),
        "may_edit": may_edit(user, found),
        "may_manage": shelving.may_manage(user, found),
        "groups": shelving.groups_of(user),
        "runs": ImportRun.objects.filter(user=user, book=found).order_by("-pk")[:RUNS_SHOWN],
        "form": form,
    }
    return render(request, "contacts/book.html", context, status=400 if form.errors else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: SignedInRequest, book_id: int) -> HttpResponse:
    """Ask whether it is meant, then take the book away."""
    found = _visible(request, book_id)
    if found.is_default or not shelving.may_manage(request.user, found):
        return render(request, "contacts/read_only.html", status=403)
    name = book_name(found, request.user.pbx_id)
    if request.method == "POST":
        try:
            shelving.delete_book(request.user, book_id)
        except ContactError as error:
            messages.error(request, error_text(error))
        else:
            messages.success(request, _("The book “%(name)s” is gone.") % {"name": name})
        return redirect("contacts:books")
    count = Contact.objects.filter(book=found, is_group=False).count()
    context = {"book": found, "name": name, "count": count}
    return render(request, "contacts/book_delete.html", context)


@login_required
@require_safe
def export(request: SignedInRequest, book_id: int, form: str) -> StreamingHttpResponse:
    """The book as a file, written while it is sent."""
    found = _visible(request, book_id)
    if form not in FORMATS:
        raise Http404
    written = FORMATS[form]
    name = book_name(found, request.user.pbx_id)
    file_name = "".join(c if c.isalnum() else "-" for c in name).strip("-")
    response = StreamingHttpResponse(
        _parts(exported(found, written)),
        content_type=written.media_type,
    )
    response.headers["Content-Disposition"] = _attachment(f"{file_name or 'book'}.{written.ending}")
    return response


async def _parts(texts: Iterator[str]) -> AsyncIterator[bytes]:
    """Some contacts at a time, read in a thread: a large book holds nobody up."""
    while part := await sync_to_async(_next_part)(texts):
        yield part


def _next_part(texts: Iterator[str]) -> bytes:
    return "".join(islice(texts, CARDS_PER_PART)).encode()


def _attachment(file_name: str) -> str:
    """Saved under this name, never shown (RFC 6266)."""
    return content_disposition_header(as_attachment=True, filename=file_name) or "attachment"


def _visible(request: SignedInRequest, book_id: int) -> Book:
    try:
        return shelving.visible_book(request.user, book_id)
    except UnknownBook as error:
        raise Http404 from error
