"""Home, the legend, and the pages for when something is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib.auth.decorators import login_required
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from bluetel.accounts.models import Pbx
from bluetel.api.errors import TOO_LARGE
from contacts.folding import fold, words_of
from contacts.shown import first_numbers
from presence.selectors import people
from presence.states import meet
from voicemail.selectors import latest_messages

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from bluetel.accounts.http import SignedInRequest

MESSAGES: Final = 3
"""Voice messages on the home page."""


@login_required
@require_safe
def home(request: SignedInRequest) -> HttpResponse:
    """What happens to a call now, and who is there."""
    team = people(request.user, watch="team")["people"]
    met = meet(request.user, [int(person["user_id"]) for person in team])
    q, is_free_only = request.GET.get("q", "").strip()[:200], request.GET.get("free") == "yes"
    terms = [f" {word}" for word in fold(q).split()]
    elsewhere = [one.person for one in met.values() if one.person.pbx != request.user.pbx_id]
    others = Pbx.objects.filter(pk__in={one.pbx for one in elsewhere if one.pbx is not None})
    names: dict[int | None, str] = dict(others.values_list("pk", "name"))
    numbers = first_numbers(request.user, [one.user_id for one in elsewhere])
    rows: list[dict[str, object]] = []
    shown = 0
    for person in team:
        known = met[int(person["user_id"])]
        extension = known.extension if known.person.pbx is not None else ""
        sought = words_of(f"{person['name']} {extension}")
        is_wanted = all(term in sought for term in terms)
        if is_free_only and person["phone"] != "available":
            is_wanted = False
        shown += is_wanted
        of_other = names.get(known.person.pbx, "") if extension else ""
        rows.append(
            {
                **person,
                "extension": extension,
                "pbx": of_other,
                "number": numbers.get(person["user_id"], "" if of_other else extension),
                "sought": sought,
                "is_wanted": is_wanted,
            }
        )
    context = {
        "team": rows,
        "shown": shown,
        "q": q,
        "is_free_only": is_free_only,
        "voice_messages": latest_messages(request.user, limit=MESSAGES, now=timezone.now()),
    }
    return render(request, "home.html", context)


@login_required
@require_safe
def legend(request: HttpRequest) -> HttpResponse:
    """What the signs mean."""
    return render(request, "presence/legend.html")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: the browser sent something unreadable; 413: more than is ever needed."""
    if isinstance(exception, TOO_LARGE):
        return render(request, "413.html", status=413)
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: signed in, but not allowed."""
    return render(request, "403.html", status=403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form is from another site, or older than the sign-in."""
    return render(request, "403_csrf.html", status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404."""
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: a page that needs nothing which may be broken."""
    return render(request, "500.html", status=500)
