"""The dialer's forms, a page that says how a call goes, and the list of finished calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from bluetel.calls import control, selectors, services
from bluetel.calls.errors import CallError, CallNotFound, InvalidNumber, NotPossible, PbxDown
from bluetel.calls.messages import record_of
from bluetel.telephony.types import TransferKind
from contacts import colleagues
from contacts.shown import shown_by_search
from dialer.selectors import call_log
from presence.live import publish_call
from presence.peers import colleagues_among, with_peers

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bluetel.accounts.http import SignedInRequest
    from bluetel.accounts.models import User
    from bluetel.calls.models import Call

ROWS_PER_PAGE = 30
LATEST = 5


@login_required
@require_POST
def call(request: SignedInRequest) -> HttpResponse:
    """Place a call; a name is answered by whom it finds, and what can't be called by why."""
    text = request.POST.get("number", "")
    try:
        placed = services.place_call(
            request.user,
            text,
            now=timezone.now(),
            key=request.POST.get("key", "")[:200],
        )
    except CallError as error:
        found = _found(request.user, text) if isinstance(error, InvalidNumber) else None
        if found is not None:
            return render(request, "dialer/found.html", {**found, "number": text})
        messages.error(request, error.message)
        return render(request, "dialer/refused.html", {"number": text}, status=400)
    publish_call(request.user.pk, record_of(placed.call))
    return redirect("dialer:call-page", placed.call.pk)


@login_required
@require_safe
def call_page(request: SignedInRequest, call_id: str) -> HttpResponse:
    """One call, live or lately ended."""
    (call,) = with_peers(request.user, [record_of(_own(request, call_id))])
    return render(request, "dialer/call.html", {"call": call})


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


@login_required
@require_safe
def calls(request: SignedInRequest) -> HttpResponse:
    """The finished calls, all or the missed ones; a PBX that doesn't answer is told of."""
    missed = request.GET.get("show") == "missed"
    before = _moment(request.GET.get("before", ""))
    shown = _shown(request.user, limit=ROWS_PER_PAGE, before=before, missed=missed)
    context = {"missed": missed, "is_later_page": before is not None, **shown}
    return render(request, "dialer/calls.html", context)


@login_required
@require_safe
def latest(request: SignedInRequest) -> HttpResponse:
    """The last few of them, for the home page, which doesn't wait for the PBX."""
    return render(request, "dialer/_latest.html", _shown(request.user, limit=LATEST))


def _found(user: User, text: str) -> dict[str, object] | None:
    """Whom a name in the dialer finds; None where it is no name or nobody is called that."""
    if not any(char.isalpha() for char in text):
        return None
    colleagues.keep_up(now=timezone.now())
    text = text.strip()
    shown, context = shown_by_search(user, text)
    return {**context, "shown": shown, "q": text} if shown else None


def _shown(
    user: User, *, limit: int, before: datetime | None = None, missed: bool = False
) -> dict[str, object]:
    """``rows`` of the log and ``next``, or why there are none: ``is_down``, ``has_no_log``."""
    try:
        page = call_log(user, limit=limit, before=before, missed=missed, now=timezone.now())
    except PbxDown:
        return {"is_down": True}
    except NotPossible:
        return {"has_no_log": True}
    known = colleagues_among(user, (row["contact_id"] for row in page.calls))
    rows = [{**row, "colleague": known.get(row["contact_id"] or "")} for row in page.calls]
    return {"rows": rows, "next": page.next}


def _moment(text: str) -> datetime | None:
    """A time of an address; nonsense is no time."""
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found if found is None or timezone.is_aware(found) else timezone.make_aware(found)


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
