"""The page behind a signed link: whom it would call, and one button.

Mail scanners open links, often twice. Opening this one calls nobody and, to whoever isn't signed in
as its user, tells nothing: not even whether it is good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages as notes
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from bluetel.calls import services as calls
from bluetel.calls.errors import CallError
from bluetel.calls.messages import record_of
from presence.live import publish_call
from voicemail import links
from voicemail.selectors import callers_of
from voicemail.signing import BadLink

if TYPE_CHECKING:
    from django.http import HttpResponse

    from bluetel.accounts.http import SignedInRequest


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def call_back(request: SignedInRequest, token: str) -> HttpResponse:
    """Show number and name; the button's POST calls."""
    now = timezone.now()
    try:
        callee = links.callee_of(request.user, token, now=now)
    except BadLink:
        return render(request, "voicemail/bad_link.html", status=404)
    if request.method == "POST":
        try:
            placed = calls.place_call(
                request.user, callee.number, now=now, key=request.POST.get("key", "")[:200]
            )
        except CallError as error:
            notes.error(request, error.message)
        else:
            publish_call(request.user.pk, record_of(placed.call))
            return redirect("dialer:call-page", placed.call.pk)
    known = callers_of(request.user, [callee.number], now=now).get(callee.number)
    name = known.name if known else callee.name
    return render(request, "voicemail/link.html", {"callee": callee, "name": name})
