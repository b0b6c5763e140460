"""The forms around a person's own presence: they work without scripts, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from presence import services, team, wishes
from presence.forms import AUTOMATIC, StatusForm
from presence.refusals import Refused

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from bluetel.accounts.http import SignedInRequest


@login_required
@require_POST
def choose_status(request: SignedInRequest) -> HttpResponse:
    """Set the status, or be automatic, and go back to where the form stood."""
    form, now = StatusForm(request.POST), timezone.now()
    if not form.is_valid():
        for problems in form.errors.values():
            messages.error(request, str(problems[0]))
    elif form.cleaned_data["im"] == AUTOMATIC:
        services.be_automatic(request.user.pk)
    else:
        try:
            services.choose_status(
                request.user.pk,
                form.cleaned_data["im"],
                message=form.cleaned_data["message"],
                until=form.end(now=now),
                now=now,
            )
        except Refused as refusal:
            messages.error(request, refusal.message)
    return _back(request)


@login_required
@require_POST
def mark_favourite(request: SignedInRequest, person: str) -> HttpResponse:
    """Set the star of somebody, or take it away."""
    try:
        team.mark_favourite(
            request.user, person, is_favourite=request.POST.get("favourite") == "yes"
        )
    except Refused as refusal:
        messages.error(request, refusal.message)
    return _back(request)


@login_required
@require_POST
def wish_to_call(request: SignedInRequest, person: str) -> HttpResponse:
    """Ask to be told when somebody's telephone is free, or don't any more."""
    try:
        if request.POST.get("wish") == "no":
            wishes.drop(request.user, person, now=timezone.now())
        else:
            wishes.make(request.user, person, now=timezone.now())
    except Refused as refusal:
        messages.error(request, refusal.message)
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, {request.get_host()}, request.is_secure()):
        target = "/"
    return redirect(target)
