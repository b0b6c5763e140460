"""Contacts that look like the same person, and what the reader says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from contacts import services
from contacts.duplicates import proposals
from contacts.errors import ContactError, ContactNotFound
from contacts.selectors import public_id
from contacts.wording import error_text

if TYPE_CHECKING:
    from bluetel.accounts.http import SignedInRequest


@login_required
@require_safe
def duplicates(request: SignedInRequest) -> HttpResponse:
    """The pairs to decide about."""
    return render(request, "contacts/duplicates.html", {"proposals": proposals(request.user)})


@login_required
@require_POST
def decide(request: SignedInRequest) -> HttpResponse:
    """Take the answer to one pair; both ids are of contacts, not of persons."""
    one, other = request.POST.get("one", ""), request.POST.get("other", "")
    try:
        if request.POST.get("same"):
            kept = services.say_same(request.user, one, other, now=timezone.now())
            messages.success(request, _("They are one entry now."))
            if request.POST.get("next") == "card":
                return redirect("contacts:card", public_id(kept.pk, kept.user_id))
        else:
            services.say_distinct(request.user, one, other)
    except ContactNotFound as error:
        raise Http404 from error
    except ContactError as error:
        messages.error(request, error_text(error))
    return redirect("contacts:duplicates")
