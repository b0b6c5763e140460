"""``/demo/phones/``: the handsets of the simulated PBX, to pick up and to hang up.

These pages exist in the demo only, and speak to the simulator's own control address.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import requests
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from bluetel.accounts.models import Pbx

if TYPE_CHECKING:
    from bluetel.accounts.http import SignedInRequest
    from bluetel.accounts.models import User

logger = logging.getLogger(__name__)

DEMO_PBX = "demo"
_session = requests.Session()


@login_required
@require_safe
def phones(request: SignedInRequest) -> HttpResponse:
    """The desk phones, one group each, the user's own first."""
    return render(request, "demo/phones.html", {"phones": _phones(request.user)})


@login_required
@require_safe
def state(request: SignedInRequest) -> HttpResponse:
    """The same as JSON, for the page that keeps itself fresh."""
    return JsonResponse({"phones": _phones(request.user)})


@login_required
@require_POST
def act(request: SignedInRequest, extension: str, action: str) -> HttpResponse:
    """Pick up, hang up, reject or dial on one handset."""
    body = {"number": request.POST["number"]} if "number" in request.POST else {}
    answer = _ask("POST", f"phones/{extension}/{action}", body)
    if answer is None or answer.status_code >= 400:
        messages.error(
            request, _("Phone %(extension)s can't do that now.") % {"extension": extension}
        )
    if request.headers.get("Accept", "").startswith("application/json"):
        return JsonResponse({"phones": _phones(request.user)})
    return redirect("demo-phones")


def _phones(user: User) -> list[dict[str, Any]]:
    answer = _ask("GET", "phones", {})
    if answer is None or not answer.ok:
        return []
    found: list[dict[str, Any]] = answer.json()["phones"]
    return sorted(found, key=lambda phone: phone["extension"] != user.extension)


def _ask(method: str, path: str, body: dict[str, str]) -> requests.Response | None:
    pbx = Pbx.objects.filter(name=DEMO_PBX).first()
    if pbx is None:
        return None
    try:
        return _session.request(
            method, f"{pbx.url}/_simulator/{path}", json=body or None, timeout=3
        )
    except requests.RequestException:
        logger.warning("the simulated PBX at %s does not answer", pbx.url)
        return None
