"""``/settings/voicemail/``: the mailboxes that are watched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import messages as notes
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from voicemail import mailboxes
from voicemail.delivery import set_delivery
from voicemail.errors import VoicemailError
from voicemail.forms import MailboxForm
from voicemail.links import revoke_links
from voicemail.models import Box
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
    box = Box.objects.filter(user=request.user).first()
    return render(
        request,
        "settings/voicemail.html",
        {
            "form": form,
            "is_mailed": box is not None and box.mailed_since is not None,
            "sends_mail": settings.SENDS_MAIL,
            "mailboxes": [{"row": one, "error": error_text(one.error)} for one in known],
        },
        status=400 if form.errors else 200,
    )


@login_required
@require_POST
def deliver(request: SignedInRequest) -> HttpResponse:
    """Have new messages mailed, or no longer."""
    wanted = request.POST.get("mailed") == "yes"
    set_delivery(request.user, wanted=wanted, now=timezone.now())
    notes.success(
        request,
        _("New voice messages are mailed to you.")
        if wanted
        else _("Voice messages are no longer mailed to you."),
    )
    return redirect("voicemail-settings")


@login_required
@require_POST
def revoke(request: SignedInRequest) -> HttpResponse:
    """End all links to call back that were ever sent."""
    revoke_links(request.user)
    notes.success(request, _("All links to call back that were sent so far are revoked."))
    return redirect("voicemail-settings")


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
