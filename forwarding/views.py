"""The settings pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from bluetel.accounts.forms import PlaceForm
from bluetel.accounts.middleware import activate_for

if TYPE_CHECKING:
    from django.http import HttpResponse

    from bluetel.accounts.http import SignedInRequest


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: SignedInRequest) -> HttpResponse:
    """Language and time zone."""
    form = PlaceForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        activate_for(form.save())
        messages.info(request, _("Saved."))
        return redirect("forwarding:account")
    return render(
        request, "settings/account.html", {"form": form}, status=400 if form.errors else 200
    )
