"""Files on their way into a book: sent, followed while they are read, reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from contacts import books as shelving
from contacts.errors import ContactError, UnknownBook
from contacts.importing import MOST_BYTES, begin_import
from contacts.jobs import read_import_soon
from contacts.models import ImportRun
from contacts.shelf import book_name
from contacts.wording import error_text, refusal_text

if TYPE_CHECKING:
    from bluetel.accounts.http import SignedInRequest


@login_required
@require_POST
def send(request: SignedInRequest, book_id: int) -> HttpResponse:
    """Take a file in, and show how it goes."""
    try:
        book = shelving.visible_book(request.user, book_id)
    except UnknownBook as error:
        raise Http404 from error
    upload = request.FILES.get("file")
    if upload is None or not upload.name:
        messages.error(request, _("Choose a vCard or CSV file first."))
        return redirect("contacts:book", book_id)
    try:
        run = begin_import(
            request.user,
            book,
            file_name=upload.name,
            content=upload.read(MOST_BYTES + 1),
            now=timezone.now(),
        )
    except ContactError as error:
        messages.error(request, error_text(error))
        return redirect("contacts:book", book_id)
    read_import_soon(run.pk)
    return redirect("contacts:import", run.pk)


@login_required
@require_safe
def follow(request: SignedInRequest, run_id: int) -> HttpResponse:
    """How far a file is and what was refused."""
    return render(request, "contacts/import.html", _context(request, run_id))


@login_required
@require_safe
def follow_part(request: SignedInRequest, run_id: int) -> HttpResponse:
    """The same as the part of the page that a script renews."""
    return render(request, "contacts/_import.html", _context(request, run_id))


def _context(request: SignedInRequest, run_id: int) -> dict[str, object]:
    run = ImportRun.objects.select_related("book").filter(user=request.user, pk=run_id).first()
    if run is None:
        raise Http404
    return {
        "run": run,
        "book": book_name(run.book, request.user.pbx_id),
        "refused": [(line, refusal_text(reason)) for line, reason in run.refused],
        "unnamed": run.refusals - len(run.refused),
        "unreadable_unnamed": run.unreadables - len(run.unreadable),
    }
