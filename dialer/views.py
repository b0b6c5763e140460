"""The dialer without JavaScript: forms that call, and a page that says how the call goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from bluetel.calls import control, selectors, services
from bluetel.calls.errors import CallError, CallNotFound
from bluetel.calls.messages import record_of
from bluetel.telephony.types import TransferKind
from presence.live import publish_call

if TYPE_CHECKING:
    from collections.abc import Callable

    from bluetel.accounts.http import SignedInRequest
    from bluetel.calls.models import Call


@login_required
@require_POST
def call(request: SignedInRequest) -> HttpResponse:
    """Place a call; what can't be called is told on the page one came from."""
    try:
        placed = services.place_call(
            request.user,
            request.POST.get("number", ""),
            now=timezone.now(),
            key=request.POST.get("key", "")[:200],
        )
    except CallError as error:
        messages.error(request, error.message)
        return render(
            request, "dialer/refused.html", {"number": request.POST.get("number", "")}, status=400
        )
    publish_call(request.user.pk, record_of(placed.call))
    return redirect("dialer:call-page", placed.call.pk)


@login_required
@require_safe
def call_page(request: SignedInRequest, call_id: str) -> HttpResponse:
    """One call, live or lately ended."""
    return render(request, "dialer/call.html", {"call": record_of(_own(request, call_id))})


@login_required
@require_POST
def call_action(request: SignedInRequest, call_id: str, action: str) -> HttpResponse:
    """Steer a call by a form's button."""
    found = _own(request, call_id)
    if action not in ACTIONS:
        raise Http404
    try:
        ACTIONS[action](found, request)
    except CallError as error:
        messages.error(request, error.message)
    found.refresh_from_db()
    publish_call(request.user.pk, record_of(found))
    return redirect("dialer:call-page", found.pk)


def _own(request: SignedInRequest, call_id: str) -> Call:
    try:
        return selectors.call_of(request.user, call_id)
    except CallNotFound as error:
        raise Http404 from error


def _transfer(found: Call, request: SignedInRequest) -> None:
    kind = TransferKind.ATTENDED if request.POST.get("kind") == "attended" else TransferKind.BLIND
    control.transfer(found, request.POST.get("number", ""), kind=kind)


def _send_dtmf(found: Call, request: SignedInRequest) -> None:
    digits = request.POST.get("digits", "")
    if not control.are_tones(digits):
        messages.error(request, _("Tones are 0 to 9, * and #, at most 40 at once."))
        return
    control.send_dtmf(found, digits)


ACTIONS: dict[str, Callable[[Call, SignedInRequest], object]] = {
    "hang-up": lambda found, request: control.hang_up(found, now=timezone.now()),
    "answer": lambda found, request: control.answer(found),
    "hold": lambda found, request: control.hold(found, held=True),
    "resume": lambda found, request: control.hold(found, held=False),
    "mute": lambda found, request: control.mute(found, muted=True),
    "unmute": lambda found, request: control.mute(found, muted=False),
    "dtmf": _send_dtmf,
    "transfer": _transfer,
    "transfer-complete": lambda found, request: control.complete_transfer(found),
    "transfer-cancel": lambda found, request: control.cancel_transfer(found),
}
