"""The voicemail page: forms that do everything, and a script that makes it live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages as notes
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from voicemail import selectors, services
from voicemail.errors import BoxUnavailable, MessageNotFound, VoicemailError
from voicemail.models import Folder

if TYPE_CHECKING:
    from bluetel.accounts.http import SignedInRequest
    from voicemail.models import Message


@login_required
@require_safe
def inbox(request: SignedInRequest, message_id: str = "") -> HttpResponse:
    """All messages, or those of ``?folder=``, and one of them open: the newest unless one says."""
    now = timezone.now()
    is_down = False
    try:
        services.read_box(request.user, now=now)
    except BoxUnavailable:
        is_down = True
    folder = request.GET.get("folder", "")
    found = selectors.shown_messages(request.user)
    if folder in Folder.values:
        found = found.filter(folder=folder)
    rows = list(found)
    opened = _opened(request, rows, message_id)
    records = {
        row["id"]: row for row in selectors.records_of(request.user, [*rows, *opened], now=now)
    }
    shown = records[str(opened[0].pk)] if opened else None
    return render(
        request,
        "voicemail/inbox.html",
        {
            "rows": [records[str(row.pk)] for row in rows],
            "opened": shown,
            "company": selectors.company_of(request.user, shown) if shown else "",
            "is_chosen": bool(message_id),
            "folder": folder if folder in Folder.values else "",
            "folders": Folder.choices,
            "is_down": is_down,
            "was_read": selectors.last_read_at(request.user) is not None,
        },
    )


def _opened(request: SignedInRequest, rows: list[Message], message_id: str) -> list[Message]:
    if not message_id:
        return rows[:1]
    try:
        return [selectors.message_of(request.user, message_id)]
    except MessageNotFound as error:
        raise Http404 from error


@login_required
@require_POST
def act(request: SignedInRequest, message_id: str, action: str) -> HttpResponse:
    """Do what a button says, and come back to the list or the message."""
    try:
        message = selectors.message_of(request.user, message_id, deleted=action == "restore")
        match action:
            case "heard" | "new":
                services.mark_read(message, read=action == "heard")
            case "move" if request.POST.get("folder") in Folder.values:
                services.move(message, Folder(request.POST["folder"]))
            case "delete":
                services.delete(message, now=timezone.now())
                undo = reverse("voicemail:act", args=[message.pk, "restore"])
                notes.success(request, _("Message deleted."), extra_tags=f"undo:{undo}")
                return redirect("voicemail:inbox")
            case "restore":
                services.restore(message)
            case _:
                raise Http404
    except VoicemailError as error:
        notes.error(request, error.message)
        return redirect("voicemail:inbox")
    return redirect("voicemail:message", message.pk)
