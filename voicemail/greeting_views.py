"""``/voicemail/greetings/``: what callers hear before the tone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages as notes
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from bluetel.telephony.types import Greeting
from voicemail import greetings
from voicemail.errors import BoxUnavailable, NotPossible, VoicemailError

if TYPE_CHECKING:
    from bluetel.accounts.http import SignedInRequest


@login_required
@require_safe
def page(request: SignedInRequest) -> HttpResponse:
    """Each with its sound, if there is one."""
    state = ""
    recorded: frozenset[Greeting] = frozenset()
    try:
        recorded = greetings.greetings_of(request.user)
    except BoxUnavailable:
        state = "down"
    except NotPossible:
        state = "missing"
    rows = [
        {"name": one.value, "words": words, "is_recorded": one in recorded}
        for one, words in greetings.WORDS.items()
    ]
    return render(request, "voicemail/greetings.html", {"rows": rows, "state": state})


@login_required
@require_safe
def sound(request: SignedInRequest, name: str) -> HttpResponse:
    """A recorded greeting."""
    try:
        found = greetings.sound_of(request.user, _greeting(name))
    except VoicemailError as error:
        raise Http404 from error
    return HttpResponse(
        found, content_type="audio/wav", headers={"Cache-Control": "private, no-store"}
    )


@login_required
@require_POST
def change(request: SignedInRequest, name: str) -> HttpResponse:
    """Record it anew from a file, or delete it."""
    greeting = _greeting(name)
    upload = request.FILES.get("sound")
    try:
        if request.POST.get("action") == "delete":
            greetings.delete(request.user, greeting)
            notes.success(request, _("Callers hear the phone system's own words again."))
        elif upload is not None:
            sound = upload.read(greetings.MOST_BYTES + 1)
            greetings.record(request.user, greeting, sound)
            notes.success(request, _("Callers hear your new greeting."))
        else:
            notes.error(request, _("Choose a file first."))
    except VoicemailError as error:
        notes.error(request, error.message)
    return redirect("voicemail:greetings")


def _greeting(name: str) -> Greeting:
    try:
        return Greeting(name)
    except ValueError:
        raise Http404 from None
