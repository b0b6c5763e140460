"""``/settings/voicemail/``: the mailboxes that are watched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages as notes
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from voicemail import mailboxes
from voicemail.errors import VoicemailError
from voicemail.forms import MailboxForm
from voicemail.wording import error_text

if TYPE_CHECKING:
    from django.http import HttpResponse

    from bluetel.accounts.http import SignedInRequest


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: SignedInRequest) -> HttpResponse:
    """Show them, and add one."""
    form = MailboxForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            mailboxes.add(request.user, form.access())
        except VoicemailError as error:
            form.add_error("host", error.message)
        else:
            notes.success(request, _("The mailbox is being connected to."))
            return redirect("voicemail-settings")
    known = mailboxes.mailboxes_of(request.user)
    return render(
        request,
        "settings/voicemail.html",
        {
            "form": form,
            "mailboxes": [{"row": one, "error": error_text(one.error)} for one in known],
        },
        status=400 if form.errors else 200,
    )


@login_required
@require_POST
def remove(request: SignedInRequest, mailbox_id: str) -> HttpResponse:
    """Watch a mailbox no more."""
    try:
        mailboxes.remove(request.user, mailbox_id)
    except VoicemailError as error:
        notes.error(request, error.message)
    else:
        notes.success(request, _("The mailbox is forgotten; its mails stay where they are."))
    return redirect("voicemail-settings")
